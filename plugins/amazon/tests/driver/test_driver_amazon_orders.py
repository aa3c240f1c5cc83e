"""Orders: one poll, routed; windows, tokens, settings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

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
