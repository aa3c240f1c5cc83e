"""Processes: what runs, waits and has ended, live."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable

from starlette.responses import Response, StreamingResponse

from omnichannel_core import errors
from omnichannel_core.model.process import OPEN, Process
from omnichannel_core.web.actors import Permission
from omnichannel_core.web.guarding import Door
from omnichannel_core.web.pages.listing import numbers
from omnichannel_core.web.visits import Visit

PAGE = 50


async def names_of(visit: Visit, connections: Iterable[int | None]) -> dict[int, str]:
    """Of those that are still there."""
    found: dict[int, str] = {}
    for one in {number for number in connections if number is not None}:
        try:
            found[one] = (await visit.house.connections.get(visit.account, one)).name
        except errors.NotFound:
            continue
    return found


async def show(visit: Visit) -> Response:
    """The page, or only its rows for the drawer."""
    asked = visit.request.query_params
    connection = numbers([asked["connection"]])[0] if asked.get("connection") else None
    before = numbers([asked["before"]])[0] if asked.get("before") else None
    only_open = asked.get("open") == "1"
    if connection is not None:
        await visit.house.connections.get(visit.account, connection)
    rows = await visit.house.processes.list(
        visit.account, connection=connection, states=OPEN if only_open else None, before=before, limit=PAGE + 1
    )
    part = visit.request.headers.get("x-part") == "rows"
    shown = await visit.web.watch.rows(visit.account) if part else rows[:PAGE]
    names = await names_of(visit, (one.connection for one in shown))
    return visit.page(
        "process_rows.html" if part else "processes.html", rows=shown, names=names,
        next=shown[-1].id if len(rows) > PAGE else "", connection=connection, only_open=only_open, before=before,
        said=asked.get("said", ""),
    )  # fmt: skip


async def events(visit: Visit) -> Response:
    """Rows as they change, as server-sent events; polling where a stream would hold a thread."""
    if not visit.web.stream:
        raise errors.UsageError("This host cannot hold streams: ask for the rows instead.")

    async def text() -> AsyncIterator[str]:
        async for event, rows in visit.web.watch.changes(visit.account):
            names = await names_of(visit, (one.connection for one in rows))
            said = [{"id": one.id, "open": one.open, "html": _row(visit, one, names)} for one in rows]
            yield f"event: {event}\ndata: {json.dumps(said)}\n\n"

    return StreamingResponse(text(), media_type="text/event-stream")


def _row(visit: Visit, one: Process, names: dict[int, str]) -> str:
    return visit.web.renderer.render(visit, "process_rows.html", {"rows": [one], "names": names})


async def cancel(visit: Visit) -> Response:
    """Ask it to end."""
    found = await visit.house.processes.cancel(visit.account, visit.number())
    return visit.go("/processes", said="cancelling" if found.open else "cancelled")


DOORS = (
    Door(method="GET", path="/processes", handler=show, permission=Permission.SEE),
    Door(method="GET", path="/processes/events", handler=events, permission=Permission.SEE),
    Door(method="POST", path="/processes/{id:int}/cancel", handler=cancel, permission=Permission.OPERATE),
)
