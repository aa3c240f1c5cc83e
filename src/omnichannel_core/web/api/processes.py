"""Operations on processes; progress as server-sent events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from pydantic import Field
from starlette.responses import Response, StreamingResponse

from omnichannel_core.model.process import OPEN, Process
from omnichannel_core.web.actors import Permission
from omnichannel_core.web.api.operations import Body, Given, Operation
from omnichannel_core.web.problems import Refused
from omnichannel_core.web.telling import told

Number = Annotated[int, Field(ge=1, le=2**63 - 1)]


class Wanted(Body):
    """Newest first; `before` is the last id of the page before."""

    connection: Number | None = None
    open: bool = False
    kind: str | None = None
    before: Number | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 50


async def _list(given: Given) -> Sequence[Process]:
    wanted: Wanted = given.query
    return await given.visit.house.processes.list(
        given.visit.account, connection=wanted.connection, states=OPEN if wanted.open else None, kind=wanted.kind,
        before=wanted.before, limit=wanted.limit,
    )  # fmt: skip


async def _get(given: Given) -> Process:
    return await given.visit.house.processes.get(given.visit.account, given.visit.number())


async def _cancel(given: Given) -> Process:
    return await given.visit.house.processes.cancel(given.visit.account, given.visit.number())


async def _events(given: Given) -> Response:
    web, account = given.visit.web, given.visit.account
    if not web.stream:
        raise Refused(400, "This host cannot hold streams: ask for the list instead.")

    async def text() -> AsyncIterator[str]:
        async for event, rows in web.watch.changes(account):
            yield f"event: {event}\ndata: {json.dumps(told(rows))}\n\n"

    return StreamingResponse(text(), media_type="text/event-stream")


OPERATIONS = (
    Operation(method="GET", path="/processes", name="list_processes", summary="What runs, waits and has ended",
              permission=Permission.SEE, does=_list, query=Wanted, answer=Sequence[Process]),
    Operation(method="GET", path="/processes/events", name="watch_processes",
              summary="Progress as server-sent events: a snapshot, then changes", permission=Permission.SEE,
              does=_events, answer="text/event-stream"),
    Operation(method="GET", path="/processes/{id:int}", name="get_process", summary="One process",
              permission=Permission.SEE, does=_get, answer=Process),
    Operation(method="POST", path="/processes/{id:int}/cancel", name="cancel_process", summary="Ask it to end",
              permission=Permission.OPERATE, does=_cancel, answer=Process),
)  # fmt: skip
