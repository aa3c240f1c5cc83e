"""Transactions of an order (orders.v3.yml): rows, and what capture and void do."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from omnichannel_bigcommerce_simulator import money
from omnichannel_bigcommerce_simulator.answers import Answer, Call, data, empty, reply
from omnichannel_bigcommerce_simulator.dates import iso
from omnichannel_bigcommerce_simulator.errors import Refused
from omnichannel_bigcommerce_simulator.order_record import OrderRecord
from omnichannel_bigcommerce_simulator.routing import Routes

routes = Routes()


def book(record: OrderRecord, event: str, gateway: str, amount: Decimal, at: float) -> dict[str, Any]:
    """Appends a transaction. Its `order_id` is a string, unlike everywhere else (guide 1.9)."""
    number = record.id * 100 + len(record.transactions) + 1
    row = {
        "id": number,
        "order_id": str(record.id),
        "event": event,
        "method": "credit_card",
        "amount": money.v3(amount),
        "currency": record.currency,
        "gateway": gateway,
        "gateway_transaction_id": f"ch_{number}",
        "payment_method_id": f"{gateway}.card",
        "date_created": iso(at),
        "test": False,
        "status": "ok",
        "fraud_review": False,
        "offline": None,
        "custom": None,
        "payment_instrument_token": None,
        "avs_result": {"code": "", "message": "", "street_match": "", "postal_match": ""},
        "cvv_result": {"code": "", "message": ""},
        "credit_card": {
            "card_type": "visa",
            "card_iin": "",
            "card_last4": "4242",
            "card_expiry_month": 1,
            "card_expiry_year": 2030,
        },
        "gift_certificate": None,
        "store_credit": None,
    }
    if event in {"refund", "capture", "void"}:
        row["reference_transaction_id"] = record.id * 100 + 1
    record.transactions.append(row)
    return row


@routes.get("/v3/orders/{order}/transactions", "transactions")
def list_transactions(call: Call) -> Answer:
    """All events of an order; 204 without a body when there are none."""
    record = call.store.orders.get(call.id("order"))
    if not record.transactions:
        return empty()
    count = len(record.transactions)
    numbers = {"total": count, "count": count, "per_page": 50, "current_page": 1, "total_pages": 1}
    return data(record.transactions, meta={"pagination": numbers | {"links": {"current": "?page=1&limit=50"}}})


@routes.post("/v3/orders/{order}/payment_actions/capture", "transactions")
def capture(call: Call) -> Answer:
    return _act(call, "capture", "captured")


@routes.post("/v3/orders/{order}/payment_actions/void", "transactions")
def void(call: Call) -> Answer:
    return _act(call, "void", "void")


def _act(call: Call, event: str, payment_status: str) -> Answer:
    record = call.store.orders.get(call.id("order"))
    if record.order["payment_status"] not in {"authorized", "pending", "held for review"}:
        raise Refused(422, f"The {event} action is not available for this order.", errors={})
    record = call.store.orders.edit(record.id)
    row = book(record, event, "stripe", record.total, call.now)
    record.order["payment_status"] = payment_status
    call.store.orders.touch(record, call.now)
    call.store.hooks.emit(
        "store/order/transaction/created", {"type": "order", "id": str(record.id), "transaction_id": row["id"]}
    )
    return reply({}, 201)
