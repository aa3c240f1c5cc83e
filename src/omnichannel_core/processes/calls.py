"""Procrastinate beside a shift on PostgreSQL: a call it fetches is the permission to take one process that is due.

It delivers, and decides nothing: which process is taken follows from the rows. Its worker runs on asyncio only; a
house on trio looks at the rows often instead, as on SQLite. Facts: guide engine-and-storage 1.5.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
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


class Calls:
    """The calls in a worker's hands.

    Args:
        ring: told on the loop that one has come.
    """

    def __init__(self, store: Store, slots: int, ring: Callable[[], None]) -> None:
        from procrastinate import App, PsycopgConnector, RetryStrategy

        self._slots, self._ring = slots, ring
        self._idle: deque[asyncio.Event] = deque()
        self._bound: dict[tuple[int, int], asyncio.Event] = {}
        self._closing, self._closed = False, anyio.Event()
        self._scope = anyio.CancelScope(shield=True)
        self._worker: Any = None
        self._app = App(connector=PsycopgConnector(min_size=1, max_size=4, configure=_alone, **connect_options(store)))
        self._app.task(name=TASK, queue=QUEUE, retry=RetryStrategy(max_attempts=10, wait=1))(self._answer)

    @property
    def idle(self) -> int:
        """So many processes may be taken."""
        return len(self._idle)

    def bind(self, key: tuple[int, int]) -> None:
        """A process (id and fence) was taken: for a call, when there is one."""
        if self._idle:
            self._bound[key] = self._idle.popleft()

    def over(self, key: tuple[int, int]) -> None:
        """Its turn has ended, and the row says so."""
        if (call := self._bound.pop(key, None)) is not None:
            call.set()

    def nothing_due(self) -> None:
        """Whoever was called came too late: others have taken it."""
        while self._idle:
            self._idle.popleft().set()

    async def run(self) -> None:
        """Until closed. A database that goes away is waited for."""
        with self._scope:
            while not self._closing:
                try:
                    async with self._app.open_async():
                        await self._work()
                except Exception as trouble:  # noqa: BLE001 - whatever it is, the rows are looked at meanwhile
                    _log.warning("the engine rests for a moment: %s", type(trouble).__name__)
                self.nothing_due()
                if not self._closing:
                    await anyio.sleep(AGAIN)
        self._closed.set()

    async def close(self) -> None:
        """No more calls; those in hand are given back as answered."""
        self._closing = True
        self.nothing_due()
        for key in list(self._bound):
            self.over(key)
        if self._worker is not None:
            self._worker.stop()
        with anyio.move_on_after(CLOSE_WITHIN):
            await self._closed.wait()
        self._scope.cancel()

    async def _work(self) -> None:
        from procrastinate.worker import Worker

        self._worker = worker = Worker(
            self._app, queues=[QUEUE], name="omnichannel", concurrency=self._slots, fetch_job_polling_interval=FETCH,
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
        """Procrastinate's task: lasts as long as the turn that was taken for it."""
        del process  # for whoever reads the engine's tables
        call = asyncio.Event()
        self._idle.append(call)
        self._ring()
        try:
            await call.wait()
        finally:
            if call in self._idle:
                self._idle.remove(call)

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


def answering(store: Store, slots: int, ring: Callable[[], None]) -> Calls | None:
    """What fits the store and the event loop; None: the rows are looked at often."""
    if store.is_sqlite:
        return None
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return None
    return Calls(store, slots, ring)
