"""`omnichannel migrate` and `worker` on PostgreSQL."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

KEYS = "k1:" + "A" * 43 + "="


@pytest.fixture
def url(postgres_server: Any) -> Any:
    """Of an empty database."""
    made = postgres_server.database()
    yield made.set(drivername="postgresql").render_as_string(hide_password=False)
    postgres_server.drop(made)


def command(url: str, data: Path, *arguments: str) -> list[str]:
    """As a shell would start it."""
    return [sys.executable, "-m", "omnichannel_core.cli", "--db", url, "--data", str(data), *arguments]


def test_migrate_then_work(url: str, tmp_path: Path) -> None:
    """A worker refuses a store without tables and names the command; after that it works until SIGTERM."""
    environment = {**os.environ, "OMNICHANNEL_KEYS": KEYS}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(url, tmp_path, *arguments), capture_output=True, text=True, env=environment, check=False, timeout=60
        )

    refused = run("worker")
    assert refused.returncode != 0
    assert "omnichannel migrate" in refused.stderr + refused.stdout
    assert json.loads(run("--json", "migrate").stdout)["version"] == "0001"
    with subprocess.Popen(
        command(url, tmp_path, "worker"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as worker:
        assert worker.stdout is not None
        told = worker.stdout.readline()
        assert "Working" in told
        worker.send_signal(signal.SIGTERM)
        rest = worker.stdout.read()
        assert worker.wait(30) == 0
    assert "Stopped" in rest
