"""`omnichannel migrate` and `worker` on PostgreSQL."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
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


def test_a_dump_comes_back(url: str, postgres_server: Any, tmp_path: Path) -> None:
    """`restored` on a database made from a dump makes open pushes unknown, however often, and a worker starts on it."""
    environment = {**os.environ, "OMNICHANNEL_KEYS": KEYS}

    def run(at: str, *arguments: str) -> Any:
        done = subprocess.run(
            command(at, tmp_path, "--json", *arguments), capture_output=True, text=True, env=environment, check=True,
            timeout=60,
        )  # fmt: skip
        return json.loads(done.stdout)

    run(url, "migrate")
    assert run(url, "restored", "--yes") == {"unknown": 0}
    with psycopg.connect(url, autocommit=True) as raw:
        raw.execute("INSERT INTO omni_outbox (account_id, connection_id, stream, kind, key, body) "
                    "VALUES ('a', 1, 'shipments', 'Shipment', 'k', '')")  # fmt: skip
    dump = tmp_path / "dump"
    subprocess.run([postgres_server.program("pg_dump"), "--format=custom", f"--file={dump}", url], check=True)
    made = postgres_server.database()
    back = made.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        subprocess.run(
            [postgres_server.program("pg_restore"), "--exit-on-error", f"--dbname={back}", str(dump)], check=True
        )
        run(back, "migrate")
        assert [run(back, "restored", "--yes") for _ in range(2)] == [{"unknown": 1}, {"unknown": 1}]
        with psycopg.connect(back) as raw:
            assert raw.execute("SELECT state FROM omni_outbox").fetchall() == [("unknown",)]
        with psycopg.connect(url) as raw:
            assert raw.execute("SELECT state FROM omni_outbox").fetchall() == [("queued",)]
        with subprocess.Popen(
            command(back, tmp_path, "worker"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
        ) as worker:
            assert worker.stdout is not None
            assert b"Working" in worker.stdout.readline()
            worker.send_signal(signal.SIGTERM)
            worker.communicate(timeout=30)
    finally:
        postgres_server.drop(made)
