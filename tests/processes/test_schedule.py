"""Schedules: allowed intervals, jitter without drift, rest and return."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnichannel_core import errors
from omnichannel_core.processes.queue import Queue
from omnichannel_core.processes.schedule import sync_key, tick
from omnichannel_core.storage import schedules
from omnichannel_core.storage.schedules import INTERVALS, Schedules
from omnichannel_core.storage.store import Store

pytestmark = pytest.mark.anyio


async def test_a_tick_submits_what_is_due_once(store: Store, queue: Queue, clock: Any):
    """One synchronize per due stream; a slow one is not joined by a second; the next comes an interval later."""

    def plan(tx: Any) -> None:
        Schedules(tx, "a", lambda: 0.5).set(7, "orders", 15, clock.now())
        Schedules(tx, "a", lambda: 0.5).set(7, "returns", 0, clock.now())

    async def later(minutes: int) -> int:
        clock.turn(60 * minutes)
        await tick(store, clock, queue, lambda: 0.5)
        await tick(store, clock, queue, lambda: 0.5)
        return len(await queue.list("a"))

    store.write_now(plan)
    assert [await later(14), await later(1)] == [0, 1]
    (process,) = await queue.list("a")
    assert (process.kind, process.key, process.connection) == ("synchronize", sync_key(7, "orders"), 7)
    assert process.payload == {"streams": ["orders"], "scheduled": True}
    assert await later(15) == 1
    await queue.cancel("a", process.id)
    assert [await later(14), await later(1)] == [1, 2]


def test_only_offered_intervals_are_taken(store: Store, clock: Any):
    """Anything else names what is offered; a set one is seen by its own account only."""
    store.write_now(lambda tx: Schedules(tx, "a").set(7, "orders", 30, clock.now()))
    with pytest.raises(errors.UsageError, match="Every 7 minutes is not offered: take one of 0, 2, 5"):
        store.write_now(lambda tx: Schedules(tx, "a").set(7, "orders", 7, clock.now()))
    (one,) = store.read_now(lambda tx: Schedules(tx, "a").list(7))
    assert (one.stream, one.minutes, one.own, one.resting) == ("orders", 30, True, False)
    assert store.read_now(lambda tx: Schedules(tx, "b").list(7)) == []


def test_resting_ones_are_not_due_and_return_spread_over_one_interval(store: Store, clock: Any):
    """Disabled or suspended connections do not tick; on return many of them do not come at once."""
    chances = iter([value / 10 for value in range(10)])

    def rest(tx: Any) -> None:
        for number in range(10):
            Schedules(tx, "a", lambda: 0.5).set(number, "orders", 10, clock.now())
            Schedules(tx, "a").rest(number)
        Schedules(tx, "a").set(0, "returns", 10, clock.now())  # added meanwhile: rests with the others

    store.write_now(rest)
    clock.turn(3600)
    assert store.write_now(lambda tx: schedules.claim_due(tx, clock.now())) == []
    assert not store.read_now(lambda tx: schedules.any_due(tx, clock.now()))
    now = clock.now()
    store.write_now(lambda tx: [Schedules(tx, "a", lambda: next(chances)).wake(one, now) for one in range(1, 10)])
    back = [store.read_now(lambda tx, one=one: Schedules(tx, "a").list(one))[0].next_at for one in range(1, 10)]
    assert back == [now + timedelta(minutes=10) * (value / 10) for value in range(9)]
    assert all(one.resting and one.next_at is None for one in store.read_now(lambda tx: Schedules(tx, "a").list(0)))


def test_removed_ones_are_gone(store: Store, clock: Any):
    """One stream, then all."""

    def work(tx: Any) -> list[list[str]]:
        kept = Schedules(tx, "a")
        for stream in ("orders", "returns", "stock"):
            kept.set(1, stream, 2, clock.now())
        kept.remove(1, "stock")
        left = [one.stream for one in kept.list(1)]
        kept.remove(1)
        return [left, [one.stream for one in kept.list(1)]]

    assert store.write_now(work) == [["orders", "returns"], []]


@given(minutes=st.sampled_from(INTERVALS[1:]), chance=st.floats(0, 1), late=st.integers(0, 200_000))
def test_the_next_time_is_an_interval_on(minutes: int, chance: float, late: int):
    """A tenth of jitter at most, no drift by a late look, and what was missed is not made up for."""
    due = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    now = due + timedelta(seconds=late)
    interval = timedelta(minutes=minutes)
    next_at = schedules.next_after(due, minutes, now, lambda: chance)
    assert next_at > now
    if next_at - due <= 1.1 * interval:
        assert next_at - due >= 0.9 * interval
    else:
        assert 0.9 * interval <= next_at - now <= 1.1 * interval
        assert now - due >= 0.9 * interval
