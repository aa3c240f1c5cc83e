"""Suspended: every move, allowed or refused, while the driver is gone; nothing of it is imported."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from typing import Any

import pytest

from omnichannel_core import errors
from omnichannel_core.model.lifecycle import Health, Status
from omnichannel_core.records import Bad, Order, StockLevel
from tests.connections.lab import TYPED, count, made, opened, synced

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("backing", ["sqlite"], indirect=True)]
Call = Callable[[Any, int], Any]
ALLOWED: dict[str, Call] = {
    "get": lambda house, one: house.connections.get("acme", one),
    "list": lambda house, one: house.connections.list("acme"),
    "rename": lambda house, one: house.connections.rename("acme", one, "Still mine"),
    "orders": lambda house, one: house.hub.orders("acme", connection=one),
    "order": lambda house, one: house.hub.order("acme", one, "1"),
    "errors": lambda house, one: house.hub.errors("acme", one),
    "dismiss": lambda house, one: house.hub.dismiss("acme", one),
    "retry": lambda house, one: house.hub.retry("acme", one),
    "erase": lambda house, one: house.hub.erase("acme", one, ["anna@example.com"]),
    "retain": lambda house, one: house.hub.retain("acme", one, {"orders": 30}),
    "processes": lambda house, one: house.processes.list("acme", connection=one),
    "schedules": lambda house, one: house.connections.schedules("acme", one),
    "diagnose": lambda house, one: house.diagnose("acme", one),
}
REFUSED: dict[str, Call] = {
    "synchronize": lambda house, one: house.connections.synchronize("acme", one),
    "check": lambda house, one: house.connections.check("acme", one),
    "credentials": lambda house, one: house.connections.edit("acme", one, credentials=TYPED),
    "settings": lambda house, one: house.connections.edit("acme", one, settings={"import": {"above": 5}}),
    "inherits": lambda house, one: house.connections.edit("acme", one, inherits={"import": False}),
    "authorize": lambda house, one: house.connections.authorize(
        "acme", "lab", TYPED, return_url="https://x.example", connection=one
    ),
    "push": lambda house, one: house.hub.push("acme", one, "stock", [StockLevel(id="a", sku="a")]),
    "schedule": lambda house, one: house.connections.schedule("acme", one, "orders", 5),
    "create": lambda house, one: house.connections.create("acme", "lab", "Another", TYPED),
    "defaults": lambda house, one: house.connections.set_defaults("acme", "lab", "import", {"above": 5}),
    "uninstall": lambda house, one: house.drivers.uninstall("acme", "lab"),
}


async def suspended(open_house: Any, house: Any, bench: Any) -> int:
    """A connection with an order and a failed one, whose driver's distribution is taken away."""
    bench.scripts["orders"] = [
        [Order(id="1", number="N1", email="anna@example.com"), Bad(kind=Order, id="2", reason="r")]
    ]
    lab = await made(house)
    await synced(house, lab)
    shutil.move(open_house.plug.site, open_house.plug.site.with_name("away"))
    await house.watch_gate()
    for name in [one for one in sys.modules if one.startswith("omnichannel_lab")]:
        del sys.modules[name]
    return lab


@pytest.mark.parametrize("what", ALLOWED)
async def test_allowed(open_house: Any, what: str) -> None:
    """What needs no driver works as ever, imports nothing, and the connection stays suspended."""
    async with opened(open_house) as (house, bench):
        lab = await suspended(open_house, house, bench)
        await ALLOWED[what](house, lab)
        seen = await house.connections.get("acme", lab)
        assert (seen.health, "lab" in seen.health_reason) == (Health.SUSPENDED, True)
        assert not [one for one in sys.modules if one.startswith("omnichannel_lab")]


@pytest.mark.parametrize("what", REFUSED)
async def test_refused(open_house: Any, what: str) -> None:
    """What needs the driver is refused with the reason, changes nothing, and works when the driver is back."""
    async with opened(open_house) as (house, bench):
        lab = await suspended(open_house, house, bench)
        before = await house.connections.get("acme", lab)
        queued = len(await house.processes.list("acme"))
        with pytest.raises((errors.NotAdmitted, errors.Conflict)) as refusal:
            await REFUSED[what](house, lab)
        assert "lab" in str(refusal.value)
        assert await house.connections.get("acme", lab) == before
        assert len(await house.processes.list("acme")) == queued
        assert not [one for one in sys.modules if one.startswith("omnichannel_lab")]


async def test_disabled_and_deleted(open_house: Any) -> None:
    """Disable, refused enable (answered by id) and delete go to their ends without the driver."""
    async with opened(open_house) as (house, bench):
        lab = await suspended(open_house, house, bench)
        (moved,) = await house.connections.disable("acme", [lab])
        assert (moved.error, moved.connection.status) == (None, Status.INACTIVE)
        (moved,) = await house.connections.enable("acme", [lab])
        assert (moved.id, type(moved.error)) == (lab, errors.DriverNotFound)
        assert (await house.connections.what_goes("acme", lab))["orders"] == 1
        assert await count(house, lab) == 1
        process = await house.connections.delete("acme", lab)
        await house.processes.run_to_end("acme", process.id)
        with pytest.raises(errors.NotFound):
            await house.connections.get("acme", lab)
        assert not [one for one in sys.modules if one.startswith("omnichannel_lab")]
