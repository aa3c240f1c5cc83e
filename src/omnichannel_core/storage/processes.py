"""Processes of one account: submitted, seen, cancelled, and the beat of a running one."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa

from omnichannel_core import errors
from omnichannel_core.model.process import Process, State
from omnichannel_core.storage import engine
from omnichannel_core.storage.schema import OPEN_STATES, process
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.times import maybe_moment, micros, moment

C = process.c
_OPEN = sa.text(OPEN_STATES)
_IDLE = (State.QUEUED.value, State.WAITING.value)


@attrs.frozen(kw_only=True)
class Beat:
    """What a running process tells in passing; None leaves a thing as it is."""

    done: int | None = None
    total: int | None = None
    message: str | None = None
    payload: Mapping[str, Any] | None = None

    @property
    def progress(self) -> bool:
        """Something was achieved, so earlier failed attempts no longer count."""
        return self.done is not None or self.payload is not None


class Processes:
    """In one transaction, of one account."""

    def __init__(self, tx: Tx, account: str) -> None:
        self._tx, self._account = tx, account

    def submit(
        self, *, connection: int | None, kind: str, key: str, payload: Mapping[str, Any], now: datetime,
        run_at: datetime | None = None, message: str = "",
    ) -> tuple[Process, bool]:  # fmt: skip
        """A new process, or the open one of the same key (`''` is no key); and whether it is new.

        Shape of the answer: (process, new).
        """
        at = micros(now)
        due = at if run_at is None else micros(run_at)
        values = {
            "account": self._account, "connection": connection, "kind": kind, "key": key,
            "payload": json.dumps(dict(payload)), "message": message, "now": at,
            "run_at": due,
        }  # fmt: skip
        while (row := self._tx.execute(_INSERT, values).one_or_none()) is None:
            held = self._tx.execute(
                sa.select(process).where(C.account_id == self._account, C.key == key, _OPEN)
            ).one_or_none()
            if held is not None:  # else it has just ended: on a server, others commit meanwhile
                return process_of(held._mapping), False
        fresh = Process(
            id=row.id, account=self._account, connection=connection, kind=kind, key=key, state=State.QUEUED,
            payload=dict(payload), run_at=moment(due), message=message, created_at=moment(at),
        )  # fmt: skip
        if due <= at:
            engine.call(self._tx, [fresh.id])
        return fresh, True

    def get(self, process_id: int) -> Process:
        """One.

        Raises:
            NotFound: not in this account.
        """
        found = self.many([process_id])
        if not found:
            raise errors.NotFound(f"Account {self._account!r} has no process {process_id}.")
        return found[0]

    def many(self, ids: Iterable[int]) -> list[Process]:
        """Those of these ids that are there, by id."""
        rows = self._tx.execute(_MANY, {"account": self._account, "ids": list(ids)})
        return [process_of(row) for row in rows.mappings()]

    def page(
        self, *, connection: int | None = None, states: Collection[State] | None = None, kind: str | None = None,
        before: int | None = None, limit: int = 50,
    ) -> list[Process]:  # fmt: skip
        """A page, newest first; `before` is the last id of the page before."""
        query = sa.select(process).where(C.account_id == self._account).order_by(C.id.desc()).limit(limit)
        if connection is not None:
            query = query.where(C.connection_id == connection)
        if states is not None:
            query = query.where(C.state.in_([one.value for one in states]))
        if kind is not None:
            query = query.where(C.kind == kind)
        if before is not None:
            query = query.where(C.id < before)
        return [process_of(row) for row in self._tx.execute(query).mappings()]

    def cancel(self, process_id: int, now: datetime) -> Process:
        """Ask it to end: at once when nobody runs it, else its runner is told. One that has ended stays as it is.

        Raises:
            NotFound: not in this account.
        """
        self._cancel(C.id == process_id, now)
        return self.get(process_id)

    def cancel_all(self, connection: int, now: datetime, *, keep: Collection[int] = ()) -> list[int]:
        """Ask all open ones of a connection to end, but those of `keep`; ids of those that were asked."""
        return self._cancel(sa.and_(C.connection_id == connection, C.id.not_in(list(keep))), now)

    def fence_off(self, connection: int, now: datetime, *, keep: Collection[int] = ()) -> list[int]:
        """End all open ones of a connection now; whoever runs one commits nothing more. Ids of those that ended."""
        rows = self._tx.execute(
            sa.update(process)
            .where(C.account_id == self._account, C.connection_id == connection, C.id.not_in(list(keep)))
            .where(_OPEN)
            .values(
                state=State.CANCELLED.value, cancel=1, fence=C.fence + 1, worker="", lease_until=0,
                finished_at=micros(now),
            )
            .returning(C.id)
        )  # fmt: skip
        return [row[0] for row in rows]

    def forget(self, connection: int, *, keep: Collection[int] = ()) -> int:
        """Remove the rows of a connection's ended processes, but those of `keep`; how many."""
        done = self._tx.execute(
            process.delete().where(
                C.account_id == self._account, C.connection_id == connection,
                C.finished_at.is_not(None), C.id.not_in(list(keep)),
            )
        )  # fmt: skip
        return done.rowcount

    def beat(self, process_id: int, fence: int, beat: Beat, lease_until: datetime) -> bool:
        """Store progress and prolong the lease, in the transaction of what was achieved; whether to end.

        Raises:
            Superseded: somebody else has the process, or it has ended.
        """
        payload = None if beat.payload is None else json.dumps(dict(beat.payload))
        row = self._tx.exec_driver_sql(
            _BEAT[self._tx.dialect.paramstyle],
            (beat.done, beat.total, beat.message, payload, int(beat.progress), int(beat.progress),
             int(beat.progress), micros(lease_until), process_id, self._account, fence),
        ).one_or_none()  # fmt: skip
        if row is None:
            raise errors.Superseded(f"Process {process_id} was taken over.")
        return bool(row[0])

    def _cancel(self, which: sa.ColumnElement[bool], now: datetime) -> list[int]:
        idle = C.state.in_(_IDLE)
        rows = self._tx.execute(
            sa.update(process)
            .where(C.account_id == self._account, _OPEN, which)
            .values(
                cancel=1, state=sa.case((idle, State.CANCELLED.value), else_=C.state),
                finished_at=sa.case((idle, micros(now)), else_=C.finished_at),
            )
            .returning(C.id)
        )  # fmt: skip
        return [row[0] for row in rows]


