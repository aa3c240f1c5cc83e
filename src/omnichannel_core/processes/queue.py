"""The queue: processes submitted, seen, waited for, cancelled. The row is the truth."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

import anyio

from omnichannel_core.driver import Clock
from omnichannel_core.model.process import Process, State
from omnichannel_core.processes.bell import Bell
from omnichannel_core.storage import processes
from omnichannel_core.storage.processes import Processes
from omnichannel_core.storage.store import Store, Tx

QUICK, SLOW = 0.02, 0.5  # real seconds between two looks at a row that others may be changing
STRIDE = 5.0  # seconds of the clock between two looks at a row that waits


class Queue:
    """Safe to share by all tasks of one event loop."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock
        self.work = Bell()  # something may be due
        self.nudges = 0
        self.ends = Bell()  # something has ended
        self.listeners: set[Callable[[int], None]] = set()  # told the id of what is asked to end

    @staticmethod
    def submit(
        tx: Tx, *, account: str, connection: int | None, kind: str, key: str, payload: Mapping[str, Any],
        now: datetime, run_at: datetime | None = None, message: str = "",
    ) -> tuple[Process, bool]:  # fmt: skip
        """(process, new?) in the caller's transaction: the open one of that key is answered when there is one.

        Call `nudge` after the commit.
        """
        return Processes(tx, account).submit(
            connection=connection, kind=kind, key=key, payload=payload, now=now, run_at=run_at, message=message
        )

    def nudge(self) -> None:
        """Something was submitted: runners of this event loop look at once. On the loop only."""
        self.nudges += 1
        self.work.ring()

    def notice(self, ids: Collection[int]) -> None:
        """These were asked to end in a transaction (`Processes.cancel_all`): tell who runs them here. On the loop."""
        for listener in list(self.listeners):
            for one in ids:
                listener(one)
        self.ends.ring()

    async def get(self, account: str, process_id: int) -> Process:
        """One.

        Raises:
            NotFound: not in this account.
        """
        return await self.store.read(lambda tx: Processes(tx, account).get(process_id))

    async def list(
        self, account: str, *, connection: int | None = None, states: Collection[State] | None = None,
        kind: str | None = None, before: int | None = None, limit: int = 50,
    ) -> list[Process]:  # fmt: skip
        """A page, newest first; `before` is the last id of the page before."""
        return await self.store.read(
            lambda tx: Processes(tx, account).page(
                connection=connection, states=states, kind=kind, before=before, limit=limit
            )
        )

    async def cancel(self, account: str, process_id: int) -> Process:
        """Ask it to end: at once when nobody runs it, within seconds else. One that has ended stays as it is.

        Raises:
            NotFound: not in this account.
        """
        now = self.clock.now()
        process = await self.store.write(lambda tx: Processes(tx, account).cancel(process_id, now))
        self.notice([process_id])
        return process

    async def wait(
        self, account: str, process_id: int, timeout: float | None = None,
        seen: Callable[[Process], None] | None = None,
    ) -> Process:  # fmt: skip
        """Follow a process to its end, wherever it runs.

        Args:
            timeout: real seconds; then the process is answered as it is, still open.
            seen: told every state of it that was looked at.

        Raises:
            NotFound: not in this account.
        """
        rings, pause = self.ends.rings, QUICK
        process = await self.get(account, process_id)
        with anyio.move_on_after(timeout):
            while True:
                if seen is not None:
                    seen(process)
                if not process.open:
                    return process
                await self._idle(process, rings, pause)
                rings = self.ends.rings  # before the look: an end in between is not missed
                latest = await self.get(account, process_id)
                pause = min(2 * pause, SLOW) if latest == process else QUICK
                process = latest
        return process

    async def prune(self, older_than: timedelta) -> int:
        """Remove the rows of processes that ended longer ago; how many."""
        before, gone = self.clock.now() - older_than, 0
        while count := await self.store.write(lambda tx: processes.prune(tx, before)):
            gone += count
        return gone

    async def _idle(self, process: Process, rings: int, pause: float) -> None:
        left = (process.run_at - self.clock.now()).total_seconds()
        if process.state == State.RUNNING or left <= 0:
            await self.ends.heard(rings, pause)
            return
        async with anyio.create_task_group() as group:  # a ring, or the clock: it may be one that a test turns

            async def rung() -> None:
                await self.ends.heard(rings, float("inf"))
                group.cancel_scope.cancel()

            group.start_soon(rung)
            await self.clock.sleep(min(left, STRIDE))
            group.cancel_scope.cancel()
        if process.run_at <= self.clock.now():
            self.nudge()
