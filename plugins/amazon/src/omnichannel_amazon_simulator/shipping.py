"""confirmShipment, what is left of Orders API v0 (guide 4.4). The deprecated reads of v0 are not simulated."""

from __future__ import annotations

from omnichannel_amazon_simulator.answers import Answer, Call, Row, empty
from omnichannel_amazon_simulator.dates import parse
from omnichannel_amazon_simulator.errors import denied, invalid, missing
from omnichannel_amazon_simulator.order import Order, Package
from omnichannel_amazon_simulator.routing import Routes

routes = Routes()
NOT_FOUND = (
    "Failed to create package due to not finding a matching package or order already fulfilled. "
    "Reason: PackageToUpdateNotFound"
)
CARRIERS = frozenset(
    {
        "DHL",
        "DPD",
        "GLS",
        "GO!",
        "Hermes Logistik Gruppe",
        "Deutsche Post",
        "UPS",
        "FedEx",
        "TNT",
        "Royal Mail",
        "Chronopost",
        "La Poste",
        "USPS",
        "Yamato Transport",
    }
)
"""Carrier codes that are known (guide 6.2); a confirmation with any other but Other is answered 204 and forgotten."""


@routes("POST", "/orders/v0/orders/{orderId}/shipmentConfirmation", "confirmShipment", "orders")
def confirm(call: Call) -> Answer:
    order = call.seller.book.orders.get(call.params["orderId"])
    if order is None:
        raise missing("The requested order was not found.")
    document = call.object()
    detail = _checked(document, order)
    if order.fulfilled_by != "MERCHANT":
        raise invalid("Order is fulfilled by Amazon and cannot be confirmed.", order.id)
    at = parse("shipDate", detail["shipDate"])
    if at > call.now + 1 or at < order.created:
        raise invalid("shipDate must not be in the future nor before the purchase date.")
    package = _package(detail, at, call.now)
    if call.seller.options.drop_confirmations > 0:
        call.seller.options.drop_confirmations -= 1
        return empty()
    if detail["carrierCode"] != "Other" and detail["carrierCode"] not in CARRIERS:
        return empty()
    _fits(order, package)
    call.seller.book.pack(order, package, call.now)
    return empty()


def _checked(document: Row, order: Order) -> Row:
    """The packageDetail; 400 where a type is another than the model's (no integer reference, a list of items)."""
    detail = document.get("packageDetail")
    if not isinstance(detail, dict):
        raise invalid("packageDetail is required.")
    if document.get("marketplaceId") != order.marketplace:
        raise denied()
    for name in ("packageReferenceId", "carrierCode", "trackingNumber", "shipDate"):
        if not isinstance(detail.get(name), str) or not detail[name]:
            raise invalid(f"packageDetail.{name} is required and must be a string.")
    reference = detail["packageReferenceId"]
    if not reference.isascii() or not reference.isdigit() or int(reference) < 1:
        raise invalid("packageReferenceId must be a positive integer.")
    items = detail.get("orderItems")
    if not isinstance(items, list) or not items:
        raise invalid("packageDetail.orderItems must be a list.")
    for item in items:
        if not isinstance(item, dict) or not isinstance(item.get("quantity"), int) or item["quantity"] < 1:
            raise invalid("packageDetail.orderItems needs orderItemId and quantity.")
        if order.line(str(item.get("orderItemId"))) is None:
            raise invalid(f"orderItemId {item.get('orderItemId')} is not of this order.")
    if detail["carrierCode"] == "Other" and not detail.get("carrierName"):
        raise invalid("carrierName is required when carrierCode is Other.")
    return detail


def _package(detail: Row, at: float, now: float) -> Package:
    items: dict[str, int] = {}
    for item in detail["orderItems"]:
        items[item["orderItemId"]] = items.get(item["orderItemId"], 0) + item["quantity"]
    carrier = detail.get("carrierName") if detail["carrierCode"] == "Other" else detail["carrierCode"]
    method, tracking = detail.get("shippingMethod") or "", detail["trackingNumber"]
    return Package(detail["packageReferenceId"], str(carrier), method, tracking, at, now, items)


def _fits(order: Order, package: Package) -> None:
    """400 when more is shipped than is open; what a package of the same reference holds is open to it."""
    old = next((each for each in order.packages or [] if each.reference == package.reference), None)
    if order.status not in {"UNSHIPPED", "PARTIALLY_SHIPPED"} and old is None:
        raise invalid(NOT_FOUND)
    for ident, quantity in package.items.items():
        line = order.line(ident)
        left = line.quantity - line.shipped if line else 0
        if quantity > left + (old.items.get(ident, 0) if old else 0):
            raise invalid(NOT_FOUND)
