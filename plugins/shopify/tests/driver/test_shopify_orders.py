"""Orders in: mapping, changes, history page by page and by bulk operation, returns and refunds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from omnichannel_shopify import order_wire
from omnichannel_shopify.order_mapping import to_order
from omnichannel_shopify.return_mapping import restocked
from omnichannel_shopify.settings import FINANCIAL, FULFILLMENT, OrderFilters
from omnichannel_shopify.sync import bulk_file
from omnichannel_shopify.sync.order_cursor import Seen, Track, advance, is_new, remembered, wider
from omnichannel_shopify.sync.orders import ORDERS, OrderCursor
from omnichannel_shopify.sync.returns import RETURNS

from omnichannel_core import errors
from omnichannel_core.records import Money, Order, Return

pytestmark = pytest.mark.anyio
Lone = Callable[..., Any]
T0 = datetime(2026, 10, 20, tzinfo=UTC)
EVERYTHING = OrderFilters(
    financial=frozenset(FINANCIAL), fulfillment=frozenset(FULFILLMENT), archived=True, cancelled=True, test=True
)


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


def bag(amount: str, currency: str = "EUR", own: str = "") -> dict[str, Any]:
    seen = {"amount": amount, "currencyCode": currency}
    return {"shopMoney": {"amount": own or amount, "currencyCode": "EUR"}, "presentmentMoney": seen}


def line(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": gid("LineItem", number),
        "sku": f"S{number}",
        "name": "Shirt",
        "title": "Shirt",
        "quantity": 2,
        "currentQuantity": 2,
        "unfulfilledQuantity": 2,
        "requiresShipping": True,
        "isGiftCard": False,
        "product": {"id": gid("Product", 1)},
        "variant": {"id": gid("ProductVariant", number)},
        "originalUnitPriceSet": bag("11.90"),
        "discountedTotalSet": bag("23.80"),
        "taxLines": [{"title": "VAT", "ratePercentage": 19, "priceSet": bag("3.80")}],
        "discountAllocations": [],
        "duties": [],
        "customAttributes": [],
    } | more


def order(number: int, at: datetime = T0, **more: Any) -> dict[str, Any]:
    parts = {
        "lineItems": {"nodes": [line(number * 10)], "pageInfo": {"hasNextPage": False}},
        "shippingLines": {"nodes": [], "pageInfo": {"hasNextPage": False}},
        "transactions": [],
        "refunds": [],
        "returns": {"nodes": [], "pageInfo": {"hasNextPage": False}},
    }
    return (
        {
            "id": gid("Order", number),
            "name": f"#{number}",
            "number": number,
            "createdAt": "2026-10-01T10:00:00Z",
            "processedAt": "2026-10-01T10:00:00Z",
            "updatedAt": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "test": False,
            "displayFinancialStatus": "PAID",
            "displayFulfillmentStatus": "UNFULFILLED",
            "currencyCode": "EUR",
            "presentmentCurrencyCode": "EUR",
            "taxesIncluded": True,
            "totalPriceSet": bag("23.80"),
            "totalTaxSet": bag("3.80"),
            "currentTotalPriceSet": bag("23.80"),
            "totalTipReceivedSet": bag("0.0"),
            "totalCashRoundingAdjustment": {"paymentSet": bag("0.0")},
        }
        | parts
        | more
    )


class Book:
    """Orders that answer searches as Shopify does: by id or by change, with keyset cursors."""

    def __init__(self, shop: Any, *orders: dict[str, Any], window: int = 3) -> None:
        self.shop, self.orders, self.window = shop, {one["id"]: one for one in orders}, window
        self.queries: list[str] = []
        shop.on("NewestOrder", lambda _: {"orders": {"nodes": self.by_change()[-1:]}})
        shop.on("OrdersCount", lambda _: {"ordersCount": {"count": len(self.orders)}})
        shop.on("OrdersPage", self.page)
        shop.on("OrderById", lambda said: {"order": self.orders.get(said["id"])})

    def by_change(self) -> list[dict[str, Any]]:
        return sorted(self.orders.values(), key=lambda one: (one["updatedAt"], one["number"]))

    def page(self, said: dict[str, Any]) -> dict[str, Any]:
        self.queries.append(said["query"] or "")
        rows = (
            self.by_change()
            if said["sort"] == "UPDATED_AT"
            else sorted(self.orders.values(), key=lambda o: o["number"])
        )
        for term in (said["query"] or "").split(" AND "):
            if term.startswith("id:>="):
                rows = [one for one in rows if one["number"] >= int(term[5:])]
            if term.startswith("updated_at:>="):
                rows = [one for one in rows if one["updatedAt"] >= term[13:].strip("'")]
            if term == "test:false":
                rows = [one for one in rows if not one["test"]]
        if said["after"]:
            when, number = said["after"].split("|")
            rows = [one for one in rows if (one["updatedAt"], one["number"]) > (when, int(number))]
        some = rows[: min(self.window, said["first"])]
        end = f"{some[-1]['updatedAt']}|{some[-1]['number']}" if some else None
        return {"orders": {"nodes": some, "pageInfo": {"hasNextPage": len(rows) > len(some), "endCursor": end}}}


def mapped(**more: Any) -> Order:
    raw = json.dumps(order(1, **more)).encode()
    return to_order(msgspec.json.decode(raw, type=order_wire.Order))


# --- mapping
def test_prices_with_tax():
    """Of prices that hold their tax, gross is exact and net follows."""
    found = mapped()
    row = found.lines[gid("LineItem", 10)]
    assert (found.gross, found.tax, found.net) == tuple(Money(Decimal(a), "EUR") for a in ("23.80", "3.80", "20.00"))
    assert (row.gross, row.net) == (Money(Decimal("23.80"), "EUR"), Money(Decimal("20.00"), "EUR"))
    assert row.taxes[0].rate == 19
    assert (found.state, found.number, found.prices_include_tax) == ("paid", "#1", True)


def test_prices_without_tax_and_discounts():
    """Of prices without tax, net is exact; all allocated discounts are taken off the line."""
    cut = [{"allocatedAmountSet": bag("1.90")}, {"allocatedAmountSet": bag("1.90")}]
    rows = [line(1, discountAllocations=cut)]
    found = mapped(taxesIncluded=False, lineItems={"nodes": rows, "pageInfo": {"hasNextPage": False}})
    row = found.lines[gid("LineItem", 1)]
    assert row.discount == Money(Decimal("3.80"), "EUR")
    assert (row.net, row.gross) == (Money(Decimal("20.00"), "EUR"), Money(Decimal("23.80"), "EUR"))


def test_two_currencies():
    """Amounts are what the buyer saw; the shop's own stand beside them."""
    found = mapped(
        presentmentCurrencyCode="USD", totalPriceSet=bag("26.00", "USD", own="23.80"), totalTaxSet=bag("4", "USD")
    )
    assert (found.gross, found.currency) == (Money(Decimal("26.00"), "USD"), "USD")
    assert (found.extra["shop_currency"], found.extra["shop_total"]) == ("EUR", "23.80 EUR")


