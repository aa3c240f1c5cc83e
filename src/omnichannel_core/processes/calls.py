"""Procrastinate beside a shift on PostgreSQL: a call it fetches makes the shift take what is due.

It delivers, and decides nothing: which processes are taken follows from the rows. A call is in hand until the rows have
been looked at; while no slot is free it stays in hand, so that this worker is not called again. Procrastinate's worker
runs on asyncio only; a house on trio looks at the rows often instead, as on SQLite. Guide engine-and-storage 1.5.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import anyio

from omnichannel_core.storage.engine import QUEUE, TASK, connect_options
from omnichannel_core.storage.store import Store

SIGN, GONE = 5.0, 12.0  # seconds between two signs of life; without one for so long, a worker's calls are called again
FETCH, REAP = 10.0, 15.0  # seconds between two looks for calls that no notification told of, and for stalled ones
AGAIN = 1.0  # seconds until the engine is tried again
CLOSE_WITHIN = 10.0
_log = logging.getLogger(__name__)


class Call:
    """One in hand. `passed`: others have been called in its stead."""

    def __init__(self) -> None:
        self.answered, self.passed = asyncio.Event(), False


class Calls:
    """What a worker hears; one call at a time.

    Args:
        ring: told on the loop that one has come.

    Attributes:
        call: the one in hand.
    """

    def __init__(self, store: Store, ring: Callable[[], None]) -> None:
        from procrastinate import App, PsycopgConnector, RetryStrategy

        self.call: Call | None = None
        self._ring = ring
        self._closing, self._closed = False, anyio.Event()
        self._scope = anyio.CancelScope(shield=True)
        self._worker: Any = None
        self._app = App(connector=PsycopgConnector(min_size=1, max_size=3, configure=_alone, **connect_options(store)))
        self._app.task(name=TASK, queue=QUEUE, retry=RetryStrategy(max_attempts=10, wait=1))(self._answer)

    def over(self, call: Call | None) -> None:
        """It has been answered, and the rows say so."""
        if call is not None:
            call.answered.set()
        if self.call is call:
            self.call = None

    async def run(self) -> None:
        """Until closed. A database that goes away is waited for."""
        with self._scope:
            while not self._closing:
                try:
                    async with self._app.open_async():
                        await self._work()
                except Exception as trouble:  # noqa: BLE001 - whatever it is, the rows are looked at meanwhile
                    _log.warning("the engine rests for a moment: %s", type(trouble).__name__)
                self.over(self.call)
                if not self._closing:
                    await anyio.sleep(AGAIN)
        self._closed.set()

    async def close(self) -> None:
        """No more calls; the one in hand is answered."""
        self._closing = True
        self.over(self.call)
        if self._worker is not None:
            self._worker.stop()
        with anyio.move_on_after(CLOSE_WITHIN):
            await self._closed.wait()
        self._scope.cancel()

    async def _work(self) -> None:
        from procrastinate.worker import Worker

        self._worker = worker = Worker(
            self._app, queues=[QUEUE], name="omnichannel", concurrency=1, fetch_job_polling_interval=FETCH,
            abort_job_polling_interval=FETCH, shutdown_graceful_timeout=CLOSE_WITHIN / 2, delete_jobs="always",
            install_signal_handlers=False, update_heartbeat_interval=SIGN, stalled_worker_timeout=GONE,
        )  # fmt: skip
        if self._closing:
            return
        async with anyio.create_task_group() as group:
            group.start_soon(self._reap)
            await worker.run()  # type: ignore[no-untyped-call]
            group.cancel_scope.cancel()

    async def _answer(self, process: int) -> None:
        """Procrastinate's task: lasts until the rows have been looked at for it."""
        del process  # for whoever reads the engine's tables
        self.call = call = Call()
        self._ring()
        try:
            await call.answered.wait()
        finally:
            self.over(call)

    async def _reap(self) -> None:
        """In every worker: calls in the hands of dead workers are called again. A loop: a task could stall itself."""
        manager = self._app.job_manager
        while True:
            await anyio.sleep(REAP)
            for job in await manager.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=GONE):
                try:
                    await manager.retry_job(job)
                except Exception as trouble:  # noqa: BLE001 - another worker was first
                    _log.info("stalled call %s: %s", job.id, type(trouble).__name__)


async def _alone(connection: Any) -> None:
    """Each of the engine's questions is one statement: it needs no BEGIN and COMMIT around it."""
    await connection.set_autocommit(True)


def answering(store: Store, ring: Callable[[], None]) -> Calls | None:
    """What fits the store and the event loop; None: the rows are looked at often."""
    if store.is_sqlite:
        return None
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return None
    return Calls(store, ring)
