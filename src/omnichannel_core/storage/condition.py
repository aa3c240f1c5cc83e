"""How a store is, or a connection: counts, times and a server's settings. No text of anybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import attrs
import sqlalchemy as sa

from omnichannel_core.model.outbox import Sending
from omnichannel_core.model.process import State
from omnichannel_core.storage import engine, outbox
from omnichannel_core.storage.schema import connection, process, stream, trouble
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.times import maybe_moment, micros

SETTINGS = (
    "server_version", "server_encoding", "fsync", "full_page_writes", "synchronous_commit", "autovacuum",
    "statement_timeout", "max_connections", "idle_in_transaction_session_timeout", "default_transaction_read_only",
)  # fmt: skip


@attrs.frozen(kw_only=True)
class Server:
    """The server of a store, as a session of the house sees it.

    Attributes:
        settings: SETTINGS by name, as the server says them.
        standby: it only follows another server.
        sessions: there are now, of everybody.
        ahead: so far the server's clock is before the house's.
    """

    settings: Mapping[str, str]
    standby: bool
    sessions: int
    ahead: timedelta


@attrs.frozen(kw_only=True)
class Condition:
    """What `omnichannel doctor` looks at.

    Attributes:
        connections: (status, health) -> how many.
        due: processes that could run now and do not; `due_since`: the one that waits longest.
        others: programs that have this store open besides this one (a server's: workers on asyncio).
        bad: records that could not be taken; rejected, unknown: pushes that wait for a person.
        settling: pushes that may have arrived and are looked for.
        server: None for SQLite.
    """

    connections: Mapping[tuple[str, str], int]
    due: int
    due_since: datetime | None
    others: int
    bad: int
    rejected: int
    unknown: int
    settling: int
    server: Server | None


def look(tx: Tx, clock: Callable[[], datetime], others: int) -> Condition:
    """Ask, change nothing. `others` counts for SQLite, where file locks tell it."""
    now = clock()
    c = process.c
    waiting = sa.and_(c.state.in_((State.QUEUED.value, State.WAITING.value)), c.run_at <= micros(now))
    due, since = tx.execute(sa.select(sa.func.count(), sa.func.min(c.run_at)).where(waiting)).one()
    health = sa.select(connection.c.status, connection.c.health, sa.func.count()).group_by(
        connection.c.status, connection.c.health
    )
    pushes = _by_state(tx, outbox.failed())
    unsure = _by_state(tx, outbox.C.state == Sending.UNKNOWN.value)
    unknown = pushes.get(Sending.UNKNOWN.value, 0)
    server = _server(tx, clock) if tx.dialect.name == "postgresql" else None
    return Condition(
        connections={(status, state): count for status, state, count in tx.execute(health)},
        due=due, due_since=maybe_moment(since), others=others if server is None else engine.workers(tx),
        bad=tx.scalar(sa.select(sa.func.count()).where(trouble.c.state == "open")) or 0,
        rejected=pushes.get(Sending.REJECTED.value, 0), unknown=unknown,
        settling=unsure.get(Sending.UNKNOWN.value, 0) - unknown, server=server,
    )  # fmt: skip


@attrs.frozen(kw_only=True)
class StreamState:
    """Where a pull of a connection is. `last_run_at`: its last run came to its end; `begun`: it has a cursor."""

    stream: str
    begun: bool
    pages: int
    records: int
    waits: bool
    last_run_at: datetime | None


def pulls(tx: Tx, account: str, connection_id: int) -> list[StreamState]:
    """Of one connection, by name."""
    s = stream.c
    found = tx.execute(
        sa.select(s.stream, s.cursor.is_not(None).label("begun"), s.pages, s.records, s.waiting, s.last_run_at)
        .where(s.account_id == account, s.connection_id == connection_id)
        .order_by(s.stream)
    )
    return [
        StreamState(
            stream=row.stream, begun=bool(row.begun), pages=row.pages, records=row.records, waits=bool(row.waiting),
            last_run_at=maybe_moment(row.last_run_at),
        )
        for row in found
    ]  # fmt: skip


def pushes(tx: Tx, account: str, connection_id: int) -> list[tuple[str, str, int]]:
    """(stream, state, how many) of one connection's outbox."""
    c = outbox.C
    counted = sa.select(c.stream, c.state, sa.func.count()).where(
        c.account_id == account, c.connection_id == connection_id
    )
    return [
        (str(name), str(state), int(count))
        for name, state, count in tx.execute(counted.group_by(c.stream, c.state).order_by(c.stream, c.state))
    ]


def _by_state(tx: Tx, which: sa.ColumnElement[bool]) -> dict[str, int]:
    counted = sa.select(outbox.C.state, sa.func.count()).where(which).group_by(outbox.C.state)
    return {str(state): int(count) for state, count in tx.execute(counted)}


def _server(tx: Tx, clock: Callable[[], datetime]) -> Server:
    said = {name: str(tx.execute(sa.func.current_setting(name).select()).scalar()) for name in SETTINGS}
    before = micros(clock())
    there = round(float(tx.scalar(sa.text("SELECT extract(epoch FROM clock_timestamp())")) or 0) * 1_000_000)
    after = micros(clock())  # between the two the answer took its time, and tells nothing
    return Server(
        settings=said,
        standby=bool(tx.scalar(sa.text("SELECT pg_is_in_recovery()"))),
        sessions=tx.scalar(sa.text("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")) or 0,
        ahead=timedelta(microseconds=there - min(max(there, before), after)),
    )
