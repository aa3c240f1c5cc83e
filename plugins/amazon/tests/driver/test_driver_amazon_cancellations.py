"""Cancellations: by feed, looked at afterwards."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from omnichannel_amazon.sync.cancellations import CANCELLATIONS
from omnichannel_amazon.sync.orders import fetch

from omnichannel_core.driver import Accepted, Batch, Item, Later, Pending
from omnichannel_core.records import Cancellation, Order

pytestmark = pytest.mark.anyio
Make = Callable[..., Any]


def batch(record: Cancellation, *, order: Order, ticket: str = "") -> Batch[Cancellation]:
    return Batch(key="b", items=[Item(key=record.id, record=record, order=order, ticket=ticket)])


async def ordered(here: Any, **plan: Any) -> Order:
    """A new order as it is stored, with everything of Amazon's."""
    await here.control("POST", "/orders", {"kind": "mfn", "id": "303-1", **plan})
    (order,) = await fetch(here.session, ["303-1"])
    return order


async def ended(here: Any, record: Cancellation, order: Order) -> Any:
    """Pushed and settled until it is over."""
    said = (await CANCELLATIONS.push(here.session, batch(record, order=order)))[record.id]
    for _ in range(20):
        if not isinstance(said, Pending):
            return said
        await here.advance(said.wait.seconds)
        said = (await CANCELLATIONS.settle(here.session, batch(record, order=order, ticket=said.ticket)))[record.id]
    raise AssertionError(f"never settled: {said}")


@pytest.mark.parametrize(("wish", "reason"), [("Ordered twice", "BuyerCanceled"), ("", "NoInventory")])
async def test_pain_20_cancelled_by_feed(amazon: Make, wish: str, reason: str):
    """No operation cancels an order: a feed does, which says whose wish it was, and the order is looked at."""
    here = amazon()
    await here.authorize()
    order = await ordered(here, wish=wish)
    assert await ended(here, Cancellation(id="c", order_id=order.id), order) == Accepted()
    assert here.seller.book.orders[order.id].status == "CANCELLED"
    (feed,) = [ask.body.decode() for ask in here.asked("feedFile")]
    assert f"<CancelReason>{reason}</CancelReason>" in feed
    again = await CANCELLATIONS.push(here.session, batch(Cancellation(id="c", order_id=order.id), order=order))
    assert again["c"] == Accepted(note="It was cancelled before")


@pytest.mark.parametrize(
    ("plan", "lines", "words"),
    [
        ({"kind": "fba"}, {}, "Seller Central"),
        ({"status": "SHIPPED"}, {}, "shipped"),
        ({"lines": [{"quantity": 2}]}, {"first": Decimal(1)}, "whole orders"),
    ],
)
async def test_cancellation_refused(amazon: Make, plan: dict[str, Any], lines: dict[str, Decimal], words: str):
    """What Amazon does not cancel is refused before it leaves."""
    here = amazon()
    await here.authorize()
    order = await ordered(here, **plan)
    some = dict(zip(order.lines, lines.values(), strict=False))
    record = Cancellation(id="c", order_id=order.id, lines=some)
    assert words in (await CANCELLATIONS.push(here.session, batch(record, order=order)))["c"].reason
    assert not here.asked("createFeed")


async def test_cancellation_unknown(amazon: Make):
    """After no answer the order is looked at: not cancelled means that it never arrived."""
    here = amazon()
    await here.authorize()
    order = await ordered(here)
    record = Cancellation(id="c", order_id=order.id)
    assert isinstance((await CANCELLATIONS.settle(here.session, batch(record, order=order)))["c"], Later)
    await here.control("POST", f"/orders/{order.id}/status", {"status": "CANCELLED"})
    assert isinstance((await CANCELLATIONS.settle(here.session, batch(record, order=order)))["c"], Accepted)


async def test_shipped_meanwhile(amazon: Make):
    """An order that was shipped before the feed came to it is refused with Amazon's words."""
    here = amazon()
    await here.authorize()
    order, record = await ordered(here), Cancellation(id="c", order_id="303-1")
    said = (await CANCELLATIONS.push(here.session, batch(record, order=order)))["c"]
    await here.control("POST", "/orders/303-1/ship", {})
    for _ in range(4):
        await here.advance(said.wait.seconds)
        said = (await CANCELLATIONS.settle(here.session, batch(record, order=order, ticket=said.ticket)))["c"]
        if not isinstance(said, Pending):
            break
    assert "303-1" in said.reason
