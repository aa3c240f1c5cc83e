"""Sub-resources of an order, each a page of its own: products, addresses, coupons, taxes, fees, consignments,
messages.
"""

from __future__ import annotations

from typing import Any

from omnichannel_bigcommerce_simulator import metafields
from omnichannel_bigcommerce_simulator.answers import Answer, Call, empty, reply
from omnichannel_bigcommerce_simulator.errors import Refused, not_found
from omnichannel_bigcommerce_simulator.order_record import View
from omnichannel_bigcommerce_simulator.paging import v2_list
from omnichannel_bigcommerce_simulator.routing import Routes

Row = dict[str, Any]
routes = Routes()
_PERSON = (
    "first_name",
    "last_name",
    "company",
    "street_1",
    "street_2",
    "city",
    "state",
    "zip",
    "country",
    "country_iso2",
    "phone",
    "email",
)


def _rows(name: str) -> None:
    @routes.get(f"/v2/orders/{{order}}/{name}", "orders")
    def list_rows(call: Call) -> Answer:
        return v2_list(call, getattr(call.store.orders.get(call.id("order")), _ATTRIBUTES[name]))


_ATTRIBUTES = {
    "products": "products",
    "shipping_addresses": "addresses",
    "coupons": "coupons",
    "taxes": "taxes",
    "fees": "fees",
    "messages": "messages",
}
for _name in _ATTRIBUTES:
    _rows(_name)


@routes.get("/v2/orders/{order}/products/{part}", "orders")
def get_product(call: Call) -> Answer:
    row = call.store.orders.get(call.id("order")).product(call.id("part"))
    if row is None:
        raise not_found()
    return reply(row)


@routes.get("/v2/orders/{order}/shipping_addresses/{part}", "orders")
def get_address(call: Call) -> Answer:
    row = call.store.orders.get(call.id("order")).address(call.id("part"))
    if row is None:
        raise not_found()
    return reply(row)


@routes.put("/v2/orders/{order}/shipping_addresses/{part}", "orders")
def change_address(call: Call) -> Answer:
    words = call.object()
    if call.store.orders.get(call.id("order")).address(call.id("part")) is None:
        raise not_found()
    for name in words:
        if name not in {*_PERSON, "shipping_method", "form_fields"}:
            raise Refused(
                400, f"The field '{name}' cannot be written to. Please remove it from your request before trying again."
            )
    record = call.store.orders.edit(call.id("order"))
    row = record.address(call.id("part")) or {}
    row |= words
    call.store.orders.touch(record, call.now)
    call.store.hooks.emit("store/order/updated", {"type": "order", "id": record.id})
    return reply(row)


@routes.get("/v2/orders/{order}/shipping_addresses/{part}/shipping_quotes", "orders")
def list_quotes(call: Call) -> Answer:
    if call.store.orders.get(call.id("order")).address(call.id("part")) is None:
        raise not_found()
    return empty()


@routes.get("/v2/orders/{order}/consignments", "orders")
def get_consignments(call: Call) -> Answer:
    items = bool(call.words("include") & {"line_items", "consignments.line_items"})
    view = View(consignments=True, line_items=items, structure="object")
    return reply(call.store.orders.get(call.id("order")).consignments(view, call.store.base))


def _exists(call: Call, number: int) -> None:
    call.store.orders.get(number)


metafields.register(routes, "/v3/orders", "order", "orders", _exists)
