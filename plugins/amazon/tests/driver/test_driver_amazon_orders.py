"""Orders: one poll, routed; windows, tokens, settings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from omnichannel_amazon.settings import OrderImport
from omnichannel_amazon.sync.orders import ORDERS, fetch

from omnichannel_core.records import Order

pytestmark = pytest.mark.anyio
DE, FR = "A1PA6795UKMFR9", "A13V1IB3VIYZZH"
Make = Callable[..., Any]


def truth(here: Any, place: str) -> set[str]:
    """What the seller's book has for a marketplace: no pending ones, none of other shops."""
    return {
        one.id for one in here.seller.book.orders.values()
        if one.marketplace == place and one.sales == "AMAZON" and one.status not in ("PENDING", "PENDING_AVAILABILITY")
    }  # fmt: skip


async def test_history_and_changes(amazon: Make):
    """The first import brings all orders of the last 90 days, and a later run what changed."""
    here = amazon(orders=300, days=80)
    await here.authorize()
    cursors = await here.run(ORDERS)
    assert set(here.session.records(Order)) == truth(here, DE)
    assert not here.session.bad
    await here.control("POST", "/orders", {"kind": "mfn", "count": 3})
    await here.advance(900)
    await here.run(ORDERS, cursors)
    assert set(here.session.records(Order)) == truth(here, DE)


async def test_routed(amazon: Make):
    """Two marketplaces of one seller share each question, and each gets its own orders."""
    here = amazon(orders=200, days=60, marketplaces=[DE, FR])
    await here.authorize()
    await here.run(ORDERS)
    for place in (DE, FR):
        assert set(here.sessions[place].records(Order)) == truth(here, place)
    asked = here.asked("searchOrders")
    assert all("%2C" in ask.url.split("marketplaceIds=")[1].split("&")[0] for ask in asked)


@pytest.mark.parametrize(
    ("kind", "off"), [("mfn", {"mfn": False}), ("prime", {"prime_by_merchant": False}), ("fba", {"fba": False})]
)
async def test_switched_off(amazon: Make, kind: str, off: dict[str, bool]):
    """A kind that is switched off is not imported, the others are."""
    here = amazon(OrderImport(**off), orders=0)
    await here.authorize()
    cursors = await here.run(ORDERS)
    for one in ("mfn", "prime", "fba"):
        await here.control("POST", "/orders", {"kind": one, "id": f"303-0000000-00000{one}"})
    await here.advance(900)
    await here.run(ORDERS, cursors)
    found = {order.extra["kind"] for order in here.session.records(Order).values()}
    assert found == {"mfn", "prime", "fba"} - {kind}


async def test_from_date(amazon: Make):
    """The day itself is imported from 00:00 in the marketplace's zone, the second before is not."""
    here = amazon(OrderImport(mfn_from=date(2026, 11, 1)), orders=0)
    midnight = 1793487600  # 2026-10-31T23:00:00Z, 00:00 in Berlin
    await here.control("POST", "/orders", {"kind": "mfn", "id": "in", "at": midnight})
    await here.control("POST", "/orders", {"kind": "mfn", "id": "out", "at": midnight - 1})
    await here.authorize()
    await here.run(ORDERS)
    assert set(here.session.records(Order)) == {"in"}


async def test_widened(amazon: Make):
    """An earlier date imports what came before, with the cursor the driver gives for it."""
    late, early = OrderImport(mfn_from=date(2026, 11, 15)), OrderImport(mfn_from=date(2026, 10, 1))
    here = amazon(late, orders=120, days=50)
    await here.authorize()
    cursors = await here.run(ORDERS)
    before = set(here.session.records(Order))
    assert ORDERS.widen is not None
    assert ORDERS.widen(cursors[DE], early, late) is None
    wider = ORDERS.widen(cursors[DE], late, early)
    here.session.set(early)
    await here.run(ORDERS, {DE: wider})
    assert before < set(here.session.records(Order))


async def test_pending_completed(amazon: Make):
    """A pending order becomes one when it is released, with price and address."""
    here = amazon(orders=0)
    await here.authorize()
    cursors = await here.run(ORDERS)
    await here.control("POST", "/orders", {"kind": "mfn", "status": "PENDING", "pending_for": 1200})
    await here.advance(600)
    cursors = await here.run(ORDERS, cursors)
    assert not here.session.records(Order)
    await here.advance(3600)
    await here.run(ORDERS, cursors)
    (order,) = here.session.records(Order).values()
    assert order.addresses["ship"].city
    assert order.gross.amount > 0


async def test_fetched(amazon: Make):
    """A single order is fetched; one that does not exist is left out."""
    here = amazon(orders=0)
    await here.authorize()
    await here.control("POST", "/orders", {"kind": "b2b", "id": "303-1"})
    (one,) = await fetch(here.session, ["303-1", "nothing"])
    assert (one.id, one.business, one.channel) == ("303-1", True, DE)
    assert one.extra["vat_id"]


