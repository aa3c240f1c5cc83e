"""The embedded runner: takes what is due, runs it in the host's task group, takes over what the dead have left."""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeAlias

import anyio
import anyio.abc
import attrs

from omnichannel_core import errors
from omnichannel_core.driver import Clock
from omnichannel_core.model.process import Process, State
from omnichannel_core.processes.queue import Queue
from omnichannel_core.storage import processes
from omnichannel_core.storage.store import Store, Tx

SLOTS = 64
LEASE = timedelta(seconds=60)
GRACE = 2.0  # seconds a handler has to end at its page boundary before it is cut off
IDLE = 0.5  # seconds between looks when nothing is due
BACKOFF = (timedelta(seconds=30), timedelta(minutes=30))
_log = logging.getLogger(__name__)


@attrs.frozen
class Done:
    """Succeeded."""

    message: str = ""


@attrs.frozen
class Again:
    """Not at its end: the slot is given back, and it queues again."""


@attrs.frozen
class Wait:
    """Not before so many seconds are over; shown with its reason."""

    seconds: float
    why: str


@attrs.define
class Turn:
    """One turn of a process, as its handler sees it. `payload` is remembered between turns."""

    process: Process
    payload: dict[str, Any]
    runner: Runner = attrs.field(repr=False)
    cancelled: bool = False
    scope: anyio.CancelScope = attrs.field(factory=anyio.CancelScope, repr=False)

    @property
    def crowded(self) -> bool:
        """Others wait for a slot."""
        return self.runner.crowded

    def beat(self, tx: Tx, *, done: int | None = None, total: int | None = None, message: str | None = None) -> None:
        """Inside the caller's write transaction: is it still ours? Stores progress, prolongs the lease.

        Raises:
            Superseded: somebody else has it: nothing of this transaction may stay.
        """
        until = self.runner.clock.now() + self.runner.lease
        if processes.beat(tx, self.process.id, self.process.fence, until, done, total, message):
            self.cancelled = True

    async def progress(self, *, done: int | None = None, total: int | None = None, message: str | None = None) -> None:
        """The same in a transaction of its own."""
        await self.runner.store.write(lambda tx: self.beat(tx, done=done, total=total, message=message))


Handler: TypeAlias = Callable[[Turn], Awaitable[Done | Again | Wait]]
Finished: TypeAlias = Callable[[Process], Awaitable[None]]
Tick: TypeAlias = Callable[[], Awaitable[None]]


