"""The embedded runner: takes processes that are due, gives each a slot, and writes down how its turn ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

import anyio
import attrs
from anyio.abc import TaskStatus

from omnichannel_core.driver import Clock
from omnichannel_core.model.process import Process
from omnichannel_core.processes.queue import Queue
from omnichannel_core.processes.shift import Shift
from omnichannel_core.processes.turn import Handler
from omnichannel_core.storage.store import Store

OnFinished = Callable[[Process], Awaitable[None]]
OnError = Callable[[Process, Exception], Awaitable[None]]
Tick = Callable[[], Awaitable[object]]


@attrs.frozen(kw_only=True)
class Runner:
    """Lives in the host's task group; any number of them, in any number of processes, share one store.

    Attributes:
        handlers: by kind of process; other kinds are left to others.
        slots: turns at the same time.
        lease: seconds after which a worker that gives no sign is taken over, wherever file locks cannot tell.
        grace: real seconds from asking a turn to end to cancelling it.
        on_error: told what ended or delayed a turn, before the row says so.
        on_finished: told a process that succeeded, failed or was cancelled here, after the row says so.
        tick: called about once a second by `serve` (schedules, sweeping); errors are logged.
        watchdog: seconds of a blocked event loop after which the log names the culprit; 0 is off.
    """

    store: Store
    clock: Clock
    queue: Queue
    handlers: Mapping[str, Handler]
    slots: int = 64
    lease: float = 60.0
    grace: float = 2.0
    on_finished: OnFinished | None = None
    on_error: OnError | None = None
    tick: Sequence[Tick] = ()
    watchdog: float = 1.0
    _serving: set[int] = attrs.field(factory=set, init=False)

    async def serve(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Work until cancelled. At the end running turns are asked to stop, and what is not done is queued again."""
        shift = Shift(self)
        self._serving.add(id(shift))
        try:
            await shift.work(task_status=task_status)
        finally:
            self._serving.discard(id(shift))

    async def run_to_end(self, account: str, process_id: int, seen: Callable[[Process], None] | None = None) -> Process:
        """Drive one process to its end, or follow it where another runner has it (and take it over if that dies).

        Args:
            seen: told every state of it that was looked at, for a progress bar.

        Raises:
            NotFound: not in this account.
        """
        await self.queue.get(account, process_id)
        if self._serving:
            self.queue.nudge()
            return await self.queue.wait(account, process_id, seen=seen)
        async with anyio.create_task_group() as group:
            await group.start(Shift(self, only=frozenset({process_id})).work)
            process = await self.queue.wait(account, process_id, seen=seen)
            group.cancel_scope.cancel()
        return process