@pytest.mark.parametrize(("on", "state"), [(True, "shipped"), (False, "paid")])
async def test_fba_as_shipped(amazon: Make, on: bool, state: str):
    """What Amazon ships arrives shipped with warehousing off, or open for the host, as the setting says."""
    here = amazon(OrderImport(fba_shipped=on), orders=0)
    await here.authorize()
    await here.control("POST", "/orders", {"kind": "fba", "id": "f"})
    (one,) = await fetch(here.session, ["f"])
    assert (one.state, one.shipped_by_remote) == (state, on)


async def test_reconciled_daily(amazon: Make):
    """Once a day the last two days are asked for again, so an order that was missing from lists is found."""
    here = amazon(orders=0)
    await here.authorize()
    cursors = await here.run(ORDERS)
    await here.control("POST", "/orders", {"kind": "mfn", "id": "late", "late": 5 * 3600})
    for _ in range(30):
        await here.advance(3600)
        cursors = await here.run(ORDERS, cursors)
    assert set(here.session.records(Order)) == {"late"}


async def test_nothing_new_asks_nothing(amazon: Make):
    """A run right after another asks nothing: the next window is not worth a request yet."""
    here = amazon(orders=0)
    await here.authorize()
    cursors = await here.run(ORDERS)
    await here.advance(4 * 3600)
    cursors = await here.run(ORDERS, cursors)
    before = len(here.asked("searchOrders"))
    here.session.clock.time += timedelta(seconds=30)
    await here.run(ORDERS, cursors)
    assert len(here.asked("searchOrders")) == before


async def admitted_to(here: Any, cursors: dict[str, Any], tries: int) -> dict[str, Any]:
    """So many pages of the poll at most, up to the middle of a window."""
    for _ in range(tries):
        pages = await ORDERS.pull_together({place: (here.sessions[place], one) for place, one in cursors.items()})
        for place, page in pages.items():
            here.sessions[place].commit(page.records)
        cursors = {**cursors, **{place: page.cursor for place, page in pages.items()}}
        if any(one.window is not None and one.window.page for one in cursors.values()):
            break
    return cursors


async def test_switched_on_later(amazon: Make):
    """A kind that is switched on brings what was ordered while it was off, not only what came before the import."""
    off, on = OrderImport(fba=False), OrderImport()
    here = amazon(off, orders=0)
    await here.authorize()
    cursors = await here.run(ORDERS)
    await here.advance(10 * 86400)
    await here.control("POST", "/orders", {"kind": "fba", "id": "f"})
    await here.advance(10 * 86400)
    cursors = await here.run(ORDERS, cursors)
    assert not here.session.records(Order)
    assert ORDERS.widen is not None
    wider = ORDERS.widen(cursors[DE], off, on)
    here.session.set(on)
    await here.run(ORDERS, {DE: wider})
    assert set(here.session.records(Order)) == {"f"}


async def test_widened_in_the_middle_of_a_shared_window(amazon: Make):
    """Whoever leaves a window does not get on again in its middle: nothing before that page is passed by."""
    late, early = OrderImport(mfn_from=date(2026, 11, 1)), OrderImport(mfn_from=date(2026, 9, 20))
    here = amazon(late, orders=1500, days=60, marketplaces=[DE, FR])
    await here.authorize()
    cursors = await admitted_to(here, {place: ORDERS.cursor() for place in here.sessions}, 200)
    assert cursors[DE].window is not None
    assert ORDERS.widen is not None
    cursors[DE] = ORDERS.widen(cursors[DE], late, early)
    here.session.set(early)
    await here.run(ORDERS, cursors)
    since = datetime(2026, 9, 20, tzinfo=UTC).timestamp()
    wanted = {one for one in truth(here, DE) if here.seller.book.orders[one].created >= since}
    kinds = {one: here.seller.book.orders[one].fulfilled_by for one in wanted}
    assert {one for one, by in kinds.items() if by == "MERCHANT"} <= set(here.session.records(Order))


async def test_away_for_long(amazon: Make):
    """A marketplace that was switched off for two months catches up in steps, and holds up no other meanwhile."""
    here = amazon(orders=0, marketplaces=[DE, FR])
    await here.authorize()
    cursors = await here.run(ORDERS)
    away = cursors.pop(FR)
    for _ in range(60):
        await here.advance(86400)
        await here.control("POST", "/orders", {"kind": "mfn", "count": 8})
        await here.control("POST", "/orders", {"kind": "mfn", "marketplace": FR, "count": 8})
    await here.advance(900)
    cursors = await here.run(ORDERS, cursors)
    await here.control("POST", "/orders", {"kind": "mfn", "id": "new"})
    await here.advance(3600)
    before = len(here.asked("searchOrders"))
    cursors = await admitted_to(here, {**cursors, FR: away}, 1)
    assert "new" in here.session.records(Order)
    await here.run(ORDERS, cursors)
    assert len(here.sessions[FR].records(Order)) == 480
    windows = {tuple(parse_qs(urlsplit(ask.url).query)[f"lastUpdated{end}"][0] for end in ("After", "Before"))
               for ask in here.asked("searchOrders")[before:]}  # fmt: skip
    spans = [datetime.fromisoformat(until) - datetime.fromisoformat(since) for since, until in windows]
    assert max(spans) <= timedelta(days=2, hours=1)
