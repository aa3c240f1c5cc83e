"""Schedules, and what happens while the gate is closed."""

from __future__ import annotations

import shutil
import sys
from datetime import timedelta
from typing import Any

import pytest

from omnichannel_core import errors
from omnichannel_core.driver import Page
from omnichannel_core.model.lifecycle import Health, Status
from omnichannel_core.model.process import State
from omnichannel_core.records import Order
from tests.connections.lab import count, made, opened, synced

pytestmark = pytest.mark.anyio


async def test_defaults(open_house: Any) -> None:
    """Orders come every 15 minutes, the data model on synchronize only; other intervals are offered from a list."""
    async with opened(open_house) as (house, _):
        lab = await made(house)
        assert {one.stream: one.minutes for one in await house.connections.schedules("acme", lab)} == {
            "data-model": 0, "orders": 15,
        }  # fmt: skip
        for wrong in (("orders", 7), ("nothing", 5)):
            with pytest.raises(errors.UsageError):
                await house.connections.schedule("acme", lab, *wrong)


async def test_due(open_house: Any, clock: Any) -> None:
    """What is due is queued once, pulls its stream only, and rests while the connection is inactive."""
    async with opened(open_house) as (house, bench):
        lab = await made(house)
        await synced(house, lab)
        bench.asked.clear()
        clock.turn(17 * 60)
        await house._scheduling.tick()  # type: ignore[attr-defined]
        await house._scheduling.tick()  # type: ignore[attr-defined]
        (process,) = await house.processes.list("acme", states=[State.QUEUED])
        await house.processes.run_to_end("acme", process.id)
        assert {line.split()[0] for line in bench.asked} == {"orders"}
        await house.connections.disable("acme", [lab])
        clock.turn(17 * 60)
        await house._scheduling.tick()  # type: ignore[attr-defined]
        assert await house.processes.list("acme", states=[State.QUEUED]) == []


@pytest.mark.parametrize("how", ["lapsed", "removed"])
async def test_suspended(open_house: Any, clock: Any, how: str) -> None:
    """Suspended: schedules rest, rename, show, export, disable and delete work without importing; on return it goes on."""
    async with opened(open_house) as (house, bench):
        bench.scripts["orders"] = [[Order(id="1", number="N1")]]
        lab, gone = await made(house), await made(house, shop="b")
        await synced(house, lab)
        site = open_house.plug.site
        if how == "lapsed":
            clock.turn(20 * 365 * 86400)
        else:
            shutil.move(site, site.with_name("away"))
        await house.watch_gate()
        seen = await house.connections.get("acme", lab)
        assert seen.health is Health.SUSPENDED
        assert seen.health_reason
        loaded = set(sys.modules)
        clock.turn(3600)
        await house._scheduling.tick()  # type: ignore[attr-defined]
        assert not [one for one in await house.processes.list("acme", states=[State.QUEUED]) if one.connection == lab]
        with pytest.raises(errors.NotAdmitted):
            await house.connections.synchronize("acme", lab)
        assert (await house.connections.rename("acme", lab, "Still")).name == "Still"
        assert await count(house, lab) == 1
        (answer,) = await house.connections.disable("acme", [gone])
        assert answer.error is None
        (answer,) = await house.connections.enable("acme", [gone])
        assert isinstance(answer.error, errors.NotAdmitted)
        process = await house.connections.delete("acme", gone)
        ended = await house.processes.run_to_end("acme", process.id)
        assert ended.state is State.SUCCEEDED
        assert set(sys.modules) - loaded == set()
        if how == "lapsed":
            await open_house.buy(house, driver="lab")
        else:
            shutil.move(site.with_name("away"), site)
        await house.watch_gate()
        seen = await house.connections.get("acme", lab)
        assert (seen.health, seen.health_reason, seen.status) == (Health.OK, "", Status.ACTIVE)
        (orders,) = [one for one in await house.connections.schedules("acme", lab) if one.stream == "orders"]
        assert orders.next_at is not None
        assert clock.now() <= orders.next_at <= clock.now() + timedelta(minutes=15)
        bench.scripts["orders"] = [[], [Order(id="2", number="N2")]]
        await synced(house, lab)
        assert await count(house, lab) == 2


async def test_gate_closes_in_the_middle(open_house: Any, clock: Any) -> None:
    """Running work ends at a page border when the gate closes, and a first sync that never ended comes back with it."""
    async with opened(open_house) as (house, bench):
        site = open_house.plug.site

        async def pull(session: Any, cursor: Any) -> Any:
            if cursor.page == 3 and site.exists():
                shutil.move(site, site.with_name("away"))
                await house.watch_gate()
            return Page(
                cursor=type(cursor)(cursor.page + 1), records=[Order(id=str(cursor.page))], more=cursor.page < 9
            )

        bench.scripts["orders"] = pull
        lab = await made(house)
        (process,) = await house.processes.list("acme")
        ended = await house.processes.run_to_end("acme", process.id)
        assert not ended.open
        assert (await house.connections.get("acme", lab)).health is Health.SUSPENDED
        bench.scripts["orders"] = lambda session, cursor: Page(
            cursor=type(cursor)(cursor.page + 1), records=[Order(id=str(cursor.page))], more=cursor.page < 9
        )
        shutil.move(site.with_name("away"), site)
        await house.watch_gate()
        (process,) = await house.processes.list("acme", states=[State.QUEUED])
        assert (await house.processes.run_to_end("acme", process.id)).state is State.SUCCEEDED
        assert await count(house, lab) == 10
        assert (await house.connections.get("acme", lab)).last_synced_at is not None


async def test_sync_finds_the_gate_closed(open_house: Any) -> None:
    """A sync that finds the gate closed suspends the connection, its schedules included."""
    async with opened(open_house) as (house, _):
        lab = await made(house)
        (process,) = await house.processes.list("acme")
        shutil.move(open_house.plug.site, open_house.plug.site.with_name("away"))
        assert (await house.processes.run_to_end("acme", process.id)).state is State.FAILED
        assert (await house.connections.get("acme", lab)).health is Health.SUSPENDED
        assert all(one.resting for one in await house.connections.schedules("acme", lab))
