"""Orders: seeded ones, paging, search, amounts, edits, cancellations, refunds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omnichannel_shopify_simulator import create
from omnichannel_shopify_simulator.orderbook import CYCLE, state
from omnichannel_shopify_simulator.search import Field, Search

pytestmark = pytest.mark.anyio
Api = Any
Store = Any
BAG = "{ shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }"
PAGE = """query P($n: Int!, $after: String, $q: String, $key: OrderSortKeys, $back: Boolean) {
  orders(first: $n, after: $after, query: $q, sortKey: $key, reverse: $back) {
    nodes { id updatedAt } pageInfo { hasNextPage endCursor } } }"""
WHOLE = f"""query O($id: ID!) {{ order(id: $id) {{
  name displayFinancialStatus displayFulfillmentStatus returnStatus cancelledAt cancelReason edited
  totalPriceSet {BAG} currentTotalPriceSet {BAG} totalRefundedSet {BAG} totalOutstandingSet {BAG} totalTaxSet {BAG}
  totalShippingPriceSet {BAG} totalTipReceivedSet {BAG} originalTotalDutiesSet {BAG} taxesIncluded
  paymentGatewayNames discountCodes additionalFees {{ price {BAG} }}
  lineItems(first: 50) {{ nodes {{ id isGiftCard quantity currentQuantity refundableQuantity unfulfilledQuantity
    originalUnitPriceSet {BAG} discountedTotalSet(withCodeDiscounts: true) {BAG}
    taxLines {{ priceSet {BAG} }} discountAllocations {{ allocatedAmountSet {BAG} }} duties {{ price {BAG} }} }} }}
  shippingLines(first: 5, includeRemovals: true) {{ nodes {{ isRemoved taxLines {{ priceSet {BAG} }} }} }}
  transactions(first: 20) {{ id kind status gateway amountSet {BAG} parentTransaction {{ id }} }}
  refunds(first: 20) {{ id totalRefundedSet {BAG}
    refundLineItems(first: 20) {{ nodes {{ quantity restockType lineItem {{ id }} }} }} }} }} }}"""


async def whole(api: Api, order: str) -> Any:
    return (await api.data(WHOLE, id=order))["order"]


def shop(bag: Any) -> Decimal:
    return Decimal(bag["shopMoney"]["amount"])


async def pages(api: Api, size: int, **words: Any) -> list[str]:
    """All ids, page by page."""
    found: list[str] = []
    after = None
    while True:
        page = (await api.data(PAGE, n=size, after=after, **words))["orders"]
        found += [one["id"] for one in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]
        await api.control("POST", "/clock", {"advance": 5})


@pytest.mark.parametrize("key", ["UPDATED_AT", "ID", "CREATED_AT", "PROCESSED_AT"])
async def test_pages_hold_every_order_once(api: Api, key: str) -> None:
    """In every order of sorting, pages hold each order once, though several share a second across a border."""
    found = await pages(api, 7, key=key)
    assert len(found) == len(set(found)) == 60
    assert await pages(api, 7, key=key, back=True) == found[::-1]


async def test_s10_a_change_moves_an_order_to_the_end(api: Api) -> None:
    """S10: sorted by change, an order that changes while pages are read is met again, and none is lost."""
    first = (await api.data(PAGE, n=20, key="UPDATED_AT"))["orders"]
    moved = first["nodes"][3]["id"]
    await api.act(moved, "touch")
    rest = await api.data(PAGE, n=100, key="UPDATED_AT", after=first["pageInfo"]["endCursor"])
    ids = [one["id"] for one in rest["orders"]["nodes"]]
    assert ids[-1] == moved
    assert len({*ids, *(one["id"] for one in first["nodes"])}) == 60


async def test_s12_ranges_are_inclusive(api: Api) -> None:
    """S12: `updated_at:>=` and `id:>=` include their border, `>` does not."""
    rows = (await api.data(PAGE, n=60, key="UPDATED_AT"))["orders"]["nodes"]
    at, number = rows[10]["updatedAt"], int(rows[10]["id"].rsplit("/", 1)[1])
    later = sum(one["updatedAt"] >= at for one in rows)
    above = sum(int(one["id"].rsplit("/", 1)[1]) >= number for one in rows)
    assert len(await pages(api, 50, key="UPDATED_AT", q=f"updated_at:>='{at}'")) == later
    assert len(await pages(api, 50, key="UPDATED_AT", q=f"updated_at:>{at}")) < later
    assert len(await pages(api, 50, key="ID", q=f"id:>={number}")) == above
    assert len(await pages(api, 50, key="ID", q=f"id:>{number}")) == above - 1


async def test_single_orders_are_found_by_number(api: Api) -> None:
    """A search for some numbers finds these in the order asked for, page by page, and of unknown ones nothing."""
    rows = (await api.data(PAGE, n=60, key="UPDATED_AT"))["orders"]["nodes"]
    some = [rows[at]["id"] for at in (40, 3, 21)]
    query = " OR ".join(f"id:{one.rsplit('/', 1)[1]}" for one in [*some, "x/77"])
    assert await pages(api, 2, key="ID", q=query) == sorted(some)
    assert await pages(api, 2, key="UPDATED_AT", q=query) == [rows[at]["id"] for at in (3, 21, 40)]
    assert await pages(api, 2, key="ID", q=f"({query}) AND test:true OR id:77") != sorted(some)


async def test_filters_combine(api: Api) -> None:
    """AND, OR, NOT, brackets, lists and a minus select what they say."""
    count = "query C($q: String) { ordersCount(query: $q) { count } }"

    async def many(text: str) -> int:
        found: int = (await api.data(count, q=text))["ordersCount"]["count"]
        return found

    paid, pending = await many("financial_status:paid"), await many("financial_status:pending")
    assert paid
    assert pending
    assert await many("financial_status:paid,pending") == paid + pending
    assert await many("financial_status:paid OR financial_status:pending") == paid + pending
    assert await many("-financial_status:paid") == await many("NOT financial_status:paid") == 60 - paid
    assert await many("(financial_status:paid OR financial_status:pending) AND test:true") == await many("test:true")
    assert await many("name:'#1001'") == 1
    assert await many("status:cancelled") + await many("status:closed") + await many("status:open") == 60


async def test_seeded_states_are_what_orders_say(store: Store) -> None:
    """What searches know of a seeded order without making it is what the made order says, for every kind."""
    kinds = set()
    for entry in store.orders.entries.values():
        row = store.orders.row(entry.number)
        assert state(row)[:6] == entry.state[:6], entry.kind
        kinds.add(entry.kind)
    assert len(kinds) == CYCLE


async def test_seeded_orders_add_up(api: Api, store: Store) -> None:
    """Lines, shipping, tax, tip, duties and fees of every order add up to its total, to the cent."""
    for number in store.orders.entries:
        order = await whole(api, f"gid://shopify/Order/{number}")
        lines = order["lineItems"]["nodes"]
        taxes = [tax for line in lines + order["shippingLines"]["nodes"] for tax in line["taxLines"]]
        tax = sum((shop(one["priceSet"]) for one in taxes), Decimal(0))
        total = sum((shop(line["discountedTotalSet"]) for line in lines), shop(order["totalShippingPriceSet"]))
        total += shop(order["totalTipReceivedSet"]) + tax
        total += sum((shop(one["price"]) for one in order["additionalFees"]), Decimal(0))
        total += shop(order["originalTotalDutiesSet"]) if order["originalTotalDutiesSet"] else 0
        assert tax == shop(order["totalTaxSet"])
        assert total == shop(order["totalPriceSet"])
        for line in lines:
            off = sum((shop(one["allocatedAmountSet"]) for one in line["discountAllocations"]), Decimal(0))
            whole_price = shop(line["originalUnitPriceSet"]) * line["quantity"]
            assert whole_price - off == shop(line["discountedTotalSet"])
        await api.control("POST", "/clock", {"advance": 2})


async def test_the_buyers_currency_is_told_beside_the_shops(api: Api) -> None:
    """Money bags hold the shop's amount and the one that the buyer saw."""
    lines = [{"price": "10.00", "quantity": 1}]
    order = await whole(api, await api.order(lines=lines, presentment="CAD", rate=1.5, shipping="", tax_exempt=True))
    assert order["totalPriceSet"]["shopMoney"] == {"amount": "10.0", "currencyCode": "USD"}
    assert order["totalPriceSet"]["presentmentMoney"] == {"amount": "15.0", "currencyCode": "CAD"}


