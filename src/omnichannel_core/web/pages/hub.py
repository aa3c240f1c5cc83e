"""Hub: pulled orders, returns and the data model; one of them in full."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from omnichannel_core import errors
from omnichannel_core.model.view import Look
from omnichannel_core.web.actors import Permission
from omnichannel_core.web.api.hub import KINDS, Wanted, found
from omnichannel_core.web.api.operations import checked
from omnichannel_core.web.guarding import Door
from omnichannel_core.web.pages.processes import names_of
from omnichannel_core.web.pages.reading import iso_date
from omnichannel_core.web.telling import told
from omnichannel_core.web.visits import Visit

CHOICE_MAX = 200  # connections in a drop-down; with more, the number is typed


async def show(visit: Visit) -> Response:
    """Records of a kind, newest first, narrowed."""
    kind, asked = visit.text("kind"), visit.request.query_params
    given = {name: one for name, one in asked.items() if one and name in Wanted.model_fields}
    given |= {name: iso_date(one) for name, one in given.items() if name in ("since", "until")}
    trouble: errors.OmnichannelError | None = None
    try:
        wanted: Wanted = checked(Wanted, given)
        what = found(kind, wanted, full=True)
        page = await visit.house.hub.find(visit.account, what, cursor=wanted.cursor, limit=50)
    except errors.FormInvalid as wrong:
        trouble, wanted = wrong, Wanted()
        page = await visit.house.hub.find(visit.account, found(kind, wanted, full=True), limit=50)
    choice = await visit.house.connections.page(visit.account, Look(sort=("name",)), limit=CHOICE_MAX)
    names = await names_of(visit, (one.connection for one in page.items))
    return visit.page(
        "hub.html", 422 if trouble else 200, kind=kind, kinds=KINDS, page=page, names=names, asked=asked,
        trouble=trouble, number=wanted.connection, choice=None if choice.next else choice.rows,
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
