"""Cancellations out: no operation cancels an order, an acknowledgement feed does (guide amazon 6.2; 15, 20)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from xml.etree import ElementTree as ET

from omnichannel_amazon import feeds
from omnichannel_amazon.client import Client
from omnichannel_amazon.order_mapping import CANCELLATION, moment
from omnichannel_core.driver import Accepted, Batch, Item, Later, Outcome, Pending, PushStream, Rejected, Session, Wait
from omnichannel_core.records import Cancellation, Order

WAIT = Wait(300, "Amazon processes the cancellation")
PATIENCE = timedelta(minutes=30)
BUYER, SELLER = "BuyerCanceled", "NoInventory"
"""Reasons: whose wish it was decides whether it counts against the seller."""


async def push(session: Session, batch: Batch[Cancellation]) -> Mapping[str, Outcome]:
    """One order, one feed."""
    return {item.key: await cancel(Client(session), item) for item in batch.items}


async def cancel(client: Client, item: Item[Cancellation]) -> Outcome:
    """The whole order, unless it is cancelled or was shipped already."""
    order = item.order
    if order is None:
        return Rejected("The order was never imported: Amazon wants its lines")
    if order.extra.get("kind") == "fba" or order.shipped_by_remote is True:
        return Rejected("Amazon ships this order itself: cancel it in Seller Central")
    if not whole(item.record, order):
        return Rejected("Amazon cancels whole orders only: refund single lines in Seller Central")
    there = await client.order(order.id, ("FULFILLMENT",))
    if there is not None and there.status == "CANCELLED":
        return Accepted(note="It was cancelled before")
    if there is None or there.status == "SHIPPED":
        return Rejected(f"Amazon does not cancel an order that is {'gone' if there is None else 'shipped'}")
    feed = await feeds.submit(client, feeds.ACKNOWLEDGEMENT, feeds.XML, document(client, item.record, order))
    return Pending(f"feed:{feed}:{client.session.clock.now().isoformat()}", WAIT)


def whole(record: Cancellation, order: Order) -> bool:
    """Whether all of the order is meant."""
    lines = order.lines if isinstance(order.lines, Mapping) else {}
    full = {key: one.quantity for key, one in lines.items() if isinstance(one.quantity, Decimal)}
    return not record.lines or all(record.lines.get(key, Decimal(0)) >= quantity for key, quantity in full.items())


def document(client: Client, record: Cancellation, order: Order) -> bytes:
    """An OrderAcknowledgement that failed, which is how an order is cancelled."""
    root, body = feeds.envelope(client, "OrderAcknowledgement")
    ET.SubElement(body, "AmazonOrderID").text = order.id
    ET.SubElement(body, "StatusCode").text = "Failure"
    asked = bool(order.extra.get(CANCELLATION)) or record.reason.strip().lower() in ("customer", "buyer")
    for line in order.lines if isinstance(order.lines, Mapping) else ():
        row = ET.SubElement(body, "Item")
        ET.SubElement(row, "AmazonOrderItemCode").text = line
        ET.SubElement(row, "CancelReason").text = BUYER if asked else SELLER
    return feeds.document(root)


async def settle(session: Session, batch: Batch[Cancellation]) -> Mapping[str, Outcome]:
    """By looking at the order; the feed's report tells why it is not cancelled."""
    client = Client(session)
    return {item.key: await settled(client, item) for item in batch.items}


async def settled(client: Client, item: Item[Cancellation]) -> Outcome:
    """One order."""
    there = await client.order(item.record.order_id, ("FULFILLMENT",))
    if there is not None and there.status == "CANCELLED":
        return Accepted()
    if not item.ticket:
        return Later(Wait(0))  # it never arrived, or harms nothing a second time
    _, _, rest = item.ticket.partition(":")
    feed, _, at = rest.partition(":")
    state, text = await feeds.result(client, feed)
    if state == "waiting":
        return Pending(item.ticket, WAIT)
    refused = feeds.why(text)
    if refused or state == "fatal":
        return Rejected(refused or "Amazon could not process the cancellation")
    if client.session.clock.now() - moment(at) < PATIENCE:
        return Pending(item.ticket, WAIT)
    return Rejected("Amazon processed the cancellation and does not show it: see the order in Seller Central")


CANCELLATIONS = PushStream(name="cancellations", takes=Cancellation, push=push, settle=settle)
