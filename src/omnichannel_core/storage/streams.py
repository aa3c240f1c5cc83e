"""Where each pull goes on: cursor, run and fence of a (connection, stream)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs
import sqlalchemy as sa

from omnichannel_core import errors
from omnichannel_core.storage.schema import process, stream
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.times import micros

S = stream.c


@attrs.frozen(kw_only=True)
class Taken:
    """A stream in somebody's hands. `run` counts the runs of a snapshot, 0 is before the first."""

    connection: int
    stream: str
    cursor: bytes | None
    fence: int
    run: int
    records: int
    waiting: str


class Busy(Exception):
    """Another open process has the stream."""


def take(tx: Tx, account: str, connection_id: int, name: str, holder: int) -> Taken:
    """Take the stream for a process; every take raises the fence, so that whoever had it commits nothing more.

    Raises:
        Busy: another running process has it.
    """
    row = tx.execute(sa.select(stream).filter_by(connection_id=connection_id, stream=name)).one_or_none()
    if row is None:
        tx.execute(stream.insert().values(connection_id=connection_id, stream=name, account_id=account))
    elif row.holder not in (0, holder) and _runs(tx, row.holder):
        raise Busy
    row = tx.execute(
        sa.update(stream).filter_by(connection_id=connection_id, stream=name, account_id=account)
        .values(fence=S.fence + 1, holder=holder).returning(stream)
    ).one()  # fmt: skip
    return Taken(
        connection=connection_id, stream=name, cursor=row.cursor, fence=row.fence, run=row.run,
        records=row.records, waiting=row.waiting,
    )  # fmt: skip


def commit(tx: Tx, taken: Taken, cursor: bytes, *, records: int, waiting: str = "") -> None:
    """The page's cursor, in the page's transaction.

    Raises:
        Superseded: somebody else has the stream.
    """
    done = tx.exec_driver_sql(
        _COMMIT[tx.dialect.paramstyle], (cursor, records, waiting, taken.connection, taken.stream, taken.fence)
    )
    if done.rowcount != 1:
        raise errors.Superseded(f"Stream {taken.stream} of connection {taken.connection} was taken over.")


_SQL = (
    "UPDATE omni_stream SET cursor = ?, pages = pages + 1, records = records + ?, waiting = ? "
    "WHERE connection_id = ? AND stream = ? AND fence = ?"
)
_COMMIT = {"qmark": _SQL, "pyformat": _SQL.replace("?", "%s"), "format": _SQL.replace("?", "%s")}


def begin_run(tx: Tx, taken: Taken) -> Taken:
    """A snapshot starts anew: next run, cursor at the beginning."""
    row = tx.execute(
        sa.update(stream).filter_by(connection_id=taken.connection, stream=taken.stream, fence=taken.fence)
        .values(run=S.run + 1, cursor=None, records=0).returning(S.run)
    ).one_or_none()  # fmt: skip
    if row is None:
        raise errors.Superseded(f"Stream {taken.stream} of connection {taken.connection} was taken over.")
    return attrs.evolve(taken, run=row.run, cursor=None, records=0)


def ended(tx: Tx, taken: Taken) -> bool:
    """Whether the last run came to its end (or none was begun)."""
    query = sa.select(S.run_complete).filter_by(connection_id=taken.connection, stream=taken.stream)
    return bool(tx.execute(query).scalar() == taken.run)


def end_run(tx: Tx, taken: Taken, now: datetime) -> None:
    """The run has ended; what a snapshot did not contain may retire now."""
    done = tx.execute(
        sa.update(stream).filter_by(connection_id=taken.connection, stream=taken.stream, fence=taken.fence)
        .values(run_complete=S.run, last_run_at=micros(now), waiting="", holder=0)
    )  # fmt: skip
    if done.rowcount != 1:
        raise errors.Superseded(f"Stream {taken.stream} of connection {taken.connection} was taken over.")


def give_back(tx: Tx, taken: Iterable[Taken]) -> None:
    """Whoever holds them no longer does."""
    for one in taken:
        tx.execute(
            sa.update(stream)
            .filter_by(connection_id=one.connection, stream=one.stream, fence=one.fence)
            .values(holder=0)
        )


def set_cursor(tx: Tx, account: str, connection_id: int, name: str, cursor: bytes) -> None:
    """From outside (a widened filter): whoever runs is fenced off and goes on from here."""
    tx.execute(
        sa.update(stream).filter_by(connection_id=connection_id, stream=name, account_id=account)
        .values(cursor=cursor, fence=S.fence + 1, holder=0)
    )  # fmt: skip


def cursors(tx: Tx, account: str, connection_id: int) -> dict[str, bytes]:
    """Stored cursors by stream."""
    rows = tx.execute(sa.select(S.stream, S.cursor).filter_by(connection_id=connection_id, account_id=account))
    return {row[0]: row[1] for row in rows if row[1] is not None}


def raise_fences(tx: Tx, account: str, connection_id: int) -> None:
    """Nobody who works on the connection commits anything more."""
    tx.execute(
        sa.update(stream).filter_by(connection_id=connection_id, account_id=account).values(fence=S.fence + 1, holder=0)
    )


def _runs(tx: Tx, process_id: int) -> bool:
    return tx.execute(sa.select(process.c.id).filter_by(id=process_id, state="running")).scalar() is not None


def current_run(tx: Tx, connection_id: int, name: str) -> int:
    """The run a snapshot is in."""
    return int(tx.execute(sa.select(S.run).filter_by(connection_id=connection_id, stream=name)).scalar() or 0)
