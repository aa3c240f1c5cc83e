"""`omnichannel stores`, with the real driver."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from omnichannel_pos_simulator.live import pushed
from omnichannel_pos_simulator.till import Till

from omnichannel_core.cli.commands import cli


@pytest.fixture
def line(tmp_path: Path) -> Any:
    """Runs a command on one store with the driver installed; its one JSON document."""
    trust = str(tmp_path / "public.json")
    environment = {"OMNICHANNEL_DB": str(tmp_path / "s.db"), "OMNICHANNEL_ACCOUNT": "acme", "OMNICHANNEL_TRUST": trust}

    def run(*args: str, code: int = 0, plain: bool = False) -> Any:
        given = list(args) if plain else ["--json", *args]
        result = CliRunner().invoke(cli, given, env=environment)
        assert result.exit_code == code, (args, result.output)
        return result.stdout if plain else json.loads((result.stdout or result.stderr).splitlines()[-1])

    run("licenses", "keygen", str(tmp_path / "private.json"), trust, plain=True)
    run("accounts", "add", "acme")
    text = run("licenses", "issue", str(tmp_path / "private.json"), "--for", "acme", "--driver", "pos",
               "--distribution", "omnichannel-pos", plain=True)  # fmt: skip
    (tmp_path / "pos.license").write_text(text)
    run("licenses", "add", str(tmp_path / "pos.license"))
    run("drivers", "install", "pos")
    return run


def test_stores(line: Any, tmp_path: Path) -> None:
    """A store is added, listed, shown, edited and fed, and its connection is one like any other."""
    made = line("stores", "add", "Berlin", "--address", "Markt 1", "--net")
    assert made["name"] == "POS store Berlin"
    one = str(made["id"])
    (listed,) = line("stores", "list")
    assert (listed["name"], listed["gross_prices"], listed["currency"]) == ("Berlin", False, "EUR")
    assert Path(listed["exchange"], "in").is_dir()
    assert line("stores", "edit", one, "--name", "Bonn")["connection"] == "POS store Bonn"
    assert line("stores", "show", one)["address"] == "Markt 1"
    till = Till(seed=1)
    (tmp_path / "receipt.json").write_bytes(pushed(till, till.sell()))
    assert line("stores", "receive", one, str(tmp_path / "receipt.json"))["connections"] == [int(one)]
    line("connections", "sync", one)
    assert [order["id"] for order in line("hub", "orders")] == list(till.truth.orders)


def test_refusals(line: Any, tmp_path: Path) -> None:
    """What does not fit is said by key, and no store is made or fed."""
    assert line("stores", "add", "Berlin", "--currency", "euro", code=2)["error"] == "form_invalid"
    assert line("stores", "show", "9", code=3)["error"] == "not_found"
    assert line("stores", "list") == []
