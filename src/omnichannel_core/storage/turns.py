"""The worker's door to processes: who may run now, who runs, and how a turn ended. Ids, fences and times only."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import attrs
import sqlalchemy as sa

from omnichannel_core import errors
from omnichannel_core.model.process import State
from omnichannel_core.storage import engine
from omnichannel_core.storage.fairness import Busy, Who, facts, fairest, idle
from omnichannel_core.storage.schema import process
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.times import maybe_moment, micros

C = process.c
CRASHES = 20  # so many workers in a row may die over a process without a page between


@attrs.frozen(kw_only=True)
class Held:
    """A process in a worker's hands."""

    account: str
    id: int
    fence: int


@attrs.frozen(kw_only=True)
class Look:
    """What waits: how many are due (counted up to a cap), when the next will be, whether a dead worker left some."""

    due: int
    next_at: datetime | None
    orphans: bool


@attrs.frozen(kw_only=True)
class Ended:
    """How a turn ended. None leaves a thing as it is; an open state needs `run_at`."""

    held: Held
    state: State
    now: datetime
    run_at: datetime | None = None
    message: str | None = None
    payload: Mapping[str, Any] | None = None
    attempts: int | None = None
    error_key: str | None = None
    error: str | None = None


def look(tx: Tx, who: Who, now: datetime, cap: int) -> Look:
    """Ask, change nothing."""
    known = facts(who, now, cap) | {"me": who.worker}
    count, next_at, late = tx.execute(_look(alone=who.only is not None), known).one()
    orphans = bool(late) or (who.alive is not None and bool(_orphaned(tx, who, now)))
    return Look(due=count, next_at=None if count else maybe_moment(next_at), orphans=orphans)


def take(tx: Tx, who: Who, now: datetime, lease_until: datetime, limit: int, busy: Busy | None = None) -> list[Held]:
    """`rescue`, then `take_due`: what was taken."""
    rescue(tx, who, now)
    return take_due(tx, who, now, lease_until, limit, busy or {})[0]


def rescue(tx: Tx, who: Who, now: datetime) -> list[Held]:
    """What the dead and the late left is due again, for whoever takes it; those that were given up instead."""
    orphans, over = _unlocked(tx, _orphaned(tx, who, now)), list[Held]()
    if orphans:
        over = _give_up(tx, orphans, now)
        tx.execute(
            sa.update(process)
            .where(C.id.in_(orphans), C.state == State.RUNNING.value)
            .values(state=State.QUEUED.value, worker="", lease_until=0, crashes=C.crashes + 1)
        )
        engine.call(tx, orphans)
    return over


def take_due(
    tx: Tx, who: Who, now: datetime, lease_until: datetime, limit: int, busy: Busy
) -> tuple[list[Held], int]:  # fmt: skip
    """Take up to `limit` due ones: fence raised, worker and lease written. With it, how many more are due (capped).

    Fair: of all due ones those of the accounts that have the least in hand; of these those of such connections; of
    these the longest due. On PostgreSQL those that another worker is just taking are passed over.

    Args:
        busy: by account and connection, the turns it has now or had lately here.
    """
    ids, due = fairest(tx, who, now, limit, busy)
    if not ids:
        return [], due
    rows = tx.execute(
        _TAKE,
        {"ids": ids, "taker": who.worker, "lease": micros(lease_until), "now": micros(now)},
    )
    taken = {row[0]: Held(id=row[0], account=row[1], fence=row[2]) for row in rows}
    return [taken[one] for one in ids if one in taken], due - len(taken)


def _give_up(tx: Tx, orphans: Collection[int], now: datetime) -> list[Held]:
    """Those that every worker dies over fail, instead of taking the next one down too."""
    crash = errors.WorkerLost(
        f"{CRASHES} workers in a row ended while they ran this, without getting a page further. Look into their last "
        "words (memory, signals, native code of the driver), then start it again."
    )
    rows = tx.execute(
        sa.update(process)
        .where(C.id.in_(orphans), C.state == State.RUNNING.value, C.crashes >= CRASHES - 1)
        .values(
            state=State.FAILED.value, worker="", lease_until=0, crashes=CRASHES, finished_at=micros(now),
            error_key=crash.key, error=str(crash),
        )
        .returning(C.account_id, C.id, C.fence)
    )  # fmt: skip
    return [Held(account=row[0], id=row[1], fence=row[2]) for row in rows]


def finish(tx: Tx, ended: Ended) -> State | None:
    """`finish_all` of one; None: somebody else has it, and nothing was written."""
    return finish_all(tx, [ended]).get((ended.held.id, ended.held.fence))


def finish_all(tx: Tx, ended: Sequence[Ended]) -> dict[tuple[int, int], State]:
    """Write how turns ended, in one statement: the states they are in now, by id and fence.

    One that was asked to end is cancelled unless it succeeded. One that somebody else has is not in the answer.
    """
    if not ended:
        return {}
    values = [value for one in ended for value in _values(one)]
    rows = tx.exec_driver_sql(_finish(len(ended), tx.dialect.paramstyle), tuple(values))
    return {(row[0], row[1]): State(row[2]) for row in rows}


def _values(one: Ended) -> tuple[object, ...]:
    over = one.state in {State.SUCCEEDED, State.FAILED, State.CANCELLED}
    at = micros(one.now)
    return (
        one.held.id, one.held.account, one.held.fence, one.state.value, at if over else None, at,
        None if one.run_at is None else micros(one.run_at), one.message,
        None if one.payload is None else json.dumps(dict(one.payload)), one.attempts, one.error_key, one.error,
    )  # fmt: skip


