"""Orders against the simulated store: first import, changes, filters, archive, back-fill."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from omnichannel_bigcommerce.settings import OrderFilters
from omnichannel_bigcommerce.sync import order_rows
from omnichannel_bigcommerce.sync.order_cursor import OrderCursor, widen
from omnichannel_bigcommerce.sync.orders import ORDERS, fetch

from omnichannel_core import errors
from omnichannel_core.records import Money, Order, Return

pytestmark = pytest.mark.anyio
Make = Callable[..., Any]
ALL = frozenset(range(15))


def every(**said: Any) -> OrderFilters:
    return OrderFilters(statuses=ALL, **said)


def ids(shop: Any) -> set[int]:
    return {int(one) for one in shop.session.records(Order)}


def gross(order: Order) -> Decimal:
    assert isinstance(order.lines, dict)
    assert isinstance(order.charges, dict)
    parts = [*order.lines.values(), *order.charges.values()]
    return sum((part.gross.amount for part in parts if isinstance(part.gross, Money)), Decimal(0))


async def test_first_import(shop: Make):
    """Every order comes exactly, whatever its kind: lines and charges add up to its total, and nothing is bad."""
    here = shop(every(), orders=620)
    await here.session.run(ORDERS)
    assert ids(here) == set(range(100, 720))
    assert here.session.bad == []
    for order in here.session.records(Order).values():
        assert isinstance(order.gross, Money)
        assert gross(order) == order.gross.amount, order.id
        assert order.net.amount + order.tax.amount == order.gross.amount  # type: ignore[union-attr]
        assert order.lines


async def test_lines_of_the_simulated_store(shop: Make):
    """Each line's sums are those of the store's own book."""
    here = shop(every(), orders=60)
    await here.session.run(ORDERS)
    for key, order in here.session.records(Order).items():
        book = here.store.orders.get(int(key))
        assert order.currency == book.currency
        for row in book.products:
            line = order.lines[str(row["id"])]
            assert line.gross.amount == Decimal(row["discounted_total_inc_tax"])
            assert line.net.amount + line.tax.amount == line.gross.amount
            assert line.quantity == row["quantity"]
            expected = str(row["order_address_id"] or "")
            assert line.ship_to == (expected or (f"pickup:{row['order_pickup_method_id']}" if book.pickups else ""))


async def test_requests_of_history(shop: Make):
    """A first import of finished orders costs a request for 250 of them and three besides."""
    here = shop(OrderFilters(statuses=frozenset({2})), orders=2000)
    await here.session.run(ORDERS)
    assert len(here.session.records(Order)) > 100
    lists = [path for _, path in here.asked() if path == "/v2/orders"]
    assert len(lists) == 11  # the newest, nine pages by id, one of changes
    parts = [path for _, path in here.asked() if path not in ("/v2/orders", "/v3/orders/payment_actions/refunds")]
    assert len(parts) <= len(here.session.records(Order)) * 0.25  # coupons and split payments only


async def test_nothing_new_is_one_request(shop: Make):
    """A run with nothing new is exactly one request, even right after changes."""
    here = shop(every(), orders=30, last_order_at=None)
    cursor = await here.session.run(ORDERS)
    await here.control("POST", "/orders/105/touch", {})
    cursor = await here.session.run(ORDERS, cursor)
    before = len(here.session.sent)
    assert await here.session.run(ORDERS, cursor) is not None
    assert here.asked(before) == [("GET", "/v2/orders")]


async def test_changes(shop: Make):
    """A changed order arrives with its change, and alone."""
    here = shop(every(), orders=40)
    cursor = await here.session.run(ORDERS)
    await here.advance(3600)
    await here.control("POST", "/orders/107/status", {"status_id": 5})
    page = await ORDERS.pull(here.session, cursor)
    assert [record.id for record in page.records] == ["107"]
    assert page.records[0].state == "cancelled"


async def test_many_changes_in_one_second(shop: Make):
    """Three hundred orders changed in one second all arrive."""
    here = shop(OrderFilters(), orders=300)
    cursor = await here.session.run(ORDERS)
    await here.advance(3600)
    for key in range(100, 400):
        await here.control("POST", f"/orders/{key}/status", {"status_id": 10})
    await here.session.run(ORDERS, cursor)
    assert {order.status for order in here.session.records(Order).values()} == {"10"}
    assert ids(here) == set(range(100, 400))


async def test_pages_have_an_end(shop: Make, monkeypatch: pytest.MonkeyPatch):
    """A page asks for so many parts at most; what is beyond comes with the next one and nothing is lost."""
    monkeypatch.setattr(order_rows, "MOST_REQUESTS", 7)
    here = shop(every(), orders=90)
    cursor, pages = OrderCursor(), 0
    while True:
        before = len(here.session.sent)
        page = await ORDERS.pull(here.session, cursor)
        here.session.commit(page.records)
        assert len(here.session.sent) - before <= 7 + 3
        cursor, pages = page.cursor, pages + 1
        if not page.more:
            break
    assert ids(here) == set(range(100, 190))
    assert pages > 10


async def test_status_filter(shop: Make):
    """A status decides on the first import only: later an order is followed whatever its status."""
    here = shop(OrderFilters(statuses=frozenset({11})), orders=60)
    cursor = await here.session.run(ORDERS)
    first = ids(here)
    assert first
    assert first == {key for key in range(100, 160) if here.store.orders.get(key).status_id == 11}
    await here.advance(3600)
    followed, waiting = min(first), next(k for k in range(100, 160) if here.store.orders.get(k).status_id == 7)
    never = next(k for k in range(100, 160) if here.store.orders.get(k).status_id == 0)
    await here.control("POST", f"/orders/{followed}/status", {"status_id": 5})
    await here.control("POST", f"/orders/{waiting}/status", {"status_id": 11})
    await here.control("POST", f"/orders/{never}/status", {"status_id": 1})
    await here.session.run(ORDERS, cursor)
    assert ids(here) == first | {waiting}
    assert here.session.records(Order)[str(followed)].state == "cancelled"


async def test_no_status(shop: Make, caplog: pytest.LogCaptureFixture):
    """Without any status nothing is asked, nothing is imported, and the log says so."""
    here = shop(OrderFilters(statuses=frozenset()), orders=5)
    page = await ORDERS.pull(here.session, OrderCursor())
    assert (page.cursor, page.records, page.more) == (OrderCursor(), (), False)
    assert here.session.sent == []
    assert "nothing is imported" in caplog.text


async def test_no_status_half_way(shop: Make, monkeypatch: pytest.MonkeyPatch):
    """All statuses switched off half way through the first import, and on again later, lose no order."""
    monkeypatch.setattr(order_rows, "MOST_REQUESTS", 10)
    here = shop(every(), orders=60)
    page = await ORDERS.pull(here.session, OrderCursor())
    here.session.commit(page.records)
    none = OrderFilters(statuses=frozenset())
    here.session.set(none)
    cursor = await here.session.run(ORDERS, page.cursor)
    assert cursor == page.cursor
    here.session.set(every())
    await here.session.run(ORDERS, widen(cursor, none, every()))
    assert ids(here) == set(range(100, 160))


async def test_orders_that_are_not_ours_cost_nothing(shop: Make):
    """Changes of an order that was never admitted ask for no parts of it, however often it changes."""
    here = shop(OrderFilters(statuses=frozenset({11})), orders=30)
    cursor = await here.session.run(ORDERS)
    other = next(k for k in range(100, 130) if here.store.orders.get(k).status_id == 7)
    for _ in range(3):
        await here.advance(60)
        await here.control("POST", f"/orders/{other}/touch", {})
        before = len(here.session.sent)
        cursor = await here.session.run(ORDERS, cursor)
        assert here.asked(before) == [("GET", "/v2/orders")]
    assert other not in ids(here)


async def test_status_change_on_the_way_into_the_store(shop: Make):
    """A page asked for ahead of the commit still carries the later state of an order of the page before."""
    here = shop(OrderFilters(statuses=frozenset({11})), orders=0)
    cursor = await here.session.run(ORDERS)
    await here.advance(3600)
    await here.control("POST", "/orders", {"status_id": 11})
    first = await ORDERS.pull(here.session, cursor)
    await here.control("POST", "/orders/100/status", {"status_id": 5})
    second = await ORDERS.pull(here.session, first.cursor)
    here.session.commit(first.records)
    here.session.commit(second.records)
    assert here.session.records(Order)["100"].state == "cancelled"


async def test_id_greater_than(shop: Make):
    """The id itself stays in BigCommerce; the next one is imported."""
    here = shop(every(id_greater_than=110), orders=20)
    await here.session.run(ORDERS)
    assert ids(here) == set(range(111, 120))


async def test_created_after(shop: Make):
    """Import begins at the midnight after the day, in the store's own time zone."""
    here = shop(every(created_after=date(2026, 2, 27)), orders=0, timezone="America/Chicago")
    midnight = 1772258400  # 2026-02-28T00:00-06:00
    for at in (midnight - 60, midnight - 1, midnight, midnight + 1):
        await here.control("POST", "/orders", {"at": at, "status_id": 11})
    await here.session.run(ORDERS)
    assert ids(here) == {102, 103}


