"""Hub: pulled orders, returns and the data model; one of them in full."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from omnichannel_core import errors
from omnichannel_core.web.actors import Permission
from omnichannel_core.web.api.hub import KINDS, Wanted, found
from omnichannel_core.web.api.operations import checked
from omnichannel_core.web.guarding import Door
from omnichannel_core.web.telling import told
from omnichannel_core.web.visits import Visit


async def show(visit: Visit) -> Response:
    """Records of a kind, newest first, narrowed."""
    kind, asked = visit.text("kind"), visit.request.query_params
    given = {name: one for name, one in asked.items() if one and name in Wanted.model_fields}
    trouble: errors.OmnichannelError | None = None
    try:
        wanted: Wanted = checked(Wanted, given)
        page = await visit.house.hub.find(visit.account, found(kind, wanted), cursor=wanted.cursor, limit=50)
    except errors.FormInvalid as wrong:
        trouble, wanted = wrong, Wanted()
        page = await visit.house.hub.find(visit.account, found(kind, wanted), limit=50)
    names = {one.id: one.name for one in await visit.house.connections.list(visit.account)}
    return visit.page(
        "hub.html", 422 if trouble else 200, kind=kind, kinds=KINDS, page=page, names=names, asked=asked,
        trouble=trouble, number=wanted.connection,
    )  # fmt: skip


async def record(visit: Visit) -> Response:
    """One in full."""
    kind, one, remote = visit.text("kind"), visit.number(), visit.text("record")
    seen = await visit.house.connections.get(visit.account, one)
    if kind not in KINDS:
        raise errors.NotFound("There is no such kind of record.")
    full = await visit.house.hub.record(visit.account, one, KINDS[kind], remote)
    lines: Any = await visit.house.hub.lines(visit.account, one, remote) if kind == "orders" else ()
    return visit.page("record.html", kind=kind, seen=seen, record=told(full), lines=lines, remote=remote)


DOORS = (
    Door(method="GET", path="/hub/{kind}", handler=show, permission=Permission.HUB),
    Door(method="GET", path="/hub/{kind}/{id:int}/{record:path}", handler=record, permission=Permission.HUB),
)
