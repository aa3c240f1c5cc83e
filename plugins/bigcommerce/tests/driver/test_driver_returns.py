"""Refunds against the simulated store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from omnichannel_bigcommerce.settings import OrderFilters
from omnichannel_bigcommerce.sync.data_model import DATA_MODEL
from omnichannel_bigcommerce.sync.orders import ORDERS
from omnichannel_bigcommerce.sync.returns import RETURNS, RefundCursor, fetch

from omnichannel_core.records import Money, Order, Return

pytestmark = pytest.mark.anyio
Make = Callable[..., Any]
ALL = frozenset(range(15))


async def imported(shop: Make, orders: int = 60, **options: Any) -> Any:
    here = shop(OrderFilters(statuses=ALL), orders=orders, **options)
    await here.session.run(DATA_MODEL)
    await here.session.run(ORDERS)
    for key in [key for key in here.session.stored if key[0] is Return]:
        del here.session.stored[key]
    return here


async def test_first_pull(shop: Make):
    """All refunds of stored orders come, exact, in their orders' currencies."""
    here = await imported(shop)
    await here.session.run(RETURNS)
    found, books = here.session.records(Return), here.store.orders
    assert {one.order_id for one in found.values()} == {str(k) for k in range(100, 160) if books.get(k).refunds}
    for one in found.values():
        book = books.get(int(one.order_id))
        (refund,) = [row for row in book.refunds if str(row["id"]) == one.id]
        assert one.amount == Money(Decimal(str(refund["total_amount"])), book.currency)
        assert len(one.lines) == len(refund["items"])


async def test_refunds_of_strangers(shop: Make):
    """A refund of an order that was never imported is not a return of ours."""
    here = await imported(shop)
    gone = next(one.order_id for one in (await pulled(here)).values())
    here.session.stored = {
        key: v for key, v in here.session.stored.items() if key != (Order, gone) and key[0] is not Return
    }
    assert gone not in {one.order_id for one in (await pulled(here)).values()}


async def pulled(here: Any) -> dict[str, Return]:
    await here.session.run(RETURNS)
    found: dict[str, Return] = here.session.records(Return)
    return found


async def test_new_refund(shop: Make):
    """A new refund comes alone, and a run with nothing new is one request."""
    here = await imported(shop)
    cursor = await here.session.run(RETURNS)
    await here.advance(3600)
    before = set(here.session.records(Return))
    paid = next(k for k in range(100, 160) if here.store.orders.get(k).status_id == 9)
    await here.control("POST", f"/orders/{paid}/refund", {})
    page = await RETURNS.pull(here.session, cursor)
    assert [one.order_id for one in page.records] == [str(paid)]
    assert {one.id for one in page.records}.isdisjoint(before)
    here.session.commit(page.records)
    sent = len(here.session.sent)
    again = await RETURNS.pull(here.session, page.cursor)
    assert (again.records, again.more, len(here.session.sent) - sent) == ([], False, 1)


async def test_overlap(shop: Make):
    """A later run begins ten minutes before the newest refund, so that a late one is taken too."""
    here = await imported(shop)
    cursor = await here.session.run(RETURNS)
    newest = max(one.at for one in here.session.records(Return).values())
    await RETURNS.pull(here.session, cursor)
    asked = dict(parse_qsl(urlsplit(here.session.sent[-1].url).query))
    assert datetime.fromisoformat(asked["created:min"]) == newest - timedelta(minutes=10)


async def test_declined(shop: Make):
    """A refund whose payment was declined says so."""
    here = await imported(shop)
    await here.control("PUT", "", {"decline_refunds": 1})
    paid = next(k for k in range(100, 160) if here.store.orders.get(k).status_id == 9)
    await here.control("POST", f"/orders/{paid}/refund", {})
    found = [one for one in (await pulled(here)).values() if one.order_id == str(paid)]
    assert [one.status for one in found] == ["declined"]


async def test_pages(shop: Make):
    """More refunds than a page come completely, from whatever cursor the run is resumed."""
    here = await imported(shop, orders=4000)
    cursor, cursors, pages = RefundCursor(), [], list[set[str]]()
    while True:
        page = await RETURNS.pull(here.session, cursor)
        cursors.append(cursor)
        pages.append({one.id for one in page.records})
        cursor = page.cursor
        if not page.more:
            break
    whole = set().union(*pages)
    assert len(whole) == sum(len(here.store.orders.get(k).refunds) for k in range(100, 4100)) > 250
    for at, start in enumerate(cursors):
        tail, cursor = set[str](), start
        while True:
            page = await RETURNS.pull(here.session, cursor)
            tail |= {one.id for one in page.records}
            cursor = page.cursor
            if not page.more:
                break
        assert tail == set().union(*pages[at:])


async def test_fetch(shop: Make):
    """Refunds are fetched by id; what is gone is left out."""
    here = await imported(shop)
    some = sorted(await pulled(here))[:2]
    found = await fetch(here.session, [*some, "999999", "x"])
    assert sorted(one.id for one in found) == some  # type: ignore[union-attr]
