"""Process rows: taken with a fence, beaten while they run, ended once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from omnichannel_core import errors
from omnichannel_core.model.process import OPEN, Process, State
from omnichannel_core.storage.schema import process
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.times import maybe_moment, micros, moment

P = process.c
_OPEN = [state.value for state in OPEN]


def submit(
    tx: Tx, *, account: str, connection: int | None, kind: str, key: str, payload: Mapping[str, Any], now: datetime,
    run_at: datetime | None = None, message: str = "",
) -> tuple[Process, bool]:  # fmt: skip
    """Queue one, in the caller's transaction; the open one of that key when there is one (then False)."""
    if key:
        row = tx.execute(sa.select(process).where(P.key == key, P.state.in_(_OPEN))).one_or_none()
        if row is not None:
            return process_of(row._mapping), False
    row = tx.execute(
        process.insert().values(
            account_id=account, connection_id=connection, kind=kind, key=key, payload=json.dumps(dict(payload)),
            run_at=micros(run_at or now), created_at=micros(now), message=message,
        ).returning(process)
    ).one()  # fmt: skip
    return process_of(row._mapping), True


def get(tx: Tx, account: str, process_id: int) -> Process:
    """One.

    Raises:
        NotFound: not in this account.
    """
    row = tx.execute(sa.select(process).where(P.account_id == account, P.id == process_id)).one_or_none()
    if row is None:
        raise errors.NotFound(f"Account {account!r} has no process {process_id}.")
    return process_of(row._mapping)


def some(
    tx: Tx, account: str, *, connection: int | None, states: Iterable[State] | None, kind: str | None,
    before: int | None, limit: int,
) -> Sequence[Process]:  # fmt: skip
    """Newest first; `before` is the last id of the page before."""
    query = sa.select(process).where(P.account_id == account).order_by(P.id.desc()).limit(limit)
    if connection is not None:
        query = query.where(P.connection_id == connection)
    if states is not None:
        query = query.where(P.state.in_([state.value for state in states]))
    if kind is not None:
        query = query.where(P.kind == kind)
    if before is not None:
        query = query.where(P.id < before)
    return [process_of(row._mapping) for row in tx.execute(query)]


def cancel(tx: Tx, account: str, process_id: int, now: datetime) -> Process:
    """One that waits ends at once; one that runs is asked to."""
    found = get(tx, account, process_id)
    if found.state in (State.QUEUED, State.WAITING):
        end(tx, found.id, found.fence, State.CANCELLED, now, message="Cancelled.")
    elif found.state is State.RUNNING:
        tx.execute(sa.update(process).where(P.account_id == account, P.id == process_id).values(cancel=1))
    return get(tx, account, process_id)


# --- the worker's door --------------------------------------------------------------------------------------------
def due(tx: Tx, now: datetime, limit: int) -> bool:
    """Whether anything waits to be taken: cheap, without a write."""
    query = sa.select(P.id).where(P.state.in_(("queued", "waiting")), P.run_at <= micros(now)).limit(limit)
    return tx.execute(query).first() is not None


def next_due(tx: Tx) -> datetime | None:
    """When the next one is due."""
    return maybe_moment(tx.execute(sa.select(sa.func.min(P.run_at)).where(P.state.in_(("queued", "waiting")))).scalar())


def take(tx: Tx, worker: str, now: datetime, until: datetime, limit: int, only: int | None = None) -> list[Process]:
    """Up to so many that are due, oldest first, theirs from now on; each take raises the fence."""
    wanted = sa.select(P.id).where(P.state.in_(("queued", "waiting")), P.run_at <= micros(now))
    if only is not None:
        wanted = sa.select(P.id).where(P.state.in_(("queued", "waiting")), P.id == only)
    ids = [row[0] for row in tx.execute(wanted.order_by(P.run_at, P.id).limit(limit).with_for_update(skip_locked=True))]
    return _take(tx, ids, worker, now, until)


def abandoned(tx: Tx, now: datetime, alive: Callable[[str], bool]) -> list[int]:
    """Running ones whose worker is dead, or has not been heard of for longer than its lease."""
    rows = tx.execute(sa.select(P.id, P.worker, P.lease_until).where(P.state == "running")).all()
    known: dict[str, bool] = {}
    for worker in {row[1] for row in rows}:
        known[worker] = alive(worker)
    return [row[0] for row in rows if row[2] < micros(now) or not known[row[1]]]


def take_over(tx: Tx, ids: Sequence[int], now: datetime) -> None:
    """Back into the queue with a raised fence: whoever had them commits nothing more."""
    tx.execute(
        sa.update(process).where(P.id.in_(ids), P.state == "running")
        .values(state="queued", fence=P.fence + 1, run_at=micros(now), worker="")
    )  # fmt: skip


