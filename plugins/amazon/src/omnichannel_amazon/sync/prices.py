"""Prices out: `purchasable_offer`, one entry per marketplace, currency and audience (guide amazon 8.2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation

from omnichannel_amazon import listing_pushes, wire
from omnichannel_amazon.client import Client, iso
from omnichannel_amazon.listing_pushes import Patch, Unfit, Way
from omnichannel_amazon.marketplaces import MARKETPLACES
from omnichannel_amazon.sync.stock import attribute
from omnichannel_core.driver import Batch, Outcome, PushStream, Session
from omnichannel_core.records import Price

AUDIENCES = {"": "ALL", "ALL": "ALL", "B2C": "ALL", "B2B": "B2B"}
SALE = timedelta(days=365)
"""A sale without an end lasts a year: Amazon wants both ends."""


def patch(client: Client, price: Price, listing: wire.Listing) -> Patch:
    """The whole entry, so that a sale that is over is gone; what else was said in it before stays.

    Raises:
        Unfit: no price, another currency than the marketplace's, or a price list Amazon does not have.
    """
    audience, here = AUDIENCES.get(price.list), MARKETPLACES[client.marketplace]
    if audience is None:
        raise Unfit(f"Amazon has no price list {price.list!r}: there are the base price and B2B")
    if price.price is None:
        raise Unfit("Amazon needs a price: to take an offer off sale, send stock 0 or delete the offer")
    amounts = [one for one in (price.price, price.sale_price) if one is not None]
    if any(one.currency != here.currency or not one.amount.is_finite() or one.amount <= 0 for one in amounts):
        raise Unfit(f"Prices on {here.name} are amounts above zero in {here.currency}")
    key = {"marketplace_id": client.marketplace, "currency": here.currency, "audience": audience}
    before = next((one for one in attribute(listing, "purchasable_offer") if _same(one, key)), {})
    kept = {name: value for name, value in before.items() if name not in ("our_price", "discounted_price")}
    value = {**kept, **key, "our_price": [{"schedule": [{"value_with_tax": number(price.price.amount)}]}]}
    if price.sale_price is not None:
        start = price.valid_from or client.session.clock.now()
        ends = {"start_at": iso(start), "end_at": iso(price.valid_to or start + SALE)}
        value["discounted_price"] = [{"schedule": [{**ends, "value_with_tax": number(price.sale_price.amount)}]}]
    return {"op": "replace", "path": "/attributes/purchasable_offer", "value": [value]}


def _same(entry: Mapping[str, object], key: Mapping[str, str]) -> bool:
    """By selectors; an entry without audience is everybody's."""
    return all(entry.get(name, "ALL" if name == "audience" else value) == value for name, value in key.items())


def number(amount: Decimal) -> float | int:
    """Amazon takes numbers, no text."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def shown(client: Client, price: Price, listing: wire.Listing) -> bool:
    """By the live offer; during a sale it is the sale's price."""
    now, sale = client.session.clock.now(), price.sale_price
    on = sale is not None and (price.valid_from or now) <= now and (price.valid_to is None or now < price.valid_to)
    wanted = {one.amount for one in ((sale, price.price) if on else (price.price,)) if one is not None}
    kind = "B2B" if AUDIENCES.get(price.list) == "B2B" else "B2C"
    for offer in listing.offers or ():
        if offer.marketplace_id in ("", client.marketplace) and offer.offer_type in ("", kind) and offer.price:
            try:
                if Decimal(offer.price.amount) in wanted:
                    return True
            except InvalidOperation:
                continue
    return False


WAY = Way(patch=patch, shown=shown)


async def push(session: Session, batch: Batch[Price]) -> Mapping[str, Outcome]:
    """PATCH for few, a feed for many."""
    return await listing_pushes.push(session, batch, WAY)


async def settle(session: Session, batch: Batch[Price]) -> Mapping[str, Outcome]:
    """By looking."""
    return await listing_pushes.settle(session, batch, WAY)


PRICES = PushStream(
    name="prices", takes=Price, push=push, settle=settle, batch=2000, state=True, repeatable=True
)  # fmt: skip
