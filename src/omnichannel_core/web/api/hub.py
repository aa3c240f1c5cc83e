"""Operations on the hub: what came in, what goes out, what failed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import attrs
import msgspec
from pydantic import AfterValidator, BeforeValidator, Field
from starlette.responses import Response, StreamingResponse

from omnichannel_core import errors
from omnichannel_core.connections import exporting
from omnichannel_core.connections.failures import Failure
from omnichannel_core.connections.hub import Listed
from omnichannel_core.model.outbox import OutboxRow, Sending
from omnichannel_core.model.process import Process
from omnichannel_core.storage.hub import Entry, Erased, Found, OrderLine
from omnichannel_core.web.actors import Permission
from omnichannel_core.web.api.operations import Body, Given, Operation

HUB, OPERATE, SEE = Permission.HUB, Permission.OPERATE, Permission.SEE
KINDS = {"orders": "Order", "returns": "Return", "attributes": "Attribute", "sets": "AttributeSet", "lists": "Choices"}
Kind = Literal["orders", "returns", "attributes", "sets", "lists"]
Number = Annotated[int, Field(ge=1, le=2**63 - 1)]


def _zoned(at: datetime | None) -> datetime | None:
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)


def _written(said: object) -> object:
    """A date as people write it, not a count of seconds."""
    if isinstance(said, str) and not re.match(r"\d{4}-\d\d-\d\d", said, re.ASCII):
        raise ValueError("Write a time like 2026-11-21 or 2026-11-21T10:30:00Z.")
    return said


Time = Annotated[datetime | None, BeforeValidator(_written), AfterValidator(_zoned)]


class Narrow(Body):
    """What is looked for; a time without a zone is UTC."""

    connection: Number | None = None
    state: str | None = None
    since: Time = None
    until: Time = None
    number: str = ""
    retired: bool = False


class Wanted(Narrow):
    """And which page."""

    cursor: str = ""
    limit: Annotated[int, Field(ge=1, le=500)] = 50


class Export(Narrow):
    """And in which form."""

    format: Literal["jsonl", "csv"] = "jsonl"


class OfOne(Body):
    """Of one connection, or of all."""

    connection: Number | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 500


class Pushes(Body):
    """Narrowed by connection, stream, state and key."""

    connection: Number | None = None
    stream: str | None = None
    state: tuple[Sending, ...] = ()
    key: tuple[str, ...] = ()
    cursor: str = ""
    limit: Annotated[int, Field(ge=1, le=500)] = 50


class Some(Body):
    """Ids of errors; without them, all."""

    ids: list[str] | None = None


class Push(Body):
    """Records as the stream takes them; `keys`, one a record, make sending twice harmless."""

    records: Annotated[list[dict[str, Any]], Field(max_length=10_000)]
    keys: list[str] | None = None


class Who(Body):
    """E-mail addresses or the remote's ids of customers; none is the whole shop."""

    who: list[str] = []


class Days(Body):
    """Days to keep, by stream."""

    days: dict[str, Annotated[int, Field(ge=0, le=100_000)]]


@attrs.frozen(kw_only=True)
class Again:
    """How many are tried again, and by which processes."""

    records: int
    pushes: int
    processes: Sequence[Process]


@attrs.frozen(kw_only=True)
class Dismissed:
    """How many."""

    dismissed: int


@attrs.frozen(kw_only=True)
class Queued:
    """A push, its content left out."""

    id: int
    connection: int
    stream: str
    kind: str
    key: str
    thing: str
    state: Sending
    reason: str
    attempts: int
    created_at: datetime
    changed_at: datetime


def queued(row: OutboxRow) -> Queued:
    """Without its content."""
    return Queued(**{one.name: getattr(row, one.name) for one in attrs.fields(Queued)})


def found(kind: str, narrow: Narrow, *, full: bool = False) -> Found:
    """What to look for.

    Raises:
        NotFound: no such kind.
    """
    if kind not in KINDS:
        raise errors.NotFound(f"There are no {kind!r}; there are {', '.join(KINDS)}.")
    given = {name: getattr(narrow, name) for name in Narrow.model_fields}
    return Found(kind=KINDS[kind], full=full, **given)


async def _find(given: Given) -> Listed[Entry]:
    wanted: Wanted = given.query
    what = found(given.visit.text("kind"), wanted)
    return await given.visit.house.hub.find(given.visit.account, what, cursor=wanted.cursor, limit=wanted.limit)


async def _record(given: Given) -> Any:
    visit, kind = given.visit, KINDS.get(given.visit.text("kind"), "")
    await visit.house.connections.get(visit.account, visit.number())
    return await visit.house.hub.record(visit.account, visit.number(), kind, visit.text("record"))


async def _lines(given: Given) -> Sequence[OrderLine]:
    visit = given.visit
    await visit.house.hub.order(visit.account, visit.number(), visit.text("order"))
    return await visit.house.hub.lines(visit.account, visit.number(), visit.text("order"))


async def _export(given: Given) -> Response:
    visit, wanted = given.visit, given.query
    what = found(visit.text("kind"), wanted, full=True)
    if what.connection is not None:
        await visit.house.connections.get(visit.account, what.connection)
    csv = wanted.format == "csv"
    if csv and what.kind not in ("Order", "Return", "Attribute", "AttributeSet"):
        raise errors.UsageError(f"{visit.text('kind')} have no columns: ask for jsonl.")
    write = exporting.spreadsheet if csv else exporting.json_lines
    name = f"{visit.text('kind')}.{wanted.format}"
    return StreamingResponse(
        write(visit.house.hub, visit.account, what), media_type="text/csv" if csv else "application/jsonl",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )  # fmt: skip