def _take(tx: Tx, ids: Sequence[int], worker: str, now: datetime, until: datetime) -> list[Process]:
    if not ids:
        return []
    rows = tx.execute(
        sa.update(process).where(P.id.in_(ids))
        .values(
            state="running", fence=P.fence + 1, worker=worker, lease_until=micros(until),
            started_at=sa.func.coalesce(P.started_at, micros(now)),
        ).returning(process)
    )  # fmt: skip
    return sorted((process_of(row._mapping) for row in rows), key=lambda one: (one.run_at, one.id))


_BEAT = (
    "UPDATE omni_process SET lease_until = ?, done = COALESCE(?, done), total = COALESCE(?, total), "
    "message = COALESCE(?, message), attempts = 0 WHERE id = ? AND fence = ? AND state = 'running' RETURNING cancel"
)
_BEATS = {"qmark": _BEAT, "pyformat": _BEAT.replace("?", "%s"), "format": _BEAT.replace("?", "%s")}


def beat(
    tx: Tx, process_id: int, fence: int, until: datetime, done: int | None, total: int | None, message: str | None
) -> bool:
    """In the transaction of what was done: still ours? Progress is stored; answers whether it is to be cancelled.

    Raises:
        Superseded: somebody else has it, or it has ended.
    """
    row = tx.exec_driver_sql(
        _BEATS[tx.dialect.paramstyle], (micros(until), done, total, message, process_id, fence)
    ).one_or_none()
    if row is None:
        raise errors.Superseded(f"Process {process_id} was taken over.")
    return bool(row[0])


def heartbeat(tx: Tx, worker: str, until: datetime) -> None:
    """All of a worker's leases at once."""
    tx.execute(sa.update(process).where(P.worker == worker, P.state == "running").values(lease_until=micros(until)))


def to_cancel(tx: Tx, worker: str) -> list[tuple[int, int]]:
    """(id, fence) of a worker's processes that somebody wants to end."""
    rows = tx.execute(sa.select(P.id, P.fence).where(P.worker == worker, P.state == "running", P.cancel == 1))
    return [(row[0], row[1]) for row in rows]


def end(
    tx: Tx, process_id: int, fence: int, state: State, now: datetime, *, message: str | None = None,
    error: errors.OmnichannelError | None = None, payload: Mapping[str, Any] | None = None,
) -> bool:  # fmt: skip
    """One of the ends; False when it is no longer ours."""
    values: dict[str, Any] = {"state": state.value, "finished_at": micros(now), "worker": ""}
    if message is not None:
        values["message"] = message
    if error is not None:
        values |= {"error_key": error.key, "error": str(error)}
    if payload is not None:
        values["payload"] = json.dumps(dict(payload))
    changed = tx.execute(
        sa.update(process).where(P.id == process_id, P.fence == fence, P.state.in_(_OPEN)).values(**values)
    )
    return changed.rowcount == 1


def put_back(
    tx: Tx, process_id: int, fence: int, run_at: datetime, *, waiting: str = "", payload: Mapping[str, Any],
    error: errors.OmnichannelError | None = None, attempts: int | None = None,
) -> bool:  # fmt: skip
    """Queued again (the slot is given back), or waiting for a time with a reason; False when it is no longer ours."""
    values: dict[str, Any] = {
        "state": "waiting" if waiting else "queued", "run_at": micros(run_at), "payload": json.dumps(dict(payload)),
        "worker": "", "error_key": error.key if error else "", "error": str(error) if error else "",
    }  # fmt: skip
    if waiting:
        values["message"] = waiting
    if attempts is not None:
        values["attempts"] = attempts
    changed = tx.execute(
        sa.update(process).where(P.id == process_id, P.fence == fence, P.state == "running").values(**values)
    )
    return changed.rowcount == 1


def wake(tx: Tx, account: str, connection: int, now: datetime) -> int:
    """Waiting ones of a connection are due now."""
    return tx.execute(
        sa.update(process).where(P.account_id == account, P.connection_id == connection, P.state == "waiting")
        .values(run_at=micros(now))
    ).rowcount  # fmt: skip


def prune(tx: Tx, before: datetime, limit: int = 1000) -> int:
    """Ended ones of before then; how many."""
    ids = [row[0] for row in tx.execute(sa.select(P.id).where(P.finished_at < micros(before)).limit(limit))]
    tx.execute(process.delete().where(P.id.in_(ids)))
    return len(ids)


def process_of(row: Mapping[Any, Any]) -> Process:
    """A row as a value."""
    return Process(
        id=row["id"], account=row["account_id"], connection=row["connection_id"], kind=row["kind"], key=row["key"],
        state=State(row["state"]), payload=json.loads(row["payload"]), fence=row["fence"], worker=row["worker"],
        lease_until=maybe_moment(row["lease_until"] or None), run_at=moment(row["run_at"]), done=row["done"],
        total=row["total"], message=row["message"], cancel=bool(row["cancel"]), attempts=row["attempts"],
        error_key=row["error_key"], error=row["error"], created_at=moment(row["created_at"]),
        started_at=maybe_moment(row["started_at"]), finished_at=maybe_moment(row["finished_at"]),
    )  # fmt: skip