async def test_own_orders(shop: Make):
    """Orders that we made ourselves are not imported."""
    here = shop(every(), orders=0)
    for source in ("omnichannel", "app-77", "another-app", None):
        await here.control("POST", "/orders", {"external_source": source})
    await here.session.run(ORDERS)
    assert ids(here) == {102, 103}


async def test_empty_store(shop: Make):
    """A store without orders is imported, and its first order arrives."""
    here = shop(every(), orders=0)
    cursor = await here.session.run(ORDERS)
    await here.control("POST", "/orders", {})
    await here.session.run(ORDERS, cursor)
    assert ids(here) == {100}


async def test_archived_orders_are_left_out(shop: Make):
    """Archived orders are not imported; one archived after its import is followed."""
    here = shop(every(), orders=20, archived_listed=True)
    await here.control("POST", "/orders/103/archive", {})
    cursor = await here.session.run(ORDERS)
    assert ids(here) == set(range(100, 120)) - {103}
    await here.advance(3600)
    await here.control("POST", "/orders/104/archive", {})
    await here.session.run(ORDERS, cursor)
    assert here.session.records(Order)["104"].archived is True


async def test_archived_orders(shop: Make):
    """Switched on, archived orders come too, now and later."""
    here = shop(every(archived=True), orders=20)
    await here.control("POST", "/orders/103/archive", {})
    cursor = await here.session.run(ORDERS)
    assert ids(here) == set(range(100, 120))
    await here.advance(3600)
    await here.control("POST", "/orders/104/archive", {})
    await here.session.run(ORDERS, cursor)
    found = here.session.records(Order)
    assert {key for key, order in found.items() if order.archived} == {"103", "104"}


