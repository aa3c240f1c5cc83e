"""Shipments out: one per shipping address; each sets the order's status and mails the buyer (guide 1.11)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from omnichannel_bigcommerce import wire
from omnichannel_bigcommerce.client import Client
from omnichannel_core import errors
from omnichannel_core.driver import Accepted, Batch, Item, Later, Outcome, PushStream, Rejected, Session, Wait
from omnichannel_core.records import Line, Shipment

PROVIDERS = frozenset(
    ("auspost", "canadapost", "endicia", "usps", "fedex", "ups", "upsready", "upsonline", "shipperhq", "royalmail")
)
OWN = re.compile(r"carrier_\d+")
Parts = Mapping[int, Mapping[int, int]]
"""Shipping address id -> order product id -> quantity."""


class Unfit(ValueError):
    """A shipment BigCommerce has no way for."""


async def push(session: Session, batch: Batch[Shipment]) -> Mapping[str, Outcome]:
    """Sends each part that is not there yet: a retry after half of it was refused ships nothing twice."""
    outcomes = dict[str, Outcome]()
    for item in batch.items:
        try:
            outcomes[item.key] = await ship(Client(session), item)
        except Unfit as why:
            outcomes[item.key] = Rejected(str(why))
    return outcomes


async def ship(client: Client, item: Item[Shipment]) -> Outcome:
    """One parcel, split by address."""
    wanted, parts = item.record, await parts_of(client, item)
    there = await client.shipments(wanted.order_id) if wanted.tracking else []
    sent = dict[int, int]()
    for address, items in parts.items():
        hit = twin(there, wanted, address, items)
        try:
            sent[address] = hit.id if hit else (await client.ship(wanted.order_id, body(wanted, address, items))).id
        except errors.RemoteRejected as refused:
            done = f"; already shipped: address {', '.join(map(str, sent))}" if sent else ""
            return Rejected(f"{refused}{done}")
    return Accepted(remote={"shipment": ",".join(map(str, sent.values()))})


async def settle(session: Session, batch: Batch[Shipment]) -> Mapping[str, Outcome]:
    """Looks for the shipments themselves. All there: accepted; some or none: sent again, which adds what is missing.

    Without a tracking number an equal shipment of the same lines counts as this one: a mail too few is better than two.
    """
    client, outcomes = Client(session), dict[str, Outcome]()
    for item in batch.items:
        there = await client.shipments(item.record.order_id)
        try:
            parts = await parts_of(client, item)
        except Unfit as why:
            rest_gone = not item.record.lines and there
            outcomes[item.key] = accepted(there, item.record) if rest_gone else Rejected(str(why))
            continue
        hits = [twin(there, item.record, address, items) for address, items in parts.items()]
        complete = item.record.lines and all(hits)
        outcomes[item.key] = accepted([hit for hit in hits if hit], item.record) if complete else Later(Wait(0))
    return outcomes


def accepted(there: Sequence[wire.Shipment], wanted: Shipment) -> Accepted:
    """Done, by the shipments that bear its tracking number."""
    ids = [str(one.id) for one in there if (one.tracking_number or "") == wanted.tracking]
    return Accepted(remote={"shipment": ",".join(ids)})


def twin(
    there: Sequence[wire.Shipment], wanted: Shipment, address: int, items: Mapping[int, int]
) -> wire.Shipment | None:
    """A shipment of the same lines to the same address under the same tracking number."""
    for one in there:
        lines = {line.order_product_id: int(line.quantity) for line in one.items or ()}
        if one.order_address_id == address and (one.tracking_number or "") == wanted.tracking and lines == items:
            return one
    return None


async def parts_of(client: Client, item: Item[Shipment]) -> Parts:
    """The lines by shipping address; all that is still open where the record names none.

    Raises:
        Unfit: a line is unknown, or goes to no shipping address (digital, pickup), or nothing is left to ship.
    """
    lines = await lines_of(client, item)
    wanted = item.record.lines or {
        line.id: rest for line in lines.values() if addressed(line) and (rest := still_open(line)) > 0
    }
    parts = dict[int, dict[int, int]]()
    for key, quantity in wanted.items():
        line = lines.get(key)
        if line is None or not key.isdigit():
            raise Unfit(f"The order has no line {key}")
        if not addressed(line):
            raise Unfit(f"Line {key} goes to no shipping address (digital or pickup): BigCommerce cannot ship it")
        if quantity != quantity.to_integral_value() or quantity <= 0:
            raise Unfit(f"Line {key}: BigCommerce ships whole pieces only")
        parts.setdefault(int(line.ship_to), {})[int(key)] = int(quantity)
    if not parts:
        raise Unfit("Nothing of the order is left to ship")
    return parts


def addressed(line: Line) -> bool:
    """Whether it goes to a shipping address."""
    return line.ship_to.isdigit() and int(line.ship_to) > 0


def still_open(line: Line) -> Decimal:
    """What is not shipped yet."""
    quantity = line.quantity if isinstance(line.quantity, Decimal) else Decimal(0)
    shipped = line.shipped if isinstance(line.shipped, Decimal) else Decimal(0)
    return quantity - shipped


async def lines_of(client: Client, item: Item[Shipment]) -> Mapping[str, Line]:
    """The stored order's lines when the record names them, else BigCommerce's own: they know what is still open."""
    stored = item.order.lines if item.order is not None else None
    if isinstance(stored, Mapping) and item.record.lines and set(item.record.lines) <= set(stored):
        return stored
    found = dict[str, Line]()
    for row in await client.products(item.record.order_id):
        place = str(row.order_address_id) if row.order_address_id else ""
        shipped = row.quantity_shipped or Decimal(0)
        found[str(row.id)] = Line(id=str(row.id), quantity=row.quantity, shipped=shipped, ship_to=place)
    return found


def body(wanted: Shipment, address: int, items: Mapping[int, int]) -> dict[str, object]:
    """One shipment as the API takes it. An own tracking link stands instead of a carrier's."""
    rows = [{"order_product_id": line, "quantity": quantity} for line, quantity in items.items()]
    said = {
        "tracking_number": wanted.tracking,
        "shipping_method": wanted.method,
        "comments": wanted.note,
        "tracking_link": wanted.tracking_url,
        **carrier(wanted),
    }
    return {"order_address_id": address, "items": rows, **{name: text for name, text in said.items() if text}}


def carrier(wanted: Shipment) -> dict[str, str]:
    """BigCommerce's own providers by their names, others by AfterShip's code unless there is a link."""
    name = wanted.carrier.strip().lower()
    if name in PROVIDERS or OWN.fullmatch(name):
        return {"shipping_provider": name}
    return {} if wanted.tracking_url or not name else {"tracking_carrier": re.sub(r"[\s_]+", "-", name)}


SHIPMENTS = PushStream(name="shipments", takes=Shipment, push=push, settle=settle)
