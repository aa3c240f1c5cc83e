"""Small processes on PostgreSQL against Procrastinate alone.

The server is durable (fsync on), in a temporary folder. Both contenders write one row per piece of work into the same
table, on the same server, at concurrency 10.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import anyio
import sqlalchemy as sa
from procrastinate import App, PsycopgConnector

from benchmarks.figures import Figure
from omnichannel_core.connections.clock import SystemClock
from omnichannel_core.processes.queue import Queue
from omnichannel_core.processes.runner import Runner
from omnichannel_core.processes.turn import Done, Turn
from omnichannel_core.storage import migrations
from omnichannel_core.storage.engine import connect_options
from omnichannel_core.storage.pages import Raw
from omnichannel_core.storage.processes import Processes
from omnichannel_core.storage.store import Store, Tx
from omnichannel_core.testing import postgres

COUNT, CONCURRENCY, ACCOUNTS, LEAST = 25_000, 10, 50, 0.4
ROW = "INSERT INTO page (number, body) VALUES (?, ?)"
BODY = "x" * 200


def opened(server: postgres.Server, folder: str) -> Store:
    """A new store with a table for the work's rows."""
    store = Store(server.database().render_as_string(hide_password=False), Path(folder))
    store.open()
    migrations.migrate(store)
    store.write_now(lambda tx: tx.execute(sa.text("CREATE TABLE page (number BIGINT PRIMARY KEY, body TEXT)")))
    return store


def rows(store: Store) -> int:
    """How much is done."""
    return int(store.read_now(lambda tx: tx.execute(sa.text("SELECT count(*) FROM page")).scalar_one()))


async def ours(store: Store, count: int) -> float:
    """Processes of one page each, from a full queue to the last end; seconds."""

    def submit(tx: Tx, first: int) -> None:
        now = datetime.now(UTC)
        for number in range(first, min(first + 500, count)):
            Processes(tx, f"a{number % ACCOUNTS}").submit(
                connection=number, kind="small", key=f"{number}", payload={}, now=now
            )

    for first in range(0, count, 500):
        await store.write(lambda tx, at=first: submit(tx, at))  # type: ignore[misc]

    async def work(turn: Turn) -> Done:
        def page(tx: Tx) -> None:
            Raw(tx).one(ROW, (turn.process.connection, BODY))
            turn.beat(tx, done=1)

        await store.write(page)
        return Done()

    queue = Queue(store, SystemClock())
    runner = Runner(store=store, clock=SystemClock(), queue=queue, handlers={"small": work}, slots=CONCURRENCY)
    began = time.monotonic()
    async with anyio.create_task_group() as group:
        await group.start(runner.serve)
        await _until(store, "SELECT NOT EXISTS (SELECT 1 FROM omni_process WHERE finished_at IS NULL)")
        seconds = time.monotonic() - began
        group.cancel_scope.cancel()
    return seconds


async def bare(store: Store, count: int) -> float:
    """The same work as jobs of Procrastinate alone; seconds."""
    app = App(connector=PsycopgConnector(min_size=1, max_size=CONCURRENCY + 2, **connect_options(store)))

    @app.task(name="small", queue="small")
    async def small(number: int) -> None:
        async with app.connector.pool.connection() as connection:  # type: ignore[attr-defined]
            await connection.execute("INSERT INTO public.page (number, body) VALUES (%s, %s)", (number, BODY))

    async with app.open_async():
        for first in range(0, count, 500):
            await small.batch_defer_async(*[{"number": one} for one in range(first, min(first + 500, count))])
        began = time.monotonic()
        await app.run_worker_async(
            queues=["small"], concurrency=CONCURRENCY, wait=False, delete_jobs="always", install_signal_handlers=False
        )
        return time.monotonic() - began


async def _until(store: Store, question: str) -> None:
    while not await store.read(lambda tx: tx.execute(sa.text(question)).scalar()):  # noqa: ASYNC110
        await anyio.sleep(0.25)  # from outside, as a host would see it


def figures(count: int = COUNT, named: str = "") -> Iterable[Figure]:
    """Drained at ten at a time, ours against the engine alone."""
    logging.getLogger("procrastinate").setLevel(logging.ERROR)
    rates: dict[str, float] = {}
    note = f"{count} processes of one page, {CONCURRENCY} at a time"
    with postgres.running(postgres.DURABLE, named) as server, tempfile.TemporaryDirectory() as folder:
        for name, contender in (("bare", bare), ("ours", ours)):
            store = opened(server, folder)
            seconds = asyncio.run(contender(store, count))
            done = rows(store)
            store.close()
            if done != count:
                yield Figure(f"small processes: {name}", None, "rows", note=f"{done} of {count} rows")
                return
            rates[name] = count / seconds
    yield Figure("Procrastinate alone", rates["bare"], "jobs/s", note=note)
    ratio = rates["ours"] / rates["bare"]
    yield Figure("small processes", rates["ours"], "processes/s", "Procrastinate alone", ratio, LEAST, note=note)