_MANY = (
    sa.select(process)
    .where(C.account_id == sa.bindparam("account"), C.id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(C.id)
)
_IN_HAND = (
    sa.select(process)
    .where(sa.tuple_(C.account_id, C.id).in_(sa.bindparam("held", expanding=True)))
    .order_by(C.id)
)  # fmt: skip
# A partial index's predicate must be text: a prepared statement with bound states no longer finds the index.
_INSERT = sa.text(
    "INSERT INTO omni_process (account_id, connection_id, kind, key, payload, message, created_at, run_at) "  # noqa: S608
    "VALUES (:account, :connection, :kind, :key, :payload, :message, :now, :run_at) "
    f"ON CONFLICT (account_id, key) WHERE key <> '' AND {OPEN_STATES} DO NOTHING RETURNING id"
)
_SQL = (
    "UPDATE omni_process SET done = COALESCE(?, done), total = COALESCE(?, total), message = COALESCE(?, message), "
    "payload = COALESCE(?, payload), crashes = 0, attempts = CASE WHEN ? = 1 THEN 0 ELSE attempts END, "
    "error_key = CASE WHEN ? = 1 THEN '' ELSE error_key END, error = CASE WHEN ? = 1 THEN '' ELSE error END, "
    "lease_until = ? WHERE id = ? AND account_id = ? AND fence = ? AND state = 'running' RETURNING cancel"
)
_BEAT = {"qmark": _SQL, "pyformat": _SQL.replace("?", "%s"), "format": _SQL.replace("?", "%s")}


def in_hand(tx: Tx, held: Iterable[tuple[str, int]]) -> list[Process]:
    """Those of a worker's own processes (account, id), whoever they belong to, in one question."""
    wanted = list(held)
    return [process_of(row) for row in tx.execute(_IN_HAND, {"held": wanted}).mappings()] if wanted else []


def prune(tx: Tx, before: datetime, limit: int = 10_000) -> int:
    """The worker's door: remove rows of what ended before; how many. At most `limit`, so that others can write."""
    old = sa.select(C.id).where(C.finished_at < micros(before)).limit(limit)
    return tx.execute(process.delete().where(C.id.in_(old))).rowcount


def process_of(row: Mapping[Any, Any]) -> Process:
    """A row as values."""
    return Process(
        id=row["id"], account=row["account_id"], connection=row["connection_id"], kind=row["kind"], key=row["key"],
        state=State(row["state"]), payload=json.loads(row["payload"]), fence=row["fence"], worker=row["worker"],
        lease_until=maybe_moment(row["lease_until"] or None), run_at=moment(row["run_at"]), done=row["done"],
        total=row["total"], message=row["message"], cancel=bool(row["cancel"]), attempts=row["attempts"],
        error_key=row["error_key"], error=row["error"], created_at=moment(row["created_at"]),
        started_at=maybe_moment(row["started_at"]), finished_at=maybe_moment(row["finished_at"]),
    )  # fmt: skip
