"""Transactions, quotes and refunds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

pytestmark = pytest.mark.anyio
REFUNDS = "/v3/orders/{}/payment_actions/refunds"


async def place(api: Any, **words: Any) -> int:
    lines = [{"name": "A", "price": "10.00", "quantity": 3}]
    made = await api.control(
        "POST", "/stores/shop1/orders", {"lines": lines, "tax_rate": "0.1", "shipping": "5.00"} | words
    )
    return int(made["ids"][0])


async def test_quote_then_refund(api: Any) -> None:
    """A quote prices items with tax and offers methods; the refund books money, quantities, status and a
    transaction.
    """
    number = await place(api, customer_id=5)
    items = [{"item_type": "PRODUCT", "item_id": number * 100 + 1, "quantity": 2}]
    quote = (await api("POST", f"/v3/orders/{number}/payment_actions/refund_quotes", {"items": items})).json()["data"]
    assert (quote["total_refund_amount"], quote["total_refund_tax_amount"]) == (22.0, 2.0)
    assert {method[0]["provider_id"] for method in quote["refund_methods"]} == {"stripe", "storecredit", "custom"}
    payment = {"provider_id": "stripe", "amount": 22.0, "offline": False}
    refund = (
        await api("POST", REFUNDS.format(number), {"items": items, "payments": [payment], "reason": "broken"})
    ).json()["data"]
    assert (refund["total_amount"], refund["total_tax"], refund["payments"][0]["is_declined"]) == (22.0, 2.0, False)
    order = (await api.get(f"/v2/orders/{number}")).json()
    assert (order["status_id"], order["payment_status"], order["refunded_amount"]) == (
        14,
        "partially refunded",
        "0.0000",
    )
    line = (await api.get(f"/v2/orders/{number}/products")).json()[0]
    assert (line["quantity_refunded"], line["is_refunded"]) == (2, False)
    events = [row["event"] for row in (await api.get(f"/v3/orders/{number}/transactions")).json()["data"]]
    assert events == ["purchase", "refund"]


async def test_refunding_all_makes_the_order_refunded(api: Any) -> None:
    """The whole amount makes status 4, and nothing more can be refunded."""
    number = await place(api)
    await api.control("POST", f"/stores/shop1/orders/{number}/refund", {})
    assert (await api.get(f"/v2/orders/{number}")).json()["status_id"] == 4
    more = {
        "items": [{"item_type": "ORDER", "item_id": number, "amount": 0.01}],
        "payments": [{"provider_id": "x", "amount": 0.01}],
    }
    assert (await api("POST", REFUNDS.format(number), more)).status_code == 422


@pytest.mark.parametrize(
    ("items", "payments"),
    [
        ([], [{"provider_id": "stripe", "amount": 1.0}]),
        ([{"item_type": "PRODUCT", "item_id": 1, "quantity": 1}], [{"provider_id": "stripe", "amount": 1.0}]),
        ([{"item_type": "SHIPPING", "item_id": 1, "amount": 1.0}], [{"provider_id": "stripe", "amount": 1.0}]),
        ([{"item_type": "ORDER", "item_id": 100, "amount": 1.0}], [{"provider_id": "stripe", "amount": 2.0}]),
        ([{"item_type": "ORDER", "item_id": 100, "amount": 99_999.0}], [{"provider_id": "stripe", "amount": 99_999.0}]),
        ([{"item_type": "ORDER", "item_id": 100, "amount": 1.0}], []),
        ([{"item_type": "GIFT", "item_id": 100, "amount": 1.0}], [{"provider_id": "stripe", "amount": 1.0}]),
    ],
)
async def test_refusals_are_wrapped_in_data(api: Any, items: list[Any], payments: list[Any]) -> None:
    """What does not fit is 422 inside data[], and books nothing."""
    answer = await api("POST", REFUNDS.format(100), {"items": items, "payments": payments})
    assert answer.status_code == 422
    assert answer.json()["data"][0]["status"] == 422
    assert (await api.get(REFUNDS.format(100))).json()["data"] == []


async def test_guests_get_no_store_credit(api: Any) -> None:
    """Store credit for a guest is refused in the documented words."""
    words = {
        "items": [{"item_type": "ORDER", "item_id": 101, "amount": 1.0}],
        "payments": [{"provider_id": "storecredit", "amount": 1.0}],
    }
    answer = await api("POST", REFUNDS.format(101), words)
    assert answer.json()["data"][0]["title"] == "Unable to provide store credit for a guest customer."


async def test_declined_payments(api: Any) -> None:
    """A refund whose payment the gateway declined is booked, marked, and makes no transaction."""
    number = await place(api)
    await api.control("PUT", "/stores/shop1", {"decline_refunds": 1})
    words = {
        "items": [{"item_type": "ORDER", "item_id": number, "amount": 1.0}],
        "payments": [{"provider_id": "stripe", "amount": 1.0}],
    }
    refund = (await api("POST", REFUNDS.format(number), words)).json()["data"]
    assert refund["payments"][0]["is_declined"] is True
    assert len((await api.get(f"/v3/orders/{number}/transactions")).json()["data"]) == 1


async def test_unpaid_orders_have_no_transactions(api: Any) -> None:
    """Transactions of an unpaid order are 204 without a body."""
    number = await place(api, status_id=7)
    answer = await api.get(f"/v3/orders/{number}/transactions")
    assert (answer.status_code, answer.content) == (204, b"")


async def test_list_of_all_refunds_is_an_incremental_source(api: Any) -> None:
    """Seeded and new refunds come in one list, cut by created:min, by order, and by page."""
    whole = (await api.get("/v3/orders/payment_actions/refunds?limit=250")).json()
    assert whole["meta"]["pagination"]["total"] == len(whole["data"]) > 2
    number = await place(api)
    await api.control("POST", "/clock", {"advance": 60})
    await api.control("POST", f"/stores/shop1/orders/{number}/refund", {"amount": 2})
    fresh = (await api.get("/v3/orders/payment_actions/refunds?created:min=2026-09-21T14:13:20Z")).json()["data"]
    assert [row["order_id"] for row in fresh] == [number]
    some = (
        await api.get(f"/v3/orders/payment_actions/refunds?order_id:in={number},{whole['data'][0]['order_id']}")
    ).json()["data"]
    assert len(some) == 2
    assert len((await api.get("/v3/orders/payment_actions/refunds?limit=2&page=2")).json()["data"]) == 2


async def test_seeded_refunded_orders_agree_with_their_refunds(api: Any) -> None:
    """Orders of status 4 and 14 have refunds that say the same as their lines and never exceed the total."""
    for status in (4, 14):
        for order in (await api.get(f"/v2/orders?status_id={status}")).json():
            refunds = (await api.get(REFUNDS.format(order["id"]))).json()["data"]
            amount = sum(Decimal(str(refund["total_amount"])) for refund in refunds)
            assert 0 < amount <= Decimal(order["total_inc_tax"])
            assert (amount == Decimal(order["total_inc_tax"])) or status == 14


async def test_capture_only_of_what_is_pending(api: Any) -> None:
    """Capture books a transaction of a pending payment and is 422 for a captured one."""
    number = await place(api, status_id=7)
    assert (await api("POST", f"/v3/orders/{number}/payment_actions/capture")).status_code == 201
    assert (await api("POST", f"/v3/orders/{number}/payment_actions/capture")).status_code == 422
