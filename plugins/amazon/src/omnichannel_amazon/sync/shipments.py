"""Shipments out: confirmed one by one, verified afterwards; without tracking number by feed (guide amazon 4.4, 6)."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from xml.etree import ElementTree as ET

from omnichannel_amazon import feeds, order_wire
from omnichannel_amazon.client import Client, iso
from omnichannel_amazon.listing_pushes import NotWanted, Unfit
from omnichannel_amazon.order_mapping import moment
from omnichannel_amazon.settings import Carrier, Export, ShippingProviders
from omnichannel_core import errors
from omnichannel_core.driver import Accepted, Batch, Item, Later, Outcome, Pending, PushStream, Rejected, Session, Wait
from omnichannel_core.records import Order, Shipment

LOOK = Wait(600, "Amazon has answered; whether the shipment is there is looked up")
PATIENCE = timedelta(minutes=30)
LOST, DAY = timedelta(minutes=10), timedelta(days=1)
GONE = "PackageToUpdateNotFound"
INCLUDED = ("FULFILLMENT", "PACKAGES")


async def push(session: Session, batch: Batch[Shipment]) -> Mapping[str, Outcome]:
    """Repeatable by the package's own reference. A 204 can be dropped in silence: pending until seen."""
    return {item.key: await ship(Client(session), item) for item in batch.items}


async def ship(client: Client, item: Item[Shipment]) -> Outcome:
    """One parcel."""
    try:
        order = exported(client, item)
        items = lines_of(item.record, order)
    except NotWanted as why:
        return Accepted(note=f"not wanted: {why}")
    except Unfit as why:
        return Rejected(str(why))
    if not item.record.tracking:
        feed = await feeds.submit(client, feeds.FULFILLMENT, feeds.XML, feed_of(client, item, order, items))
        return Pending(f"feed:{feed}:{client.session.clock.now().isoformat()}", Wait(300, "Amazon processes the feed"))
    return await confirm(client, item, order, items, tries=1)


def exported(client: Client, item: Item[Shipment]) -> Order:
    """The order, when its shipments are wanted.

    Raises:
        Unfit: the order is not known here. NotWanted: Amazon ships it, or the settings hold it back.
    """
    order = item.order
    if order is None:
        raise Unfit("The order was never imported: Amazon wants its marketplace and lines")
    kind, business = order.extra.get("kind", ""), order.business is True
    if kind == "fba" or order.shipped_by_remote is True:
        raise NotWanted("Amazon ships this order itself")
    if kind == "prime":
        raise NotWanted("Prime by Merchant: the label bought at Amazon confirms the shipment")
    if not client.session[Export].shipment(order.channel, business=business):
        raise NotWanted(f"shipments of {'B2B' if business else 'B2C'} orders of this marketplace are not exported")
    return order


def lines_of(record: Shipment, order: Order) -> dict[str, int]:
    """Order item ids and pieces; all that is open where the record names none.

    Raises:
        Unfit: nothing is left, an unknown line, or a part of a piece.
    """
    lines = order.lines if isinstance(order.lines, Mapping) else {}
    wanted: Mapping[str, Decimal] = record.lines or open_lines(order)
    for key, quantity in wanted.items():
        if key not in lines:
            raise Unfit(f"The order has no line {key}")
        if quantity != quantity.to_integral_value() or quantity <= 0:
            raise Unfit(f"Line {key}: Amazon ships whole pieces only")
    if not wanted:
        raise Unfit("Nothing of the order is left to ship")
    return {key: int(quantity) for key, quantity in wanted.items()}


def open_lines(order: Order) -> dict[str, Decimal]:
    """What of the order is still to be shipped, as it is stored."""
    lines = order.lines.values() if isinstance(order.lines, Mapping) else ()
    left = {one.id: (one.quantity or Decimal(0)) - (one.shipped or Decimal(0)) for one in lines}
    return {key: pieces for key, pieces in left.items() if pieces > 0}


def carrier(client: Client, record: Shipment) -> Carrier:
    """What the host's provider is called at Amazon; without a mapping `Other` and the provider's own name.

    Raises:
        Unfit: no name at all.
    """
    mapped = client.session[ShippingProviders].carriers.get(record.carrier)
    if mapped is not None:
        return mapped
    if not record.carrier:
        raise Unfit("Amazon wants a carrier: name one, or map the provider in Shipping provider mapping")
    return Carrier(code="Other", name=record.carrier, method=record.method)


def shipped_at(client: Client, record: Shipment, order: Order) -> datetime:
    """Never in the future, never before the purchase."""
    found = min(record.shipped_at or client.session.clock.now(), client.session.clock.now())
    return max(found, order.placed_at) if isinstance(order.placed_at, datetime) else found


def reference(key: str) -> str:
    """The text of a positive number, the same whenever the same item is sent."""
    return str(zlib.crc32(key.encode()) or 1)


async def confirm(client: Client, item: Item[Shipment], order: Order, items: Mapping[str, int], tries: int) -> Outcome:
    """`confirmShipment`; one that finds nothing open is done when nothing is open (guide 4.4)."""
    try:
        by = carrier(client, item.record)
    except Unfit as why:
        return Rejected(str(why))
    package = {
        "packageReferenceId": reference(item.key),
        "carrierCode": by.code,
        **({"carrierName": by.name} if by.name else {}),
        **({"shippingMethod": by.method or item.record.method} if by.method or item.record.method else {}),
        "trackingNumber": item.record.tracking,
        "shipDate": iso(shipped_at(client, item.record, order)),
        "orderItems": [{"orderItemId": line, "quantity": quantity} for line, quantity in items.items()],
    }
    try:
        await client.confirm(item.record.order_id, {"marketplaceId": order.channel, "packageDetail": package})
    except errors.RemoteRejected as refused:
        if GONE in str(refused) and await there(client, item, items):
            return Accepted(note="already shipped")
        return Rejected(str(refused))
    return Pending(f"look:{tries}:{client.session.clock.now().isoformat()}", LOOK)