@cache
def _finish(count: int, paramstyle: str) -> str:
    """The statement for so many at once."""
    types = ("BIGINT", "TEXT", "BIGINT", "TEXT", "BIGINT", "BIGINT", "BIGINT", "TEXT", "TEXT", "BIGINT", "TEXT", "TEXT")
    row = "(" + ", ".join(f"CAST(? AS {one})" for one in types) + ")"
    text = _FINISH.replace("ROWS", ", ".join([row] * count))
    return text if paramstyle == "qmark" else text.replace("?", "%s")


def prolong(tx: Tx, worker: str, lease_until: datetime) -> dict[tuple[int, int], bool]:
    """Prolong all leases of a worker: (id, fence) of what it holds -> whether that is asked to end."""
    rows = tx.execute(
        sa.update(process)
        .where(C.worker == worker, C.state == State.RUNNING.value)
        .values(lease_until=micros(lease_until))
        .returning(C.id, C.fence, C.cancel)
    )
    return {(row[0], row[1]): bool(row[2]) for row in rows}


def holding(tx: Tx, worker: str) -> dict[tuple[int, int], bool]:
    """What `prolong` answers, and nothing is prolonged."""
    rows = tx.execute(sa.select(C.id, C.fence, C.cancel).where(C.worker == worker, C.state == State.RUNNING.value))
    return {(row[0], row[1]): bool(row[2]) for row in rows}


def leave(tx: Tx, worker: str, now: datetime) -> int:
    """A worker goes: whatever it still holds is queued again (or cancelled, when asked); how many."""
    asked = C.cancel == 1
    done = tx.execute(
        sa.update(process)
        .where(C.worker == worker, C.state == State.RUNNING.value)
        .values(
            state=sa.case((asked, State.CANCELLED.value), else_=State.QUEUED.value), worker="", lease_until=0,
            run_at=micros(now), finished_at=sa.case((asked, micros(now)), else_=None),
        )
        .returning(C.id, C.state)
    ).all()  # fmt: skip
    engine.call(tx, (row[0] for row in done if row[1] == State.QUEUED.value))
    return len(done)


# Statements are built once: building one costs as much as running it.
@cache
def _look(*, alone: bool) -> sa.Select[Any]:
    """One question for all: how many are due, when the next is, and whether a lease is over."""
    due = sa.select(C.id).where(idle(alone), C.run_at <= sa.bindparam("now")).limit(sa.bindparam("depth"))
    late = sa.select(C.id).where(
        sa.text("state = 'running'"), C.worker != sa.bindparam("me"), C.lease_until <= sa.bindparam("now")
    )
    return sa.select(
        sa.select(sa.func.count()).select_from(due.subquery()).scalar_subquery(),
        sa.select(sa.func.min(C.run_at)).where(idle(alone)).scalar_subquery(),
        sa.exists(late),
    )


def _orphaned(tx: Tx, who: Who, now: datetime) -> list[int]:
    """Ids of what runs nowhere: the worker is dead, or its lease is over."""
    others = tx.execute(_OTHERS, {"me": who.worker}).all()
    dead = {one for one in {row[1] for row in others} if who.alive is not None and not who.alive(one)}
    return [row[0] for row in others if row[1] in dead or row[2] <= micros(now)]


def _unlocked(tx: Tx, ids: list[int]) -> list[int]:
    """PostgreSQL only: those that no other worker is just taking, so that workers neither wait nor deadlock."""
    if not ids or tx.dialect.name != "postgresql":
        return ids
    free = set(
        tx.execute(sa.select(C.id).where(C.id.in_(ids)).order_by(C.id).with_for_update(skip_locked=True)).scalars()
    )
    return [one for one in ids if one in free]


_OTHERS = sa.select(C.id, C.worker, C.lease_until).where(sa.text("state = 'running'"), C.worker != sa.bindparam("me"))
_FREE = (  # FOR UPDATE SKIP LOCKED, so that workers neither wait nor deadlock; SQLite has one writer and no such words
    sa.select(C.id)
    .where(C.id.in_(sa.bindparam("ids", expanding=True)), sa.text("state IN ('queued','waiting')"))
    .order_by(C.id)
    .with_for_update(skip_locked=True)
)
_TAKE = (
    sa.update(process)
    .where(C.id.in_(_FREE.scalar_subquery()))
    .values(
        state=State.RUNNING.value, fence=C.fence + 1, worker=sa.bindparam("taker"),
        lease_until=sa.bindparam("lease"), started_at=sa.func.coalesce(C.started_at, sa.bindparam("now")),
    )
    .returning(C.id, C.account_id, C.fence)
)  # fmt: skip
_ASKED = "omni_process.cancel = 1 AND e.state <> 'succeeded'"
_FINISH = (
    "WITH e(id, account_id, fence, state, over_at, at, due, said, payload, tries, wrong, why) AS (VALUES ROWS) "  # noqa: S608
    f"UPDATE omni_process SET state = CASE WHEN {_ASKED} THEN 'cancelled' ELSE e.state END, "
    f"finished_at = CASE WHEN {_ASKED} THEN e.at ELSE e.over_at END, run_at = COALESCE(e.due, omni_process.run_at), "
    "message = COALESCE(e.said, omni_process.message), payload = COALESCE(e.payload, omni_process.payload), "
    "attempts = COALESCE(e.tries, omni_process.attempts), error_key = COALESCE(e.wrong, omni_process.error_key), "
    "error = COALESCE(e.why, omni_process.error), worker = '', lease_until = 0 FROM e "
    "WHERE omni_process.id = e.id AND omni_process.account_id = e.account_id AND omni_process.fence = e.fence "
    "AND omni_process.state = 'running' RETURNING omni_process.id, omni_process.fence, omni_process.state"
)
