"""Stock out: absolute quantities per location, one call at a time (guide bigcommerce-and-shopify 1.15)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby

from omnichannel_bigcommerce.client import Client
from omnichannel_bigcommerce.sync.halving import halve
from omnichannel_bigcommerce.sync.skus import look
from omnichannel_core import errors
from omnichannel_core.driver import Accepted, Batch, Item, Outcome, PushStream, Rejected, Session
from omnichannel_core.records import StockLevel

REASON = "omnichannel"
BY_PRODUCT, BY_VARIANT = "tracked by product", "tracked by variant"


async def push(session: Session, batch: Batch[StockLevel]) -> Mapping[str, Outcome]:
    """Absolute is a state: the same batch may be sent again."""
    client, outcomes = Client(session), dict[str, Outcome]()
    places = await places_of(session, batch.items)
    sound = list[tuple[int, Item[StockLevel]]]()
    for item in batch.items:
        place, level = places.get(item.record.location, ""), item.record
        whole = level.quantity == level.quantity.to_integral_value() if level.quantity.is_finite() else False
        if not place:
            outcomes[item.key] = Rejected(f"The store has no stock location {level.location or '(default)'}")
        elif not whole or level.quantity < 0:
            outcomes[item.key] = Rejected("BigCommerce keeps stock in whole numbers of zero or more")
        else:
            sound.append((int(place), item))
    for location, some in groupby(sorted(sound, key=lambda pair: pair[0]), key=lambda pair: pair[0]):
        items = [item for _, item in some]
        refused = await halve(items, partial(adjust, client, location), lambda item: item.record.sku)
        outcomes.update({item.key: Accepted() for item in items})
        outcomes.update({item.key: Rejected(why) for item, why in refused})
    return outcomes


async def places_of(session: Session, items: Sequence[Item[StockLevel]]) -> Mapping[str, str]:
    """Location as the record says it (id, code, or '' for the default) -> its id; '' where there is none."""
    known = await session.choices("locations")
    if not known:
        found = await Client(session).remotes("getLocations", "/v3/inventory/locations", {"is_default": "true"})
        first = {"": str(found[0].id)} if found else {}
        return first | {item.record.location: item.record.location for item in items if item.record.location.isdigit()}
    active = [choice for choice in known.values() if choice.extra.get("enabled") != "false"]
    default = next((choice for choice in active if choice.extra.get("default") == "true"), None)
    names = {choice.extra.get("code", ""): choice.value for choice in known.values()}
    names |= {choice.value: choice.value for choice in known.values()}
    return names | {"": (default or active[0]).value if active else ""}


async def adjust(client: Client, location: int, items: Sequence[Item[StockLevel]]) -> None:
    """One call; an item that stands alone and is tracked under another identity is sent again under that one.

    Raises:
        RemoteRejected: something in it was refused.
    """
    try:
        await client.adjust(
            {"reason": REASON, "items": [row(location, item, {"sku": item.record.sku}) for item in items]}
        )
    except errors.RemoteRejected as refused:
        said = str(refused).lower()
        if len(items) > 1 or not (BY_PRODUCT in said or BY_VARIANT in said):
            raise
        (item,) = items
        place = await look(client, item.record.sku)
        if place is None:
            raise
        other = {"product_id": place.product} if BY_PRODUCT in said else {"variant_id": place.variant}
        if not all(other.values()):
            raise
        await client.adjust({"reason": REASON, "items": [row(location, item, other)]})


def row(location: int, item: Item[StockLevel], identity: Mapping[str, object]) -> dict[str, object]:
    """One item of an adjustment."""
    return {"location_id": location, **identity, "quantity": int(item.record.quantity)}


STOCK = PushStream(name="stock", takes=StockLevel, push=push, batch=2000, state=True, repeatable=True)
