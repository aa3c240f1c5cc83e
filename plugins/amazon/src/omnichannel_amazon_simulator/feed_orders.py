"""The XML feeds about orders that are left: shipments without tracking number, cancellations (guide 6.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from omnichannel_amazon_simulator.dates import parse
from omnichannel_amazon_simulator.errors import Refused
from omnichannel_amazon_simulator.feed_xml import processing_report
from omnichannel_amazon_simulator.order import Order, Package

if TYPE_CHECKING:
    from omnichannel_amazon_simulator.feeds import Feed
    from omnichannel_amazon_simulator.sellers import Seller


def fulfillment(seller: Seller, feed: Feed, body: bytes) -> tuple[bytes, bool]:
    """POST_ORDER_FULFILLMENT_DATA: one OrderFulfillment a message."""
    return _each(seller, feed, body, "OrderFulfillment", _ship)


def acknowledgement(seller: Seller, feed: Feed, body: bytes) -> tuple[bytes, bool]:
    """POST_ORDER_ACKNOWLEDGEMENT_DATA: StatusCode Failure cancels an order that is not shipped."""
    return _each(seller, feed, body, "OrderAcknowledgement", _acknowledge)


Work = Callable[["Seller", "Feed", Order, ET.Element], str]


def _each(seller: Seller, feed: Feed, body: bytes, name: str, work: Work) -> tuple[bytes, bool]:
    try:
        root = ET.fromstring(body)  # noqa: S314 - what is read comes from tests
    except ET.ParseError as error:
        return _report(feed, [("0", f"The document is not XML: {error}")], 0), True
    problems: list[tuple[str, str]] = []
    messages = root.findall("Message")
    for message in messages:
        number, part = message.findtext("MessageID", "0"), message.find(name)
        order = seller.book.orders.get(part.findtext("AmazonOrderID", "")) if part is not None else None
        if part is None or order is None:
            problems.append((number, f"{name} or its AmazonOrderID is not known."))
            continue
        try:
            why = work(seller, feed, order, part)
        except (Refused, ValueError) as error:
            why = str(error)
        if why:
            problems.append((number, why))
    return _report(feed, problems, len(messages)), False


def _ship(seller: Seller, feed: Feed, order: Order, part: ET.Element) -> str:
    if order.status not in {"UNSHIPPED", "PARTIALLY_SHIPPED"} or order.fulfilled_by != "MERCHANT":
        return f"Order {order.id} cannot be confirmed in its state {order.status}."
    data, now = part.find("FulfillmentData"), seller.clock.now()
    items = {
        item.findtext("AmazonOrderItemCode", ""): int(item.findtext("Quantity", "1")) for item in part.findall("Item")
    }
    items = items or {line.id: line.quantity - line.shipped for line in order.lines}
    for ident, quantity in items.items():
        line = order.line(ident)
        if line is None or quantity > line.quantity - line.shipped:
            return f"The quantity of item {ident} does not fit the order."
    at = parse("FulfillmentDate", part.findtext("FulfillmentDate", ""))
    code = data.findtext("CarrierCode", "") if data is not None else ""
    carrier = (data.findtext("CarrierName", "") if data is not None else "") or code
    method = data.findtext("ShippingMethod", "") if data is not None else ""
    tracking = data.findtext("ShipperTrackingNumber", "") if data is not None else ""
    reference = part.findtext("MerchantFulfillmentID", "") or f"feed-{len(order.packages or []) + 1}"
    seller.book.pack(order, Package(reference, carrier, method, tracking, at, now, items), now)
    return ""


def _acknowledge(seller: Seller, feed: Feed, order: Order, part: ET.Element) -> str:
    if part.findtext("StatusCode", "") == "Failure":
        seller.book.move(order, "CANCELLED", seller.clock.now())
    return ""


def _report(feed: Feed, problems: list[tuple[str, str]], count: int) -> bytes:
    return processing_report(feed.id, "18028", problems, count)