def test_duties_tips_fees_gift_cards_and_rounding():
    """Duties, tips, fees, cash rounding and shipping become charges, a gift card a line and a payment of its kind."""
    fee = {"id": gid("AdditionalFee", 1), "name": "Deposit", "price": bag("0.25"), "taxLines": []}
    paid = {
        "id": gid("OrderTransaction", 1),
        "kind": "SALE",
        "status": "SUCCESS",
        "gateway": "gift_card",
        "amountSet": bag("9"),
    }
    carriage = {
        "id": gid("ShippingLine", 1),
        "title": "DHL",
        "originalPriceSet": bag("5"),
        "discountedPriceSet": bag("4"),
        "taxLines": [{"title": "VAT", "priceSet": bag("0.64")}],
    }
    found = mapped(
        originalTotalDutiesSet=bag("7.50"),
        totalTipReceivedSet=bag("2"),
        additionalFees=[fee],
        transactions=[paid],
        totalCashRoundingAdjustment={"paymentSet": bag("-0.02")},
        shippingLines={"nodes": [carriage], "pageInfo": {"hasNextPage": False}},
        lineItems={"nodes": [line(1, isGiftCard=True, requiresShipping=False)], "pageInfo": {"hasNextPage": False}},
    )
    assert {one.kind: one.gross.amount for one in found.charges.values()} == {
        "duty": Decimal("7.50"),
        "tip": 2,
        "fee": Decimal("0.25"),
        "rounding": Decimal("-0.02"),
        "shipping": 4,
    }
    assert found.lines[gid("LineItem", 1)].kind == "gift_card"
    assert found.payments[paid["id"]].method == "gift_card"


@pytest.mark.parametrize("title", ["Tip", "Trinkgeld"])
def test_a_tip_among_the_lines_is_counted_once(title: str):
    """A tip that stands among the lines is a line of that kind, and no charge beside it."""
    alone = {"product": None, "variant": None, "requiresShipping": False, "quantity": 1, "taxLines": []}
    tip = line(2, title=title, originalUnitPriceSet=bag("2"), discountedTotalSet=bag("2"), **alone)
    other = line(3, title="Engraving", originalUnitPriceSet=bag("3"), discountedTotalSet=bag("3"), **alone)
    rows = {"nodes": [line(1), tip, other], "pageInfo": {"hasNextPage": False}}
    found = mapped(totalTipReceivedSet=bag("2"), lineItems=rows)
    assert [found.lines[gid("LineItem", n)].kind for n in (1, 2, 3)] == ["product", "tip", "digital"]
    assert "tip" not in {one.kind for one in found.charges.values()}


def test_duties_are_those_before_returns():
    """The totals are those before returns, and so are the duties beside them."""
    found = mapped(originalTotalDutiesSet=bag("5.00"), currentTotalDutiesSet=bag("2.00"), totalPriceSet=bag("28.80"))
    assert found.charges["duties"].gross == Money(Decimal("5.00"), "EUR")


def test_edited_order():
    """A line that an edit took out keeps what was ordered and says what is gone; the new total stands beside it."""
    rows = [line(1, currentQuantity=0, unfulfilledQuantity=0), line(2, currentQuantity=2, unfulfilledQuantity=1)]
    found = mapped(
        edited=True, currentTotalPriceSet=bag("11.90"), lineItems={"nodes": rows, "pageInfo": {"hasNextPage": False}}
    )
    first, second = found.lines[gid("LineItem", 1)], found.lines[gid("LineItem", 2)]
    assert (first.quantity, first.refunded, first.shipped) == (2, 2, 0)
    assert (second.shipped, second.refunded) == (1, 0)
    assert (found.extra["edited"], found.extra["current_total"]) == ("true", "11.90 EUR")


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({"cancelledAt": "2026-10-02T00:00:00Z"}, "cancelled"),
        ({"displayFinancialStatus": "REFUNDED"}, "refunded"),
        ({"displayFulfillmentStatus": "FULFILLED"}, "shipped"),
        ({"displayFinancialStatus": "PENDING"}, "open"),
        ({"displayFinancialStatus": "BRAND_NEW"}, "open"),
        ({"displayFulfillmentStatus": "BRAND_NEW"}, "paid"),
    ],
)
def test_states(more: dict[str, Any], state: str):
    """States follow from cancellation, payment and fulfillment; unknown words pass through."""
    assert mapped(**more).state == state