async def test_gift_cards_tips_duties_and_fees(api: Api) -> None:
    """A gift card is a transaction of its own gateway; tip, duties and fees are told apart."""
    lines = [{"price": "20.00", "quantity": 1}]
    placed = await api.order(gift_card="3.00", tip="1.00", duties="2.00", fee="0.50", lines=lines)
    order = await whole(api, placed)
    assert order["paymentGatewayNames"] == ["gift_card", "shopify_payments"]
    assert shop(order["totalTipReceivedSet"]) == 1
    assert shop(order["lineItems"]["nodes"][0]["duties"][0]["price"]) == 2
    assert shop(order["additionalFees"][0]["price"]) == Decimal("0.5")
    assert order["displayFinancialStatus"] == "PAID"


@pytest.mark.parametrize("financial", ["PAID", "PENDING", "AUTHORIZED", "PARTIALLY_PAID", "VOIDED", "EXPIRED"])
async def test_financial_states(api: Api, financial: str) -> None:
    """An order can be placed in each state of payment."""
    assert (await whole(api, await api.order(financial=financial)))["displayFinancialStatus"] == financial


async def test_paying_later(api: Api) -> None:
    """A capture names its authorization and makes the order paid."""
    order = await api.order(financial="AUTHORIZED")
    await api.act(order, "pay")
    said = await whole(api, order)
    assert said["displayFinancialStatus"] == "PAID"
    assert said["transactions"][1]["parentTransaction"]["id"] == said["transactions"][0]["id"]
    assert said["transactions"][1]["kind"] == "CAPTURE"


