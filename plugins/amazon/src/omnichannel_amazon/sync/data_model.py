"""The data model: where the seller sells, all product types, and the definitions of those in use (guide amazon 9)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from omnichannel_amazon import product_types
from omnichannel_amazon.client import Client
from omnichannel_core import errors
from omnichannel_core.driver import Page, PullStream, Session
from omnichannel_core.records import Attribute, AttributeSet, Choice, Choices, Record

AT_ONCE = 10
"""Definitions a run of the rest brings: orders and stock go first."""


class ModelCursor(Struct, frozen=True):
    """`listed`: pages of listings seen for product types; `used`: types still to be fetched."""

    phase: str = "lists"
    page: str = ""
    used: tuple[str, ...] = ()
    fetched: int = 0


async def pull(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """Marketplaces and all product types; then which are in use; then those definitions, one a page."""
    client = Client(session)
    if cursor.phase == "lists":
        records = [await marketplaces(client), *await sets(client)]
        return Page(cursor=ModelCursor(phase="listings"), records=records, more=True)
    if cursor.phase == "listings":
        return await used(client, cursor)
    if not cursor.used:
        return Page(cursor=ModelCursor())
    found = await definition(client, cursor.used[0])
    moved = replace(cursor, used=cursor.used[1:], fetched=cursor.fetched + 1)
    return Page(cursor=moved if moved.used else ModelCursor(), records=found, more=bool(moved.used))


async def marketplaces(client: Client) -> Choices:
    """All the seller participates in: what the export page lists."""
    found = {
        one.marketplace.id: Choice(
            value=one.marketplace.id,
            label=one.marketplace.name,
            extra={
                "currency": one.marketplace.default_currency_code,
                "language": one.marketplace.default_language_code,
            },
        )
        for one in await client.participations()
        if one.participation.is_participating
    }
    return Choices(id="marketplaces", label="Amazon marketplaces", items=found)


async def sets(client: Client) -> list[Record]:
    """Every product type at once, still without attributes: what is known of them stays."""
    try:
        found = await client.types()
    except errors.AccessMissing as refused:
        client.session.log.warning("Product types are not imported: %s", refused)
        return []
    return [AttributeSet(id=one.name, label=one.display_name or one.name, partial=True) for one in found.product_types]


async def used(client: Client, cursor: ModelCursor) -> Page[ModelCursor]:
    """One page of listings; only the first thousand can be reached, which is enough for their product types."""
    try:
        query = {"pageToken": cursor.page} if cursor.page else {}
        found = await client.search_listings("summaries", query)
    except (errors.AccessMissing, errors.RemoteRejected) as refused:
        client.session.log.warning("Which product types are in use is not known: %s", refused)
        return Page(cursor=replace(cursor, phase="used"), more=bool(cursor.used))
    names = {one.product_type() for one in found.items} - {""}
    moved = replace(cursor, used=tuple(sorted(set(cursor.used) | names)), page=found.pagination.next_token or "")
    if not moved.page:
        moved = replace(moved, phase="used")
    return Page(cursor=moved, more=True)


async def definition(client: Client, name: str) -> Sequence[Record]:
    """A product type with its attributes; none where Amazon no longer knows it."""
    try:
        found = await client.definition(name)
    except errors.RemoteRejected as refused:
        client.session.log.warning("Product type %s is not imported: %s", name, refused)
        return []
    schema = await product_types.schema(client, found)
    rows = await client.session.compute(lambda: product_types.attributes(found, schema))
    return [product_types.attribute_set(found, rows), *rows]


class RestCursor(Struct, frozen=True):
    """The last product type whose definition is in, by name."""

    after: str = ""


async def rest(session: Session, cursor: RestCursor) -> Page[RestCursor]:
    """A few definitions a run, by name, and again from the first one after the last.

    Raises:
        AccessMissing: a role of the app is missing. RemoteUnavailable.
    """
    client = Client(session)
    names = sorted(one.name for one in (await client.types()).product_types)
    coming = [one for one in names if one > cursor.after][:AT_ONCE]
    records = [record for name in coming for record in await definition(client, name)]
    last = coming[-1] if coming and coming[-1] != names[-1] else ""
    return Page(cursor=RestCursor(after=last), records=records)


DATA_MODEL = PullStream(
    name="data-model", yields=(Choices, AttributeSet, Attribute), cursor=ModelCursor, pull=pull,
)  # fmt: skip
PRODUCT_TYPES = PullStream(
    name="product-types", yields=(AttributeSet, Attribute), cursor=RestCursor, pull=rest,
    every=timedelta(minutes=30),
)  # fmt: skip
