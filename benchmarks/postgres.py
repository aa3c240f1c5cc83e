"""PostgreSQL and Procrastinate: small processes against Procrastinate alone, what idle workers and connections cost.

`python -m benchmarks.postgres [COUNT]`: one JSON line per figure. The server is durable (fsync on), in a temporary
folder. Both contenders write one row per piece of work into the same table, on the same server, at concurrency 10.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import anyio
import sqlalchemy as sa
from procrastinate import App, PsycopgConnector

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

CONCURRENCY, ACCOUNTS, IDLE = 10, 50, 30.0
_STATEMENT = re.compile(r"LOG:  (?:statement|execute [^:]*): [^;\s]")  # an empty one is a ping of a pool
ROW = "INSERT INTO page (number, body) VALUES (?, ?)"
BODY = "x" * 200


def say(figure: str, value: float, limit: float, *, least: bool, **details: object) -> None:
    """One line."""
    ok = value >= limit if least else value <= limit
    print(json.dumps({"figure": figure, "value": round(value, 3), "limit": limit, "ok": ok, **details}), flush=True)


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


def small(server: postgres.Server, count: int) -> None:
    """Drained at ten at a time, ours against the engine alone."""
    with tempfile.TemporaryDirectory() as folder:
        rates = {}
        for name, contender in (("bare", bare), ("ours", ours)):
            store = opened(server, folder)
            seconds = asyncio.run(contender(store, count))
            done = rows(store)
            store.close()
            if done != count:
                raise SystemExit(f"{name}: {done} of {count} rows")
            rates[name] = count / seconds
    say("small_processes_of_bare_rate", rates["ours"] / rates["bare"], 0.4, least=True, count=count,
        ours=round(rates["ours"]), bare=round(rates["bare"]), concurrency=CONCURRENCY)  # fmt: skip


def idle(server: postgres.Server) -> None:
    """A worker with nothing to do: statements a second, BEGIN and COMMIT included, from the server's own log."""

    async def serve(store: Store) -> int:
        queue = Queue(store, SystemClock())

        async def never(turn: Turn) -> Done:
            return Done()

        async def tick() -> None:
            await store.read(lambda tx: tx.execute(sa.text("SELECT 1 FROM omni_schedule WHERE next_at <= 0")).first())

        runner = Runner(store=store, clock=SystemClock(), queue=queue, handlers={"x": never}, ticks=((1.0, tick),))
        async with anyio.create_task_group() as group:
            await group.start(runner.serve)
            await anyio.sleep(5)
            before = _statements(server)
            await anyio.sleep(IDLE)
            found = _statements(server) - before
            group.cancel_scope.cancel()
        return found

    with tempfile.TemporaryDirectory() as folder:
        store = opened(server, folder)
        server.run("ALTER SYSTEM SET log_statement = 'all'")
        server.run("SELECT pg_reload_conf()")
        found = asyncio.run(serve(store))
        server.run("ALTER SYSTEM RESET log_statement")
        server.run("SELECT pg_reload_conf()")
        store.close()
    say("idle_worker_statements_per_s", found / IDLE, 2.0, least=False, seconds=IDLE)


def _statements(server: postgres.Server) -> int:
    return len(_STATEMENT.findall(server.log.read_text(errors="replace")))


def main() -> None:
    """All of them."""
    logging.getLogger("procrastinate").setLevel(logging.ERROR)
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 25_000
    with postgres.running(postgres.DURABLE) as server:
        idle(server)
        small(server, count)


if __name__ == "__main__":
    main()
