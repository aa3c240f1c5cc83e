"""Errors: orders, returns and pushes that failed, why, and what to do (the list's *Yes* leads here)."""

from __future__ import annotations

from starlette.responses import Response

from omnichannel_core import errors
from omnichannel_core.web.actors import Permission
from omnichannel_core.web.api.hub import retry
from omnichannel_core.web.guarding import Door
from omnichannel_core.web.pages.listing import numbers
from omnichannel_core.web.pages.processes import names_of
from omnichannel_core.web.visits import Visit


async def show(visit: Visit) -> Response:
    """Of one connection, or of all."""
    asked = visit.request.query_params
    seen = None
    if asked.get("connection"):
        seen = await visit.house.connections.get(visit.account, numbers([asked["connection"]])[0])
    found = await visit.house.hub.errors(visit.account, seen.id if seen else None)
    names = await names_of(visit, (one.connection for one in found))
    return visit.page(
        "failures.html", found=found, seen=seen, names=names, said=asked.get("said", ""), n=asked.get("n", "")
    )


async def act(visit: Visit) -> Response:
    """Retry or dismiss, one or all of a connection."""
    sent = await visit.form()
    (connection,) = numbers([sent.get("connection", "")])
    ids = None if sent.get("everything") else [str(one) for one in sent.getlist("id")]
    back = connection if sent.get("within") else ""
    match str(sent.get("action", "")):
        case "retry":
            again = await retry(visit, connection, ids)
            return visit.go("/errors", connection=back, said="retried", n=again.records + again.pushes)
        case "dismiss":
            gone = await visit.house.hub.dismiss(visit.account, connection, ids)
            return visit.go("/errors", connection=back, said="dismissed", n=gone)
        case _:
            raise errors.UsageError("There is no such button.")


DOORS = (
    Door(method="GET", path="/errors", handler=show, permission=Permission.SEE),
    Door(method="POST", path="/errors", handler=act, permission=Permission.OPERATE),
)
