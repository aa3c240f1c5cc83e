"""Shipments out, through fulfillment orders that are read just before (guide bigcommerce-and-shopify 2.10).

Shopify splits, moves, holds and merges fulfillment orders, so their ids are never kept. The mutation has no key: before
it, and after no answer, the order's fulfillments are looked through for the tracking number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

import msgspec

from omnichannel_core.driver import Accepted, Batch, Item, Later, Outcome, PushStream, Rejected, Session, Wait
from omnichannel_core.records import Shipment
from omnichannel_shopify import fulfillment_wire, settings
from omnichannel_shopify.client import Client, refusal
from omnichannel_shopify.wire import Wire, gid

CREATE = "CREATE_FULFILLMENT"
DEAD = frozenset({"CANCELLED", "ERROR", "FAILURE"})
MOST_FULFILLMENTS = 50
MOST_NOTE = 500


class Fulfilled(Wire):
    """An order's fulfillments."""

    id: str = ""
    cancelled_at: str | None = None
    fulfillments: list[fulfillment_wire.Fulfillment] = []


class FulfillmentsData(Wire):
    """Data of `Fulfillments`."""

    order: Fulfilled | None = None


class Part(NamedTuple):
    """So many of a fulfillment order's line."""

    order: fulfillment_wire.FulfillmentOrder
    line: str
    quantity: int

    @property
    def location(self) -> str:
        """Where it is shipped from: one call ships from one place."""
        place = self.order.assigned_location
        return place.location.id if place and place.location else ""


async def push(session: Session, batch: Batch[Shipment]) -> Mapping[str, Outcome]:
    """One parcel, unless it is there already."""
    (item,) = batch.items
    client, order = Client(session), gid("Order", item.record.order_id)
    there = await fulfilled(client, order)
    if there is None:
        return {item.key: Rejected(f"The shop has no order {item.record.order_id}")}
    if there.cancelled_at:
        return {item.key: Rejected("The order is cancelled at Shopify")}
    known = [one for one in item.remote.get("fulfillment", "").split(",") if one]
    if alive := [one.id for one in there.fulfillments if one.id in known and one.status not in DEAD]:
        return {item.key: await track(session, client, alive, item)}
    mine, left = told(there.fulfillments, item.record)
    if mine and left == {}:
        return {item.key: accepted(mine, "It was told before")}
    parts, why = allotted(await open_orders(client, order), item.record, left)
    if why and mine and left is None:
        return {item.key: accepted(mine, "It was told before")}
    if why:
        return {item.key: Rejected(f"A part of it was told before; then: {why}" if mine else why)}
    return {item.key: await ship(session, client, item, parts, mine)}


def accepted(fulfillments: Sequence[str], note: str = "") -> Accepted:
    """With the ids, for the next time."""
    return Accepted(remote={"fulfillment": ",".join(fulfillments)}, note=note)


async def ship(
    session: Session, client: Client, item: Item[Shipment], parts: Sequence[Part], before: Sequence[str] = ()
) -> Outcome:
    """One call per place the goods are shipped from; `before` are fulfillments that are parts of it too."""
    made = list(before)
    for location in dict.fromkeys(part.location for part in parts):
        rows = dict[str, list[dict[str, object]]]()
        for part in parts:
            if part.location == location:
                rows.setdefault(part.order.id, []).append({"id": part.line, "quantity": part.quantity})
        body: dict[str, object] = {
            "lineItemsByFulfillmentOrder": [
                {"fulfillmentOrderId": key, "fulfillmentOrderLineItems": lines} for key, lines in rows.items()
            ],
            "notifyCustomer": session[settings.Shipping].notify,
        }
        info = tracking(session, item.record)
        if info:
            body["trackingInfo"] = info
        note = item.record.note[:MOST_NOTE] or None
        payload, refused = await client.mutate("Ship", "fulfillmentCreate", fulfillment=body, message=note)
        if refused:
            done = f"{len(made)} part(s) of it were told; then: " if made else ""
            return Rejected(done + refusal(refused))
        made.append(created(payload))
    return accepted(made)


def created(payload: Mapping[str, msgspec.Raw]) -> str:
    """The id of what a mutation made."""
    found = msgspec.json.decode(payload["fulfillment"], type=fulfillment_wire.Fulfillment | None)
    return found.id if found is not None else ""


def tracking(session: Session, parcel: Shipment) -> dict[str, object]:
    """FulfillmentTrackingInput; the carrier as the settings spell it."""
    company = session[settings.Shipping].carriers.get(parcel.carrier, parcel.carrier)
    said = {"company": company, "number": parcel.tracking, "url": parcel.tracking_url if parcel.tracking else ""}
    return {name: value for name, value in said.items() if value}


async def track(session: Session, client: Client, fulfillments: Sequence[str], item: Item[Shipment]) -> Outcome:
    """The same parcel told again: its tracking changes, in all its parts."""
    info = tracking(session, item.record)
    for one in fulfillments if info else ():
        _, refused = await client.mutate(
            "UpdateTracking", "fulfillmentTrackingInfoUpdate", repeatable=True, id=one, info=info,
            notify=session[settings.Shipping].notify,
        )  # fmt: skip
        if refused:
            return Rejected(refusal(refused))
    return Accepted(remote=dict(item.remote))