async def test_s09_hidden_fields_do_not_lose_the_order(lone: Lone, shop: Any):
    """S9: an answer with hidden fields and errors beside its data is imported without them."""
    hidden = {
        "message": "not approved to use the email field",
        "path": ["orders", "nodes", 0, "email"],
        "extensions": {"code": "ACCESS_DENIED"},
    }
    book = Book(shop, order(1, email=None, shippingAddress=None))
    shop.on("OrdersPage", lambda said: {"data": book.page(said), "errors": [hidden]})
    session = lone()
    await session.run(ORDERS)
    assert session.records(Order)[gid("Order", 1)].email == ""


# --- first import and changes
async def test_s10_first_import_then_changes(lone: Lone, shop: Any):
    """S10: the first import takes all by number; afterwards whatever changed arrives, also an old order."""
    book, session = Book(shop, *(order(n, T0 + timedelta(minutes=n)) for n in range(1, 9))), lone()
    cursor = await session.run(ORDERS)
    assert len(session.records(Order)) == 8
    changed = order(2, T0 + timedelta(hours=3), note="changed")
    book.orders[changed["id"]] = changed
    await session.run(ORDERS, cursor)
    assert session.records(Order)[gid("Order", 2)].note == "changed"


async def test_s12_nothing_is_taken_twice(lone: Lone, shop: Any):
    """S12: a run with nothing new asks once, and takes nothing again."""
    book, session = Book(shop, *(order(n) for n in range(1, 4)), window=25), lone()
    cursor = await session.run(ORDERS)
    again = await session.run(ORDERS, cursor)
    book.queries.clear()
    page = await ORDERS.pull(session, again)
    assert (page.records, page.more) == ([], False)
    assert len(book.queries) == 1


@pytest.mark.parametrize("bulk", [False, True])
async def test_s12_what_history_took_changes_do_not_take_again(lone: Lone, shop: Any, bulk: bool):
    """S12: changes begin before the end of the history, and only what changed since is taken from there."""
    orders = [order(n, T0 + timedelta(seconds=n)) for n in range(1, 301 if bulk else 31)]
    book, session, taken = Book(shop, *orders, window=25), lone(EVERYTHING), list[str]()
    if bulk:
        Bulk(shop, orders)
    session.commit = lambda records: taken.extend(one.id for one in records)
    cursor = await session.run(ORDERS)
    assert sorted(taken) == sorted(book.orders)
    book.orders[gid("Order", 7)] = order(7, T0 + timedelta(seconds=400))
    await session.run(ORDERS, cursor)
    assert taken[len(orders) :] == [gid("Order", 7)]


async def test_equal_times_over_a_page_border(lone: Lone, shop: Any):
    """Orders of the very same second, more than a page holds, are all taken."""
    book, session = Book(shop, order(1)), lone()
    cursor = await session.run(ORDERS)
    later = T0 + timedelta(hours=1)
    for number in range(10, 30):
        book.orders[gid("Order", number)] = order(number, later)
    await session.run(ORDERS, cursor)
    assert len(session.records(Order)) == 21


async def test_forgotten_cursor(lone: Lone, shop: Any):
    """When Shopify does not know its own cursor any more, the window begins again and nothing is lost."""
    book, session = Book(shop, *(order(n, T0 + timedelta(minutes=n)) for n in range(1, 12))), lone()
    refused = {"errors": [{"message": "Invalid cursor", "extensions": {"code": "INVALID_ARGUMENT"}}]}
    failed: list[int] = []

    def flaky(said: dict[str, Any]) -> dict[str, Any]:
        if said["after"] and len(failed) < 3:
            failed.append(1)
            return refused
        return book.page(said)

    cursor = OrderCursor(changes=Track(since=T0), history=None)
    shop.on("OrdersPage", flaky)
    await session.run(ORDERS, cursor)
    assert len(session.records(Order)) == 11


async def test_filters_decide_on_the_first_import_only(lone: Lone, shop: Any):
    """An order that is not admitted is not imported; once imported, it is followed whatever becomes of it."""
    book = Book(shop, order(1), order(2, displayFinancialStatus="PENDING"), order(3, test=True), order(4))
    session = lone(OrderFilters(number_greater_than=3))
    cursor = await session.run(ORDERS)
    assert set(session.records(Order)) == {gid("Order", 4)}
    for number in (2, 4):
        gone = order(
            number, T0 + timedelta(hours=1), displayFinancialStatus="VOIDED", cancelledAt="2026-10-20T01:00:00Z"
        )
        book.orders[gone["id"]] = gone
    await session.run(ORDERS, cursor)
    assert {key: one.state for key, one in session.records(Order).items()} == {gid("Order", 4): "cancelled"}


async def test_created_after_is_the_shops_midnight(lone: Lone, shop: Any):
    """The day bound begins at the next midnight in the shop's own time zone."""
    from omnichannel_core.records import Choice

    book = Book(shop, order(1))
    session = lone(OrderFilters(created_after=date(2026, 9, 30)))
    session.listed("shop", Choice(value="timezone", label="Europe/Berlin"))
    await session.run(ORDERS)
    assert "created_at:>='2026-09-30T22:00:00Z'" in book.queries[0]


async def test_sixty_day_window_is_said(lone: Lone, shop: Any, caplog: pytest.LogCaptureFixture):
    """An import that would reach further back than Shopify shows says so out loud."""
    Book(shop, order(1))
    session = lone()
    session.works = frozenset({"orders"})
    with caplog.at_level("WARNING"):
        await session.run(ORDERS)
    assert "60 days" in caplog.text


