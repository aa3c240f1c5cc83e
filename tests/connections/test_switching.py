"""What follows the switch: the marketplace is asked to call, again and again, while a connection is active."""

from __future__ import annotations

from typing import Any

import pytest

from omnichannel_core import errors
from omnichannel_core.model.lifecycle import Health
from tests.connections.lab import made, opened

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


async def test_without_an_address_nobody_is_asked_to_call(open_house: Any, clock: Any) -> None:
    """A host that cannot be reached subscribes to nothing."""
    async with opened(open_house, work=False) as (house, bench):
        await made(house)
        assert await asked(house, bench, clock, DAY) == []
