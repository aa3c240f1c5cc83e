"""Stock out: quantities per location, remembered by key, compared before they are set (guide 2.13).

A key belongs to exactly what is sent: sent again after no answer, Shopify answers what it answered before. With
*Protect sales in between* the quantity is read, and set only if it is still the same; where it is not, it is read anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import msgspec

from omnichannel_core.driver import Accepted, Batch, Item, Later, Outcome, PushStream, Rejected, Session, Wait
from omnichannel_core.records import Choice, StockLevel
from omnichannel_shopify import settings
from omnichannel_shopify.client import Client, refusal
from omnichannel_shopify.sync.skus import Place, places
from omnichannel_shopify.wire import UserError, Wire, gid, number

MOST = 250
REASON = "correction"
AGAIN = frozenset({"CHANGE_FROM_QUANTITY_STALE", "COMPARE_QUANTITY_STALE", "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"})
BUSY = "IDEMPOTENCY_CONCURRENT_REQUEST"


class Quantity(Wire):
    """One of an item's quantities at a location."""

    name: str = ""
    quantity: int = 0


class Level(Wire):
    """An item at a location."""

    id: str = ""
    quantities: list[Quantity] = []


class Stocked(Wire):
    """An item, and its level at the location asked for; None where it is not stocked."""

    id: str = ""
    tracked: bool = True
    inventory_level: Level | None = None


class LevelsData(Wire):
    """Data of `StockLevels`."""

    nodes: list[Stocked | None] = []


class Wanted(NamedTuple):
    """What is to be set, at one place."""

    item: Item[StockLevel]
    place: Place
    location: str

    @property
    def quantity(self) -> int:
        """Whole, as it was checked."""
        return int(self.item.record.quantity)


async def push(session: Session, batch: Batch[StockLevel]) -> Mapping[str, Outcome]:
    """All of a batch, per location."""
    client, outcomes = Client(session), dict[str, Outcome]()
    locations = await session.choices("locations")
    found = await places(client, [item.record.sku for item in batch.items])
    wanted = dict[str, list[Wanted]]()
    for item in batch.items:
        place, location = found[item.record.sku], location_of(session, item.record.location, locations)
        why = place if isinstance(place, str) else wrong(item.record, place, location, locations)
        if why or isinstance(place, str):
            outcomes[item.key] = Rejected(why)
        else:
            wanted.setdefault(location, []).append(Wanted(item, place, location))
    for location, some in sorted(wanted.items()):
        outcomes |= await at_location(session, client, batch.key, location, unique(some, outcomes))
    return outcomes


def unique(some: Sequence[Wanted], outcomes: dict[str, Outcome]) -> list[Wanted]:
    """One row an item: of several for the same SKU the last one counts, as stock is a state."""
    last = {one.place.item: one for one in some}
    for one in some:
        if last[one.place.item] is not one:
            outcomes[one.item.key] = Accepted(remote=one.place.remote(), note="Overtaken by a newer quantity")
    return list(last.values())


def location_of(session: Session, said: str, locations: Mapping[str, Choice]) -> str:
    """The host's warehouse, or the location itself -> the location's id; '' where there is none.

    Nothing said is the only location that may be set, where there is just one.
    """
    mapped = session[settings.Stock].locations.get(said, said)
    if mapped:
        known = gid("Location", mapped) if number(mapped) or mapped.isdigit() else ""
        by_name = [one.value for one in locations.values() if one.label == mapped]
        return known or (by_name[0] if len(by_name) == 1 else "")
    own = [one.value for one in locations.values() if ours(one)]
    return own[0] if len(own) == 1 else ""


def ours(choice: Choice) -> bool:
    """Active, and not another fulfillment service's own stock."""
    return choice.extra.get("active") != "false" and choice.extra.get("service") != "true"


def wrong(level: StockLevel, place: Place, location: str, locations: Mapping[str, Choice]) -> str:
    """Why a level cannot be set; '' when it can."""
    if not location:
        return f"The shop has no stock location for {level.location or '(default)'}: map it in the settings"
    choice = locations.get(location)
    if choice is not None and choice.extra.get("service") == "true":
        return f"{choice.label} belongs to a fulfillment service, which keeps its own stock"
    if choice is not None and choice.extra.get("active") == "false":
        return f"{choice.label} is not active"
    if not level.quantity.is_finite() or level.quantity != level.quantity.to_integral_value():
        return "Shopify keeps stock in whole numbers"
    if not place.tracked:
        return f"Shopify does not track the stock of {level.sku}: switch it on at the product"
    return ""