async def test_widening(lone: Lone, shop: Any):
    """A widened filter brings the older orders it newly admits, and changes go on from where they were."""
    Book(shop, order(1), order(2, displayFinancialStatus="PENDING"))
    session = lone()
    cursor = await session.run(ORDERS)
    assert len(session.records(Order)) == 1
    before, now = OrderFilters(), OrderFilters(financial=frozenset({"PAID", "PENDING"}))
    assert ORDERS.widen is not None
    assert ORDERS.widen(cursor, now, before.model_copy(update={"financial": frozenset({"PAID"})})) is None
    wider_cursor = ORDERS.widen(cursor, before, now)
    session.set(now)
    await session.run(ORDERS, wider_cursor)
    assert len(session.records(Order)) == 2


def test_wider():
    """Only what admits more counts as wider."""
    some = OrderFilters(number_greater_than=5, created_after=date(2026, 1, 2))
    assert wider(some, some.model_copy(update={"number_greater_than": 4}))
    assert wider(some, some.model_copy(update={"created_after": date(2026, 1, 1)}))
    assert wider(some, some.model_copy(update={"created_after": None}))
    assert wider(some, some.model_copy(update={"test": True}))
    assert not wider(some, some.model_copy(update={"number_greater_than": 6}))
    assert not wider(OrderFilters(), some)


async def test_one_bad_order_is_kept_apart(lone: Lone, shop: Any):
    """An order that cannot be read is kept with its bytes; the page goes on."""
    Book(shop, order(1), order(2, lineItems="broken"), order(3, createdAt="x", processedAt="never"))
    session = lone()
    await session.run(ORDERS)
    assert set(session.records(Order)) == {gid("Order", 1)}
    assert {one.id for one in session.bad} == {gid("Order", 2), gid("Order", 3)}


