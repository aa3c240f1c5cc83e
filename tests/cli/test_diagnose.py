"""The bundle about a connection may be given away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from omnichannel_core import errors
from omnichannel_core.app import Omnichannel
from omnichannel_core.cli.commands import cli
from omnichannel_core.records import Order, StockLevel
from omnichannel_core.testing import simulator

pytestmark = pytest.mark.anyio
CANARY, SECRET = "canary-5d1f", "sesame-77ab-opens"


async def filled(house: Omnichannel, shop: Any) -> int:
    """A connection with canaries wherever somebody may write something."""
    shop.secret = SECRET
    shop.orders = [Order(id="1", number=f"{CANARY}-number", email=f"{CANARY}@shop.example")]
    typed = {"shop": "a", "secret": shop.secret}
    saved = await house.connections.create("acme", "echo", f"{CANARY}-name", typed)
    assert saved.process is not None
    await house.processes.run_to_end("acme", saved.process.id)
    shop.trouble = errors.CredentialsRejected(f"{CANARY}-message {shop.secret}")
    again = await house.connections.synchronize("acme", saved.connection.id)
    await house.processes.run_to_end("acme", again.id)
    return saved.connection.id


async def test_no_canary(house: Omnichannel, shop: Any) -> None:
    """No secret, name, message or data of anybody is inside; states, ages and keys are."""
    connection = await filled(house, shop)
    seen = repr([one.error + one.message for one in await house.processes.list("acme", connection=connection)])
    assert f"{CANARY}-message" in seen  # it is there to be told
    bundle = await house.diagnose("acme", connection)
    told = json.dumps(bundle)
    assert CANARY not in told
    assert SECRET not in told
    assert bundle["connection"]["health"] == "attention"
    assert [one["error"] for one in bundle["processes"] if one["state"] == "failed"] == ["credentials_rejected"]
    assert bundle["driver"][0]["name"] == "echo"
    assert {one["stream"] for one in bundle["schedules"]} >= {"orders"}


async def test_other_account(house: Omnichannel, shop: Any) -> None:
    """Another account's connection is not there."""
    connection = await filled(house, shop)
    await house.accounts.add("other")
    with pytest.raises(errors.NotFound):
        await house.diagnose("other", connection)


def texts(value: Any) -> Iterator[str]:
    """Every text inside, of six letters or more."""
    if isinstance(value, str):
        yield from [value] if len(value) > 5 else []
    elif isinstance(value, dict):
        for one in value.values():
            yield from texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`connections diagnose` of a real driver's connection tells what the docs say, and nothing that anybody wrote."""
    monkeypatch.chdir(tmp_path)
    token, name = "sesame-token-41c9", f"{CANARY}-name"

    def run(*given: str, typed: str = "") -> str:
        options = ["--db", "s.db", "--account", "acme", "--trust", "public", *given]
        done = CliRunner().invoke(cli, options, input=typed, env={"OMNICHANNEL_KEYS": None})
        assert done.exit_code == 0, (given, done.stdout, done.stderr)
        return done.stdout

    run("licenses", "keygen", "private", "public")
    Path("license").write_text(
        run("licenses", "issue", "private", "--for", "acme", "--driver", "bigcommerce",
            "--distribution", "omnichannel-bigcommerce")
    )  # fmt: skip
    run("accounts", "add", "acme")
    run("licenses", "add", "license")
    run("drivers", "install", "bigcommerce")
    with simulator.running("bigcommerce") as address:
        shop = {"hash": "abc123", "token": token, "orders": 6, "products": 2, "quota": 450}
        simulator.control(address, "stores", shop)
        there = ("--endpoint", f"bigcommerce={address}")
        made = json.loads(run(*there, "--json", "connections", "create", "bigcommerce", name, "--set",
                              "store_hash=abc123", "--secrets-stdin", typed=f"access_token={token}\n"))  # fmt: skip
        bundle = json.loads(run(*there, "connections", "diagnose", str(made["id"])))
    seen = json.loads(run("--json", "hub", "orders"))
    written = {one for order in seen for one in texts(json.loads(run("--json", "hub", "order", "1", order["id"])))}
    assert len(written) > 20
    told = json.dumps(bundle)
    times = {one for one in written if one[:4].isdigit()}
    states = {"bigcommerce", "orders", "active", "shipments"}
    assert [one for one in written - times - states if one in told] == []
    assert name not in told
    assert token not in told
    assert {one["name"] for one in bundle["driver"]} == {"bigcommerce"}
    assert {one["stream"]: one["last_run_at"] is not None and one["begun"] for one in bundle["pulls"]}["orders"]
    assert bundle["limits"][0].keys() == {"name", "rate", "burst", "window", "concurrent", "per"}
    assert bundle["processes"][0]["state"] == "succeeded"
    assert bundle["core"]["tables"]
    assert bundle.keys() == {
        "made_at", "core", "python", "driver", "connection", "schedules", "pulls", "pushes", "limits", "processes",
        "failures",
    }  # fmt: skip


async def test_pushes(house: Omnichannel, shop: Any) -> None:
    """Pushes are counted by stream and state, without what they say."""
    connection = await filled(house, shop)
    shop.trouble = None
    levels = [StockLevel(id=f"{CANARY}-{n}", sku=f"{CANARY}-{n}", quantity=Decimal(n)) for n in range(3)]
    await house.hub.push("acme", connection, "stock", levels)
    bundle = await house.diagnose("acme", connection)
    assert bundle["pushes"] == [{"stream": "stock", "state": "queued", "count": 3}]
    assert CANARY not in json.dumps(bundle)
