"""What follows the switch: the marketplace is asked to call, again and again, while a connection is active."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from omnichannel_core import errors
from omnichannel_core.model.lifecycle import Health
from tests.connections.lab import made, opened, synced

pytestmark = pytest.mark.anyio
DAY = 24 * 3600 + 1
BASE = "https://host.example/omnichannel"


async def asked(house: Any, bench: Any, clock: Any, seconds: float) -> list[str]:
    """What the marketplace is asked in the housekeeping after so many seconds."""
    bench.asked.clear()
    clock.turn(seconds)
    await house._scheduling.housekeeping()
    return [one for one in bench.asked if "subscribe" in one]


async def test_callbacks_follow_the_switch_and_are_asked_for_again_daily(open_house: Any, clock: Any) -> None:
    """Asked for on create and enable, then once a day; not while inactive, and given up on disable."""
    async with opened(open_house, callback_base=BASE, work=False) as (house, bench):
        lab = await made(house)
        assert bench.asked == ["subscribe"]
        assert await asked(house, bench, clock, 3600) == []
        assert await asked(house, bench, clock, DAY) == ["subscribe"]
        assert await asked(house, bench, clock, 60) == []
        bench.asked.clear()
        await house.connections.disable("acme", [lab])
        assert bench.asked == ["unsubscribe"]
        assert await asked(house, bench, clock, 3 * DAY) == []
        await house.connections.enable("acme", [lab])
        assert bench.asked == ["subscribe"]


async def test_a_marketplace_that_is_down_is_asked_again_soon(open_house: Any, clock: Any) -> None:
    """Trouble of the remote is not the merchant's: health stays as it is, and ten minutes later it is tried again."""
    async with opened(open_house, callback_base=BASE, work=False) as (house, bench):
        bench.trouble["subscribe"] = errors.RemoteUnavailable("The lab is closed.")
        lab = await made(house)
        assert (await house.connections.get("acme", lab)).health is Health.OK
        assert await asked(house, bench, clock, 60) == []
        bench.trouble.clear()
        assert await asked(house, bench, clock, 601) == ["subscribe"]


async def test_a_refused_subscription_is_said(open_house: Any, clock: Any) -> None:
    """What the merchant has to mend shows on the connection, which stays active."""
    async with opened(open_house, callback_base=BASE, work=False) as (house, bench):
        bench.trouble["subscribe"] = errors.AccessMissing("The lab wants a scope for callbacks.", "webhooks")
        lab = await made(house)
        seen = await house.connections.get("acme", lab)
        assert seen.health is Health.ATTENTION
        assert "wants a scope" in seen.health_reason


async def test_a_refused_subscription_stays_until_it_works(open_house: Any, clock: Any) -> None:
    """A good sync, a check, a saved name and a return of the gate do not hide it; a good subscription ends it."""
    async with opened(open_house, callback_base=BASE, work=False) as (house, bench):
        bench.trouble["subscribe"] = errors.AccessMissing("The lab wants a scope for callbacks.", "webhooks")
        lab = await made(house)
        (first,) = await house.processes.list("acme")
        await house.processes.run_to_end("acme", first.id)
        await synced(house, lab)
        await house.connections.check("acme", lab)
        await house.connections.rename("acme", lab, "Lab 2")
        for away in (site := open_house.plug.site, site.with_name("away")), (site.with_name("away"), site):
            shutil.move(*away)
            await house.watch_gate()
        seen = await house.connections.get("acme", lab)
        assert (seen.health, "wants a scope" in seen.health_reason) == (Health.ATTENTION, True)
        bench.trouble["check"] = errors.RemoteUnavailable("The lab is closed.")
        with pytest.raises(errors.RemoteUnavailable):
            await house.connections.check("acme", lab)
        bench.trouble.clear()
        assert await asked(house, bench, clock, DAY) == ["subscribe"]
        assert (await house.connections.get("acme", lab)).health is Health.WAITING  # that was said of something else
        await synced(house, lab)
        seen = await house.connections.get("acme", lab)
        assert (seen.health, seen.health_reason, seen.calls_trouble) == (Health.OK, "", "")


async def test_a_refused_subscription_is_tried_again_with_new_credentials(open_house: Any, clock: Any) -> None:
    """Whoever mends the credentials need not wait a day."""
    async with opened(open_house, callback_base=BASE, work=False) as (house, bench):
        bench.trouble["subscribe"] = errors.AccessMissing("The lab wants a scope for callbacks.", "webhooks")
        lab = await made(house)
        assert await asked(house, bench, clock, 60) == []
        await house.connections.edit("acme", lab, credentials={"shop": "a", "secret": "with-scope"})
        bench.trouble.clear()
        assert await asked(house, bench, clock, 60) == ["subscribe"]
        seen = await house.connections.get("acme", lab)
        assert (seen.health, seen.health_reason) == (Health.OK, "")


async def test_a_refused_subscription_goes_when_nobody_wants_it(open_house: Any) -> None:
    """Disabled, the connection has no trouble with callbacks any more."""
    async with opened(open_house, callback_base=BASE, work=False) as (house, bench):
        bench.trouble["subscribe"] = errors.AccessMissing("The lab wants a scope for callbacks.", "webhooks")
        lab = await made(house)
        await house.connections.disable("acme", [lab])
        seen = await house.connections.get("acme", lab)
        assert (seen.health, seen.health_reason, seen.calls_trouble) == (Health.OK, "", "")


async def test_a_remote_does_not_open_the_gate(open_house: Any) -> None:
    """Whatever is heard of the remote while the gate is closed, the connection stays suspended, and comes back."""
    async with opened(open_house, work=False) as (house, bench):
        site = open_house.plug.site

        async def pull(session: Any, cursor: Any) -> Any:
            shutil.move(site, site.with_name("away"))
            await house.watch_gate()
            raise errors.RemoteUnavailable("The lab is closed.")

        bench.scripts["orders"] = pull
        lab = await made(house)
        (process,) = await house.processes.list("acme")
        await house.processes.run_to_end("acme", process.id)
        assert (await house.connections.get("acme", lab)).health is Health.SUSPENDED
        shutil.move(site.with_name("away"), site)
        await house.watch_gate()
        assert (await house.connections.get("acme", lab)).health is Health.OK
        assert not any(one.resting for one in await house.connections.schedules("acme", lab))


async def test_without_an_address_nobody_is_asked_to_call(open_house: Any, clock: Any) -> None:
    """A host that cannot be reached subscribes to nothing."""
    async with opened(open_house, work=False) as (house, bench):
        await made(house)
        assert await asked(house, bench, clock, DAY) == []
