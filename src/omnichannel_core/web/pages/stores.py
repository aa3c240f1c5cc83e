"""Points of sale: a store is added with name, address, currency and tax setting, and brings its own connection."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import FormData
from starlette.responses import Response

from omnichannel_core import errors
from omnichannel_core.web.actors import Permission
from omnichannel_core.web.guarding import Door
from omnichannel_core.web.problems import status_of
from omnichannel_core.web.visits import Visit

EMPTY = {"name": "", "address": "", "currency": "EUR", "gross_prices": True}


async def drawn(
    visit: Visit, typed: dict[str, Any] | None = None, one: Any = None, trouble: errors.OmnichannelError | None = None
) -> Response:
    """All stores, and the form of a new one or of `one`."""
    return visit.page(
        "stores.html", status_of(trouble) if trouble else 200, typed=typed or EMPTY, one=one, trouble=trouble,
        stores=await visit.house.stores.list(visit.account),
        wrong=trouble.fields if isinstance(trouble, errors.FormInvalid) else {},
    )  # fmt: skip


async def show(visit: Visit) -> Response:
    """The list."""
    return await drawn(visit)


async def show_one(visit: Visit) -> Response:
    """One of them, to be changed."""
    one = await visit.house.stores.get(visit.account, visit.number())
    return await drawn(visit, {name: getattr(one, name) for name in EMPTY}, one)


async def add(visit: Visit) -> Response:
    """SAVE of a new one: its connection is there and synchronizes."""
    typed = _typed(await visit.form())
    try:
        saved = await visit.house.stores.add(visit.account, **typed, actor=visit.actor.id)
    except errors.OmnichannelError as trouble:
        return await drawn(visit, typed, trouble=trouble)
    process = saved.process.id if saved.process else ""
    return visit.go("/stores", said="sync_triggered" if process else "saved", process=process)


async def edit(visit: Visit) -> Response:
    """SAVE of one that is there; its currency stays."""
    one = await visit.house.stores.get(visit.account, visit.number())
    typed = _typed(await visit.form()) | {"currency": one.currency}
    given = {name: value for name, value in typed.items() if name != "currency"}
    try:
        await visit.house.stores.edit(visit.account, one.id, **given, actor=visit.actor.id)
    except errors.OmnichannelError as trouble:
        return await drawn(visit, typed, one, trouble)
    return visit.go("/stores", said="saved")


def _typed(sent: FormData) -> dict[str, Any]:
    texts = {name: str(sent.get(name, "")).replace("\r\n", "\n").strip() for name in ("name", "address", "currency")}
    return {**texts, "currency": texts["currency"].upper(), "gross_prices": sent.get("gross_prices") == "on"}


DOORS = (
    Door(method="GET", path="/stores", handler=show, permission=Permission.SEE),
    Door(method="POST", path="/stores", handler=add, permission=Permission.MANAGE),
    Door(method="GET", path="/stores/{id:int}", handler=show_one, permission=Permission.MANAGE),
    Door(method="POST", path="/stores/{id:int}", handler=edit, permission=Permission.MANAGE),
)