async def test_s15_nested_connections_are_paged_to_the_end(lone: Lone, shop: Any):
    """S15: lines, shipping lines and transactions beyond the first are asked for, and all are there."""
    first = {"nodes": [line(n) for n in range(1, 11)], "pageInfo": {"hasNextPage": True, "endCursor": "L"}}
    ships = {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": "S"}}
    paid = [{"id": gid("OrderTransaction", n), "kind": "SALE", "amountSet": bag("1")} for n in range(1, 8)]
    Book(shop, order(1, lineItems=first, shippingLines=ships, transactions=paid[:5]))
    rest = {"nodes": [line(n) for n in range(11, 61)], "pageInfo": {"hasNextPage": True, "endCursor": "M"}}
    last = {"nodes": [line(61)], "pageInfo": {"hasNextPage": False}}
    shop.on("OrderLines", lambda said: {"order": {"lineItems": rest if said["after"] == "L" else last}})
    shop.on(
        "OrderShipping",
        {"order": {"shippingLines": {"nodes": [{"id": "s1", "title": "A"}], "pageInfo": {"hasNextPage": False}}}},
    )
    shop.on("OrderTransactions", {"order": {"transactions": paid}})
    session = lone()
    await session.run(ORDERS)
    (found,) = session.records(Order).values()
    assert (len(found.lines), len(found.charges), len(found.payments)) == (61, 1, 7)


async def test_fetch(lone: Lone, shop: Any):
    """Single orders come with everything, by global id or number; one that is gone is left out."""
    Book(shop, order(1))
    session = lone()
    found = await ORDERS.fetch(session, [gid("Order", 1), "1", gid("Order", 9)])
    assert [one.id for one in found] == [gid("Order", 1)]


# --- what comes back
def refund(number: int, of: int | None = None, **more: Any) -> dict[str, Any]:
    rows = [
        {
            "id": gid("RefundLineItem", number),
            "quantity": 1,
            "restockType": "NO_RESTOCK",
            "restocked": False,
            "lineItem": {"id": gid("LineItem", 10)},
            "subtotalSet": bag("10.00"),
            "totalTaxSet": bag("1.90"),
        }
    ]
    whole = {"hasNextPage": False}
    return {
        "id": gid("Refund", number),
        "createdAt": "2026-10-19T00:00:00Z",
        "updatedAt": "2026-10-19T00:00:00Z",
        "note": "",
        "return": {"id": gid("Return", of)} if of else None,
        "totalRefundedSet": bag("11.90"),
        "refundLineItems": {"nodes": rows, "pageInfo": whole},
        "refundShippingLines": {"nodes": [], "pageInfo": whole},
        "orderAdjustments": {"nodes": [], "pageInfo": whole},
        "transactions": {"nodes": [], "pageInfo": whole},
    } | more


def returned(number: int, *dispositions: tuple[str, int], quantity: int = 1) -> dict[str, Any]:
    whole, shipped = (
        {"hasNextPage": False},
        {"id": gid("FulfillmentLineItem", 7), "lineItem": {"id": gid("LineItem", 10)}},
    )
    became = [{"id": f"d{at}", "type": kind, "quantity": count} for at, (kind, count) in enumerate(dispositions)]
    reverse = {
        "id": gid("ReverseFulfillmentOrder", 1),
        "status": "CLOSED",
        "lineItems": {
            "nodes": [{"id": "r", "totalQuantity": quantity, "fulfillmentLineItem": shipped, "dispositions": became}],
            "pageInfo": whole,
        },
    }
    row = {
        "__typename": "ReturnLineItem",
        "id": gid("ReturnLineItem", 1),
        "quantity": quantity,
        "refundedQuantity": 0,
        "returnReasonNote": "",
        "returnReasonDefinition": {"handle": "size", "name": "Too small"},
        "fulfillmentLineItem": shipped,
        "withCodeDiscountedTotalPriceSet": bag("11.90"),
    }
    unverified = {
        "__typename": "UnverifiedReturnLineItem",
        "id": gid("ReturnLineItem", 2),
        "quantity": 2,
        "returnReasonNote": "",
        "unitPrice": {"amount": "3", "currencyCode": "EUR"},
    }
    return {
        "id": gid("Return", number),
        "name": "#1-R1",
        "status": "CLOSED",
        "createdAt": "2026-10-18T00:00:00Z",
        "order": {"id": gid("Order", 1), "updatedAt": f"{T0:%Y-%m-%dT%H:%M:%SZ}"},
        "returnShippingFees": [],
        "exchangeLineItems": {
            "nodes": [{"id": "e", "quantity": 1, "lineItems": [{"sku": "S2", "title": "Shirt"}]}],
            "pageInfo": whole,
        },
        "reverseFulfillmentOrders": {"nodes": [reverse], "pageInfo": whole},
        "returnLineItems": {"nodes": [row, unverified], "pageInfo": whole},
        "refunds": {"nodes": [], "pageInfo": whole},
    }


def with_returns(shop: Any, refunds: list[Any], returns: list[Any]) -> Book:
    book = Book(
        shop,
        order(
            1,
            refunds=[{"id": "x"}],
            returns={"nodes": [{"id": one["id"]} for one in returns[:1]], "pageInfo": {"hasNextPage": False}},
        ),
    )
    shop.on(
        "OrderRefunds", {"order": {"id": gid("Order", 1), "updatedAt": f"{T0:%Y-%m-%dT%H:%M:%SZ}", "refunds": refunds}}
    )
    shop.on("OrderReturns", {"order": {"returns": {"nodes": returns, "pageInfo": {"hasNextPage": False}}}})
    return book


async def test_s11_refunds_come_with_their_order(lone: Lone, shop: Any):
    """S11: a refund without a return is a return of ours, with what its lines say about the stock."""
    with_returns(shop, [refund(5)], [])
    session = lone(EVERYTHING)
    await session.run(ORDERS)
    (found,) = session.records(Return).values()
    assert (found.id, found.order_id, found.amount) == (
        gid("Refund", 5),
        gid("Order", 1),
        Money(Decimal("11.90"), "EUR"),
    )
    (row,) = found.lines.values()
    assert (row.order_line, row.quantity, row.restock, row.amount) == (
        gid("LineItem", 10),
        1,
        False,
        Money(Decimal("11.90"), "EUR"),
    )


async def test_s22_restocking_is_read_from_dispositions(lone: Lone, shop: Any):
    """S22: goods of a return are back in stock when its dispositions say so, whatever the refund says."""
    with_returns(shop, [refund(5, of=1)], [returned(1, ("RESTOCKED", 1))])
    session = lone(EVERYTHING)
    await session.run(ORDERS)
    (found,) = session.records(Return).values()
    verified, unverified = found.lines[gid("ReturnLineItem", 1)], found.lines[gid("ReturnLineItem", 2)]
    assert (found.id, found.status, found.amount) == (gid("Return", 1), "CLOSED", Money(Decimal("11.90"), "EUR"))
    assert (verified.restock, verified.order_line, verified.reason) == (True, gid("LineItem", 10), "Too small")
    assert (unverified.restock, unverified.order_line, unverified.amount) == (None, "", Money(Decimal(6), "EUR"))
    assert found.extra["exchange"] == "1 x S2"


async def test_s22_one_of_two_lines_of_the_same_goods(lone: Lone, shop: Any):
    """S22: of goods that come back on two lines of a return, one piece back in stock is not both."""
    found = returned(1, ("RESTOCKED", 1))
    rows = found["returnLineItems"]["nodes"]
    rows[1] = {
        **rows[0],
        "id": gid("ReturnLineItem", 2),
        "returnReasonDefinition": {"handle": "color", "name": "Color"},
    }
    with_returns(shop, [], [found])
    session = lone(EVERYTHING)
    await session.run(ORDERS)
    (kept,) = session.records(Return).values()
    assert [one.restock for one in kept.lines.values()] == [None, None]


@pytest.mark.parametrize(
    ("kind", "restocked_", "expected"),
    [("LEGACY_RESTOCK", True, True), ("RETURN", True, True), ("RETURN", False, False), ("NO_RESTOCK", False, False)],
)
async def test_s22_what_a_refund_restocked(lone: Lone, shop: Any, kind: str, restocked_: bool, expected: bool):
    """S22: of a refund without a return, its lines say themselves whether they were put back into stock."""
    paid = refund(5)
    paid["refundLineItems"]["nodes"][0] |= {"restockType": kind, "restocked": restocked_}
    with_returns(shop, [paid], [])
    session = lone(EVERYTHING)
    await session.run(ORDERS)
    (found,) = session.records(Return).values()
    assert [one.restock for one in found.lines.values()] == [expected]


@given(
    st.dictionaries(
        st.sampled_from(["RESTOCKED", "NOT_RESTOCKED", "MISSING", "PROCESSING_REQUIRED", "NEW"]), st.integers(0, 5)
    ),
    st.integers(0, 5),
)
def test_restock_is_never_guessed(what: dict[str, int], quantity: int):
    """Back in stock is said only of all of it, gone only of all of it; anything in between is open."""
    found = restocked(what, quantity)
    if found is True:
        assert what["RESTOCKED"] >= quantity > 0
    if found is False:
        assert what.get("NOT_RESTOCKED", 0) + what.get("MISSING", 0) >= quantity > 0


async def test_open_returns_are_looked_at_again(lone: Lone, shop: Any):
    """Orders with an open return are walked, and only those of stored orders become records."""
    with_returns(shop, [], [returned(1, ("PROCESSING_REQUIRED", 1))])
    session = lone(EVERYTHING)
    await session.run(ORDERS)
    before = len(session.asked("OrderReturns"))
    rows = [{"id": gid("Order", 1), "updatedAt": f"{T0:%Y-%m-%dT%H:%M:%SZ}"}, {"id": gid("Order", 2), "updatedAt": ""}]
    shop.on("OrdersWithReturns", {"orders": {"nodes": rows, "pageInfo": {"hasNextPage": False}}})
    shop.on(
        "OrderReturns",
        {"order": {"returns": {"nodes": [returned(1, ("MISSING", 1))], "pageInfo": {"hasNextPage": False}}}},
    )
    await session.run(RETURNS)
    (found,) = session.records(Return).values()
    assert found.lines[gid("ReturnLineItem", 1)].restock is False
    assert len(session.asked("OrderReturns")) == before + 1


async def test_returns_are_fetched(lone: Lone, shop: Any):
    """A single return and a single refund are fetched by their ids; what is gone is left out."""
    shop.on("ReturnById", lambda said: {"return": returned(1) if said["id"] == gid("Return", 1) else None})
    shop.on("RefundOrder", {"node": {"order": {"id": gid("Order", 1), "updatedAt": "2026-10-20T00:00:00Z"}}})
    shop.on("OrderRefunds", {"order": {"refunds": [refund(5), refund(6, of=1)]}})
    for stream in (RETURNS, ORDERS):  # a return that could not be read may have come with either
        found = await stream.fetch(lone(), [gid("Return", 1), gid("Return", 9), gid("Refund", 5)])
        assert [one.id for one in found] == [gid("Return", 1), gid("Refund", 5)]


# --- bulk
def jsonl(orders: list[dict[str, Any]], *, seed: int = 0) -> bytes:
    """As Shopify writes it: children apart from their parents, in any order."""
    import random

    rows = list[dict[str, Any]]()
    for one in orders:
        rows.append({key: value for key, value in one.items() if key not in ("lineItems", "shippingLines", "returns")})
        rows += [{**row, "__typename": "LineItem", "__parentId": one["id"]} for row in one["lineItems"]["nodes"]]
        rows += [{**row, "__typename": "Return", "__parentId": one["id"]} for row in one["returns"]["nodes"]]
    random.Random(seed).shuffle(rows)
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


class Bulk:
    """A bulk operation, from its start to its file."""

    def __init__(self, shop: Any, orders: list[dict[str, Any]], *, file: bytes | None = None, **end: Any) -> None:
        self.shop, self.started, self.polls = shop, 0, 0
        raw = jsonl(orders) if file is None else file
        shop.files["https://storage.example/file?sig=1"] = httpx2.Response(200, content=raw)
        self.end = {
            "id": gid("BulkOperation", 1),
            "status": "COMPLETED",
            "objectCount": str(len(jsonl(orders).splitlines())),
            "rootObjectCount": str(len(orders)),
            "url": "https://storage.example/file?sig=1",
            "partialDataUrl": None,
        } | end
        self.text = ""
        shop.on("BulkList", self.listed)
        shop.on("BulkRun", self.run)
        shop.on("BulkPoll", self.poll)

    def listed(self, _: dict[str, Any]) -> dict[str, Any]:
        there = [{**self.end, "status": "RUNNING", "query": self.text}] if self.started else []
        return {"bulkOperations": {"nodes": there}}

    def run(self, said: dict[str, Any]) -> dict[str, Any]:
        self.started, self.text, self.polls = self.started + 1, said["query"], 0
        made = {"id": self.end["id"], "status": "CREATED"}
        return {"bulkOperationRunQuery": {"bulkOperation": made, "userErrors": []}}

    def poll(self, _: dict[str, Any]) -> dict[str, Any]:
        self.polls += 1
        state = {**self.end, "status": "RUNNING", "url": None} if self.polls < 3 else self.end
        return {"bulkOperation": state}


async def test_s14_history_by_bulk_operation(lone: Lone, shop: Any):
    """S14: a long history comes as one file whose children stand anywhere; every order has its own lines."""
    orders = [order(n, T0 + timedelta(seconds=n)) for n in range(1, 701)]
    Book(shop, *orders, window=25)
    bulk, session = Bulk(shop, orders), lone()
    cursor = await session.run(ORDERS)
    found = session.records(Order)
    assert len(found) == 700
    assert all(set(one.lines) == {gid("LineItem", int(one.number[1:]) * 10)} for one in found.values())
    assert (bulk.started, cursor.history) == (1, None)
    assert list(session.scratch.iterdir()) == []


def emptied(folder: Path) -> None:
    """Another machine."""
    shutil.rmtree(folder)
    folder.mkdir()


async def test_bulk_survives_a_crash_and_an_empty_scratch(lone: Lone, shop: Any):
    """Begun again anywhere, an operation that runs is found and not started twice, and a lost file is fetched anew."""
    orders = [order(n) for n in range(1, 601)]
    Book(shop, *orders, window=25)
    bulk, session, cursor = Bulk(shop, orders), lone(), OrderCursor()
    for _ in range(400):
        await ORDERS.pull(session, cursor)  # its answer is lost
        emptied(session.scratch)
        page = await ORDERS.pull(session, cursor)
        session.commit(page.records)
        cursor = page.cursor
        if page.more is False:
            break
    assert len(session.records(Order)) == 600
    assert bulk.started == 1


async def test_a_scratch_folder_keeps_one_operation(lone: Lone, shop: Any):
    """What an operation left that was given up is gone when the next one's file comes."""
    orders = [order(n) for n in range(1, 301)]
    Book(shop, *orders, window=25)
    session = lone()
    (session.scratch / "bulk-7").mkdir(parents=True)
    (session.scratch / "bulk-7" / "0.jsonl").write_text("{}")
    (session.scratch / "bulk-8.jsonl").write_text("{}")
    Bulk(shop, orders)
    await session.run(ORDERS)
    assert len(session.records(Order)) == 300
    assert list(session.scratch.iterdir()) == []


async def test_s13_a_lost_file_that_comes_back_short(lone: Lone, shop: Any):
    """S13: a file that is fetched anew and holds less than before is not believed either."""
    orders = [order(n) for n in range(1, 601)]
    Book(shop, *orders, window=25)
    Bulk(shop, orders)
    session, cursor, short = lone(), OrderCursor(), jsonl(orders).splitlines(keepends=True)[:-5]
    while not session.records(Order):
        page = await ORDERS.pull(session, cursor)
        session.commit(page.records)
        cursor = page.cursor
    emptied(session.scratch)
    shop.files["https://storage.example/file?sig=1"] = httpx2.Response(200, content=b"".join(short))
    await session.run(ORDERS, cursor)
    assert len(session.records(Order)) == 600


async def test_s13_a_file_that_lacks_lines_is_not_believed(lone: Lone, shop: Any):
    """S13: a file that holds fewer objects than Shopify says is thrown away; in the end it goes page by page."""
    orders = [order(n) for n in range(1, 301)]
    Book(shop, *orders, window=25)
    bulk, session = Bulk(shop, orders, file=jsonl(orders[:200])), lone()
    await session.run(ORDERS)
    assert len(session.records(Order)) == 300
    assert bulk.started == 2


@pytest.mark.parametrize("status", ["FAILED", "CANCELED", "EXPIRED"])
async def test_s13_failed_bulk_falls_back(lone: Lone, shop: Any, status: str):
    """S13: an operation that fails is tried again and then gone without; what it had is not used, as nothing
    tells what of it is whole; nothing is lost."""
    orders = [order(n) for n in range(1, 301)]
    Book(shop, *orders, window=25)
    some = jsonl(orders[:100])
    bulk = Bulk(
        shop,
        orders,
        file=some,
        status=status,
        errorCode="TIMEOUT",
        url=None,
        partialDataUrl="https://storage.example/file?sig=1",
    )
    session = lone()
    await session.run(ORDERS)
    assert len(session.records(Order)) == 300
    assert bulk.started == 2


async def test_slots_taken(lone: Lone, shop: Any):
    """While all bulk slots are taken, history waits visibly."""
    orders = [order(n) for n in range(1, 301)]
    Book(shop, *orders, window=25)
    bulk, session = Bulk(shop, orders), lone()
    refusals = [{"message": "A bulk query operation is already in progress", "code": "OPERATION_IN_PROGRESS"}]
    shop.on("BulkRun", [{"bulkOperationRunQuery": {"bulkOperation": None, "userErrors": refusals}}] * 2 + [bulk.run])
    started = session.clock.now()
    await session.run(ORDERS)
    assert len(session.records(Order)) == 300
    assert session.clock.now() - started >= timedelta(seconds=120)


async def test_empty_bulk(lone: Lone, shop: Any):
    """An operation that found nothing has no file, and history is through."""
    Book(shop)
    shop.on("OrdersCount", {"ordersCount": {"count": 500}})
    Bulk(shop, [], url=None)
    session = lone()
    assert (await session.run(ORDERS)).history is None


async def test_s13_completed_without_its_file(lone: Lone, shop: Any):
    """S13: an operation that found orders and has no file is not taken for one that found nothing."""
    orders = [order(n, T0 + timedelta(hours=n)) for n in range(1, 301)]
    Book(shop, *orders, window=25)
    Bulk(shop, orders, url=None)
    session = lone()
    await session.run(ORDERS)
    assert len(session.records(Order)) == 300


@pytest.mark.parametrize("status", [400, 403, 404, 410])
async def test_s13_a_file_that_has_expired(lone: Lone, shop: Any, status: int):
    """S13: a file whose week is over, before it was fetched or after, does not hold the history up for ever."""
    orders = [order(n) for n in range(1, 301)]
    Book(shop, *orders, window=25)
    bulk, session = Bulk(shop, orders), lone()
    shop.files["https://storage.example/file?sig=1"] = httpx2.Response(status)
    await session.run(ORDERS)
    assert len(session.records(Order)) == 300
    assert bulk.started == 2


async def test_s13_a_piece_of_a_file_holds_no_half_orders(lone: Lone, shop: Any):
    """S13: what a failed operation had may lack an order's shipping or a line of it: such an order is read whole."""
    tip = line(9, title="Tip", quantity=2, requiresShipping=False, product=None, variant=None)
    carried = {"nodes": [{"id": gid("ShippingLine", 1), "title": "DHL", "discountedPriceSet": bag("4.90")}]}
    two = {"nodes": [line(7), tip], "pageInfo": {"hasNextPage": False}}
    parts = {"lineItems": two, "shippingLines": {**carried, "pageInfo": {"hasNextPage": False}}}
    orders = [order(n, T0 + timedelta(hours=n), **parts) for n in range(1, 301)]
    Book(shop, *orders, window=25)
    half = [{**one, "lineItems": {"nodes": [tip]}} for one in orders]
    Bulk(shop, orders, file=jsonl(half), status="FAILED", errorCode="TIMEOUT", url=None,
         partialDataUrl="https://storage.example/file?sig=1")  # fmt: skip
    session = lone()
    await session.run(ORDERS)
    assert all(len(one.lines) == 2 and len(one.charges) == 1 for one in session.records(Order).values())


async def test_a_shipping_line_without_an_id(lone: Lone, shop: Any):
    """A shipping line may have no id (admin_2026-10: ShippingLine.id): the file that holds it is read all the same."""
    orders = [order(n) for n in range(1, 301)]
    Book(shop, *orders, window=25)
    rows = [{"__typename": "ShippingLine", "id": None, "title": "DHL", "__parentId": one["id"]} for one in orders]
    file = jsonl(orders) + b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    bulk, session = Bulk(shop, orders, file=file, objectCount=str(len(file.splitlines()))), lone()
    await session.run(ORDERS)
    assert bulk.started == 1
    assert {len(one.charges) for one in session.records(Order).values()} == {1}


async def test_s16_bulk_file_is_behind_a_redirect_or_gone(lone: Lone, shop: Any, tmp_path: Path):
    """S16: a presigned file is followed over a few https redirects, unsigned; one that is gone is refused."""
    from omnichannel_shopify.client import Client

    shop.files["https://a.example/1"] = httpx2.Response(302, headers={"location": "https://b.example/2"})
    shop.files["https://b.example/2"] = httpx2.Response(200, content=b"{}")
    await Client(lone()).file("https://a.example/1", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == b"{}"
    for where in ("https://a.example/1", "http://b.example/2"):
        shop.files["https://a.example/1"] = httpx2.Response(302, headers={"location": where})
        with pytest.raises(errors.RemoteRejected):
            await Client(lone()).file("https://a.example/1", tmp_path / "f")
    shop.files["https://a.example/1"] = httpx2.Response(403)
    with pytest.raises(errors.RemoteRejected):
        await Client(lone()).file("https://a.example/1", tmp_path / "f")


async def test_history_and_changes_take_turns(lone: Lone, shop: Any):
    """While a later history is prepared, changes go on arriving."""
    orders = [order(n) for n in range(1, 301)]
    book, session = Book(shop, *orders, window=25), lone(OrderFilters(number_greater_than=290))
    shop.on("OrdersCount", {"ordersCount": {"count": 10}})
    cursor = await session.run(ORDERS)
    shop.on("OrdersCount", {"ordersCount": {"count": 300}})
    Bulk(shop, orders)
    assert ORDERS.widen is not None
    cursor = ORDERS.widen(cursor, session[OrderFilters], OrderFilters())
    session.set(OrderFilters())
    fresh = order(400, T0 + timedelta(hours=1))
    book.orders[fresh["id"]] = fresh
    for _ in range(30):
        page = await ORDERS.pull(session, cursor)
        session.commit(page.records)
        cursor = page.cursor
        if fresh["id"] in session.records(Order):
            break
    assert cursor.history is not None
    assert fresh["id"] in session.records(Order)
    await session.run(ORDERS, cursor)
    assert len(session.records(Order)) == 301


@given(st.lists(st.integers(1, 40), unique=True, max_size=30), st.integers(0, 1000), st.integers(1, 7))
def test_splitting_keeps_every_line(numbers: list[int], seed: int, parts: int):
    """However a file is mixed and split, each order is in exactly one part, with exactly its own lines."""
    import tempfile

    orders = [order(n, lineItems={"nodes": [line(n * 100 + k) for k in range(n % 4)]}) for n in numbers]
    with tempfile.TemporaryDirectory() as name:
        file, folder = Path(name) / "f.jsonl", Path(name) / "parts"
        file.write_bytes(jsonl(orders, seed=seed))
        counted = bulk_file.split(file, folder, parts)
        found = [row.order for part in range(parts) for row in bulk_file.read(folder, part)]
    assert counted.orders == len(numbers)
    assert sorted(one.number for one in found) == sorted(numbers)
    for one in found:
        assert {row.id for row in one.line_items.nodes} == {
            gid("LineItem", one.number * 100 + k) for k in range(one.number % 4)
        }


# --- the cursor alone
@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 50)), min_size=1, max_size=60), st.integers(1, 9))
def test_changes_lose_nothing_whatever_the_page_size(edits: list[tuple[int, int]], size: int):
    """Whatever changes when, and however pages fall, the newest state of every order is taken."""
    latest: dict[str, datetime] = {}
    taken: dict[str, datetime] = {}
    track = Track(since=T0)
    for number, seconds in edits:
        known = max(latest.values(), default=T0)
        latest[gid("Order", number)] = max(known, T0) + timedelta(seconds=seconds % 3)
        rows = sorted((at, key) for key, at in latest.items() if at >= T0)
        for start in range(0, len(rows), size):
            some = [Seen(key, at) for at, key in rows[start : start + size]]
            for row in some:
                if is_new(track, row):
                    taken[row.id] = row.updated
            track = advance(track, some, end_cursor="c", more=start + size < len(rows))
    assert taken == latest
    assert track.at is None


def test_memory_of_rows_is_bounded():
    """What is remembered is what a later run may bring again, and not endlessly much."""
    many = {gid("Order", n): T0 for n in range(5000)}
    assert len(remembered(many, T0)) == 2000
    assert remembered({"old": T0 - timedelta(hours=1), "new": T0}, T0) == {"new": T0}


async def test_two_changes_within_one_second(lone: Lone, shop: Any):
    """`updatedAt` counts seconds: an order that changes again within the second it was read in is not missed."""
    session = lone()
    now = session.clock.now()
    book = Book(shop, order(1, now - timedelta(hours=1)))
    cursor = await session.run(ORDERS)
    for note in ("first", "second"):
        book.orders[gid("Order", 1)] = order(1, now, note=note)
        cursor = await session.run(ORDERS, cursor)
    assert session.records(Order)[gid("Order", 1)].note == "second"
