"""`omnichannel demo` as a person runs it: a process of its own, with every simulator."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-u", "-m", "omnichannel_core.cli", "demo"]
LINES = {
    "Connected": r"connection \d+ to 'Demo Store'; works: .*orders",
    "Order filters": r"status Shipped switched on: [1-9]\d* more orders, none twice",
    "Pushed to shipments": r"parcel-\d+: accepted",
    "Amazon authorized": r"Amazon filled in Seller ID ADEMOSELLER01",
    "Amazon orders": r"[1-9]\d* orders",
    "Seen at Amazon": r"17 pieces are live",
    "Shopify authorized": r"'ACME on Shopify': the app is installed",
    "Shopify orders": r"3 orders came with the next synchronize",
    "Closing": r"each once: the till's own figures",
    "Deleted": r"[1-9]\d* orders, .*; 3 connections left",
}


def _environment(folder: Path) -> dict[str, str]:
    return {"PATH": "", "TMPDIR": str(folder), "HOME": str(folder)}


@pytest.mark.timeout(180)
def test_the_whole_story(tmp_path: Path) -> None:
    """Every act is in the closing table with what it is to show, exit code 0, and nothing is left behind."""
    done = subprocess.run(
        COMMAND, capture_output=True, text=True, timeout=150, check=False, env=_environment(tmp_path)
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for step, wanted in LINES.items():
        assert re.search(rf"^  {step} .*{wanted}", done.stdout, re.MULTILINE), (step, done.stdout)
    assert list(tmp_path.glob("omnichannel-demo-*")) == []


@pytest.mark.timeout(180)
def test_kept(tmp_path: Path) -> None:
    """With --keep the admin pages and REST answer with the living connections until Ctrl-C ends it."""
    child = subprocess.Popen(
        [*COMMAND, "--keep"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=_environment(tmp_path)
    )
    assert child.stdout is not None
    try:
        said = ""
        for line in child.stdout:
            said += line
            if "Ctrl-C ends it." in line:
                break
        address = re.search(r"The admin pages: (\S+)/", said)
        assert address is not None, said
        assert len(re.findall(r"--endpoint (?:bigcommerce|amazon|shopify)=http", said)) == 6
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{address[1]}/api/v1/connections", timeout=60) as answer:
            listed = json.loads(answer.read())
        assert {one["driver"] for one in listed["rows"]} == {"bigcommerce", "pos", "amazon", "shopify"}
        with opener.open(f"{address[1]}/", timeout=60) as answer:
            assert "Amazon Germany" in answer.read().decode()
    finally:
        child.send_signal(signal.SIGINT)
        child.wait(30)
        child.stdout.close()
    assert child.returncode == 130  # ended by Ctrl-C
