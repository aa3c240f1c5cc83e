"""Rows of the outbox: queued once, the newest state wins, retried and dismissed."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omnichannel_core import errors
from omnichannel_core.driver import PushStream
from omnichannel_core.model.connection import Connection
from omnichannel_core.model.lifecycle import Status
from omnichannel_core.model.outbox import OutboxRow, Sending
from omnichannel_core.records import Offer, Record, Shipment, StockLevel
from omnichannel_core.storage import outbox
from omnichannel_core.storage.connections import Connections, Kept
from omnichannel_core.storage.schema import account
from omnichannel_core.storage.schema import outbox as table
from omnichannel_core.storage.store import Store, Tx
from omnichannel_core.testing.strategies import stock_levels


async def _never(*_: Any) -> Any:
    raise AssertionError


STOCK: PushStream[Any] = PushStream(name="stock", takes=StockLevel, push=_never, state=True)
OFFERS: PushStream[Any] = PushStream(name="offers", takes=Offer, push=_never)
SHIPMENTS: PushStream[Any] = PushStream(name="shipments", takes=Shipment, push=_never)


@pytest.fixture
def box(store: Store, clock: Any) -> Box:
    """The outbox of account `a`, connection 1."""
    return Box(store, clock)


class Box:
    def __init__(self, store: Store, clock: Any) -> None:
        self.store, self.clock = store, clock

        def seed(tx: Tx) -> None:
            tx.execute(account.insert().values(id="a", name="a"))
            seen = Connection(id=1, account="a", driver="d", name="n", status=Status.ACTIVE, created_at=clock.now())
            kept = Kept(seen=seen, credentials={}, grant=0, subject="", callback_key="", fence=0, arrived_at=None)
            Connections(tx, "a").add(kept)

        store.write_now(seed)

    def queue(
        self, stream: PushStream[Any], *records: Record, keys: Sequence[str] | None = None, owner: str = "a"
    ) -> list[OutboxRow]:
        now = self.clock.now()
        return self.store.write_now(lambda tx: outbox.queue(tx, owner, 1, stream, records, now, keys))

    def rows(self) -> list[OutboxRow]:
        return self.store.read_now(lambda tx: outbox.rows(tx, "a", limit=10_000))[::-1]

    def set(self, row: OutboxRow, **values: Any) -> None:
        self.store.write_now(lambda tx: tx.execute(table.update().filter_by(id=row.id).values(**values)))

    def clear(self) -> None:
        self.store.write_now(lambda tx: tx.execute(table.delete()))


def stock(name: str, quantity: int) -> StockLevel:
    return StockLevel(id=name, sku=name, quantity=Decimal(quantity))


def test_same_host_key_once(box: Box) -> None:
    """A record queued again under the host's key is the same row, also within one call and after it was accepted."""
    one = Shipment(id="s", order_id="1")
    first, twin = box.queue(SHIPMENTS, one, one, keys=["k", "k"])
    box.set(first, state="accepted")
    (again,) = box.queue(SHIPMENTS, one, keys=["k"])
    assert first.id == twin.id == again.id
    assert again.state is Sending.ACCEPTED
    assert len(box.rows()) == 1


def test_a_key_is_for_one_content(box: Box) -> None:
    """A host's key used for other content is a Conflict, and nothing of the call is queued."""
    box.queue(STOCK, stock("a", 1), keys=["k"])
    with pytest.raises(errors.Conflict, match="'k'"):
        box.queue(STOCK, stock("b", 9), stock("a", 2), keys=["new", "k"])
    assert [row.key for row in box.rows()] == ["k"]


def test_a_shipment_said_twice_is_one(box: Box) -> None:
    """Without a key the same shipment is the same for good, another content is another push."""
    (first,) = box.queue(SHIPMENTS, Shipment(id="s", order_id="1", tracking="T"))
    box.set(first, state="accepted")
    (same,) = box.queue(SHIPMENTS, Shipment(id="s", order_id="1", tracking="T"))
    (other,) = box.queue(SHIPMENTS, Shipment(id="s", order_id="1", tracking="U"))
    assert same.id == first.id
    assert other.id != first.id
    assert (first.parent, first.kind) == ("1", "Shipment")


def test_a_rejected_shipment_said_again_is_tried_again(box: Box) -> None:
    """Saying a rejected shipment again queues that very row."""
    (first,) = box.queue(SHIPMENTS, Shipment(id="s", order_id="1"))
    box.set(first, state="rejected", reason="no", batch="b")
    (again,) = box.queue(SHIPMENTS, Shipment(id="s", order_id="1"))
    assert (again.id, again.state, again.batch, again.reason) == (first.id, Sending.QUEUED, "", "")


