"""One runner at work: the pump that ends and takes turns in one transaction, and the loops beside it."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup, TaskStatus

from omnichannel_core import errors, telemetry
from omnichannel_core.model.process import Process, State
from omnichannel_core.processes import calls, endings
from omnichannel_core.processes.bell import Bell
from omnichannel_core.processes.calls import Call, Calls
from omnichannel_core.processes.exchange import Exchanged, Wanted, exchange, key
from omnichannel_core.processes.turn import Turn
from omnichannel_core.processes.watchdog import Watchdog
from omnichannel_core.storage import engine, turns
from omnichannel_core.storage.fairness import Busy, Who
from omnichannel_core.storage.store import Tx

if TYPE_CHECKING:
    from omnichannel_core.processes.runner import Runner

QUICK, IDLE = 0.05, 0.5  # real seconds between two looks at an empty queue: the first, and after a while
AROUND = 5.0  # real seconds between two looks where calls tell what is due: for what was lost, and for the dead's
SERVER_LEASE = 8.0  # seconds: with a look around, who dies there is taken over within fifteen
SERVER_TICK = 8.0  # seconds; a tick on a server is a question that all of its users pay for
FORGET = 600.0  # seconds between two looks for calls that nobody here hears
SHARE = 16  # so many at most are taken for one call: others may have slots too, and it is passed on to them
PASS = 1.0  # real seconds after which a worker that always finds more than it has slots for calls others again
LOOK = 1.0  # real seconds between two looks at who is asked to end
TOLD_WITHIN = 10.0  # real seconds that a callback may take once the shift is over
_log = logging.getLogger(__name__)
_shifts = count(1)


class Shift:
    """From start to end of `Runner.serve`, or of one process that is driven alone (`only`)."""

    def __init__(self, runner: Runner, only: frozenset[int] | None = None) -> None:
        self._runner, self._store, self._queue, self._clock = runner, runner.store, runner.queue, runner.clock
        self._alone = only is not None
        presence = runner.store.presence
        self._who = Who(
            worker=f"{presence.name}/{next(_shifts)}", kinds=frozenset(runner.handlers), only=only,
            alive=(lambda worker: presence.alive(worker.partition("/")[0])) if runner.store.is_sqlite else None,
        )  # fmt: skip
        self._running: dict[tuple[int, int], Turn] = {}  # by id and fence, until its end is written
        self._ended: list[turns.Ended] = []
        self._lately: deque[tuple[str, int]] = deque(maxlen=runner.slots)  # whose ended last
        self._waiting = 0  # due ones that found no slot
        self._more = False  # the last look at the rows left some
        self._orphans = False  # and found some that a dead worker left
        self._passed_at = self._rescued_at = float("-inf")
        self._over = Bell()
        self._closing, self._closed = False, anyio.Event()
        self._lease = runner.lease if runner.store.is_sqlite else min(runner.lease, SERVER_LEASE)
        self._calls: Calls | None = None
        self._around_at = 0.0  # when to look around next, in seconds of the event loop
        self._nudges = 0
        self._group: TaskGroup

    async def work(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Until cancelled."""
        self._queue.listeners.add(self._ask)
        try:
            async with anyio.create_task_group() as self._group:
                self._group.start_soon(self._heartbeat)
                if self._runner.watchdog > 0:
                    self._group.start_soon(Watchdog(self._runner.watchdog, Shift._handle.__code__).run)
                if not self._alone:
                    self._calls = calls.answering(self._store, self._queue.work.ring)
                if self._calls is not None:
                    self._group.start_soon(self._calls.run)
                elif not (self._alone or self._store.is_sqlite):
                    self._group.start_soon(self._tick, FORGET, self._forget)
                for seconds, tick in () if self._alone else self._runner.ticks:
                    self._group.start_soon(self._tick, seconds, tick)
                task_status.started()
                try:
                    await self._pump()
                finally:
                    with anyio.CancelScope(shield=True):
                        await self._stop()
                        if self._calls is not None:
                            await self._calls.close()
                self._group.cancel_scope.cancel()
        finally:
            self._queue.listeners.discard(self._ask)
            self._closed.set()

    async def close(self) -> None:
        """`work` ends as if it were cancelled, and has ended when this is over."""
        self._closing = True
        self._queue.work.ring()
        await self._closed.wait()

    # --- the pump
    async def _pump(self) -> None:
        pause, hint = QUICK, True
        while not self._closing:
            rings = self._queue.work.rings
            try:
                moved, next_in = await self._step(hint=hint)
            except errors.StorageError as error:
                _log.warning("processes rest for a moment: %s", error)
                moved, next_in, pause = False, None, 2 * IDLE
            if moved:
                pause, hint = QUICK, False
                continue
            seconds = self._rest(pause, next_in)
            hint = await self._queue.work.heard(rings, seconds)
            pause = QUICK if hint else min(2 * pause, IDLE)

    async def _step(self, *, hint: bool) -> tuple[bool, float | None]:
        """Whether anything moved, else in how many seconds something will be due."""
        now = self._clock.now()
        free = self._free()
        if self._calls is not None and not self._ended and not free and len(self._running) < self._runner.slots:
            return False, None
        if not self._ended and not (hint and free):
            call = self._heard()
            look = await self._store.ask(lambda tx: turns.look(tx, self._who, now, self._runner.slots))
            self._looked(look, now)
            for turn in self._running.values():
                turn.grow()
            wanted = look.orphans or (free and look.due)
            if not (self._ended or wanted or (look.due and self._unheard())):
                if not look.due:
                    self._answered(call)
                return False, None if look.next_at is None or not free else (look.next_at - now).total_seconds()
        with anyio.CancelScope(shield=True):  # what was taken must not be forgotten
            moved = await self._exchange_now(free)
        return moved, None

    def _free(self) -> int:
        """How many may be taken: what has slots when it is time to look around, else what was called for."""
        free = self._runner.slots - len(self._running) + len(self._ended)
        if self._nudges != self._queue.nudges:  # what a call is on its way for, or what the clock has made due
            self._nudges = self._queue.nudges
            self._around_at = min(self._around_at, anyio.current_time() + QUICK)
        if self._calls is None or anyio.current_time() >= self._around_at:
            return free
        if self._heard() is not None:
            return min(free, SHARE)
        return len(self._ended) if self._more or any(one.state is State.QUEUED for one in self._ended) else 0

    def _heard(self) -> Call | None:
        return None if self._calls is None else self._calls.call

    def _unheard(self) -> bool:
        """A call that others have not been told of."""
        return (call := self._heard()) is not None and not call.passed

    def _answered(self, call: Call | None) -> None:
        if self._calls is not None:
            self._calls.over(call)

    def _rest(self, pause: float, next_in: float | None) -> float:
        """Real seconds until the next look, when nobody rings."""
        if self._calls is not None and self._calls.call is None and len(self._running) < self._runner.slots:
            pause = max(self._around_at - anyio.current_time(), 0.001)
        return pause if next_in is None else min(pause, max(next_in, 0.001))

    def _looked(self, look: turns.Look, now: datetime) -> None:
        self._waiting, self._more = look.due, look.due > 0
        self._orphans = look.orphans
        soon = AROUND if look.next_at is None else (look.next_at - now).total_seconds()
        self._around_at = anyio.current_time() + min(max(soon, QUICK), AROUND)

    async def _exchange_now(self, free: int) -> bool:
        """Write what has ended, take what fits."""
        ended, self._ended = self._ended, []
        busy = Counter(_owner(turn) for turn in self._running.values()) + Counter(self._lately)
        at, call = anyio.current_time(), self._heard()
        rescues = self._orphans or (
            free > 0 and at - self._rescued_at >= IDLE
        )  # with no slot for them: others are called
        self._orphans = False
        passes = self._calls is not None and (self._unheard() or (free > 0 and at - self._passed_at >= PASS))
        wanted = self._wanted(ended, free, busy, rescues=rescues, passes=passes)
        try:
            done = await self._store.write(lambda tx: exchange(tx, wanted))
        except errors.StorageError:
            self._ended[:0] = ended
            raise
        except Exception as cause:
            plain = [endings.wordless(one) for one in ended]
            self._ended[:0] = plain
            if plain == ended:
                raise
            _log.error("what turns said cannot be stored: %s", type(cause).__name__)
            return True
        except BaseException:
            self._ended[:0] = ended
            raise
        self._rescued_at = at if rescues else self._rescued_at
        self._passed_at = at if passes else self._passed_at
        for one in ended:
            self._lately.append(_owner(self._running.pop(key(one.held))))
        if free or passes:
            self._waiting, self._more = done.left, done.left > 0
        self._tell(done)
        for process in done.taken:
            self._start(process)
        if call is not None:
            call.passed = True
            if not done.left or len(self._running) < self._runner.slots:
                self._answered(call)
        return bool(ended or done.taken)

    def _wanted(
        self, ended: list[turns.Ended], free: int, busy: Busy, *, rescues: bool = False, passes: bool = False
    ) -> Wanted:  # fmt: skip
        now = self._clock.now()
        return Wanted(
            who=self._who, now=now, ended=ended, free=free, busy=busy, rescues=rescues, passes=passes,
            lease_until=now + timedelta(seconds=self._lease),
        )  # fmt: skip

    def _tell(self, done: Exchanged) -> None:
        for one in done.lost:
            _log.info("process %s was taken over; its turn %s changed nothing", one.id, one.fence)
        for process in done.ended:
            if self._runner.on_finished is not None:
                self._group.start_soon(self._call, "on_finished", self._runner.on_finished, process)
        if done.ended:
            self._queue.ends.ring()

    def _start(self, process: Process) -> None:
        turn = Turn(
            process, store=self._store, clock=self._clock, lease=self._lease, crowd=self._crowded, alone=self._alone
        )
        self._running[process.id, process.fence] = turn
        if process.cancel:
            turn.ask(self._runner.grace)
        self._group.start_soon(self._turn, turn)

    def _crowded(self) -> bool:
        return self._waiting > 0

    # --- a turn
    async def _turn(self, turn: Turn) -> None:
        try:
            ended = await self._handle(turn)
        except Exception as error:  # noqa: BLE001 - a handler's fault must not become the runner's
            ended = await self._ended_by(turn, error)
        if ended is None:
            self._running.pop((turn.process.id, turn.fence), None)
        else:
            self._waiting = max(self._waiting - 1, 0)  # its slot goes to one of them
            self._ended.append(ended)
        self._queue.work.ring()
        self._over.ring()

    async def _ended_by(self, turn: Turn, error: Exception) -> turns.Ended | None:
        try:
            return await self._raised(turn, error)
        except Exception:  # noqa: BLE001 - an error may be made to break whoever looks at it
            _log.exception("how process %s ended cannot be told", turn.process.id)
            return endings.broken(turn, self._clock.now())

    async def _handle(self, turn: Turn) -> turns.Ended | None:
        with turn.scope, telemetry.turn(turn.process.kind):
            answer = await self._runner.handlers[turn.process.kind](turn)
            return endings.answered(turn, answer, self._clock.now())
        return None if turn.lost else endings.stopped(turn, self._clock.now())

    async def _raised(self, turn: Turn, error: Exception) -> turns.Ended | None:
        cause = endings.unwrapped(error)
        process = turn.process
        if turn.lost:
            _log.info("process %s was taken over: %s", process.id, cause)
            return None
        if isinstance(cause, errors.Superseded):  # of the process: then this changes nothing; or of what it works on
            _log.info("process %s begins anew: %s", process.id, cause)
            return endings.stopped(turn, self._clock.now())
        if cause is None or turn.scope.cancel_called:
            _log.info("process %s stopped with %s", process.id, type(error).__name__, extra=_about(process, error))
            return endings.stopped(turn, self._clock.now())
        if not isinstance(cause, errors.OmnichannelError):
            _log.error("process %s (%s) failed", process.id, process.kind, exc_info=error, extra=_about(process, error))
        if self._runner.on_error is not None:
            await self._call("on_error", self._runner.on_error, process, cause)
        return endings.raised(turn, cause, self._clock.now())

    async def _call(self, what: str, callback: Callable[..., Awaitable[None]], *arguments: object) -> None:
        with anyio.CancelScope(shield=True) as scope:
            if self._group.cancel_scope.cancel_called:
                scope.deadline = anyio.current_time() + TOLD_WITHIN
            try:
                await callback(*arguments)
            except Exception:  # noqa: BLE001 - what listens must not harm what runs
                _log.exception("%s failed", what)

    # --- beside it
    def _ask(self, process_id: int) -> None:
        for turn in list(self._running.values()):
            if turn.process.id == process_id:
                turn.ask(self._runner.grace)

    async def _heartbeat(self) -> None:
        """Now and then a look at who is asked to end; every third of a lease it is prolonged."""
        every = min(LOOK, self._lease / 3)
        prolonged = anyio.current_time()
        while True:
            await anyio.sleep(every)
            if not self._running:
                prolonged = anyio.current_time()
                continue
            before = list(self._running.items())
            write = anyio.current_time() - prolonged >= self._lease / 3
            try:
                held = await (self._store.write(self._prolong) if write else self._store.ask(self._holding))
            except errors.StorageError as error:
                _log.warning("leases were not prolonged: %s", error)
                continue
            if write:
                prolonged = anyio.current_time()
            self._compare(before, held)

    def _prolong(self, tx: Tx) -> dict[tuple[int, int], bool]:
        return turns.prolong(tx, self._who.worker, self._clock.now() + timedelta(seconds=self._lease))

    def _holding(self, tx: Tx) -> dict[tuple[int, int], bool]:
        return turns.holding(tx, self._who.worker)

    def _compare(self, before: list[tuple[tuple[int, int], Turn]], held: dict[tuple[int, int], bool]) -> None:
        for mine, turn in before:
            if mine not in held and self._running.get(mine) is turn:
                turn.lose()
            elif held.get(mine):
                turn.ask(self._runner.grace)

    async def _tick(self, seconds: float, tick: Callable[[], Awaitable[object]]) -> None:
        if not self._store.is_sqlite:
            seconds = max(seconds, SERVER_TICK)
        while True:
            try:
                await tick()
            except Exception:  # noqa: BLE001 - one that fails must not stop the others
                _log.exception("a tick failed")
            await anyio.sleep(seconds)

    async def _forget(self) -> None:
        await self._store.write(engine.forget)

    async def _stop(self) -> None:
        """Ask all turns to end, wait until they have, and leave nothing running."""
        for turn in self._running.values():
            turn.ask(self._runner.grace)
        while len(self._running) > len(self._ended):
            await self._over.heard(self._over.rings, 1.0)
        ended, self._ended = self._ended, []
        try:
            done = await self._store.write(lambda tx: self._leave(tx, ended))
        except errors.StorageError as error:
            _log.warning("processes %s are left to be taken over: %s", [one.held.id for one in ended], error)
            return
        self._running.clear()
        self._tell(done)

    def _leave(self, tx: Tx, ended: list[turns.Ended]) -> Exchanged:
        done = exchange(tx, self._wanted(ended, 0, {}))
        turns.leave(tx, self._who.worker, self._clock.now())
        return done


def _owner(turn: Turn) -> tuple[str, int]:
    return turn.process.account, turn.process.connection or 0


def _about(process: Process, error: BaseException) -> dict[str, object]:
    """Fields of a log record, for hosts that log in JSON."""
    return {"omnichannel": {"process": process.id, "kind": process.kind, "connection": process.connection,
                            "account": process.account, "error": telemetry.word(error)}}  # fmt: skip
