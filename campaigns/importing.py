"""An order import in forked workers: what they say about where they are, and what the store holds afterwards."""

from __future__ import annotations

import contextvars
import importlib
import os
import sys
from collections.abc import Mapping
from typing import Any

import anyio
import attrs
import msgspec
import sqlalchemy as sa

from campaigns import counted
from campaigns.board import BEGUN, COMMITTED, PREPARING, TAKEN, WRITTEN
from campaigns.ground import ACCOUNT, Ground, forked
from omnichannel_core.connections import pulling
from omnichannel_core.connections.synchronizing import Synchronizing
from omnichannel_core.storage import pages, streams

_FENCE: contextvars.ContextVar[int] = contextvars.ContextVar("fence", default=0)
_NOT_HERE = {"__main__", "__mp_main__"}
_WHO = sa.text("SELECT fence FROM omni_process WHERE connection_id = :connection AND state = 'running'")
_HOST = sa.text("INSERT INTO host_order VALUES (:id, :worker, :stale)")
_TABLE = "CREATE TABLE host_order (id INTEGER NOT NULL, worker INTEGER NOT NULL, stale INTEGER NOT NULL)"


# --- the ground
def begin(ground: Ground) -> int:
    """A connection with its first synchronize queued, and the host's own table; the connection's id."""

    async def main() -> int:
        async with ground.house(work=False) as house:
            await ground.settle(house)
            saved = await house.connections.create(ACCOUNT, "counted", "Shop", {})
            return saved.connection.id

    ground.migrate()
    connection = anyio.run(main, backend="trio")
    ground.rows(_TABLE)
    return connection


def begun(ground: Ground) -> int:
    """`begin` in a process of its own; what it had to import is imported here, so that forked workers start at once."""
    connection, modules = forked(lambda: (begin(ground), sorted(sys.modules)))
    for name in modules:
        if name not in sys.modules and name.partition(".")[0] not in _NOT_HERE:
            importlib.import_module(name)
    return int(connection)


# --- a worker
def sink(tx: Any, connection: Any, stream: str, records: Any) -> None:
    """The host's rows, in the page's transaction; stale are those of a worker that has the process no more."""
    row = tx.execute(_WHO, {"connection": connection.id}).one_or_none()
    stale = int(row is None or row[0] != _FENCE.get())
    tx.execute(_HOST, [{"id": int(record.id), "worker": os.getpid(), "stale": stale} for record in records])


def speak() -> None:
    """In a forked worker: every place of an import is written on the board."""
    board = counted.BOARD
    handle, write, commit, prepare = (
        Synchronizing.handle, pulling.Pull._write, pulling.Pull._commit_now, pages.prepare
    )  # fmt: skip

    async def handling(self: Any, turn: Any) -> Any:
        _FENCE.set(turn.fence)
        board.at(TAKEN)
        return await handle(self, turn)

    def preparing(records: Any) -> Any:
        board.at(PREPARING)
        return prepare(records)

    def writing(self: Any, tx: Any, prepared: Any) -> Any:
        board.at(BEGUN)
        done = write(self, tx, prepared)
        board.at(WRITTEN)
        return done

    def committing(self: Any, found: Any) -> Any:
        try:
            done = commit(self, found)
        finally:
            board.leave_lane()
        board.at(COMMITTED)
        return done

    Synchronizing.handle, pages.prepare = handling, preparing  # type: ignore[method-assign]
    pulling.Pull._write, pulling.Pull._commit_now = writing, committing  # type: ignore[method-assign]


def cursor_apart() -> None:
    """The fault of the control: the cursor is committed in a transaction of its own, before its page."""
    commit, real = pulling.Pull._commit_now, streams.commit

    def apart(self: Any, found: Mapping[str, Any]) -> Any:
        def cursors(tx: Any) -> None:
            for channel, page in found.items():
                real(tx, self.taken[channel], msgspec.json.encode(page.cursor), records=0)

        self.parts.store.write_now(cursors)
        return commit(self, found)

    pulling.Pull._commit_now = apart  # type: ignore[method-assign]
    streams.commit = lambda *_, **__: None


def work(ground: Ground, connection: int, backend: str, lease: float = 60.0) -> None:
    """A worker: takes over what there is, and ends with the import."""

    async def main() -> None:
        async with ground.house(sink=sink, lease=lease) as house:
            process = await house.connections.synchronize(ACCOUNT, connection)
            await house.processes.wait(ACCOUNT, process.id)

    anyio.run(main, backend=backend)


# --- afterwards
@attrs.frozen(kw_only=True)
class Held:
    """What the store holds, beside what it should."""

    cursor: int
    lost: int
    doubled: int
    wrong_lines: int
    counted: int
    unacknowledged: int
    stale: int


def held(ground: Ground, connection: int) -> Held:
    """Read with the database's own client. Only while no worker lives."""
    ask = ground.rows
    (cursor, records), *_ = ask("SELECT cursor, records FROM omni_stream WHERE stream = 'orders'") or [(None, 0)]
    seen = msgspec.json.decode(cursor, type=counted.Cursor).seen if cursor else 0
    orders = {int(row[0]) for row in ask("SELECT remote_id FROM omni_record WHERE kind = 'Order'")}
    host = [row[0] for row in ask("SELECT id FROM host_order")]
    lines = ask("SELECT order_id, count(*), min(line_id), max(line_id) FROM omni_line GROUP BY order_id")
    due = ask("SELECT count(*) FROM omni_receipt WHERE done = 0")[0][0]
    stale = ask("SELECT count(*) FROM host_order WHERE stale = 1")[0][0]
    should = set(range(seen))
    right = {(str(one), counted.lines_of(one), "0", str(counted.lines_of(one) - 1)) for one in orders}
    return Held(
        cursor=seen, lost=len(should - orders) + len(should - set(host)),
        doubled=len(host) - len(set(host)) + len(orders - should), wrong_lines=len(right ^ set(lines)),
        counted=records, unacknowledged=due, stale=stale,
    )  # fmt: skip
