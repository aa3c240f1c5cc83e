"""The data model: where the seller sells, and the product types with their attributes (guide amazon 9)."""

from __future__ import annotations

from msgspec import Struct

from omnichannel_amazon.client import Client
from omnichannel_core.driver import Page, PullStream, Session
from omnichannel_core.records import Choice, Choices


class ModelCursor(Struct, frozen=True):
    """Nothing to go on from yet: the lists are one page."""

    done: bool = False


async def pull(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """Marketplaces."""
    return Page(cursor=ModelCursor(done=True), records=[await marketplaces(Client(session))])


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


DATA_MODEL = PullStream(name="data-model", yields=(Choices,), cursor=ModelCursor, pull=pull, snapshot=True)
