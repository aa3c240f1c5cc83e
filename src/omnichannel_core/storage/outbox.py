"""The outbox: records on their way out, queued once, seen, retried and dismissed."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa

from omnichannel_core import errors
from omnichannel_core.driver import PushStream
from omnichannel_core.model.outbox import NEVER, OutboxRow, Sending
from omnichannel_core.records import Record
from omnichannel_core.storage import fulls
from omnichannel_core.storage.bodies import encode
from omnichannel_core.storage.pages import Raw
from omnichannel_core.storage.schema import connection as connections
from omnichannel_core.storage.schema import outbox
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.times import micros, moment

C = outbox.c
FAILED = (Sending.REJECTED.value, Sending.UNKNOWN.value)
OUTDATED = "A newer one took its place."
_CHUNK = 400
_INSERT = (
    "INSERT INTO omni_outbox (account_id, connection_id, stream, kind, key, thing, parent, body, state, due_at, "
    "created_at, changed_at) VALUES (?,?,?,?,?,?,?,?,'queued',?,?,?)"
)


@attrs.frozen(kw_only=True)
class _New:
    """A record about to be queued."""

    kind: str
    key: str
    thing: str
    parent: str
    body: bytes


def queue(
    tx: Tx, account: str, connection: int, stream: PushStream[Any], records: Sequence[Record], now: datetime,
    keys: Sequence[str] | None = None,
) -> list[OutboxRow]:  # fmt: skip
    """Queue records in the caller's transaction; their rows, in the order given.

    A key given by the host counts once for good. A made one tells events and states apart: a record of an order
    (shipment, invoice, cancellation) that says the same again is the same, and is queued anew when it was rejected;
    any other is the same only while it still waits. Of a stream with a state, older ones not sent yet are dropped.

    Raises:
        NotFound: not in this account.
        UsageError: as many keys as records, please; none empty, no record without id.
        Conflict: a key of the host was used for other content.
    """
    _own(tx, account, connection)
    if keys is not None and (len(keys) != len(records) or not all(keys)):
        raise errors.UsageError(f"{len(records)} records need {len(records)} keys, none of them empty.")
    if not all(one.id for one in records):
        raise errors.UsageError(f"A record for {stream.name!r} has no id: the id says which thing it is about.")
    rows: list[OutboxRow] = []
    for at in range(0, len(records), _CHUNK):
        given = None if keys is None else keys[at : at + _CHUNK]
        rows += _queue(tx, account, connection, stream, records[at : at + _CHUNK], now, given)
    return rows


def _queue(
    tx: Tx, account: str, connection: int, stream: PushStream[Any], records: Sequence[Record], now: datetime,
    keys: Sequence[str] | None,
) -> list[OutboxRow]:  # fmt: skip
    here = sa.and_(C.account_id == account, C.connection_id == connection, C.stream == stream.name)
    if keys is None:
        chosen, new, again = _made(_newest(tx, here, {one.id for one in records}), records)
    else:
        stored = {row.key: row for row in _rows(tx, here, C.key.in_(set(keys)))}
        chosen, new = _given(stored, records, keys)
        again = []
    at = micros(now)
    Raw(tx).many(_INSERT, [
        (account, connection, stream.name, one.kind, one.key, one.thing, one.parent, one.body, at, at, at)
        for one in new
    ])  # fmt: skip
    if again:
        retry(tx, account, connection, now, again)
    if stream.state:
        if stream.full_every is not None:
            fulls.inherit(tx, connection, stream.name, {one.id for one in records})
        drop_outdated(tx, connection, stream.name, now, {one.id for one in records})
    found = {row.key: row for row in _rows(tx, here, C.key.in_(set(chosen)))}
    return [found[key] for key in chosen]


def _made(newest: dict[str, OutboxRow], records: Sequence[Record]) -> tuple[list[str], list[_New], list[int]]:
    """Keys by record, what is new, and which rejected ones are tried again."""
    chosen: list[str] = []
    new: list[_New] = []
    again: list[int] = []
    last = {thing: (row.key, row.body, row.state, row.id) for thing, row in newest.items()}
    for record in records:
        body = encode(record)
        before = last.get(record.id)
        if before is not None and before[1] == body and _same(record, before[2]):
            if before[2] is Sending.REJECTED:
                again.append(before[3])
            chosen.append(before[0])
            continue
        one = _new(record, body, _digest(record, body, before[0] if before else ""))
        new.append(one)
        chosen.append(one.key)
        last[record.id] = (one.key, body, Sending.QUEUED, 0)
    return chosen, new, again


def _same(record: Record, state: Sending) -> bool:
    """Whether saying it again is saying nothing new."""
    if state is Sending.QUEUED:
        return True
    return bool(_parent(record)) and state not in (Sending.DISMISSED, Sending.DROPPED)


def _given(
    stored: dict[str, OutboxRow], records: Sequence[Record], keys: Sequence[str]
) -> tuple[list[str], list[_New]]:
    new: dict[str, _New] = {}
    for record, key in zip(records, keys, strict=True):
        body = encode(record)
        before = stored[key].body if key in stored else new[key].body if key in new else None
        if before is None:
            new[key] = _new(record, body, key)
        elif before not in (b"", body):
            raise errors.Conflict(f"Key {key!r} was used for other content: give a new record a key of its own.")
    return list(keys), list(new.values())


def _new(record: Record, body: bytes, key: str) -> _New:
    return _New(kind=type(record).__name__, key=key, thing=record.id, parent=_parent(record), body=body)


def _parent(record: Record) -> str:
    return str(getattr(record, "order_id", ""))


def _digest(record: Record, body: bytes, before: str) -> str:
    said = b"\0".join((type(record).__name__.encode(), before.encode(), body))
    return hashlib.blake2b(said, digest_size=16).hexdigest()


def _newest(tx: Tx, here: sa.ColumnElement[bool], things: Collection[str]) -> dict[str, OutboxRow]:
    newest = sa.select(sa.func.max(C.id)).where(here, C.thing.in_(things)).group_by(C.thing)
    return {row.thing: row for row in _rows(tx, C.id.in_(newest))}


def drop_outdated(tx: Tx, connection: int, stream: str, now: datetime, things: Collection[str]) -> int:
    """The newest wins: older ones of these things that nobody is sending are dropped, failed ones too; how many."""
    newer = outbox.alias()
    done = tx.execute(
        sa.update(outbox)
        .where(C.connection_id == connection, C.stream == stream, C.thing.in_(things))
        .where(C.state.in_((Sending.QUEUED.value, *FAILED)))
        .where(
            sa.exists().where(
                newer.c.connection_id == C.connection_id, newer.c.stream == C.stream, newer.c.thing == C.thing,
                newer.c.id > C.id,
            )
        )
        .values(state=Sending.DROPPED.value, reason=OUTDATED, changed_at=micros(now))
    )  # fmt: skip
    return done.rowcount


def retry(tx: Tx, account: str, connection: int, now: datetime, ids: Iterable[int] | None = None) -> Counter[str]:
    """Failed ones are queued again, as a new try with another batch key; how many, by stream.

    Args:
        ids: of rejected or unknown rows; None is every one that waits for a person. Erased ones stay.
    """
    rows = tx.execute(
        sa.update(outbox)
        .where(*_failing(account, connection, ids), sa.func.length(C.body) > 0)
        .values(
            state=Sending.QUEUED.value,
            batch="",
            ticket="",
            reason="",
            due_at=micros(now),
            changed_at=micros(now),
            full=0,
        )
        .returning(C.stream)
    )
    return Counter(row[0] for row in rows)


def dismiss(tx: Tx, account: str, connection: int, now: datetime, ids: Iterable[int] | None = None) -> int:
    """Failed ones are let go: they count as errors no more and are never sent; how many."""
    done = tx.execute(
        sa.update(outbox)
        .where(*_failing(account, connection, ids))
        .values(state=Sending.DISMISSED.value, changed_at=micros(now))
    )
    return done.rowcount


def _failing(account: str, connection: int, ids: Iterable[int] | None) -> list[sa.ColumnElement[bool]]:
    mine = [C.account_id == account, C.connection_id == connection, C.state.in_(FAILED)]
    return [*mine, failed()] if ids is None else [*mine, C.id.in_(list(ids))]


def failed() -> sa.ColumnElement[bool]:
    """Rejected, or unknown where nobody but a person can decide. The state's text lets a partial index be found."""
    person = sa.or_(C.state == Sending.REJECTED.value, C.due_at >= micros(NEVER))
    return sa.and_(sa.text("omni_outbox.state IN ('rejected','unknown')"), person)