async def test_archive_filter_ignored(shop: Make, caplog: pytest.LogCaptureFixture):
    """A store that ignores the archive filter is noticed, said and not asked again; the rows' own flag decides."""
    here = shop(every(archived=True), orders=20, is_deleted_filter="ignored")
    await here.control("POST", "/orders/103/archive", {})
    cursor = await here.session.run(ORDERS)
    assert cursor.archived_ignored
    assert "does not list archived orders" in caplog.text
    assert ids(here) == set(range(100, 120)) - {103}
    before = len(here.session.sent)
    await here.session.run(ORDERS, cursor)
    assert len(here.session.sent) == before + 1
    here.session.commit(await fetch(here.session, ["103"]))
    assert here.session.records(Order)["103"].archived is True


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize(
    ("before", "now"),
    [
        (OrderFilters(statuses=frozenset({11})), OrderFilters(statuses=frozenset({11, 9}))),
        (OrderFilters(statuses=frozenset({11})), OrderFilters(statuses=ALL)),
        (every(id_greater_than=150), every(id_greater_than=120)),
        (every(id_greater_than=150), every()),
        (every(created_after=date(2026, 2, 28)), every(created_after=date(2026, 2, 26))),
        (every(created_after=date(2026, 2, 28)), every()),
        (every(), every(archived=True)),
    ],
)
async def test_widening(shop: Make, before: OrderFilters, now: OrderFilters, listed: bool):
    """After a filter is widened the store holds exactly what the new filter admits, each order asked for once."""
    options = {"orders": 90, "order_step": 7200, "order_burst": 2, "archived_listed": listed}
    here, fresh = shop(before, **options), shop(now, **options)
    for one in (here, fresh):
        await one.control("POST", "/orders/160/archive", {})
    cursor = await here.session.run(ORDERS)
    held = ids(here)
    here.session.set(now)
    wider = widen(cursor, before, now)
    assert wider is not None
    await here.control("POST", "/orders", {"status_id": 11})
    await fresh.control("POST", "/orders", {"status_id": 11})
    sent = len(here.session.sent)
    cursor = await here.session.run(ORDERS, wider)
    await fresh.session.run(ORDERS)
    assert ids(here) == ids(fresh)
    assert len(ids(here)) > len(held) + 1 or now.archived
    again = [path for _, path in here.asked(sent) if path.endswith("/taxes")]
    assert len(again) == len(set(again))
    assert not {f"/v2/orders/{key}/taxes" for key in held - {160}} & set(again)
    assert cursor.backfill is None


async def test_widening_while_the_first_import_runs(shop: Make, monkeypatch: pytest.MonkeyPatch):
    """A filter widened half way through the first import still ends with everything it admits."""
    monkeypatch.setattr(order_rows, "MOST_REQUESTS", 10)
    narrow, wide = OrderFilters(statuses=frozenset({11})), every()
    here = shop(narrow, orders=90)
    page = await ORDERS.pull(here.session, OrderCursor())
    assert page.more
    here.session.commit(page.records)
    here.session.set(wide)
    wider = widen(page.cursor, narrow, wide)
    assert wider is not None
    await here.session.run(ORDERS, wider)
    assert ids(here) == set(range(100, 190))