async def fulfilled(client: Client, order: str) -> Fulfilled | None:
    """What was shipped of an order, with all lines; None where there is no such order."""
    there = (await client.ask("Fulfillments", FulfillmentsData, id=order, first=MOST_FULFILLMENTS)).order
    for one in there.fulfillments if there is not None else ():
        one.fulfillment_line_items.nodes = await client.rest(
            "FulfillmentLines",
            one.fulfillment_line_items,
            fulfillment_wire.ShippedLine,
            ("fulfillment", "fulfillmentLineItems"),
            id=one.id,
        )
    return there


async def open_orders(client: Client, order: str) -> list[fulfillment_wire.FulfillmentOrder]:
    """All fulfillment orders as they are now, with all their lines."""
    found = await client.walk(
        "FulfillmentOrders", fulfillment_wire.FulfillmentOrder, ("order", "fulfillmentOrders"), first=10, id=order
    )
    for one in found:
        one.line_items.nodes = await client.rest(
            "FulfillmentOrderLines",
            one.line_items,
            fulfillment_wire.ToShip,
            ("fulfillmentOrder", "lineItems"),
            id=one.id,
        )
    return found


def allotted(
    found: Sequence[fulfillment_wire.FulfillmentOrder], parcel: Shipment, rest: Mapping[str, Decimal] | None = None
) -> tuple[list[Part], str]:
    """Which fulfillment orders' lines the parcel (or what is left of it) ships, and why it cannot."""
    ready = [one for one in found if any(action.action == CREATE for action in one.supported_actions)]
    wanted = rest if rest is not None else named(parcel)
    parts, left = list[Part](), dict(wanted)
    for one in ready:
        for line in one.line_items.nodes:
            key = line.line_item.id if line.line_item else ""
            take = min(Decimal(line.remaining_quantity), left.get(key, Decimal(0)) if wanted else Decimal("Infinity"))
            if take > 0:
                parts.append(Part(one, line.id, int(take)))
                left[key] = left.get(key, Decimal(0)) - int(take)
    short = {key: amount for key, amount in left.items() if wanted and amount > 0}
    if not short and parts:
        return parts, ""
    return [], reason(found, short)


def reason(found: Sequence[fulfillment_wire.FulfillmentOrder], short: Mapping[str, Decimal]) -> str:
    """What stands in the way: holds, schedules, other services; else that nothing is open."""
    whys = list[str]()
    for one in found:
        waits = {line.line_item.id for line in one.line_items.nodes if line.line_item and line.remaining_quantity > 0}
        if not waits or (short and not waits & short.keys()):
            continue
        if any(action.action == CREATE for action in one.supported_actions):
            continue
        held = ", ".join(hold.display_reason or hold.reason for hold in one.fulfillment_holds)
        place = one.assigned_location.name if one.assigned_location else "another place"
        match one.status:
            case "ON_HOLD":
                whys.append(f"Shopify holds it back ({held or 'no reason given'})")
            case "SCHEDULED":
                whys.append("It is scheduled for later at Shopify")
            case _:
                whys.append(f"It is to be shipped by {place}, which this app may not do for it")
    if whys:
        return "; ".join(dict.fromkeys(whys))
    many = ", ".join(f"{amount} of line {key.rpartition('/')[2]}" for key, amount in short.items())
    return f"Not open at Shopify any more: {many or 'everything is shipped'}"


def named(parcel: Shipment) -> dict[str, Decimal]:
    """Quantities by line id; {} where it is everything that is open."""
    return {gid("LineItem", key): quantity for key, quantity in parcel.lines.items()}


def told(
    there: Sequence[fulfillment_wire.Fulfillment], parcel: Shipment
) -> tuple[list[str], Mapping[str, Decimal] | None]:
    """The fulfillments that are this parcel, and what of it they lack; None where only open goods can tell.

    They have its tracking number, and hold nothing but its goods. Several places ship several fulfillments, and after
    a lost answer only some may be there. Without a number it is one that holds exactly the same goods.
    """
    wanted, mine, left = named(parcel), list[str](), named(parcel)
    for one in there:
        numbers = [info.number or "" for info in one.tracking_info] or [""]
        if one.status in DEAD or parcel.tracking not in numbers:
            continue
        goods = shipped(one)
        if goods == wanted:
            return [one.id], {}
        if wanted and not (parcel.tracking and all(left.get(key, 0) >= amount for key, amount in goods.items())):
            continue
        mine.append(one.id)
        left = {key: rest for key, amount in left.items() if (rest := amount - goods.get(key, 0)) > 0}
    return mine, left if wanted else None


def shipped(one: fulfillment_wire.Fulfillment) -> dict[str, Decimal]:
    """Quantities by line id."""
    found = dict[str, Decimal]()
    for line in one.fulfillment_line_items.nodes:
        key = line.line_item.id if line.line_item else ""
        found[key] = found.get(key, Decimal(0)) + (line.quantity or 0)
    return found


async def settle(session: Session, batch: Batch[Shipment]) -> Mapping[str, Outcome]:
    """After no answer: looked for. A parcel without tracking number is known by its goods."""
    (item,) = batch.items
    client, order = Client(session), gid("Order", item.record.order_id)
    there = await fulfilled(client, order)
    mine, left = told(there.fulfillments if there is not None else (), item.record)
    if not mine:
        return {item.key: Later(Wait(0.0, "It never arrived"))}
    if left is None and not allotted(await open_orders(client, order), item.record)[0]:
        left = {}
    whole = left is not None and not left
    return {item.key: accepted(mine, "It had arrived") if whole else Later(Wait(0.0, "A part of it never arrived"))}


SOME = Later(Wait(0.0, "A part of it never arrived"))
SHIPMENTS = PushStream(name="shipments", takes=Shipment, push=push, settle=settle)
