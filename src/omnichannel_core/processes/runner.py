"""The embedded runner: takes processes that are due, gives each a slot, and writes down how its turn ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

import anyio
import attrs
from anyio.abc import TaskStatus

from omnichannel_core import errors
from omnichannel_core.driver import Clock
from omnichannel_core.model.process import Process, State
from omnichannel_core.processes.queue import Queue
from omnichannel_core.processes.shift import Shift
from omnichannel_core.processes.turn import Again, Done, Handler, Turn, Wait
from omnichannel_core.storage.store import Store

__all__ = ["SLOTS", "Again", "Done", "Handler", "Runner", "Turn", "Wait"]

SLOTS = 64
OnFinished = Callable[[Process], Awaitable[None]]
OnError = Callable[[Process, Exception], Awaitable[None]]
Tick = Callable[[], Awaitable[object]]


@attrs.define
class Runner:
    """Lives in the host's task group; any number of them, in any number of processes, share one store.

    Attributes:
        handlers: by kind of process; other kinds are left to others.
        slots: turns at the same time.
        lease: seconds after which a worker that gives no sign is taken over, wherever file locks cannot tell (on a
            server eight at most).
        grace: real seconds from asking a turn to end to cancelling it.
        on_error: told what ended or delayed a turn, before the row says so.
        on_finished: told a process that succeeded, failed, was cancelled or given up here, after the row says so.
        ticks: (seconds, what): called by `serve` at once, and again so many real seconds later; errors are logged.
        watchdog: seconds of a blocked event loop after which the log names the culprit; 0 is off.
    """

    store: Store
    clock: Clock
    queue: Queue
    handlers: Mapping[str, Handler]
    on_finished: OnFinished | None = None
    ticks: Sequence[tuple[float, Tick]] = ()
    slots: int = SLOTS
    lease: float = 60.0
    grace: float = 2.0
    on_error: OnError | None = None
    watchdog: float = 1.0
    _serving: list[Shift] = attrs.field(factory=list, init=False, repr=False)

    async def serve(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Work until cancelled or stopped. At the end running turns are asked to end, the rest is queued again."""
        shift = Shift(self)
        self._serving.append(shift)
        try:
            await shift.work(task_status=task_status)
        finally:
            self._serving.remove(shift)

    async def stop(self) -> None:
        """`serve` ends its turns at their page borders and returns, within the grace and a little more."""
        for shift in list(self._serving):
            await shift.close()

    async def run_to_end(self, account: str, process_id: int, seen: Callable[[Process], None] | None = None) -> Process:
        """Drive one process to its end, or follow it where another runner has it (and take it over if that dies).

        Args:
            seen: told every state of it that was looked at, for a progress bar.

        Raises:
            NotFound: not in this account.
            UsageError: it is of a kind that nobody here runs, and nobody else has it.
        """
        process = await self.queue.get(account, process_id)
        if process.kind not in self.handlers and process.open and process.state is not State.RUNNING:
            raise errors.UsageError(
                f"Process {process_id} is of kind {process.kind!r}: this runner has no such handler."
            )
        if self._serving:
            self.queue.nudge()
            return await self.queue.wait(account, process_id, seen=seen)
        async with anyio.create_task_group() as group:
            await group.start(Shift(self, only=frozenset({process_id})).work)
            process = await self.queue.wait(account, process_id, seen=seen)
            group.cancel_scope.cancel()
        return process
