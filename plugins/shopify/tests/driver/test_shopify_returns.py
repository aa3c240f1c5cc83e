"""Returns and refunds of many orders at once, with all their parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from omnichannel_shopify.client import Client
from omnichannel_shopify.return_operations import FEW
from omnichannel_shopify.sync.order_returns import TOGETHER, Asked, returns_of

from omnichannel_core.records import Return

pytestmark = pytest.mark.anyio
Lone = Callable[..., Any]
WHOLE: dict[str, Any] = {"nodes": [], "pageInfo": {"hasNextPage": False}}
MORE = {"hasNextPage": True, "endCursor": "M"}
UPDATED = "2026-10-20T00:00:00Z"


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


def money(amount: str) -> dict[str, Any]:
    one = {"amount": amount, "currencyCode": "EUR"}
    return {"shopMoney": one, "presentmentMoney": one}


def refund(number: int, of: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "id": gid("Refund", number), "createdAt": UPDATED, "updatedAt": UPDATED, "note": "",
        "return": {"id": gid("Return", of)} if of else None, "totalRefundedSet": money("5.00"), "duties": None,
        "refundLineItems": WHOLE, "refundShippingLines": WHOLE, "orderAdjustments": WHOLE, "transactions": WHOLE,
    } | more  # fmt: skip


def returned(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": gid("Return", number), "name": f"#{number}-R1", "status": "OPEN", "createdAt": UPDATED,
        "returnShippingFees": [], "exchangeLineItems": WHOLE, "reverseFulfillmentOrders": WHOLE,
        "returnLineItems": WHOLE, "refunds": WHOLE,
    } | more  # fmt: skip


def asked(said: dict[str, Any]) -> list[int]:
    """The orders that a search names."""
    return [int(term.removeprefix("id:")) for term in said["query"].split(" OR ")]


def listing(field: str, rows: Callable[[int], Any], hidden: frozenset[int] = frozenset()) -> Callable[[Any], Any]:
    """What a search for orders finds; it does not know those that are hidden."""
    return lambda said: {
        "orders": {
            "nodes": [{"id": gid("Order", n), field: rows(n)} for n in asked(said) if n not in hidden],
            "pageInfo": {"hasNextPage": False},
        }
    }


def wanted(*orders: int, **flags: bool) -> list[Asked]:
    return [Asked(gid("Order", n), UPDATED, **flags) for n in orders]


async def test_many_orders_take_few_requests(lone: Lone, shop: Any):
    """Returns and refunds of many orders come with one request each for fifty of them, every one at its own order."""
    shop.on("OrdersRefunds", listing("refunds", lambda n: [refund(n), refund(1000 + n, of=n)]))
    shop.on("OrdersReturns", listing("returns", lambda n: {"nodes": [returned(n)], "pageInfo": {"hasNextPage": False}}))
    session = lone()
    found = await returns_of(Client(session), wanted(*range(1, TOGETHER + 2)))
    assert [one.operation for one in session.sent] == ["OrdersRefunds"] * 2 + ["OrdersReturns"] * 2
    assert len(found) == TOGETHER + 1
    for key, records in found.items():
        number = int(key.rpartition("/")[2])
        alone, back = records
        assert isinstance(alone, Return)
        assert isinstance(back, Return)
        assert (alone.id, back.id, back.order_id) == (gid("Refund", number), gid("Return", number), key)
        assert back.extra["refunds"] == gid("Refund", 1000 + number)


async def test_an_order_that_the_search_does_not_know_yet(lone: Lone, shop: Any):
    """What a late index leaves out, and an order with many refunds, are read as they are."""
    many = [refund(100 + n) for n in range(FEW + 2)]
    shop.on("OrdersRefunds", listing("refunds", lambda n: many[:FEW] if n == 2 else [], frozenset({1})))
    shop.on("OrderRefunds", lambda said: {"order": {"refunds": many if said["id"] == gid("Order", 2) else [refund(9)]}})
    found = await returns_of(Client(lone()), wanted(1, 2, 3, returned=False))
    assert [len(records) for records in found.values()] == [1, FEW + 2, 0]


async def test_s15_parts_of_refunds_and_returns_are_paged_to_the_end(lone: Lone, shop: Any):
    """S15: whatever a refund or a return has more than fits into the first page is asked for, and all is there."""
    paid = {"id": gid("OrderTransaction", 1), "kind": "REFUND", "status": "SUCCESS", "amountSet": money("5")}
    cut = {"nodes": [], "pageInfo": MORE}
    parts = {"refundLineItems": cut, "refundShippingLines": cut, "orderAdjustments": cut, "transactions": cut}
    shop.on("OrderRefunds", {"order": {"refunds": [refund(1, **parts)]}})
    row = {"id": gid("RefundLineItem", 1), "quantity": 1, "restockType": "RETURN", "lineItem": {"id": "l"}}
    whole = {"hasNextPage": False}
    for name, field, node in (
        ("RefundLines", "refundLineItems", row),
        ("RefundShipping", "refundShippingLines", {"id": "s", "subtotalAmountSet": money("1")}),
        ("RefundAdjustments", "orderAdjustments", {"id": "a", "reason": "REFUND_DISCREPANCY", "amountSet": money("2")}),
        ("RefundTransactions", "transactions", paid),
    ):
        shop.on(name, {"node": {field: {"nodes": [node], "pageInfo": whole}}})
    more = {"returnLineItems": cut, "exchangeLineItems": cut, "reverseFulfillmentOrders": cut}
    shop.on("OrderReturns", {"order": {"returns": {"nodes": [returned(1, **more)], "pageInfo": whole}}})
    line = {"__typename": "ReturnLineItem", "id": gid("ReturnLineItem", 1), "quantity": 1,
            "fulfillmentLineItem": {"id": "f", "lineItem": {"id": "l"}}}  # fmt: skip
    became = {"id": "d", "type": "RESTOCKED", "quantity": 1}
    back = {"id": "x", "totalQuantity": 1, "fulfillmentLineItem": {"id": "f"}, "dispositions": [became]}
    reverse = {"id": gid("ReverseFulfillmentOrder", 1), "status": "CLOSED", "lineItems": cut}
    for name, root, field, node in (
        ("ReturnLines", "return", "returnLineItems", line),
        ("ReturnExchanges", "return", "exchangeLineItems", {"id": "e", "quantity": 2, "variantId": "v"}),
        ("ReturnReverse", "return", "reverseFulfillmentOrders", reverse),
        ("ReverseLines", "reverseFulfillmentOrder", "lineItems", back),
    ):
        shop.on(name, {root: {field: {"nodes": [node], "pageInfo": whole}}})
    session = lone()
    ((alone, whole_return),) = (await returns_of(Client(session), wanted(1))).values()
    assert isinstance(alone, Return)
    assert isinstance(whole_return, Return)
    assert {one.kind for one in alone.lines.values()} == {"product", "shipping", "order"}
    assert list(alone.payments) == [paid["id"]]
    assert [one.restock for one in whole_return.lines.values()] == [True]
    assert whole_return.extra["exchange"] == "2 x v"