def test_a_dismissed_shipment_said_again_is_new(box: Box) -> None:
    """What a person dismissed and the host says again is a new push."""
    (first,) = box.queue(SHIPMENTS, Shipment(id="s", order_id="1"))
    box.set(first, state="dismissed")
    (again,) = box.queue(SHIPMENTS, Shipment(id="s", order_id="1"))
    assert again.id != first.id


def test_offers_go_out_again(box: Box) -> None:
    """An offer that waits is not queued twice; an accepted one pushed again goes out again."""
    (first,) = box.queue(OFFERS, Offer(id="o"))
    assert box.queue(OFFERS, Offer(id="o"))[0].id == first.id
    box.set(first, state="accepted")
    assert box.queue(OFFERS, Offer(id="o"))[0].id != first.id


def test_failed_states_are_outdated_too(box: Box) -> None:
    """A newer state takes the place of rejected and unknown older ones, not of one on its way or accepted."""
    before = box.queue(STOCK, *(stock("a", n) for n in range(5)))
    for row, state in zip(before, ("rejected", "unknown", "sending", "pending", "accepted"), strict=True):
        box.set(row, state=state)
    box.queue(STOCK, stock("a", 9))
    assert [row.state.value for row in box.rows()] == [
        "dropped", "dropped", "sending", "pending", "accepted", "queued",
    ]  # fmt: skip


def test_what_cannot_be_queued(box: Box) -> None:
    """Too few keys, an empty key, a record without id, another account: refused with a word about it."""
    with pytest.raises(errors.UsageError, match="2 records need 2 keys"):
        box.queue(STOCK, stock("a", 1), stock("b", 1), keys=["k"])
    with pytest.raises(errors.UsageError, match="none of them empty"):
        box.queue(STOCK, stock("a", 1), keys=[""])
    with pytest.raises(errors.UsageError, match="no id"):
        box.queue(STOCK, stock("", 1))
    with pytest.raises(errors.NotFound):
        box.queue(STOCK, stock("a", 1), owner="b")
    assert box.rows() == []


def test_many_at_once(box: Box) -> None:
    """A thousand records come back as rows in the order given."""
    given_ = [stock(f"{n}", n) for n in range(1000)]
    assert [row.thing for row in box.queue(STOCK, *given_)] == [one.id for one in given_]
    assert len(box.rows()) == 1000


def test_retry_and_dismiss(box: Box) -> None:
    """Failed rows are queued anew or let go; others, erased ones and another account's are left alone."""
    rows = box.queue(OFFERS, *(Offer(id=f"{n}") for n in range(5)))
    for row, state in zip(rows, ("rejected", "unknown", "accepted", "rejected", "rejected"), strict=True):
        box.set(row, state=state, batch="b", ticket="t", reason="r")
    box.set(rows[3], body=b"")
    now, ids = box.clock.now(), [row.id for row in rows[:4]]
    assert not box.store.write_now(lambda tx: outbox.retry(tx, "b", 1, now, ids))
    assert box.store.write_now(lambda tx: outbox.retry(tx, "a", 1, now, ids)) == {"offers": 2}
    assert box.store.write_now(lambda tx: outbox.dismiss(tx, "a", 1, now)) == 2
    states = [(row.state.value, row.batch, row.ticket) for row in box.rows()]
    assert states == [
        ("queued", "", ""), ("queued", "", ""), ("accepted", "b", "t"), *[("dismissed", "b", "t")] * 2,
    ]  # fmt: skip


def test_restored_is_of_an_account(box: Box) -> None:
    """Open rows of the account become unknown; settled ones stay; a ticket is kept."""
    rows = box.queue(OFFERS, *(Offer(id=f"{n}") for n in range(4)))
    for row, state in zip(rows, ("queued", "sending", "pending", "accepted"), strict=True):
        box.set(row, state=state, batch="b", ticket="t")
    now = box.clock.now()
    assert box.store.write_now(lambda tx: outbox.restored(tx, "b", now)) == 0
    assert box.store.write_now(lambda tx: outbox.restored(tx, "a", now)) == 3
    assert [(row.state.value, row.batch, row.ticket) for row in box.rows()] == [
        *[("unknown", "", "t")] * 3, ("accepted", "b", "t"),
    ]  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(stock_levels(sku=st.sampled_from("abc")), min_size=1, max_size=4), max_size=6))
def test_only_the_newest_waits(box: Box, calls: list[list[StockLevel]]) -> None:
    """Whatever is queued in whatever calls: one row of a thing waits, and it says what was said last."""
    box.clear()
    last: dict[str, StockLevel] = {}
    for call in calls:
        box.queue(STOCK, *call)
        last |= {one.id: one for one in call}
    waiting = [row for row in box.rows() if row.state is Sending.QUEUED]
    said = {row.thing: outbox.encode(last[row.thing]) for row in waiting}
    assert len(waiting) == len(last)
    assert {row.thing: row.body for row in waiting} == said
