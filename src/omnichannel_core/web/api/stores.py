"""Operations on stores: points of sale, each with a connection of its own. A store's id is its connection's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import attrs
import msgspec
from pydantic import Field

from omnichannel_core.connections.managing import Saved
from omnichannel_core.connections.stores import Store
from omnichannel_core.web.actors import Permission
from omnichannel_core.web.api.operations import Body, Given, Made, Operation

SEE, OPERATE, MANAGE = Permission.SEE, Permission.OPERATE, Permission.MANAGE


class NewStore(Body):
    """`driver` only where several installed ones are made for stores."""

    name: str
    address: str = ""
    currency: str = "EUR"
    gross_prices: bool = True
    driver: str = ""


class EditStore(Body):
    """What is not given stays; the currency always does."""

    name: str | None = None
    address: str | None = None
    gross_prices: bool | None = None


class Receipts(Body):
    """Live receipts, each as the driver's schema has it."""

    receipts: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=1000)]


@attrs.frozen(kw_only=True)
class StoreShown:
    """A store without the places on the host's own disk."""

    id: int
    name: str
    address: str
    currency: str
    gross_prices: bool
    driver: str
    connection: str
    status: str
    health: str


@attrs.frozen(kw_only=True)
class PushAddress:
    """Where tills push receipts; whoever knows it may push. '' where the host is not reachable."""

    url: str


def _shown(store: Store) -> StoreShown:
    return StoreShown(
        id=store.id, name=store.name, address=store.address, currency=store.currency,
        gross_prices=store.gross_prices, driver=store.driver, connection=store.connection,
        status=store.status.value, health=store.health.value,
    )  # fmt: skip


async def _list(given: Given) -> Sequence[StoreShown]:
    return [_shown(one) for one in await given.visit.house.stores.list(given.visit.account)]


async def _add(given: Given) -> Made:
    visit, one = given.visit, given.body
    saved = await visit.house.stores.add(
        visit.account, one.name, address=one.address, currency=one.currency, gross_prices=one.gross_prices,
        driver=one.driver, actor=visit.actor.id,
    )  # fmt: skip
    return Made(value=saved, etag=saved.connection.version)


async def _get(given: Given) -> StoreShown:
    return _shown(await given.visit.house.stores.get(given.visit.account, given.visit.number()))


async def _edit(given: Given) -> StoreShown:
    visit, one = given.visit, given.body
    return _shown(
        await visit.house.stores.edit(
            visit.account, visit.number(), name=one.name, address=one.address, gross_prices=one.gross_prices,
            actor=visit.actor.id,
        )
    )  # fmt: skip


async def _address(given: Given) -> PushAddress:
    return PushAddress(url=(await given.visit.house.stores.get(given.visit.account, given.visit.number())).callback_url)


async def _receive(given: Given) -> None:
    visit = given.visit
    await visit.house.stores.receive(visit.account, visit.number(), msgspec.json.encode(given.body.receipts))


OPERATIONS = (
    Operation(method="GET", path="/stores", name="list_stores", summary="Points of sale", permission=SEE, does=_list,
              answer=Sequence[StoreShown]),
    Operation(method="POST", path="/stores", name="add_store", summary="A new store, with a connection of its own",
              permission=MANAGE, does=_add, body=NewStore, answer=Saved, status=201),
    Operation(method="GET", path="/stores/{id:int}", name="get_store", summary="One store", permission=SEE, does=_get,
              answer=StoreShown),
    Operation(method="PATCH", path="/stores/{id:int}", name="edit_store", summary="Change what is given",
              permission=MANAGE, does=_edit, body=EditStore, answer=StoreShown),
    Operation(method="GET", path="/stores/{id:int}/address", name="get_store_address",
              summary="Where tills push receipts", permission=MANAGE, does=_address, answer=PushAddress),
    Operation(method="POST", path="/stores/{id:int}/receipts", name="receive_receipts",
              summary="Receipts of the day that is still open", permission=OPERATE, does=_receive, body=Receipts,
              status=204),
)  # fmt: skip
