"""Stock out: quantities of merchant-fulfilled offers; never makes one of what Amazon fulfills (guide amazon 8.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omnichannel_amazon import listing_pushes, wire
from omnichannel_amazon.client import Client
from omnichannel_amazon.listing_pushes import NotWanted, Patch, Unfit, Way
from omnichannel_amazon.settings import Offers
from omnichannel_core.driver import Batch, Outcome, PushStream, Session
from omnichannel_core.records import StockLevel

DEFAULT = "DEFAULT"


def patch(client: Client, level: StockLevel, listing: wire.Listing) -> Patch:
    """The default channel's quantity, with whatever else was said about it before (handling time).

    Raises:
        Unfit: a quantity Amazon does not take, a listing it tells too little of.
        NotWanted: Amazon fulfills it and the setting is off.
    """
    quantity = level.quantity
    if not quantity.is_finite() or quantity < 0 or quantity != quantity.to_integral_value():
        raise Unfit("Amazon keeps stock in whole numbers of zero or more")
    fba_too = client.session[Offers].fba_stock
    if listing.fulfillment_availability is None and listing.attributes is None and not fba_too:
        raise Unfit(
            "Amazon does not tell who fulfills this offer, so stock could make it merchant-fulfilled: push again"
        )
    said = attribute(listing, "fulfillment_availability")
    codes = listing.channels() | {str(one.get("fulfillment_channel_code", "")) for one in said}
    if codes - {DEFAULT, ""} and not fba_too:
        raise NotWanted("Amazon fulfills this offer, and updating stock for FBA offers is off")
    before = next((one for one in said if one.get("fulfillment_channel_code") == DEFAULT), {})
    value = {**before, "fulfillment_channel_code": DEFAULT, "quantity": int(quantity)}
    return {"op": "replace", "path": "/attributes/fulfillment_availability", "value": [value]}


def attribute(listing: wire.Listing, name: str) -> list[dict[str, Any]]:
    """An attribute as it was submitted: always a list of objects."""
    found = (listing.attributes or {}).get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def shown(client: Client, level: StockLevel, listing: wire.Listing) -> bool:
    """By what is live, not by what was submitted: they differ by design (guide 8.2)."""
    return any(
        one.fulfillment_channel_code == DEFAULT and one.quantity == level.quantity
        for one in listing.fulfillment_availability or ()
    )


WAY = Way(patch=patch, shown=shown)


async def push(session: Session, batch: Batch[StockLevel]) -> Mapping[str, Outcome]:
    """PATCH for few, a feed for many."""
    return await listing_pushes.push(session, batch, WAY)


async def settle(session: Session, batch: Batch[StockLevel]) -> Mapping[str, Outcome]:
    """By looking."""
    return await listing_pushes.settle(session, batch, WAY)


STOCK = PushStream(
    name="stock", takes=StockLevel, push=push, settle=settle, batch=2000, state=True, repeatable=True
)  # fmt: skip