def restored(tx: Tx, account: str | None, now: datetime) -> int:
    """After a backup came back nobody knows what was sent since: every open row is unknown; how many.

    To be called before anything is sent. Those of a batch that was being sent lose its key: its members may have
    changed since. A ticket is kept: the remote still knows it. What happens next is the delivering's: looked up
    where the driver can, queued anew where the stream is a state (its newest value is right in any case), else it
    waits for a person.

    Args:
        account: None is all accounts (the worker's door).
    """
    unsettled = [one.value for one in (Sending.QUEUED, Sending.SENDING, Sending.PENDING, Sending.UNKNOWN)]
    change = sa.update(outbox).where(C.state.in_(unsettled))
    if account is not None:
        change = change.where(C.account_id == account)
    values = {"state": Sending.UNKNOWN.value, "batch": "", "due_at": micros(now), "changed_at": micros(now)}
    return tx.execute(change.values(reason="A backup came back: it may have been sent since.", **values)).rowcount


def rows(
    tx: Tx, account: str, *, connection: int | None = None, stream: str | None = None,
    states: Collection[Sending] | None = None, keys: Collection[str] | None = None, before: int | None = None,
    limit: int = 50,
) -> list[OutboxRow]:  # fmt: skip
    """Rows of an account, newest first; `before` is the last id of the page before."""
    wanted = [C.account_id == account]
    if connection is not None:
        wanted.append(C.connection_id == connection)
    if stream is not None:
        wanted.append(C.stream == stream)
    if states is not None:
        wanted.append(C.state.in_([one.value for one in states]))
    if keys is not None:
        wanted.append(C.key.in_(list(keys)))
    if before is not None:
        wanted.append(C.id < before)
    found = tx.execute(sa.select(outbox).where(*wanted).order_by(C.id.desc()).limit(limit))
    return [row_of(row._mapping) for row in found]


