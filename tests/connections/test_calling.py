"""Calls from outside: who holds one connection's key speaks for its account only."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from omnichannel_core import errors
from omnichannel_core.model.lifecycle import Health
from omnichannel_core.storage.connections import Connections
from tests.connections.lab import TYPED, made, opened
from tests.connections.test_authorizing import call

pytestmark = pytest.mark.anyio


async def key_of(house: Any, account: str, connection: int) -> str:
    """Of a connection's own address."""
    kept = await house._store.read(lambda tx: Connections(tx, account).get(connection))
    return str(kept.callback_key)


async def test_key_speaks_for_its_account(open_house: Any, clock: Any) -> None:
    """A call to one account's connection cannot touch another account's, though both are of one shop."""
    async with opened(open_house) as (house, _):
        await house.accounts.add("other")
        await open_house.buy(house, "other", "lab")
        await house.drivers.install("other", "lab")
        mine = await made(house)
        theirs = (await house.connections.create("other", "lab", "Theirs", TYPED)).connection.id
        said = call(left="a", at=clock.now().isoformat())
        answer = await house.connections.receive("lab", said, key=await key_of(house, "acme", mine))
        assert answer.connections == [mine]
        assert (await house.connections.get("acme", mine)).health is Health.ATTENTION
        assert (await house.connections.get("other", theirs)).health is Health.OK
        answer = await house.connections.receive("lab", said)
        assert answer.connections == [mine, theirs]


async def test_key_of_this_one(open_house: Any) -> None:
    """A change without an account means the connection whose key was called."""
    async with opened(open_house) as (house, _):
        mine, same = await made(house), await made(house)
        said = call(stream="orders", ids=["1"], key="k")
        answer = await house.connections.receive("lab", said, key=await key_of(house, "acme", mine))
        assert answer.connections == [mine]
        assert mine != same


async def test_one_of_many_fails(open_house: Any) -> None:
    """An arrival that one connection cannot take is taken by the others."""
    async with opened(open_house) as (house, _):
        first, second = await made(house), await made(house)
        await house.connections.disable("acme", [first])
        await house.connections.delete("acme", first)
        answer = await house.connections.receive("lab", call(arrived="a", fields={"secret": "new"}))
        assert answer.connections == [second]


async def test_unknown_driver(open_house: Any) -> None:
    """A driver that nobody has is not found."""
    async with opened(open_house) as (house, _):
        with pytest.raises(errors.NotFound):
            await house.connections.receive("nobody", call())


async def test_doors_follow_the_gate(open_house: Any, clock: Any) -> None:
    """A driver installed in one account more is called there at once; where the first one's license ended, the next."""
    async with opened(open_house) as (house, _):
        doors = house.connections.receive.__self__.doors
        assert list(await doors.of("lab")) == ["acme"]
        await house.accounts.add("aaa")
        await open_house.buy(house, "aaa", "lab", days=30)
        await house.drivers.install("aaa", "lab")
        assert list(await doors.of("lab")) == ["aaa"]  # one application, one account
        clock.turn(90 * 86400)
        doors._known.clear()
        assert list(await doors.of("lab")) == ["acme"]
        clock.turn(20 * 365 * 86400)
        doors._known.clear()
        assert list(await doors.of("lab")) == ["aaa"]  # closed everywhere: its refusal is told
        with pytest.raises(errors.NotAdmitted):
            await house.connections.receive("lab", call())


async def test_many_are_judged_as_one_is(open_house: Any) -> None:
    """Asked for many at once the gate says what it says of each, unknown accounts and drivers included."""
    async with opened(open_house) as (house, _):
        await house.accounts.add("other")
        await house.accounts.add("sand", main="acme")
        pairs = [(one, driver) for one in ("acme", "other", "sand", "nobody") for driver in ("lab", "nothing")]
        said = await house._gate.closed(pairs)
        assert list(said) == pairs
        for pair, why in said.items():
            if not why:
                await house._gate.admit(*pair)
                continue
            with pytest.raises(errors.OmnichannelError) as refusal:
                await house._gate.admit(*pair)
            assert str(refusal.value) == why


async def test_verified_once_for_an_application(open_house: Any, monkeypatch: Any) -> None:
    """Accounts that share an application are asked once; a forged call is refused after one look."""
    async with opened(open_house) as (house, _):
        await house.accounts.add("other")
        await open_house.buy(house, "other", "lab")
        await house.drivers.install("other", "lab")
        mine = await made(house)
        theirs = (await house.connections.create("other", "lab", "Theirs", TYPED)).connection.id
        looks = []
        callbacks = (await house.drivers.load("acme", "lab")).callbacks
        asked = callbacks.receive

        async def receive(session: Any, said: Any) -> Any:
            looks.append(said.path)
            return await asked(session, said)

        monkeypatch.setattr(type(callbacks), "__setattr__", object.__setattr__)
        monkeypatch.setattr(callbacks, "receive", receive)
        with pytest.raises(errors.CallRefused):
            await house.connections.receive("lab", attrs.evolve(call(stream="orders"), headers={"x-sign": "wrong"}))
        assert len(looks) == 1
        answer = await house.connections.receive("lab", call(account="a", stream="orders"))
        assert (answer.connections, len(looks)) == ([mine, theirs], 2)
