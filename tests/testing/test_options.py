"""What the conformance kit is asked for on the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FACTS = """
from omnichannel_core.testing import DriverConformance


class TestNone(DriverConformance):
    driver = "there-is-none"
    seed = 3
"""
TELL = """
def pytest_runtest_call(item):
    facts = item.instance
    print("FACTS", facts.thorough, facts.seed, item.get_closest_marker("timeout").args)
"""


@pytest.mark.parametrize(
    ("asked", "facts"),
    [([], "FACTS False 3 (600,)"), (["--conformance=thorough", "--conformance-seed=7"], "FACTS True 7 (0,)")],
)
def test_options_become_facts(tmp_path: Path, asked: list[str], facts: str) -> None:
    """Quick with the author's seed unless more is asked for; a driver that is not there fails, and is told."""
    (tmp_path / "test_none.py").write_text(FACTS)
    (tmp_path / "conftest.py").write_text(TELL)
    command = [sys.executable, "-m", "pytest", "-s", "-p", "no:cacheprovider", "-k", "bronze-declares]", *asked, "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    assert facts in done.stdout, done.stdout + done.stderr
    assert "No installed distribution declares a driver 'there-is-none'" in done.stdout
    assert done.returncode == 1