def failures(tx: Tx, account: str, connection: int | None, limit: int) -> list[OutboxRow]:
    """Those that a person has to look at, newest first."""
    wanted = [C.account_id == account, failed()]
    if connection is not None:
        wanted.append(C.connection_id == connection)
    found = tx.execute(sa.select(outbox).where(*wanted).order_by(C.id.desc()).limit(limit))
    return [row_of(row._mapping) for row in found]


def _rows(tx: Tx, *wanted: sa.ColumnElement[bool]) -> list[OutboxRow]:
    return [row_of(row._mapping) for row in tx.execute(sa.select(outbox).where(*wanted).order_by(C.id))]


def _own(tx: Tx, account: str, connection: int) -> None:
    query = sa.select(connections.c.id).filter_by(account_id=account, id=connection)
    if tx.execute(query).scalar() is None:
        raise errors.NotFound(f"Account {account!r} has no connection {connection}.")


def row_of(row: Mapping[Any, Any]) -> OutboxRow:
    """A row as values."""
    return OutboxRow(
        id=row["id"], connection=row["connection_id"], stream=row["stream"], kind=row["kind"], key=row["key"],
        thing=row["thing"], parent=row["parent"], body=bytes(row["body"]), state=Sending(row["state"]),
        batch=row["batch"], ticket=row["ticket"], reason=row["reason"], remote=json.loads(row["remote"]),
        attempts=row["attempts"], due_at=moment(row["due_at"]), created_at=moment(row["created_at"]),
        changed_at=moment(row["changed_at"]), full=row["full"],
    )  # fmt: skip
