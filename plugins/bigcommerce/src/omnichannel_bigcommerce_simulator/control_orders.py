"""Control of orders: what the merchant and the shoppers do."""

from __future__ import annotations

from typing import Any

from omnichannel_bigcommerce_simulator import order_edits, refunding, refunds, shipments
from omnichannel_bigcommerce_simulator.answers import Answer, Call, reply
from omnichannel_bigcommerce_simulator.dates import parse, rfc2822
from omnichannel_bigcommerce_simulator.errors import Refused
from omnichannel_bigcommerce_simulator.order_words import STATUSES
from omnichannel_bigcommerce_simulator.routing import Routes

Row = dict[str, Any]
routes = Routes()
ROOT = "/_control/stores/{hash:w}/orders"


@routes.post(ROOT)
def place(call: Call) -> Answer:
    """Places `count` orders (default 1); the other words are those of `order_plan.Plan`, `at` is the time of it."""
    words = call.object()
    count, at = int(words.pop("count", 1)), words.pop("at", None)
    now = call.now if at is None else parse(at) if isinstance(at, str) else float(at)
    ids = [
        order_edits.place(call.store, order_edits.plan_from_control(call.store, words), now).id for _ in range(count)
    ]
    return reply({"ids": ids}, 201)


@routes.get(f"{ROOT}/{{id}}")
def get(call: Call) -> Answer:
    """The order with everything below it, for assertions."""
    record = call.store.orders.get(call.id())
    return reply(
        {
            "order": record.order
            | {"id": record.id, "date_created": rfc2822(record.created), "date_modified": rfc2822(record.modified)},
            "products": record.products,
            "shipping_addresses": record.addresses,
            "shipments": record.shipments,
            "refunds": record.refunds,
            "transactions": record.transactions,
            "messages": record.messages,
        }
    )


@routes.post(f"{ROOT}/{{id}}/status")
def set_status(call: Call) -> Answer:
    status = call.object()["status_id"]
    if status not in STATUSES:
        raise Refused(400, f"there is no status {status}")
    order_edits.set_status(call.store, call.id(), status, call.now)
    return reply({})


@routes.post(f"{ROOT}/{{id}}/archive")
def archive(call: Call) -> Answer:
    """`{"archived"?: false}` brings it back."""
    archived = call.object().get("archived", True) if call.body else True
    order_edits.archive(call.store, call.id(), call.now, archived=archived)
    return reply({})


@routes.post(f"{ROOT}/{{id}}/touch")
def touch(call: Call) -> Answer:
    """A change of nothing but the date of modification."""
    call.store.orders.touch(call.store.orders.edit(call.id()), call.now)
    call.store.hooks.emit("store/order/updated", {"type": "order", "id": call.id()})
    return reply({})


@routes.post(f"{ROOT}/{{id}}/ship")
def ship(call: Call) -> Answer:
    """The merchant ships all that is left of each address, or what `items` and `order_address_id` name."""
    words = call.object() if call.body else {}
    if "items" in words:
        return reply({"shipments": [shipments.ship(call.store, call.id(), words, call.now)]}, 201)
    made: list[Row] = []
    for address in list(call.store.orders.get(call.id()).addresses):
        record = call.store.orders.get(call.id())
        items = [
            {
                "order_product_id": row["id"],
                "quantity": row["quantity"] - row["quantity_shipped"] - row["quantity_refunded"],
            }
            for row in record.products
            if row["order_address_id"] == address["id"]
            and row["quantity"] > row["quantity_shipped"] + row["quantity_refunded"]
        ]
        if items:
            order = words | {"order_address_id": address["id"], "items": items}
            made.append(shipments.ship(call.store, call.id(), order, call.now))
    return reply({"shipments": made}, 201)


@routes.post(f"{ROOT}/{{id}}/refund")
def refund(call: Call) -> Answer:
    """The merchant refunds: `items` as in the API, or `amount`, or all that is left."""
    words = call.object() if call.body else {}
    record = call.store.orders.get(call.id())
    if "items" not in words:
        amount = words.get("amount", float(record.total - record.refunded))
        words["items"] = [{"item_type": "ORDER", "item_id": record.id, "amount": amount}]
        words.setdefault("payments", [{"provider_id": "custom", "amount": amount, "offline": True}])
    if "payments" not in words:
        worth = refunding.quote(record, words["items"])
        words["payments"] = [{"provider_id": "custom", "amount": float(worth.amount), "offline": True}]
    return reply(refunds.book(call.store, call.id(), words, call.now), 201)


@routes.post(f"{ROOT}/{{id}}/message")
def message(call: Call) -> Answer:
    """A shopper writes: `{"subject", "message"}`."""
    record, words = call.store.orders.edit(call.id()), call.object()
    row = {
        "id": next(call.store.ids),
        "order_id": record.id,
        "staff_id": 0,
        "customer_id": record.order["customer_id"],
        "type": "customer",
        "subject": words.get("subject", ""),
        "message": words.get("message", ""),
        "status": "unread",
        "is_flagged": False,
        "date_created": rfc2822(call.now),
        "customer": {
            "url": f"/customers/{record.order['customer_id']}",
            "resource": f"/customers/{record.order['customer_id']}",
        },
    }
    record.messages.append(row)
    call.store.hooks.emit(
        "store/order/message/created", {"type": "order", "id": record.id, "message": {"order_message_id": row["id"]}}
    )
    return reply(row, 201)


@routes.post(f"{ROOT}/{{id}}/return")
def mark_return(call: Call) -> Answer:
    """`{"order_product_id", "return_id"}`: the only public trace of a return (guide 1.10)."""
    record, words = call.store.orders.edit(call.id()), call.object()
    row = record.product(words["order_product_id"])
    if row is None:
        raise Refused(404, "there is no such line in the order")
    row["return_id"] = int(words["return_id"])
    call.store.orders.touch(record, call.now)
    return reply({})
