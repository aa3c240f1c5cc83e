"""AUTHORIZE from the command line: the browser comes back on loopback, whatever it brings."""

from __future__ import annotations

import importlib
import json
import threading
import urllib.request
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest


@pytest.fixture
def lab(line: Any, plug: Any) -> Any:
    """The lab driver in account acme, with a clean bench."""
    plug.ready("lab")
    module = importlib.import_module("omnichannel_lab.bench")
    module.BENCH = module.Bench()  # type: ignore[attr-defined]
    line("licenses", "add", line.license("lab"))
    line("drivers", "install", "lab")
    return line, module.BENCH  # type: ignore[attr-defined]


def browser(bench: Any, **said: str) -> threading.Thread:
    """Follows the address of the next trip home, as soon as there is one."""
    before, came = len(bench.trips), threading.Event()

    def go() -> None:
        while len(bench.trips) == before and not came.wait(0.02):
            pass
        query = parse_qs(urlsplit(bench.trips[-1]).query)
        answer = "&".join(f"{name}={value}" for name, value in {"state": query["state"][0], **said}.items())
        urllib.request.urlopen(f"{query['back'][0]}?{answer}", timeout=20).read()

    made = threading.Thread(target=go, daemon=True)
    made.start()
    return made


def test_cancel_and_come_again(lab: Any) -> None:
    """Cancel at the marketplace exits 4 and names the draft, which holds what was typed for the next trip and SAVE."""
    line, bench = lab
    typed = ("--set", "shop=a", "--secrets-stdin")
    trip = browser(bench, error="denied")
    refused = line("--json", "connections", "authorize", "lab", *typed, code=4, typed="secret=hush-lab\n")
    trip.join(20)
    (said,) = map(json.loads, refused.stdout.splitlines())
    assert (said["authorized"], said["values"]["shop"]) == (False, "a")
    assert f"Draft {said['draft']}." in refused.stderr
    assert "hush-lab" not in refused.stdout + refused.stderr
    trip = browser(bench)
    again = line.json("connections", "authorize", "lab", "--draft", said["draft"])
    trip.join(20)
    assert (again["draft"], again["authorized"], again["values"]["key"]) == (said["draft"], True, "brought")
    made = line.json("connections", "create", "lab", "Lab", "--draft", said["draft"])
    assert (made["id"], made["status"]) == (said["draft"], "active")
