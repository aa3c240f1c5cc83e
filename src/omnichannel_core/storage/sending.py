"""What a delivery does to the outbox: who has the stream, what is next, and what became of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import takewhile
from typing import Any

import attrs
import sqlalchemy as sa

from omnichannel_core import errors
from omnichannel_core.driver import Batch, Item, PushStream
from omnichannel_core.model.outbox import NEVER, OutboxRow, Sending
from omnichannel_core.records import Order
from omnichannel_core.storage import fulls, receipts, streams
from omnichannel_core.storage.bodies import decode
from omnichannel_core.storage.outbox import drop_outdated, row_of
from omnichannel_core.storage.pages import Raw
from omnichannel_core.storage.schema import outbox, process
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.streams import Busy, Taken
from omnichannel_core.storage.times import maybe_moment, micros, moment

C = outbox.c
LOOK_AFTER = timedelta(seconds=30)  # a request without answer may still be at work over there
OF_AN_ORDER = frozenset({"Shipment", "Invoice", "Cancellation"})
BATCH_MAX = 10_000  # items of one batch, whatever a stream declares: databases bind only so many values
_VERIFY = "UPDATE omni_stream SET pages = pages + 1 WHERE connection_id = ? AND stream = ? AND fence = ?"
_CHANGE = (
    "UPDATE omni_outbox SET state=?, reason=?, ticket=?, remote=?, batch=?, due_at=?, attempts=attempts+?, "
    "changed_at=? WHERE id=? AND connection_id=? AND state=? AND batch=?"
)
__all__ = ["Busy", "Taken", "Task", "What", "Change", "take", "verify", "recover", "next_task", "next_settling",
           "apply", "next_due", "unsettled", "due", "overtaken", "wake"]  # fmt: skip


class What(StrEnum):
    """What is to be done with a batch."""

    SETTLE = "settle"  # ask what became of it
    REPEAT = "repeat"  # the very same batch, the very same key
    PUSH = "push"


@attrs.frozen(kw_only=True)
class Task:
    """One call of the driver. `rows` are those whose outcome counts; a repeated batch has all its members."""

    what: What
    batch: Batch[Any]
    rows: Sequence[OutboxRow]


@attrs.frozen(kw_only=True)
class Change:
    """What becomes of one row. `tried` counts towards its back-off."""

    row: OutboxRow
    state: Sending
    due_at: datetime
    reason: str = ""
    ticket: str = ""
    remote: Mapping[str, str] = attrs.field(factory=dict)
    batch: str = ""
    tried: bool = False


# --- who has the stream
def take(tx: Tx, account: str, connection: int, stream: str, holder: int) -> Taken:
    """The stream's outgoing side for a process; whoever had it commits nothing more.

    Raises:
        Busy: another running process has it.
    """
    return streams.take(tx, account, connection, fulls.PREFIX + stream, holder)


def verify(tx: Tx, taken: Taken) -> None:
    """Still ours?

    Raises:
        Superseded: somebody else has it.
    """
    if Raw(tx).one(_VERIFY, (taken.connection, taken.stream, taken.fence)) != 1:
        raise errors.Superseded(f"Stream {taken.stream} of connection {taken.connection} was taken over.")


def recover(tx: Tx, taken: Taken) -> int:
    """What a former holder was sending is unknown: sent or not, nobody saw the answer; how many."""
    wait = LOOK_AFTER // timedelta(microseconds=1)
    done = tx.execute(
        sa.update(outbox)
        .where(_here(taken), C.state == Sending.SENDING.value, C.fence < taken.fence)
        .values(state=Sending.UNKNOWN.value, due_at=C.changed_at + wait, reason="Interrupted while it was sent.")
    )
    return done.rowcount


# --- what is next
def next_task(tx: Tx, account: str, taken: Taken, stream: PushStream[Any], now: datetime) -> Task | None:
    """The next call, or None when nothing is due. What is to be pushed is `sending` once the transaction commits."""
    pending = _group(tx, taken, Sending.PENDING, now, stream)
    if pending:
        return _task(tx, account, What.SETTLE, pending[0].batch, pending)
    while unknown := _group(tx, taken, Sending.UNKNOWN, now, stream):
        if stream.settle is not None:
            return _task(tx, account, What.SETTLE, unknown[0].batch or _fresh_key(taken, unknown, now), unknown)
        repeated = _repeat(tx, account, taken, stream, unknown, now)
        if repeated is not None:
            return repeated
    while queued := _queued(tx, taken, stream, now):
        task = _push(tx, account, taken, queued, now)
        if task is not None:
            return task
    return None


def next_settling(tx: Tx, account: str, taken: Taken, stream: PushStream[Any], now: datetime) -> Task | None:
    """The next question what became of something that may have arrived; nothing is sent. None when nothing is due."""
    for state in (Sending.PENDING, Sending.UNKNOWN):
        rows = _group(tx, taken, state, now, stream)
        if rows:
            return _task(tx, account, What.SETTLE, rows[0].batch or _fresh_key(taken, rows, now), rows)
    return None


def _here(taken: Taken) -> sa.ColumnElement[bool]:
    stream = taken.stream.removeprefix(fulls.PREFIX)
    return sa.and_(C.connection_id == taken.connection, C.stream == stream)


def _size(stream: PushStream[Any]) -> int:
    return min(max(stream.batch, 1), BATCH_MAX)


def _group(tx: Tx, taken: Taken, state: Sending, now: datetime, stream: PushStream[Any]) -> list[OutboxRow]:
    """Those of one batch, the one that is due first."""
    first = sa.select(C.batch).where(_here(taken), C.state == state.value, C.due_at <= micros(now))
    batch = tx.execute(first.order_by(C.due_at, C.id).limit(1)).scalar()
    if batch is None:
        return []
    wanted = sa.select(outbox).where(_here(taken), C.state == state.value, C.batch == batch, C.due_at <= micros(now))
    return [row_of(row._mapping) for row in tx.execute(wanted.order_by(C.id).limit(_size(stream)))]


def _queued(tx: Tx, taken: Taken, stream: PushStream[Any], now: datetime) -> list[OutboxRow]:
    wanted = sa.select(outbox).where(_here(taken), C.state == Sending.QUEUED.value, C.due_at <= micros(now))
    if not stream.state:
        wanted = wanted.where(~_older_open())
    found = [row_of(row._mapping) for row in tx.execute(wanted.order_by(C.due_at, C.id).limit(_size(stream)))]
    of_one_run = takewhile(lambda row: row.full == found[0].full, found)
    return sorted(of_one_run, key=lambda row: row.id)


def _older_open() -> sa.ColumnElement[bool]:
    """An older one of the same thing is on its way: order within a thing is kept."""
    older = outbox.alias()
    return sa.exists().where(
        older.c.connection_id == C.connection_id, older.c.stream == C.stream, older.c.thing == C.thing,
        older.c.id < C.id, older.c.state.in_(("queued", "sending", "pending", "unknown")),
    )  # fmt: skip


def _repeat(
    tx: Tx, account: str, taken: Taken, stream: PushStream[Any], unknown: list[OutboxRow], now: datetime
) -> Task | None:
    """Where nothing can be looked up: again as it was, or anew where the stream is a state, or a person decides."""
    batch = unknown[0].batch
    members = _members(tx, taken, batch) if stream.repeatable else []
    if members and all(row.body for row in members):
        sending = _mark(tx, taken, [row for row in members if row.state is Sending.UNKNOWN], batch, now)
        return attrs.evolve(_task(tx, account, What.REPEAT, batch, members), rows=sending)
    if stream.state and (stream.repeatable or not batch):
        _move(tx, unknown, Sending.QUEUED, now, now, "")
        drop_outdated(tx, taken.connection, stream.name, now, {row.thing for row in unknown})
    else:
        why = unknown[0].reason or "No answer came, and nothing can be looked up at the remote."
        _move(tx, unknown, Sending.UNKNOWN, now, NEVER, why)
    return None


def _members(tx: Tx, taken: Taken, batch: str) -> list[OutboxRow]:
    """All of a batch in the order sent; none when it is no longer whole (one was retried by itself)."""
    found = tx.execute(sa.select(outbox).where(_here(taken), C.batch == batch).order_by(C.id))
    rows = [row_of(row._mapping) for row in found]
    return rows if batch and batch.rpartition("-")[2] == str(len(rows)) else []


def _push(tx: Tx, account: str, taken: Taken, queued: list[OutboxRow], now: datetime) -> Task | None:
    """Mark as sending; what cannot be sent at all is rejected here. None when nothing is left of it."""
    ready = []
    for row in queued:
        if not row.body:
            _move(tx, [row], Sending.REJECTED, now, now, "Its content was erased: push it again.")
        elif row.kind in OF_AN_ORDER and _order(tx, account, row) is None:
            why = f"Order {row.parent!r} is not stored for this connection: synchronize, then retry."
            _move(tx, [row], Sending.REJECTED, now, now, why)
        else:
            ready.append(row)
    if not ready:
        return None
    key = fulls.mark(tx, ready) + _fresh_key(taken, ready, now)
    return _task(tx, account, What.PUSH, key, _mark(tx, taken, ready, key, now))


def _fresh_key(taken: Taken, rows: Sequence[OutboxRow], now: datetime) -> str:
    """Never twice the same; its end says how many belong to it."""
    said = repr((taken.connection, taken.stream, taken.fence, micros(now), [(row.key, row.attempts) for row in rows]))
    return f"{hashlib.blake2b(said.encode(), digest_size=12).hexdigest()}-{len(rows)}"


def _mark(tx: Tx, taken: Taken, rows: Sequence[OutboxRow], batch: str, now: datetime) -> list[OutboxRow]:
    found = tx.execute(
        sa.update(outbox)
        .where(_here(taken), C.id.in_([row.id for row in rows]))
        .values(
            state=Sending.SENDING.value, batch=batch, ticket="", fence=taken.fence, attempts=C.attempts + 1,
            changed_at=micros(now),
        )
        .returning(outbox)
    )  # fmt: skip
    return sorted((row_of(row._mapping) for row in found), key=lambda row: row.id)


def _move(tx: Tx, rows: Sequence[OutboxRow], state: Sending, now: datetime, due: datetime, reason: str) -> None:
    batch = "" if state is Sending.QUEUED else C.batch
    tx.execute(
        sa.update(outbox)
        .where(C.id.in_([row.id for row in rows]))
        .values(state=state.value, batch=batch, due_at=micros(due), reason=reason, changed_at=micros(now))
    )


def _task(tx: Tx, account: str, what: What, key: str, rows: Sequence[OutboxRow]) -> Task:
    remotes = _remotes(tx, rows)
    items = [
        Item(key=row.key, record=decode(row.kind, row.body), order=_order(tx, account, row), ticket=row.ticket,
             remote=remotes.get(row.thing, {}))
        for row in rows
    ]  # fmt: skip
    batch = Batch(key=key, items=items, full=fulls.is_full(key), last=fulls.is_last(key))
    return Task(what=what, batch=batch, rows=rows)


def _order(tx: Tx, account: str, row: OutboxRow) -> Order | None:
    if row.kind not in OF_AN_ORDER:
        return None
    found = receipts.one(tx, account, row.connection, "Order", row.parent)
    return found if isinstance(found, Order) else None


def _remotes(tx: Tx, rows: Sequence[OutboxRow]) -> dict[str, Mapping[str, str]]:
    """What the remote told when it last accepted something about the same thing, by thing."""
    first = rows[0]
    wanted = sa.select(C.thing, C.remote).where(
        C.connection_id == first.connection, C.stream == first.stream, C.thing.in_({row.thing for row in rows}),
        C.state == Sending.ACCEPTED.value, C.remote != "{}",
    )  # fmt: skip
    return {row[0]: json.loads(row[1]) for row in tx.execute(wanted.order_by(C.changed_at, C.id))}


# --- what became of it
def apply(tx: Tx, taken: Taken, stream: PushStream[Any], changes: Sequence[Change], now: datetime) -> None:
    """Write outcomes; a row that a person or a newer state changed meanwhile is left as it is."""
    Raw(tx).many(_CHANGE, [
        (one.state.value, one.reason, one.ticket, json.dumps(dict(one.remote)), one.batch, micros(one.due_at),
         int(one.tried), micros(now), one.row.id, taken.connection, one.row.state.value, one.row.batch)
        for one in changes
    ])  # fmt: skip
    if stream.state:
        left = {one.row.thing for one in changes if one.state is not Sending.ACCEPTED}
        drop_outdated(tx, taken.connection, stream.name, now, left)


# --- when
def next_due(tx: Tx, account: str, connection: int, stream: str, *, ordered: bool = False) -> datetime | None:
    """When something of the stream may be done next, None when nothing waits but for a person.

    Args:
        ordered: leave out what must wait for an older one of the same thing.
    """
    waits = sa.and_(C.state.in_(("queued", "pending", "unknown")), C.due_at < micros(NEVER))
    if ordered:
        waits = sa.and_(waits, sa.or_(C.state != "queued", ~_older_open()))
    left = sa.or_(waits, C.state == Sending.SENDING.value)
    mine = sa.and_(C.account_id == account, C.connection_id == connection, C.stream == stream)
    return maybe_moment(tx.execute(sa.select(sa.func.min(C.due_at)).where(mine, left)).scalar())


def unsettled(tx: Tx, account: str, connection: int) -> dict[str, datetime]:
    """Streams with something that may have arrived, and when the first of it may be asked for."""
    rows = tx.execute(
        sa.select(C.stream, sa.func.min(C.due_at))
        .where(C.account_id == account, C.connection_id == connection, C.due_at < micros(NEVER))
        .where(C.state.in_(("sending", "pending", "unknown")))
        .group_by(C.stream)
    )
    return {row[0]: moment(row[1]) for row in rows}


def due(tx: Tx, account: str, connection: int, now: datetime) -> frozenset[str]:
    """Streams with something due."""
    rows = tx.execute(
        sa.select(C.stream)
        .where(C.account_id == account, C.connection_id == connection, C.due_at <= micros(now))
        .where(C.state.in_(("queued", "sending", "pending", "unknown")))
        .distinct()
    )
    return frozenset(row[0] for row in rows)


def overtaken(tx: Tx, account: str, connection: int, above: Mapping[str, str], now: datetime) -> str:
    """A more urgent stream with something to send now, whose process (key by stream) is about to; '' for none."""
    rows = tx.execute(
        sa.select(C.stream)
        .where(C.account_id == account, C.connection_id == connection, C.stream.in_(list(above)))
        .where(C.state == Sending.QUEUED.value, C.due_at <= micros(now))
        .distinct()
    )
    urgent = {above[row[0]]: row[0] for row in rows}
    if not urgent:
        return ""
    busy = sa.select(process.c.key).where(process.c.account_id == account, process.c.key.in_(list(urgent)))
    key = tx.execute(busy.where(process.c.state.in_(("queued", "running"))).limit(1)).scalar()
    return urgent.get(key, "") if key else ""


def wake(tx: Tx, account: str, keys: Collection[str], now: datetime) -> int:
    """Deliveries that wait for a time of their own, and not for the remote, are due now; how many."""
    done = tx.execute(
        sa.update(process)
        .where(process.c.account_id == account, process.c.key.in_(list(keys)), process.c.state == "waiting")
        .where(process.c.error_key == "", process.c.run_at > micros(now))
        .values(run_at=micros(now))
    )
    return done.rowcount