async def at_location(
    session: Session, client: Client, key: str, location: str, some: Sequence[Wanted]
) -> dict[str, Outcome]:
    """One mutation for a location; a refused row is taken out and the others sent again, under a key of their own."""
    wanted, outcomes, rows = session[settings.Stock], dict[str, Outcome](), list(some)
    note = session.scratch / f"stock-{digest(key, location)}.json"
    seen = await noted(session, note)
    if not {one.place.item for one in rows} <= seen.keys():
        seen = await levels(client, location, rows, wanted.quantity)
        for one in [row for row in rows if seen.get(row.place.item) is None]:
            why = await activate(client, one, key)
            seen[one.place.item] = 0
            if why:
                outcomes[one.item.key] = Rejected(why)
                rows.remove(one)
        await session.compute(partial(note.write_bytes, msgspec.json.encode(seen)))
    while rows:
        quantities = [row_of(one, seen if wanted.protect else {}) for one in rows]
        body = {"name": wanted.quantity, "reason": REASON, "quantities": quantities}
        name = digest(key, msgspec.json.encode(body).decode())
        _, refused = await client.mutate("SetStock", "inventorySetQuantities", repeatable=True, input=body, key=name)
        if not refused:
            break
        rows = sorted_out(rows, refused, outcomes)
    await session.compute(lambda: note.unlink(missing_ok=True))
    return outcomes | {one.item.key: Accepted(remote=one.place.remote()) for one in rows}


def row_of(one: Wanted, seen: Mapping[str, int | None]) -> dict[str, object]:
    """One quantity. `changeFromQuantity` must be there, and null overwrites (specs: InventoryQuantityInput)."""
    return {
        "inventoryItemId": one.place.item,
        "locationId": one.location,
        "quantity": one.quantity,
        "changeFromQuantity": seen.get(one.place.item),
    }


def digest(*parts: str) -> str:
    """Short, and the same for the same parts: what is sent again is known by it."""
    return blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


async def noted(session: Session, note: Path) -> dict[str, int | None]:
    """What was seen when this batch was sent before and no answer came: so that it is the very same again."""

    def read() -> dict[str, int | None]:
        try:
            return msgspec.json.decode(note.read_bytes(), type=dict[str, int | None])
        except (OSError, msgspec.DecodeError):
            return {}

    return await session.compute(read)


def sorted_out(rows: list[Wanted], refused: Sequence[UserError], outcomes: dict[str, Outcome]) -> list[Wanted]:
    """What is left after a refusal: nothing was set, as the mutation is all or nothing."""
    codes = {one.code or "" for one in refused}
    if codes & {BUSY} or not any(at_row(one) is not None for one in refused):
        later: Outcome = Later(Wait(5.0 if codes & {BUSY} else 1.0, refusal(refused)))
        final: Outcome = Rejected(refusal(refused))
        outcomes |= {one.item.key: later if codes & (AGAIN | {BUSY}) else final for one in rows}
        return []
    out = dict[int, UserError]()
    for one in refused:
        at = at_row(one)
        if at is not None and at < len(rows):
            out[at] = one
    for at, why in out.items():
        stale = (why.code or "") in AGAIN
        outcomes[rows[at].item.key] = Later(Wait(1.0, why.message)) if stale else Rejected(refusal([why]))
    return [row for at, row in enumerate(rows) if at not in out] if out else []


def at_row(refused: UserError) -> int | None:
    """Which row a refusal is about (`["input", "quantities", "3", ...]`)."""
    return next((int(part) for part in refused.field or () if part.isdigit()), None)


async def levels(client: Client, location: str, rows: Sequence[Wanted], name: str) -> dict[str, int | None]:
    """Item -> its quantity there now; None where it is not stocked."""
    found = dict[str, int | None]()
    for start in range(0, len(rows), MOST):
        ids = [one.place.item for one in rows[start : start + MOST]]
        said = await client.ask("StockLevels", LevelsData, ids=ids, location=location, names=[name])
        for one in said.nodes:
            if one is not None:
                level = one.inventory_level
                amounts = [part.quantity for part in level.quantities if part.name == name] if level else []
                found[one.id] = (amounts[0] if amounts else 0) if level else None
    return found


async def activate(client: Client, one: Wanted, key: str) -> str:
    """Stocks the item at the location; why it cannot be, '' when it is."""
    name = f"{key}:{number(one.location)}:{number(one.place.item)}"
    _, refused = await client.mutate(
        "ActivateStock", "inventoryActivate", repeatable=True, item=one.place.item, location=one.location, key=name
    )
    return refusal(refused)


STOCK = PushStream(name="stock", takes=StockLevel, push=push, batch=100, state=True, repeatable=True)
