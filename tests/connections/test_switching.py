"""Callbacks follow the switch, and are asked for again in time."""

from __future__ import annotations

from typing import Any

import pytest

from omnichannel_core import errors
from omnichannel_core.model.lifecycle import Health
from omnichannel_core.model.process import State
from tests.connections.lab import made, opened, synced

pytestmark = pytest.mark.anyio
BASE = "https://host.example/omnichannel"


async def test_asked_for_daily(open_house: Any, clock: Any) -> None:
    """Active connections ask the marketplace on create, on enable and daily; inactive ones do not."""
    async with opened(open_house, callback_base=BASE) as (house, bench):
        lab = await made(house)
        assert [one.startswith(f"call {BASE}/callbacks/lab/") for one in bench.told] == [True]
        for seconds, calls in ((60, 0), (86_300, 0), (60, 1), (60, 0), (86_400, 1)):
            bench.told.clear()
            clock.turn(seconds)
            await house._switching.renew()  # type: ignore[attr-defined]
            assert len(bench.told) == calls
        await house.connections.disable("acme", [lab])
        assert bench.told[-1] == "call nobody"
        clock.turn(200_000)
        await house._switching.renew()  # type: ignore[attr-defined]
        assert bench.told[-1] == "call nobody"
        await house.connections.enable("acme", [lab])
        assert bench.told[-1].startswith("call https")
        bench.told.clear()
        await house._switching.renew()  # type: ignore[attr-defined]
        assert bench.told == []


async def test_trouble_is_a_warning(open_house: Any, clock: Any) -> None:
    """Callbacks that cannot be had are told on the connection until they are had; syncs and checks go on well."""
    async with opened(open_house, callback_base=BASE) as (house, bench):
        bench.trouble["subscribe"] = errors.RemoteUnavailable("The lab is down.")
        lab = await made(house)
        assert (await synced(house, lab)).state is State.SUCCEEDED
        await house.connections.check("acme", lab)
        seen = await house.connections.get("acme", lab)
        assert (seen.health, list(seen.missing)) == (Health.ATTENTION, ["callbacks"])
        assert seen.health_reason.endswith("schedules go on: The lab is down.")
        bench.trouble.clear()
        clock.turn(3599)
        await house._switching.renew()  # type: ignore[attr-defined]
        assert bench.told == []
        clock.turn(2)
        await house._switching.renew()  # type: ignore[attr-defined]
        seen = await house.connections.get("acme", lab)
        assert (seen.health, seen.health_reason, seen.missing) == (Health.OK, "", {})


async def test_nowhere_to_be_called(open_house: Any, clock: Any) -> None:
    """A host that cannot be reached asks for nothing; one that can later on asks for all it has."""
    async with opened(open_house) as (house, bench):
        await made(house)
        await house._switching.renew()  # type: ignore[attr-defined]
        assert bench.told == []
    async with open_house(callback_base=BASE) as house:
        await house._switching.renew()
        assert len(bench.told) == 1
