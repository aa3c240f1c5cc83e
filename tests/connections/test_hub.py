"""The hub as hosts use it: found page by page, pushed and followed, failed and retried."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnichannel_core import errors
from omnichannel_core.connections import hub as module
from omnichannel_core.connections import scratch
from omnichannel_core.connections.delivering import key
from omnichannel_core.driver import Accepted, Batch, Outcome, Rejected
from omnichannel_core.model.lifecycle import Status
from omnichannel_core.model.outbox import Sending
from omnichannel_core.records import Bad, Offer, Order, Shipment, StockLevel
from omnichannel_core.storage import audits, hub, pages, sending
from omnichannel_core.storage.hub import Found

pytestmark = pytest.mark.anyio
ORDERS = Found(kind="Order")


async def accept(_: Any, batch: Batch[Any]) -> Mapping[str, Outcome]:
    return {item.key: Accepted(remote={"id": "5"}) for item in batch.items}


async def refuse(_: Any, batch: Batch[Any]) -> Mapping[str, Outcome]:
    return {item.key: Rejected("no such SKU") for item in batch.items}


def stock(name: str, quantity: int = 1) -> StockLevel:
    return StockLevel(id=name, sku=name, quantity=Decimal(quantity))


def keep(house: Any, *records: Any, stream: str = "orders") -> None:
    ready = pages.prepare(records)
    house.store.write_now(lambda tx: pages.store(tx, "a", 1, stream, ready, run=0, now=house.clock.now()))
    house.store.write_now(lambda tx: hub.refresh_flags(tx, "a", 1))


async def test_pages(house: Any) -> None:
    """A cursor goes on where the page ended, also when records arrive between two pages."""
    at = datetime(2025, 1, 1, tzinfo=UTC)
    keep(house, *(Order(id=f"{n}", placed_at=at + timedelta(hours=n)) for n in range(5)))
    first = await house.hub.find("a", ORDERS, limit=2)
    keep(house, Order(id="newest", placed_at=at + timedelta(days=9)))
    second = await house.hub.find("a", ORDERS, cursor=first.next, limit=2)
    third = await house.hub.find("a", ORDERS, cursor=second.next, limit=2)
    assert [one.id for page in (first, second, third) for one in page.items] == ["4", "3", "2", "1", "0"]
    assert third.next == ""
    assert first.items[0].record is None


async def test_questions_that_are_none(house: Any) -> None:
    """An unknown kind, a page too big, a naive time, a foreign connection: each refused in its own words."""
    with pytest.raises(errors.UsageError, match="no records of kind 'Orders'"):
        await house.hub.find("a", Found(kind="Orders"))
    for limit in (0, 501):
        with pytest.raises(errors.UsageError, match="1 to 500"):
            await house.hub.find("a", ORDERS, limit=limit)
    with pytest.raises(errors.UsageError, match="zone"):
        await house.hub.find("a", Found(kind="Order", since=datetime(2025, 1, 1)))  # noqa: DTZ001
    for call in (
        house.hub.find("b", Found(kind="Order", connection=1)),
        house.hub.order("b", 1, "1"),
        house.hub.push("b", 1, "stock", []),
        house.hub.retry("b", 1),
        house.hub.dismiss("b", 1),
        house.hub.erase("b", 1),
        house.hub.retain("b", 1, {}),
    ):
        with pytest.raises(errors.NotFound):
            await call


@given(st.one_of(st.text(max_size=40), st.binary(max_size=40).map(lambda raw: base64.urlsafe_b64encode(raw).decode())))
def test_cursors_of_others(text: str) -> None:
    """Whatever text comes as a cursor is a position or a UsageError, never anything else."""
    try:
        found = module._position(text)
    except errors.UsageError:
        return
    assert found is None or isinstance(found, hub.Position)


@pytest.mark.parametrize("said", ['[1,2,"x",4]', '{"at":1}', '["1",2,"x"]', "[1,2]", f'[{2**63},1,"x"]', "[1,2,3]"])
async def test_cursors_are_strict(house: Any, said: str) -> None:
    """A cursor with other content than ours is refused."""
    text = base64.urlsafe_b64encode(said.encode()).decode()
    with pytest.raises(errors.UsageError, match="cursor"):
        await house.hub.find("a", ORDERS, cursor=text)


async def test_an_order(house: Any) -> None:
    """One order in full, and its lines."""
    house.orders("1")
    assert (await house.hub.order("a", 1, "1")).number == "N1"
    assert [line.id for line in await house.hub.lines("a", 1, "1")] == ["7"]
    with pytest.raises(errors.NotFound, match="no Order '2'"):
        await house.hub.order("a", 1, "2")


async def test_push_to_the_end(house: Any) -> None:
    """Pushing queues rows and one delivery; what became of them is listed, page by page."""
    house.stream("stock", StockLevel, accept, state=True, batch=10)
    rows = await house.hub.push("a", 1, "stock", [stock("a"), stock("b"), stock("c")], keys=["x", "y", "z"])
    await house.hub.push("a", 1, "stock", [stock("d")])
    assert [row.key for row in rows] == ["x", "y", "z"]
    processes = await house.parts.queue.list("a")
    assert [(one.kind, one.key, one.payload) for one in processes] == [
        ("deliver", key(1, "stock"), {"stream": "stock"}),
    ]  # fmt: skip
    await house.until_quiet("stock")
    first = await house.hub.pushes("a", states=[Sending.ACCEPTED], limit=3)
    second = await house.hub.pushes("a", states=[Sending.ACCEPTED], limit=3, cursor=first.next)
    assert [row.thing for row in (*first.items, *second.items)] == ["d", "c", "b", "a"]
    assert second.next == ""
    (one,) = (await house.hub.pushes("a", connection=1, stream="stock", keys=["y"])).items
    assert (one.state, one.remote) == (Sending.ACCEPTED, {"id": "5"})
    assert (await house.hub.pushes("b")).items == []


async def test_push_what_cannot_be(house: Any) -> None:
    """An unknown or unsupported stream, a record it does not take, a connection being deleted: nothing is queued."""
    house.stream("stock", StockLevel, accept)
    with pytest.raises(errors.UsageError, match="the remote has no way"):
        await house.hub.push("a", 1, "invoices", [])
    with pytest.raises(errors.UsageError, match="it has stock"):
        await house.hub.push("a", 1, "nothing", [])
    with pytest.raises(errors.UsageError, match="takes StockLevel, not Offer"):
        await house.hub.push("a", 1, "stock", [Offer(id="o")])
    house.switch(Status.DELETING)
    with pytest.raises(errors.MoveNotAllowed):
        await house.hub.push("a", 1, "stock", [stock("a")])
    assert await house.rows() == []


async def test_push_on_an_inactive_connection_rests(house: Any) -> None:
    """It is queued and no delivery is; once enabled, the stream is due."""
    house.stream("stock", StockLevel, accept, state=True)
    house.switch(Status.INACTIVE)
    await house.hub.push("a", 1, "stock", [stock("a")])
    assert await house.states() == [Sending.QUEUED]
    assert await house.parts.queue.list("a") == []
    due = await house.store.read(lambda tx: sending.due(tx, "a", 1, house.clock.now()))
    assert due == frozenset({"stock"})


async def test_errors_and_the_way_out(house: Any) -> None:
    """What failed is listed with its reason; dismissed or retried well, the connection has no errors any more."""
    house.stream("shipments", Shipment, refuse)
    keep(house, Bad(kind=Order, id="8", reason="no currency"), Order(id="1"))
    await house.hub.push("a", 1, "shipments", [Shipment(id="s", order_id="1")])
    await house.until_quiet("shipments")
    found = {one.kind: one for one in await house.hub.errors("a")}
    assert (found["Order"].remote_id, found["Order"].reason) == ("8", "no currency")
    assert (found["Shipment"].order, found["Shipment"].reason) == ("1", "no such SKU")
    assert (await house.connection()).order_return_errors
    assert await house.hub.errors("b") == []

    done = await house.hub.retry("a", 1, [found["Order"].id])
    assert (done.records, done.pushes, done.processes) == (1, 0, [])
    assert {one.kind: one.retrying for one in await house.hub.errors("a", 1)} == {"Order": True, "Shipment": False}
    keep(house, Order(id="8"))
    assert await house.hub.dismiss("a", 1, [found["Shipment"].id]) == 1
    assert await house.hub.errors("a") == []
    assert not (await house.connection()).order_return_errors


async def test_retry_all(house: Any) -> None:
    """Everything that failed is tried again: pushes are on their way at once."""
    house.stream("offers", Offer, refuse)
    keep(house, Bad(kind=Order, id="8", reason="no currency"))
    await house.hub.push("a", 1, "offers", [Offer(id="1"), Offer(id="2")])
    await house.until_quiet("offers")
    house.stream("offers", Offer, accept)
    done = await house.hub.retry("a", 1)
    assert (done.records, done.pushes, [one.key for one in done.processes]) == (1, 2, [key(1, "offers")])
    await house.until_quiet("offers")
    assert await house.states() == [Sending.ACCEPTED] * 2


@pytest.mark.parametrize(
    "one", ["12", "push:", "push:x", "push:-1", "order:1", "record:1.0", "push:\u00b2", "push:" + "9" * 30]
)
async def test_ids_of_failures_are_strict(house: Any, one: str) -> None:
    """Text that is no id of a failure is a UsageError."""
    for call in (house.hub.retry, house.hub.dismiss):
        with pytest.raises(errors.UsageError, match="is no failure"):
            await call("a", 1, [one])


async def test_erasing_leaves_a_line(house: Any) -> None:
    """Erasing and retaining are noted with counts and without whose data it was."""
    keep(house, Order(id="1", email="anna@example.com", placed_at=datetime(2020, 1, 1, tzinfo=UTC)))
    assert (await house.hub.erase("a", 1, ["anna@example.com"], actor="ada")).orders == 1
    await house.hub.retain("a", 1, {"orders": 30})
    for days in (-1, 10**9):
        with pytest.raises(errors.UsageError, match="0 to 36500"):
            await house.hub.retain("a", 1, {"orders": days})
    for nobody in ("", " "):
        with pytest.raises(errors.UsageError, match="whole shop"):
            await house.hub.erase("a", 1, ["anna@example.com", nobody])
    noted = await house.store.read(lambda tx: audits.lines(tx, "a"))
    assert [(line["action"], line["actor"]) for line in noted] == [
        ("retention kept", ""), ("personal data erased", "ada"),
    ]  # fmt: skip
    assert "anna" not in repr(noted)


async def test_scratch_has_an_end(house: Any) -> None:
    """Erasing empties the connection's scratch, retaining takes what is older; another connection's stays."""
    folders = {one: scratch.folder(house.store.data, one) for one in (1, 2)}

    def fill(*ages: int) -> None:
        for folder in folders.values():
            (folder / "deep").mkdir(parents=True, exist_ok=True)
            for days in ages:
                file = folder / "deep" / f"{days}.txt"
                file.write_text("Anna")
                os.utime(file, (time.time() - days * 86400 - 1,) * 2)

    def left(one: int) -> list[str]:
        return sorted(file.name for file in folders[one].rglob("*.txt"))

    fill(0, 3, 40)
    await house.hub.retain("a", 1, {"orders": 30, "returns": 90})
    assert (left(1), left(2)) == (["0.txt", "3.txt"], ["0.txt", "3.txt", "40.txt"])
    await house.hub.erase("a", 1, ["anna@example.com"])
    assert (left(1), left(2)) == ([], ["0.txt", "3.txt", "40.txt"])
    assert scratch.sweep(house.store.data) == 1
    assert left(2) == ["0.txt", "3.txt"]


async def test_restored_through_the_hub(house: Any) -> None:
    """All accounts' open pushes are unknown."""
    house.stream("stock", StockLevel, accept, state=True)
    await house.hub.push("a", 1, "stock", [stock("a")])
    assert await house.hub.restored() == 1
    assert await house.states() == [Sending.UNKNOWN]
