"""Full pushes: everything there is goes out anew in its period (`PushStream.full_every`), from what was said last.

A run is queued as rows of their own and sent in batches of their own. What a batch is (part of a run, its last part,
or neither) stands in its key, so that a repeated batch says the same again.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import sqlalchemy as sa

from omnichannel_core.model.lifecycle import Health, Status
from omnichannel_core.model.outbox import OutboxRow, Sending
from omnichannel_core.storage.schema import connection, outbox, stream
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.times import micros

C, S = outbox.c, stream.c
PREFIX = "push:"  # of the outgoing side of a stream's name in the table of streams
PART, LAST = "part.", "last."  # how keys of batches of a run begin
OUTDATED = "A newer run of everything took its place."
_SAID = (Sending.ACCEPTED, Sending.QUEUED, Sending.SENDING, Sending.PENDING, Sending.UNKNOWN)


def is_full(batch: str) -> bool:
    """Whether a batch of this key is part of a run."""
    return batch.startswith((PART, LAST))


def is_last(batch: str) -> bool:
    """Whether nothing of its run comes after it; so it is with every batch of no run."""
    return not batch.startswith(PART)


def mark(tx: Tx, rows: Collection[OutboxRow]) -> str:
    """How the key of a new batch of these begins: one run at most."""
    first = next(iter(rows))
    if not first.full:
        return ""
    others = sa.select(C.id).where(
        C.connection_id == first.connection, C.stream == first.stream, C.full == first.full,
        C.state == Sending.QUEUED.value, C.id.not_in([row.id for row in rows]),
    )  # fmt: skip
    return LAST if tx.execute(others.limit(1)).first() is None else PART


def plan(tx: Tx, connection_id: int, name: str, every: timedelta, now: datetime) -> int:
    """Queue a run when it is due, and say when the next one is; how many records. The first is a period from now."""
    row = sa.and_(S.connection_id == connection_id, S.stream == PREFIX + name)
    at = tx.execute(sa.select(S.full_at).where(row)).scalar()
    if at is not None and at > micros(now):
        return 0
    tx.execute(sa.update(stream).where(row).values(full_at=micros(now + every)))
    return 0 if at is None else _queue(tx, connection_id, name, micros(now))


def _queue(tx: Tx, connection_id: int, name: str, run: int) -> int:
    here = sa.and_(C.connection_id == connection_id, C.stream == name)
    older = sa.and_(here, C.full > 0, C.full < run, C.state == Sending.QUEUED.value)
    newest = (
        sa.select(sa.func.max(C.id)).where(here, C.state.in_([one.value for one in _SAID])).group_by(C.thing)
    )  # fmt: skip
    same = [C.account_id, C.connection_id, C.stream, C.kind, C.thing, C.parent, C.body]
    key = sa.literal(f"full-{run}-") + sa.cast(C.id, sa.Text)
    times = [sa.literal(run, sa.BigInteger)] * 4
    found = sa.select(*same, key, *times).where(C.id.in_(newest), sa.func.length(C.body) > 0)
    into = [column.name for column in same] + ["key", "due_at", "created_at", "changed_at", "full"]
    done = tx.execute(outbox.insert().from_select(into, found))
    tx.execute(sa.update(outbox).where(older).values(state=Sending.DROPPED.value, reason=OUTDATED, changed_at=run))
    return done.rowcount


def inherit(tx: Tx, connection_id: int, name: str, things: Collection[str]) -> None:
    """What takes the place of a record that waits for its run belongs to that run."""
    here = sa.and_(C.connection_id == connection_id, C.stream == name, C.state == Sending.QUEUED.value)
    older = outbox.alias()
    run = (
        sa.select(sa.func.max(older.c.full))
        .where(
            older.c.connection_id == C.connection_id, older.c.stream == C.stream, older.c.thing == C.thing,
            older.c.state == Sending.QUEUED.value,
        )
        .scalar_subquery()
    )  # fmt: skip
    tx.execute(sa.update(outbox).where(here, C.thing.in_(list(things))).values(full=run))


def due(tx: Tx, now: datetime) -> list[tuple[str, int, str]]:
    """The worker's door: (account, connection, stream) of working connections whose run is due."""
    works = sa.and_(connection.c.status == Status.ACTIVE.value, connection.c.health != Health.SUSPENDED.value)
    rows = tx.execute(
        sa.select(S.account_id, S.connection_id, S.stream)
        .join_from(stream, connection, connection.c.id == S.connection_id)
        .where(S.full_at <= micros(now), works)
    )
    return [(row[0], row[1], row[2].removeprefix(PREFIX)) for row in rows]
