"""Shipments of an order (orders.v2.oas2.yml, guide 1.11)."""

from __future__ import annotations

import re
from typing import Any

from omnichannel_bigcommerce_simulator import shipping
from omnichannel_bigcommerce_simulator.answers import Answer, Call, empty, reply
from omnichannel_bigcommerce_simulator.errors import Refused, not_found
from omnichannel_bigcommerce_simulator.order_edits import tell_status
from omnichannel_bigcommerce_simulator.order_record import OrderRecord
from omnichannel_bigcommerce_simulator.order_words import PROVIDERS
from omnichannel_bigcommerce_simulator.paging import v2_list
from omnichannel_bigcommerce_simulator.routing import Routes
from omnichannel_bigcommerce_simulator.store import Store

Row = dict[str, Any]
routes = Routes()
_LENGTHS = {"tracking_number": 50, "tracking_link": 500, "comments": 65_535}
_WORDS = frozenset(
    {
        "tracking_number",
        "tracking_link",
        "merchant_shipping_cost",
        "shipping_method",
        "shipping_provider",
        "tracking_carrier",
        "comments",
    }
)
_CARRIER = re.compile(r"carrier_\d+\Z")


def _refused(name: str, why: str = "is invalid") -> Refused:
    return Refused(400, f"The field '{name}' {why}.", details={"invalid_reason": f"{name} {why}"})


def _check_words(words: Row) -> None:
    for name, most in _LENGTHS.items():
        if name in words and (not isinstance(words[name], str) or len(words[name]) > most):
            raise _refused(name, f"must be a text of at most {most} characters")
    provider = words.get("shipping_provider", "")
    if provider not in PROVIDERS and not _CARRIER.match(str(provider)):
        raise _refused("shipping_provider")


def _check_items(record: OrderRecord, words: Row) -> dict[int, int]:
    """order product id -> quantity; everything must belong to the one address and not be shipped yet."""
    address, items = words.get("order_address_id"), words.get("items")
    if not address or record.address(address) is None:
        raise _refused("order_address_id")
    if not isinstance(items, list) or not items:
        raise _refused("items")
    found: dict[int, int] = {}
    for item in items:
        row = record.product(item.get("order_product_id", 0)) if isinstance(item, dict) else None
        if row is None or row["order_address_id"] != address or row["type"] != "physical":
            raise _refused("order_product_id", "does not belong to the shipping address")
        quantity = item.get("quantity", 0)
        found[row["id"]] = found.get(row["id"], 0) + quantity
        left = row["quantity"] - row["quantity_shipped"] - row["quantity_refunded"]
        if not isinstance(quantity, int) or quantity < 1 or found[row["id"]] > left:
            raise _refused("quantity", "exceeds what is left to ship")
    return found


def ship(store: Store, order_id: int, words: Row, now: float) -> Row:
    """Books a shipment, mails the customer, tells the hooks; 400 for anything that does not fit."""
    record = store.orders.get(order_id)
    unknown = words.keys() - _WORDS - {"order_address_id", "items"}
    if unknown:
        name = min(unknown)
        raise Refused(
            400, f"The field '{name}' cannot be written to. Please remove it from your request before trying again."
        )
    _check_words(words)
    items = _check_items(record, words)
    record, old = store.orders.edit(order_id), record.status_id
    row = shipping.ship(record, words["order_address_id"], items, words, int(now))
    store.orders.touch(record, now)
    store.mail("shipment", record.order["billing_address"]["email"], f"Order {order_id} was shipped")
    store.hooks.emit("store/shipment/created", {"type": "shipment", "id": row["id"], "orderId": order_id})
    tell_status(store, record, old)
    return row


@routes.get("/v2/orders/{order}/shipments", "orders")
def list_shipments(call: Call) -> Answer:
    return v2_list(call, call.store.orders.get(call.id("order")).shipments)


@routes.get("/v2/orders/{order}/shipments/count", "orders")
def count_shipments(call: Call) -> Answer:
    return reply({"count": len(call.store.orders.get(call.id("order")).shipments)})


@routes.post("/v2/orders/{order}/shipments", "orders")
def add_shipment(call: Call) -> Answer:
    return reply(ship(call.store, call.id("order"), call.object(), call.now), 201)


def _one(call: Call) -> Row:
    rows = call.store.orders.get(call.id("order")).shipments
    row = next((row for row in rows if row["id"] == call.id("shipment")), None)
    if row is None:
        raise not_found()
    return row


@routes.get("/v2/orders/{order}/shipments/{shipment}", "orders")
def get_shipment(call: Call) -> Answer:
    return reply(_one(call))


@routes.put("/v2/orders/{order}/shipments/{shipment}", "orders")
def change_shipment(call: Call) -> Answer:
    """Tracking words only: items cannot change."""
    row, words = _one(call), call.object()
    for name in words.keys() - _WORDS - {"order_address_id"}:
        raise Refused(
            400, f"The field '{name}' cannot be written to. Please remove it from your request before trying again."
        )
    _check_words(words)
    record = call.store.orders.edit(call.id("order"))
    row |= {key: value for key, value in words.items() if key in _WORDS}
    call.store.orders.touch(record, call.now)
    call.store.hooks.emit("store/shipment/updated", {"type": "shipment", "id": row["id"], "orderId": record.id})
    return reply(row)


@routes.delete("/v2/orders/{order}/shipments/{shipment}", "orders")
def delete_shipment(call: Call) -> Answer:
    """The quantities come back, the status does not."""
    _take_back(call, [_one(call)])
    return empty()


@routes.delete("/v2/orders/{order}/shipments", "orders")
def delete_shipments(call: Call) -> Answer:
    _take_back(call, list(call.store.orders.get(call.id("order")).shipments))
    return empty()


def _take_back(call: Call, rows: list[Row]) -> None:
    record = call.store.orders.edit(call.id("order"))
    for row in rows:
        record.shipments.remove(row)
        address = record.address(row["order_address_id"])
        for item in row["items"]:
            product = record.product(item["order_product_id"])
            if product:
                product["quantity_shipped"] -= item["quantity"]
            if address:
                address["items_shipped"] -= item["quantity"]
            record.order["items_shipped"] -= item["quantity"]
        call.store.hooks.emit("store/shipment/deleted", {"type": "shipment", "id": row["id"], "orderId": record.id})
    call.store.orders.touch(record, call.now)