async def _errors(given: Given) -> Sequence[Failure]:
    visit, wanted = given.visit, given.query
    if wanted.connection is not None:
        await visit.house.connections.get(visit.account, wanted.connection)
    return await visit.house.hub.errors(visit.account, wanted.connection, wanted.limit)


async def retry(visit: Any, connection: int, ids: Sequence[str] | None) -> Again:
    """Failed ones again: pushes at once, records with a synchronize that is queued where it can be."""
    again = await visit.house.hub.retry(visit.account, connection, ids)
    processes = list(again.processes)
    if again.records:
        processes.append(await visit.house.connections.synchronize(visit.account, connection))
    return Again(records=again.records, pushes=again.pushes, processes=processes)


async def _retry(given: Given) -> Again:
    return await retry(given.visit, given.visit.number(), given.body.ids)


async def _dismiss(given: Given) -> Dismissed:
    visit = given.visit
    return Dismissed(dismissed=await visit.house.hub.dismiss(visit.account, visit.number(), given.body.ids))


async def _pushes(given: Given) -> Listed[Queued]:
    visit, wanted = given.visit, given.query
    if wanted.connection is not None:
        await visit.house.connections.get(visit.account, wanted.connection)
    page = await visit.house.hub.pushes(
        visit.account, connection=wanted.connection, stream=wanted.stream, states=wanted.state or None,
        keys=wanted.key or None, cursor=wanted.cursor, limit=wanted.limit,
    )  # fmt: skip
    return Listed(items=[queued(row) for row in page.items], next=page.next)


async def _push(given: Given) -> Sequence[Queued]:
    visit, sent = given.visit, given.body
    seen = await visit.house.connections.get(visit.account, visit.number())
    driver = await visit.house.drivers.load(visit.account, seen.driver)
    declared = driver.pushes.get(visit.text("stream"))
    if declared is None:
        why = driver.not_supported.get(visit.text("stream")) or f"it pushes {', '.join(driver.pushes) or 'nothing'}."
        raise errors.UsageError(f"Driver {seen.driver!r} pushes no such stream: {why}")
    if sent.keys is not None and len(sent.keys) != len(sent.records):
        raise errors.FormInvalid("Give one key a record.", {"keys": f"{len(sent.records)} are needed."})
    records = [_read(at, one, declared.takes) for at, one in enumerate(sent.records)]
    rows = await visit.house.hub.push(visit.account, seen.id, declared.name, records, sent.keys)
    return [queued(row) for row in rows]


def _read(at: int, one: dict[str, Any], kind: Any) -> Any:
    try:
        return msgspec.convert(one, kind, strict=False)
    except (msgspec.ValidationError, ValueError, OverflowError) as wrong:
        raise errors.FormInvalid(f"Record {at} is no {kind.__name__}.", {f"records.{at}": str(wrong)}) from None


async def _erase(given: Given) -> Erased:
    visit = given.visit
    return await visit.house.hub.erase(visit.account, visit.number(), given.body.who, actor=visit.actor.id)


async def _retain(given: Given) -> Erased:
    visit = given.visit
    return await visit.house.hub.retain(visit.account, visit.number(), given.body.days, actor=visit.actor.id)


ONE = "/connections/{id:int}"
OPERATIONS = (
    Operation(method="GET", path="/hub/{kind}", name="find_records", summary="Stored records, newest first",
              permission=HUB, does=_find, query=Wanted, answer=Listed[Entry]),
    Operation(method="GET", path="/hub/{kind}/export", name="export_records",
              summary="Everything of a kind as JSON lines, or as CSV that spreadsheets do not run", permission=HUB,
              does=_export, query=Export, answer="application/jsonl"),
    Operation(method="GET", path=ONE + "/orders/{order}/lines", name="order_lines", summary="Lines of one order",
              permission=HUB, does=_lines, answer=Sequence[OrderLine]),
    Operation(method="GET", path=ONE + "/hub/{kind}/{record:path}", name="get_record", summary="One in full",
              permission=HUB, does=_record, answer=Any),
    Operation(method="GET", path="/errors", name="list_errors", summary="What failed on its way in or out",
              permission=SEE, does=_errors, query=OfOne, answer=Sequence[Failure]),
    Operation(method="POST", path=ONE + "/errors/retry", name="retry_errors", summary="Try failed ones again",
              permission=OPERATE, does=_retry, body=Some, answer=Again),
    Operation(method="POST", path=ONE + "/errors/dismiss", name="dismiss_errors", summary="Let failed ones go",
              permission=OPERATE, does=_dismiss, body=Some, answer=Dismissed),
    Operation(method="GET", path="/pushes", name="list_pushes", summary="What became of pushes, newest first",
              permission=HUB, does=_pushes, query=Pushes, answer=Listed[Queued]),
    Operation(method="POST", path=ONE + "/pushes/{stream}", name="push_records", summary="Queue records and send them",
              permission=HUB, does=_push, body=Push, answer=Sequence[Queued], status=202),
    Operation(method="POST", path=ONE + "/erasures", name="erase", summary="Blank personal data", permission=HUB,
              does=_erase, body=Who, answer=Erased),
    Operation(method="POST", path=ONE + "/retention", name="retain", summary="Blank or remove what is older",
              permission=HUB, does=_retain, body=Days, answer=Erased),
)  # fmt: skip