@attrs.define
class Runner:
    """One per `Omnichannel`; several processes on one store cooperate."""

    store: Store
    clock: Clock
    queue: Queue
    handlers: Mapping[str, Handler]
    on_finished: Finished | None = None
    ticks: Sequence[tuple[float, Tick]] = ()
    slots: int = SLOTS
    lease: timedelta = LEASE
    crowded: bool = False
    _running: dict[int, Turn] = attrs.field(factory=dict, repr=False)
    _stopping: bool = False

    async def serve(self, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Until cancelled or stopped. What runs then goes back into the queue."""
        task_status.started()
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._beat_for_all)
                for seconds, tick in self.ticks:
                    group.start_soon(self._tick, seconds, tick)
                while not self._stopping:
                    room = self.slots - len(self._running)
                    taken = await self._take(room) if room else []
                    for process in taken:
                        self._start(group, process)
                    if not taken:
                        await self.queue.nudged(IDLE)
                group.cancel_scope.cancel()
        finally:
            await self._return_all()

    async def stop(self) -> None:
        """Handlers end at their page boundary, within a grace; `serve` returns."""
        self._stopping = True
        for turn in self._running.values():
            turn.cancelled = True
        with anyio.move_on_after(GRACE):
            while self._running:
                await self.queue.nudged(0.05)
        self.queue.nudge()

    async def run_to_end(self, account: str, process_id: int) -> Process:
        """Drive one process here, without the others; follow it when somebody else has it. Its end."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._beat_for_all)
            while (found := await self.queue.get(account, process_id)).open:
                if process_id not in self._running:
                    await self._reap()
                    taken = [] if found.run_at > self.clock.now() else await self._take_one(process_id)
                    for process in taken:
                        self._start(group, process)
                    if not taken and found.state is State.WAITING and found.run_at > self.clock.now():
                        await self.clock.sleep(min(1.0, (found.run_at - self.clock.now()).total_seconds()))
                        continue
                await self.queue.nudged(0.1)
            group.cancel_scope.cancel()
        return found

    # --- taking
    async def _take(self, room: int) -> list[Process]:
        await self._reap()
        now = self.clock.now()
        if not await self.store.read(lambda tx: processes.due(tx, now, 1)):
            self.crowded = False
            return []
        taken = await self.store.write(
            lambda tx: (
                processes.take(tx, self.store.presence.name, now, now + self.lease, room),
                processes.due(tx, now, 1),
            )
        )
        self.crowded = taken[1]
        return taken[0]

    async def _take_one(self, process_id: int) -> list[Process]:
        now, me = self.clock.now(), self.store.presence.name
        return await self.store.write(lambda tx: processes.take(tx, me, now, now + self.lease, 1, only=process_id))

    async def _reap(self) -> None:
        """What the dead and the silent have left goes back into the queue, at once."""
        now, alive = self.clock.now(), self.store.presence.alive
        if not self.store.is_sqlite:
            alive = _everybody
        gone = await self.store.read(lambda tx: processes.abandoned(tx, now, alive))
        gone = [one for one in gone if one not in self._running]
        if gone:
            _log.warning("taking over %d processes from workers that are gone", len(gone))
            await self.store.write(lambda tx: processes.take_over(tx, gone, now))

    # --- running
    def _start(self, group: anyio.abc.TaskGroup, process: Process) -> None:
        turn = Turn(process, dict(process.payload), self)
        self._running[process.id] = turn
        group.start_soon(self._run, turn)

    async def _run(self, turn: Turn) -> None:
        outcome: Done | Again | Wait | BaseException = Again()
        try:
            with turn.scope:
                outcome = await self._handle(turn)
            await self._settle(turn, outcome)
        except errors.Superseded:
            _log.warning("process %d was taken over", turn.process.id)
        except errors.StorageError:
            _log.exception("process %d could not be settled; it is taken over when its lease ends", turn.process.id)
        self._running.pop(turn.process.id, None)  # not when cancelled: `serve` gives it back
        self.queue.nudge()

    async def _handle(self, turn: Turn) -> Done | Again | Wait | BaseException:
        handler = self.handlers.get(turn.process.kind)
        if handler is None:
            return errors.UsageError(f"Nobody here runs processes of kind {turn.process.kind!r}.")
        try:
            return await handler(turn)
        except errors.Superseded:
            raise
        except Exception as trouble:  # noqa: BLE001 - whatever a handler raises ends in its row
            return _leaf(trouble)

    async def _settle(self, turn: Turn, outcome: Done | Again | Wait | BaseException) -> None:
        now, process = self.clock.now(), turn.process
        if turn.cancelled and not self._stopping and not isinstance(outcome, Done):
            await self._end(turn, State.CANCELLED, "Cancelled.")
        elif isinstance(outcome, Done):
            await self._end(turn, State.SUCCEEDED, outcome.message)
        elif isinstance(outcome, Again):
            await self.store.write(
                lambda tx: processes.put_back(tx, process.id, process.fence, now, payload=turn.payload)
            )
        elif isinstance(outcome, Wait):
            at = now + timedelta(seconds=outcome.seconds)
            await self.store.write(
                lambda tx: processes.put_back(
                    tx, process.id, process.fence, at, waiting=outcome.why, payload=turn.payload
                )
            )
        else:
            await self._fail(turn, outcome)

    async def _fail(self, turn: Turn, trouble: BaseException) -> None:
        process = turn.process
        if isinstance(trouble, errors.RemoteError):
            waits: errors.RemoteError = trouble
            fresh = (await self.queue.get(process.account, process.id)).attempts
            wait = timedelta(seconds=trouble.wait) if trouble.wait is not None else _backoff(fresh)
            at = self.clock.now() + wait
            await self.store.write(
                lambda tx: processes.put_back(
                    tx,
                    process.id,
                    process.fence,
                    at,
                    waiting=str(trouble),
                    payload=turn.payload,
                    error=waits,
                    attempts=fresh + 1,
                )
            )
            return
        if not isinstance(trouble, errors.OmnichannelError):
            _log.error("process %d (%s) failed", process.id, process.kind, exc_info=trouble)
            trouble = InternalError(f"{type(trouble).__name__}: see the log of process {process.id}.")
        await self._end(turn, State.FAILED, None, trouble)

    async def _end(
        self, turn: Turn, state: State, message: str | None, trouble: errors.OmnichannelError | None = None
    ) -> None:
        now, process = self.clock.now(), turn.process
        with anyio.CancelScope(shield=True):
            ours = await self.store.write(
                lambda tx: processes.end(
                    tx, process.id, process.fence, state, now, message=message, error=trouble, payload=turn.payload
                )
            )
            if ours and self.on_finished is not None:
                await self.on_finished(await self.queue.get(process.account, process.id))

    async def _return_all(self) -> None:
        """Whatever still ran goes back; nothing is lost, the next worker goes on."""
        with anyio.CancelScope(shield=True):
            left = list(self._running.values())
            self._running.clear()
            for turn in left:
                now, process = self.clock.now(), turn.process
                await self.store.write(
                    lambda tx, p=process, t=turn, at=now: processes.put_back(tx, p.id, p.fence, at, payload=t.payload)  # type: ignore[misc]
                )

    # --- beside
    async def _beat_for_all(self) -> None:
        """One statement for all leases; reads who is to be cancelled."""
        every = min(1.0, self.lease.total_seconds() / 4)
        last = self.clock.now()
        while True:
            await anyio.sleep(every)
            if not self._running:
                continue
            now = self.clock.now()
            asked = await self.store.read(lambda tx: processes.to_cancel(tx, self.store.presence.name))
            if now - last > self.lease / 4:
                last = now
                await self.store.write(
                    lambda tx, at=now: processes.heartbeat(tx, self.store.presence.name, at + self.lease)
                )  # type: ignore[misc]
            for process_id, fence in asked:
                self._cancel(process_id, fence)

    def _cancel(self, process_id: int, fence: int) -> None:
        turn = self._running.get(process_id)
        if turn is None or turn.process.fence != fence:
            return
        if turn.cancelled:
            turn.scope.cancel()  # it had its grace
        turn.cancelled = True

    async def _tick(self, seconds: float, tick: Tick) -> None:
        while True:
            try:
                await tick()
            except errors.OmnichannelError:
                _log.exception("a regular task failed")
            await anyio.sleep(seconds)


class InternalError(errors.OmnichannelError):
    """Something the house did not expect; the log has the traceback."""


def _leaf(trouble: BaseException) -> BaseException:
    while isinstance(trouble, BaseExceptionGroup) and len(trouble.exceptions) == 1:
        trouble = trouble.exceptions[0]
    return trouble


def _backoff(attempts: int) -> timedelta:
    """30 seconds doubling to 30 minutes, with jitter."""
    first, most = BACKOFF
    wait: timedelta = min(first * 2 ** min(attempts, 10), most)
    return wait * random.uniform(0.8, 1.2)


def _everybody(worker: str) -> bool:
    """On a server only the lease tells who is alive."""
    return bool(worker)
