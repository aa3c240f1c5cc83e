"""Everything there is goes out anew in its period."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from omnichannel_core import errors
from omnichannel_core.connections import delivering
from omnichannel_core.driver import Accepted, Batch, Later, Outcome, Rejected
from omnichannel_core.driver import Wait as Pause
from omnichannel_core.model.lifecycle import Status
from omnichannel_core.records import StockLevel
from omnichannel_core.storage import fulls

pytestmark = pytest.mark.anyio
DAY = timedelta(days=1)


def stock(name: str, quantity: int = 1) -> StockLevel:
    return StockLevel(id=name, sku=name, quantity=Decimal(quantity))


class Remote:
    """Notes each batch: its flags and its records; answers as told."""

    def __init__(self, house: Any, **more: Any) -> None:
        self.batches: list[tuple[bool, bool, dict[str, int]]] = []
        self.outcomes: dict[str, Outcome] = {}
        self.down = 0
        house.stream("stock", StockLevel, self.push, **{"batch": 2, "state": True, "full_every": DAY} | more)

    async def push(self, _: Any, batch: Batch[Any]) -> Mapping[str, Outcome]:
        if self.down:
            self.down -= 1
            raise errors.RemoteUnavailable("down")
        said = {item.record.id: int(item.record.quantity) for item in batch.items}
        self.batches.append((batch.full, batch.last, said))
        return {item.key: self.outcomes.pop(item.record.id, Accepted()) for item in batch.items}


def due(house: Any) -> list[tuple[str, int, str]]:
    found: list[tuple[str, int, str]] = house.store.read_now(lambda tx: fulls.due(tx, house.clock.now()))
    return found


async def test_once_a_period(house: Any) -> None:
    """A day after the first delivery the newest of every thing goes out in batches that say what they are."""
    remote = Remote(house)
    await house.queue("stock", *map(stock, "abc"))
    await house.until_quiet("stock")
    await house.queue("stock", stock("b", 7))
    await house.until_quiet("stock")
    assert {(full, last) for full, last, _ in remote.batches} == {(False, True)}
    remote.batches.clear()
    assert due(house) == []
    house.clock.turn(86_401)
    assert due(house) == [("a", 1, "stock")]
    assert house.store.write_now(lambda tx: delivering.submit_fulls(tx, house.clock.now())) == 1
    await house.until_quiet("stock")
    assert [(full, last) for full, last, _ in remote.batches] == [(True, False), (True, True)]
    assert {k: v for *_, said in remote.batches for k, v in said.items()} == {"a": 1, "b": 7, "c": 1}
    assert due(house) == []
    await house.until_quiet("stock")
    assert len(remote.batches) == 2


async def test_newer_ones_join_the_run(house: Any) -> None:
    """What changes while a run waits takes its place in the run; what was not in it goes apart."""
    remote = Remote(house, batch=1)
    await house.queue("stock", stock("a"), stock("b"))
    await house.until_quiet("stock")
    house.clock.turn(86_401)
    remote.batches.clear()
    remote.down = 1
    with pytest.raises(errors.RemoteUnavailable):
        await house.turn("stock")
    await house.queue("stock", stock("b", 9), stock("new"))
    house.clock.turn(3600)
    await house.until_quiet("stock")
    runs = [(last, said) for full, last, said in remote.batches if full]
    assert sorted(k for _, said in runs for k in said) == ["a", "b"]
    assert [last for last, _ in runs] == [False, True]
    assert {"b": 9} in [said for _, said in runs]
    assert (False, True, {"new": 1}) in remote.batches


async def test_later_and_rejected(house: Any) -> None:
    """What comes later still belongs to its run and ends it; what is retried by a person goes alone, as no run."""
    remote = Remote(house)
    await house.queue("stock", *map(stock, "abc"))
    await house.until_quiet("stock")
    house.clock.turn(86_401)
    remote.batches.clear()
    remote.outcomes = {"a": Later(Pause(60)), "b": Rejected("no")}
    await house.until_quiet("stock")
    assert [(full, last, list(said)) for full, last, said in remote.batches] == [
        (True, False, ["a", "b"]), (True, False, ["c"]), (True, True, ["a"]),
    ]  # fmt: skip
    remote.batches.clear()
    await house.hub.retry("a", 1)
    await house.until_quiet("stock")
    assert remote.batches == [(False, True, {"b": 1})]


async def test_repeated_as_it_was(house: Any) -> None:
    """A batch of a run whose answer was lost is repeated with the same key and the same flags."""
    keys: list[tuple[str, bool, bool]] = []

    async def push(_: Any, batch: Batch[Any]) -> Mapping[str, Outcome]:
        keys.append((batch.key, batch.full, batch.last))
        if len(keys) == 3:
            house.left = True
            raise errors.RemoteUnavailable("no answer")
        return {item.key: Accepted() for item in batch.items}

    house.stream("stock", StockLevel, push, batch=1, state=True, repeatable=True, full_every=DAY)
    await house.queue("stock", stock("a"), stock("b"))
    await house.until_quiet("stock")
    house.clock.turn(86_401)
    await house.until_quiet("stock")
    assert keys[2][1:] == (True, False)
    assert [keys.count(key) for key in keys[2:]] == [2, 2, 1]


async def test_at_rest(house: Any) -> None:
    """An inactive connection's run waits until it is enabled."""
    remote = Remote(house)
    await house.queue("stock", stock("a"))
    await house.until_quiet("stock")
    house.clock.turn(86_401)
    house.switch(Status.INACTIVE)
    assert due(house) == []
    await house.until_quiet("stock")
    house.switch(Status.ACTIVE)
    assert due(house) == [("a", 1, "stock")]
    await house.until_quiet("stock")
    assert remote.batches[-1] == (True, True, {"a": 1})
