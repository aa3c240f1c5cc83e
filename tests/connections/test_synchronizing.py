"""Synchronize: what is done, in which order, and what it leaves on the row."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from omnichannel_core import errors
from omnichannel_core.connections.synchronizing import plan
from omnichannel_core.driver import Page
from omnichannel_core.model.lifecycle import Health
from omnichannel_core.model.process import State
from omnichannel_core.records import Order
from omnichannel_core.storage.connections import Connections
from tests.connections.lab import count, made, opened, synced

pytestmark = pytest.mark.anyio


async def test_plan(open_house: Any) -> None:
    """Everything: the data model first. A schedule: its streams. A call: what it names, or only single records."""
    async with opened(open_house) as (house, _):
        lab = await house.drivers.load("acme", "lab")
        assert plan(lab, {}) == ["data-model", "retry", "orders", "push"]
        assert plan(lab, {"streams": ["orders"]}) == ["retry", "orders"]
        assert plan(lab, {"called": True, "fetch": {"orders": ["1"]}}) == ["retry"]
        assert plan(lab, {"called": True, "check": True}) == ["check"]


async def test_remote_down(open_house: Any) -> None:
    """A remote that is down is a waiting state with a time, shown as health; when it is back all is well."""
    async with opened(open_house) as (house, bench):
        down = [True, True]

        def pull(session: Any, cursor: Any) -> Any:
            if down:
                down.pop()
                raise errors.RemoteUnavailable("The lab is down.")
            return Page(cursor=cursor, records=[Order(id="1")])

        bench.scripts["orders"] = pull
        lab = await made(house)
        (process,) = await house.processes.list("acme")
        seen: list[State] = []
        ended = await house.processes.run_to_end("acme", process.id, seen=lambda one: seen.append(one.state))
        assert State.WAITING in seen
        assert (ended.state, await count(house, lab)) == (State.SUCCEEDED, 1)
        assert (await house.connections.get("acme", lab)).health is Health.OK


async def test_refused(open_house: Any) -> None:
    """Refused credentials need attention, with the reason, and the process fails under its own key."""
    async with opened(open_house) as (house, bench):
        lab = await made(house)

        def pull(session: Any, cursor: Any) -> Any:
            raise errors.CredentialsRejected("The lab refuses this secret.")

        bench.scripts["orders"] = pull
        ended = await synced(house, lab)
        assert (ended.state, ended.error_key) == (State.FAILED, "credentials_rejected")
        seen = await house.connections.get("acme", lab)
        assert (seen.health, seen.health_reason) == (Health.ATTENTION, "The lab refuses this secret.")


async def test_a_missing_permission_holds_up_nothing_else(open_house: Any) -> None:
    """A stream without its permission is passed by and said; a run that only had such streams fails."""
    async with opened(open_house) as (house, bench):

        def refused(session: Any, cursor: Any) -> Any:
            raise errors.AccessMissing("The lab wants the role of a reader.", "reader")

        bench.scripts["data-model"] = refused
        bench.scripts["orders"] = lambda session, cursor: Page(cursor=cursor, records=[Order(id="1")])
        lab = await made(house)
        (process,) = await house.processes.list("acme")
        ended = await house.processes.run_to_end("acme", process.id)
        assert ended.state is State.SUCCEEDED
        assert "data-model: The lab wants the role of a reader." in ended.message
        seen = await house.connections.get("acme", lab)
        assert (seen.health, seen.health_reason) == (
            Health.ATTENTION, "data-model: The lab wants the role of a reader.",
        )  # fmt: skip
        assert await count(house, lab) == 1
        bench.scripts["orders"] = refused
        ended = await synced(house, lab)
        assert (ended.state, ended.error_key) == (State.FAILED, "access_missing")


async def test_what_ends_stays_announced(open_house: Any, clock: Any) -> None:
    """A sync that goes well does not hide that an authorization is about to end."""
    import attrs

    async with opened(open_house) as (house, _):
        lab = await made(house)

        def ends(tx: Any) -> None:
            mine = Connections(tx, "acme")
            kept = mine.get(lab)
            seen = attrs.evolve(kept.seen, expires={"authorization": clock.now() + timedelta(days=3)})
            mine.replace(attrs.evolve(kept, seen=seen))

        await house._store.write(ends)
        await synced(house, lab)
        seen = await house.connections.get("acme", lab)
        assert seen.health is Health.ATTENTION
        assert seen.health_reason == "The authorization ends on 04/01/2026: renew it before."