async def test_an_edit_takes_units_away(api: Api) -> None:
    """An edited order keeps what was ordered and tells what is left; its totals as placed stay."""
    order = await api.order(lines=[{"price": "10.00", "quantity": 3}], tax_exempt=True, shipping="")
    before = await whole(api, order)
    await api.act(order, "edit", remove=1)
    after = await whole(api, order)
    (line,) = after["lineItems"]["nodes"]
    assert (line["quantity"], line["currentQuantity"], line["unfulfilledQuantity"]) == (3, 2, 2)
    assert after["edited"] is True
    assert after["totalPriceSet"] == before["totalPriceSet"]
    assert shop(after["currentTotalPriceSet"]) == 20


async def test_s15_orders_with_more_lines_than_a_page(api: Api) -> None:
    """S15: a nested connection has pages of its own."""
    order = await api.order(lines=[{"quantity": 1} for _ in range(120)])
    text = "query L($id: ID!, $after: String) { order(id: $id) { lineItems(first: 50, after: $after) {"
    text += " nodes { id } pageInfo { hasNextPage endCursor } } } }"
    found: list[str] = []
    after = None
    for _ in range(3):
        page = (await api.data(text, id=order, after=after))["order"]["lineItems"]
        found += [one["id"] for one in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert len(set(found)) == 120
    assert page["pageInfo"]["hasNextPage"] is False


CANCEL = """mutation C($id: ID!, $give: Boolean) {
  orderCancel(orderId: $id, reason: CUSTOMER, restock: true, notifyCustomer: true,
    refundMethod: {originalPaymentMethodsRefund: $give}) {
    job { id done } orderCancelUserErrors { code message } } }"""


async def test_a_cancellation_is_a_job(api: Api) -> None:
    """The order is cancelled when the job is done, money goes back when asked, a second time is refused."""
    await api.control("PUT", "/stores/demo", {"cancel_seconds": 30})
    order = await api.order()
    job = (await api.data(CANCEL, id=order, give=True))["orderCancel"]["job"]
    look = "query J($id: ID!) { job(id: $id) { done } }"
    assert job["done"] is False
    assert (await whole(api, order))["cancelledAt"] is None
    await api.control("POST", "/clock", {"advance": 30})
    assert (await api.data(look, id=job["id"]))["job"] == {"done": True}
    said = await whole(api, order)
    assert (said["cancelReason"], said["displayFinancialStatus"]) == ("CUSTOMER", "REFUNDED")
    assert (await api.control("GET", "/stores/demo/mails"))["mails"][-1]["kind"] == "cancelled"
    (error,) = (await api.data(CANCEL, id=order, give=True))["orderCancel"]["orderCancelUserErrors"]
    assert error["code"] == "INVALID"


REFUND = """mutation R($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) { refund { id } userErrors { field message } } }"""
SUGGEST = f"""query S($id: ID!, $lines: [RefundLineItemInput!]) {{ order(id: $id) {{
  suggestedRefund(refundLineItems: $lines) {{ amountSet {BAG}
    suggestedTransactions {{ kind gateway amountSet {BAG} parentTransaction {{ id }} }} }} }} }}"""


DUTIES = "query D($id: ID!) { order(id: $id) { lineItems(first: 5) { nodes { duties { id } } } } }"


async def test_a_refund_as_suggested(api: Api) -> None:
    """The suggested transactions give the money of lines back; a key used twice gives the same refund."""
    order = await api.order(lines=[{"price": "10.00", "quantity": 2}], tax_exempt=True)
    line = (await whole(api, order))["lineItems"]["nodes"][0]["id"]
    lines = [{"lineItemId": line, "quantity": 1, "restockType": "NO_RESTOCK"}]
    found = (await api.data(SUGGEST, id=order, lines=lines))["order"]["suggestedRefund"]
    assert shop(found["amountSet"]) == 10
    (one,) = found["suggestedTransactions"]
    movement = {"orderId": order, "kind": "REFUND", "gateway": one["gateway"], "amount": "10.00"}
    movement["parentId"] = one["parentTransaction"]["id"]
    words = {"orderId": order, "refundLineItems": lines, "transactions": [movement]}
    made = (await api.data(REFUND, input=words, key="k1"))["refundCreate"]
    assert made["userErrors"] == []
    assert (await api.data(REFUND, input=words, key="k1"))["refundCreate"] == made
    said = await whole(api, order)
    assert len(said["refunds"]) == 1
    assert said["displayFinancialStatus"] == "PARTIALLY_REFUNDED"
    assert said["lineItems"]["nodes"][0]["refundableQuantity"] == 1
    assert shop(said["totalRefundedSet"]) == 10


async def test_refunds_that_are_too_much(api: Api) -> None:
    """More units or more money than there is, or a restock without a location, is a user error."""
    order = await api.order(lines=[{"price": "10.00", "quantity": 1}])
    said = await whole(api, order)
    line, sale = said["lineItems"]["nodes"][0]["id"], said["transactions"][0]["id"]

    async def refuse(key: str, **words: Any) -> str:
        given = {"orderId": order, "transactions": [], **words}
        (error,) = (await api.data(REFUND, input=given, key=key))["refundCreate"]["userErrors"]
        return str(error["message"])

    assert "more items" in await refuse("a", refundLineItems=[{"lineItemId": line, "quantity": 2}])
    assert "location" in await refuse(
        "b", refundLineItems=[{"lineItemId": line, "quantity": 1, "restockType": "RETURN"}]
    )
    movement = {"orderId": order, "kind": "REFUND", "gateway": "x", "amount": "999", "parentId": sale}
    assert "more than" in await refuse("c", transactions=[movement])


async def test_refunded_units_leave_nothing_open(api: Api) -> None:
    """After a refund of shipped units nothing is outstanding, and what is left of order and duties is told."""
    order = await api.order(lines=[{"price": "10.00", "quantity": 2}], duties="4.00", tax_exempt=True, shipping="")
    await api.act(order, "ship")
    said = await whole(api, order)
    line, sale = said["lineItems"]["nodes"][0], said["transactions"][0]["id"]
    duty = (await api.data(DUTIES, id=order))["order"]["lineItems"]["nodes"][0]["duties"][0]["id"]
    words = {
        "orderId": order,
        "refundLineItems": [{"lineItemId": line["id"], "quantity": 1}],
        "refundDuties": [{"dutyId": duty, "refundType": "FULL"}],
        "transactions": [{"orderId": order, "kind": "REFUND", "gateway": "x", "amount": "14.00", "parentId": sale}],
    }
    assert (await api.data(REFUND, input=words, key="k"))["refundCreate"]["userErrors"] == []
    said = await whole(api, order)
    assert shop(said["totalOutstandingSet"]) == 0
    assert shop(said["currentTotalPriceSet"]) == shop(said["totalPriceSet"]) - 14
    assert said["lineItems"]["nodes"][0]["currentQuantity"] == 1


async def test_deleted_orders_are_gone(api: Api) -> None:
    """An order that the merchant deletes is null, and in no list."""
    order = await api.order()
    await api.control("DELETE", f"/stores/demo/orders/{order.rsplit('/', 1)[1]}")
    assert (await api.data("query O($id: ID!) { order(id: $id) { id } }", id=order))["order"] is None
    assert order not in await pages(api, 100, key="ID")


@given(st.text(max_size=60))
def test_any_search_text_is_read(text: str) -> None:
    """No text breaks the reader of searches, and what it selects is decided for every row."""
    search = Search(text, {"id": Field(lambda row: row, "id"), "tag": Field(lambda row: ["a"], "has")}, str)
    assert search.matches(3) in {True, False}


def test_a_hundred_thousand_orders_are_there_at_once() -> None:
    """Seeded orders cost no memory worth naming and are made when they are read."""
    world = create(clock="manual", now=1_790_000_000.0, stores=[{"shop": "big", "orders": 100_000}]).world
    book = world.stores["big"].orders
    assert len(book.by_change) == 100_000
    assert sum(entry.row is not None for entry in book.entries.values()) == 0
    last = book.row(book.next_number - 1)
    assert last is not None
    assert last["lineItems"]