async def there(client: Client, item: Item[Shipment], items: Mapping[str, int]) -> bool:
    """Whether Amazon has the parcel: by reference, by tracking number, or because nothing of its lines is open."""
    order = await client.order(item.record.order_id, INCLUDED)
    if order is None:
        return False
    for package in order.packages or ():
        same = item.record.tracking and package.tracking_number == item.record.tracking
        if same or package.package_reference_id == reference(item.key):
            return True
    return _nothing_open(order, items)


def _nothing_open(order: order_wire.Order, items: Mapping[str, int]) -> bool:
    """All of these lines (of the order, where none is named) have left; what was cancelled is not open either."""
    lines = [one.fulfillment for one in order.order_items if not items or one.order_item_id in items]
    left = [one for one in lines if one is not None and one.quantity_unfulfilled == 0]
    return len(left) == len(lines) and any(one.quantity_fulfilled != 0 for one in left)


async def settle(session: Session, batch: Batch[Shipment]) -> Mapping[str, Outcome]:
    """Looks for the parcel. Not there after half an hour: confirmed once more, then it is for a person."""
    client = Client(session)
    return {item.key: await settled(client, item) for item in batch.items}


async def settled(client: Client, item: Item[Shipment]) -> Outcome:
    """One parcel."""
    try:
        order = exported(client, item)
        imported = not (item.record.lines or open_lines(order))  # this very parcel, most likely
        items = {} if imported else lines_of(item.record, order)
    except (NotWanted, Unfit):
        return Later(Wait(0))  # pushed again, it says why
    kind, _, rest = item.ticket.partition(":")
    feed, _, at = rest.partition(":")
    if kind == "feed":
        state, text = await feeds.result(client, feed)
        if state == "waiting":
            return Pending(item.ticket, Wait(300, "Amazon processes the feed"))
        if not await there(client, item, items):
            return _feed_failed(client, item, at, text, fatal=state == "fatal")
        return Accepted()
    if await there(client, item, items):
        return Accepted()
    if imported:
        return Later(Wait(0))
    if kind in ("", "find"):
        return await sought(client, item)
    if client.session.clock.now() - moment(at) < PATIENCE:
        return Pending(item.ticket, LOOK)
    if feed == "1":
        return await confirm(client, item, order, items, tries=2)
    return Rejected(
        "Amazon took the confirmation twice and shows no shipment: check the carrier's code in Shipping provider "
        "mapping"
    )


async def sought(client: Client, item: Item[Shipment]) -> Outcome:
    """No answer came, and the parcel is not there. A confirmation is repeatable, a feed is not: one that may be it has
    to end first, and what it did has to be visible."""
    now = client.session.clock.now()
    if item.record.tracking:
        return Later(Wait(0))
    if not item.ticket:
        return Pending(f"find::{now.isoformat()}", Wait(300, "Whether Amazon has a feed of this shipment is looked up"))
    waits = now - moment(item.ticket.rpartition("::")[2]) < LOST or await feeds.under_way(
        client, feeds.FULFILLMENT, DAY
    )
    return Pending(item.ticket, Wait(300, "Amazon processes feeds of shipments")) if waits else Later(Wait(0))


def _feed_failed(client: Client, item: Item[Shipment], at: str, text: str, *, fatal: bool) -> Outcome:
    """A feed that is done without the parcel: its words, or a little more patience."""
    found = feeds.why(text)
    if fatal or found:
        return Rejected(found or "Amazon could not process the feed of this shipment")
    if client.session.clock.now() - moment(at) < PATIENCE:
        return Pending(item.ticket, LOOK)
    return Rejected("Amazon processed the feed of this shipment and does not show it")


def feed_of(client: Client, item: Item[Shipment], order: Order, items: Mapping[str, int]) -> bytes:
    """An OrderFulfillment message: the only way for a parcel without tracking number (guide 6.2)."""
    root, body = feeds.envelope(client, "OrderFulfillment")
    ET.SubElement(body, "AmazonOrderID").text = item.record.order_id
    ET.SubElement(body, "MerchantFulfillmentID").text = reference(item.key)
    ET.SubElement(body, "FulfillmentDate").text = iso(shipped_at(client, item.record, order))
    if item.record.carrier:
        by, data = carrier(client, item.record), ET.SubElement(body, "FulfillmentData")
        other = by.code.lower() == "other"
        ET.SubElement(data, "CarrierName" if other else "CarrierCode").text = by.name if other else by.code
        if by.method or item.record.method:
            ET.SubElement(data, "ShippingMethod").text = by.method or item.record.method
    for line, quantity in items.items():
        row = ET.SubElement(body, "Item")
        ET.SubElement(row, "AmazonOrderItemCode").text = line
        ET.SubElement(row, "Quantity").text = str(quantity)
    return feeds.document(root)


SHIPMENTS = PushStream(name="shipments", takes=Shipment, push=push, settle=settle)
