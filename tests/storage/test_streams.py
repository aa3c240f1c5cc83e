"""Streams: one holder, one fence, one cursor."""

from __future__ import annotations

from typing import Any

import pytest

from omnichannel_core import errors
from omnichannel_core.storage import streams
from omnichannel_core.storage.processes import Processes
from omnichannel_core.storage.schema import process
from omnichannel_core.storage.store import Store


def taken(store: Store, holder: int) -> streams.Taken:
    """Stream orders of connection 1."""
    return store.write_now(lambda tx: streams.take(tx, "acme", 1, "orders", holder))


def commit(store: Store, mine: streams.Taken, cursor: bytes) -> None:
    """A page's cursor."""
    store.write_now(lambda tx: streams.commit(tx, mine, cursor, records=1))


def running(store: Store, clock: Any) -> int:
    """A running process."""

    def write(tx: Any) -> int:
        one, _ = Processes(tx, "acme").submit(connection=1, kind="synchronize", key="", payload={}, now=clock.now())
        tx.execute(process.update().filter_by(id=one.id).values(state="running"))
        return one.id

    return store.write_now(write)


def test_busy(store: Store, clock: Any) -> None:
    """While its holder runs a stream is busy for others, never for itself; given back, it is free."""
    holder = running(store, clock)
    mine = taken(store, holder)
    with pytest.raises(streams.Busy):
        taken(store, 99)
    mine = taken(store, holder)
    store.write_now(lambda tx: streams.give_back(tx, [mine]))
    assert taken(store, 99).fence > mine.fence


def test_taken_over(store: Store) -> None:
    """Whoever was taken over commits nothing, begins nothing, ends nothing."""
    old = taken(store, 1)
    commit(store, old, b"1")
    new = taken(store, 2)
    assert new.cursor == b"1"
    for late in (lambda tx: streams.commit(tx, old, b"9", records=1), lambda tx: streams.begin_run(tx, old)):
        with pytest.raises(errors.Superseded):
            store.write_now(late)
    store.write_now(lambda tx: streams.give_back(tx, [old]))
    commit(store, new, b"2")
    assert store.read_now(lambda tx: streams.cursors(tx, "acme", 1)) == {"orders": b"2"}


@pytest.mark.parametrize("how", ["widened", "fences"])
def test_fenced_off_from_outside(store: Store, how: str) -> None:
    """A widened filter, or a delete, ends whoever runs; the next one goes on from the cursor that was set."""
    mine = taken(store, 1)
    commit(store, mine, b"5")
    if how == "widened":
        store.write_now(lambda tx: streams.set_cursor(tx, "acme", 1, "orders", b"0"))
    else:
        store.write_now(lambda tx: streams.raise_fences(tx, "acme", 1))
    with pytest.raises(errors.Superseded):
        commit(store, mine, b"6")
    assert taken(store, 2).cursor == (b"0" if how == "widened" else b"5")


def test_runs(store: Store, clock: Any) -> None:
    """A run begins anew only after the last one came to its end; one that broke off goes on."""
    mine = taken(store, 1)
    assert store.read_now(lambda tx: streams.ended(tx, mine))
    mine = store.write_now(lambda tx: streams.begin_run(tx, mine))
    commit(store, mine, b"1")
    assert not store.read_now(lambda tx: streams.ended(tx, mine))
    again = taken(store, 2)
    assert (again.run, again.cursor) == (1, b"1")
    store.write_now(lambda tx: streams.end_run(tx, again, clock.now()))
    assert store.read_now(lambda tx: streams.ended(tx, again))


def test_other_account(store: Store) -> None:
    """Another account sees no cursor and moves none."""
    commit(store, taken(store, 1), b"1")
    store.write_now(lambda tx: streams.set_cursor(tx, "other", 1, "orders", b"0"))
    assert store.read_now(lambda tx: streams.cursors(tx, "other", 1)) == {}
    assert store.read_now(lambda tx: streams.cursors(tx, "acme", 1)) == {"orders": b"1"}