async def test_narrowing_removes_nothing(shop: Make):
    """What a narrower filter no longer admits stays."""
    here = shop(every(), orders=20)
    cursor = await here.session.run(ORDERS)
    now = OrderFilters(statuses=frozenset({11}))
    here.session.set(now)
    assert widen(cursor, every(), now) is None
    await here.session.run(ORDERS, cursor)
    assert len(ids(here)) == 20


async def test_fetch(shop: Make):
    """Orders are fetched by id with all their parts; what is gone or was never an id is left out."""
    here = shop(every(), orders=20)
    found = await fetch(here.session, ["105", "99999", "x", "105"])
    assert [record.id for record in found if isinstance(record, Order)] == ["105"]
    (order,) = [record for record in found if isinstance(record, Order)]
    assert all(tax.name for line in order.lines.values() for tax in line.taxes)  # type: ignore[union-attr]


async def test_refunds_come_with_their_orders(shop: Make):
    """An order that was refunded before it was imported brings its refunds, one request for a page of them."""
    here = shop(every(), orders=60)
    await here.session.run(ORDERS)
    returns = here.session.records(Return)
    refunded = {str(key) for key in range(100, 160) if here.store.orders.get(key).refunds}
    assert refunded
    assert {one.order_id for one in returns.values()} == refunded
    assert len([path for _, path in here.asked() if path.endswith("/refunds")]) <= 3


async def test_payments(shop: Make):
    """Split and refunded payments come as transactions, simple ones from the order itself."""
    here = shop(every(), orders=60)
    await here.session.run(ORDERS)
    for key, order in here.session.records(Order).items():
        book = here.store.orders.get(int(key))
        payments = list(order.payments.values())  # type: ignore[union-attr]
        if book.refunds:
            assert {one.id for one in payments} == {str(row["id"]) for row in book.transactions}
        elif book.status_id in (9, 11):
            (one,) = payments
            assert one.amount.amount in (book.total, book.total - Decimal(book.order["store_credit_amount"]))


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "status", "status": 500}, errors.RemoteUnavailable),
        ({"kind": "status", "status": 503}, errors.RemoteUnavailable),
        ({"kind": "status", "status": 429}, errors.RateLimited),
        ({"kind": "status", "status": 429, "quota_headers": False}, errors.RateLimited),
        ({"kind": "status", "status": 429, "retry_after": 9}, errors.RateLimited),
        ({"kind": "status", "status": 401}, errors.CredentialsRejected),
        ({"kind": "status", "status": 403}, errors.AccessMissing),
        ({"kind": "gzip_error", "status": 500}, errors.RemoteUnavailable),
        ({"kind": "html"}, errors.RemoteUnavailable),
        ({"kind": "malformed"}, errors.RemoteUnavailable),
    ],
)
async def test_faults(shop: Make, fault: dict[str, Any], error: type[Exception]):
    """Each trouble becomes the error of whoever has to act, and the run ends well from the same cursor."""
    here = shop(every(), orders=30)
    page = await ORDERS.pull(here.session, OrderCursor())
    here.session.commit(page.records)
    await here.control("POST", "//faults", {"times": 1, **fault})
    with pytest.raises(error):
        await ORDERS.pull(here.session, page.cursor)
    await here.session.run(ORDERS, page.cursor)
    assert ids(here) == set(range(100, 130))


async def test_missing_scope(shop: Make):
    """A token without the scope for orders is told so, capability included."""
    here = shop(every(), orders=5, scopes=["store_v2_information_read_only"])
    with pytest.raises(errors.AccessMissing):
        await ORDERS.pull(here.session, OrderCursor())


async def test_without_transactions(shop: Make, caplog: pytest.LogCaptureFixture):
    """Without access to transactions and refunds orders still come, with what their rows say."""
    here = shop(every(), orders=40, scopes=["store_v2_orders", "store_v2_information_read_only"])
    await here.session.run(ORDERS)
    assert ids(here) == set(range(100, 140))
    assert "no access to transactions" in caplog.text
    assert here.session.records(Return) == {}


async def test_known_missing_scope_is_not_asked_for(shop: Make):
    """What the last check found missing is not tried again with every order."""
    here = shop(every(), orders=40, scopes=["store_v2_orders", "store_v2_information_read_only"])
    here.session.works = frozenset({"orders"})
    await here.session.run(ORDERS)
    assert ids(here) == set(range(100, 140))
    assert not [path for _, path in here.asked() if path.startswith("/v3")]
