"""Declared limits, enforced: whoever asks waits here until the budget is there, or is told how long it would take.

Budgets belong to a remote account, a vendor's application or a remote host, whatever connection spends them. Units, and
places of requests under way at once, are shared through the port `Buckets` (by all processes, when its implementation
is).
"""

from __future__ import annotations

import contextlib
import math
import weakref
from collections.abc import Sequence

import anyio
import attrs

from omnichannel_core import errors
from omnichannel_core.driver import Answer, Clock, Limit, Reading
from omnichannel_core.remote.buckets import AFTER_AN_ANSWER, Buckets, LocalBuckets, Plan

LONGEST = 30.0  # seconds a request may wait here; longer waits are a visible state of the process (guide engine 7)
_ELSEWHERE = 0.02  # seconds between questions while only other processes have requests under way


@attrs.define(eq=False)
class _Line:
    """Who waits for one budget in this process, first come, first served."""

    head: anyio.Lock = attrs.field(factory=lambda: anyio.Lock(fast_acquire=True))
    waiting: float = 0.0
    pending: int = 0
    answered: anyio.Event = attrs.field(factory=anyio.Event)
    slots: anyio.Semaphore | None = None

    def over(self) -> None:
        self.pending -= 1
        event, self.answered = self.answered, anyio.Event()
        event.set()


@attrs.frozen(eq=False)
class Bound:
    """A limit with its scope filled in."""

    limit: Limit
    key: str
    plan: Plan
    line: _Line
    metered: bool  # it has units to spend, not only requests to count


@attrs.define(eq=False)
class Turn:
    """Permission to send one request. `sent` once it may have left: then its units are gone."""

    bounds: Sequence[Bound]
    cost: float
    turns: list[int]
    sent: bool = False
    places: list[tuple[Bound, str]] = attrs.field(factory=list)  # held, among the requests under way at once


@attrs.define(eq=False)
class Limiter:
    """One for the process: budgets outlive the clients that spend them.

    Attributes:
        longest: seconds a request may wait before RateLimited is raised instead.
    """

    clock: Clock
    buckets: Buckets = attrs.field(factory=LocalBuckets)
    longest: float = LONGEST
    _lines: weakref.WeakValueDictionary[str, _Line] = attrs.field(factory=weakref.WeakValueDictionary, repr=False)

    def scoped(self, *, driver: str, account: str, application: str = "") -> Scope:
        """For one client. `account`: the remote one; connections that say the same share its budgets."""
        return Scope(self, driver, account, application)

    def line(self, key: str, limit: Limit) -> _Line:
        """The one line of a budget, as long as anybody uses it."""
        found = self._lines.get(key)
        if found is None:
            slots = None if limit.concurrent is None else anyio.Semaphore(limit.concurrent, fast_acquire=True)
            found = self._lines[key] = _Line(slots=slots)
        return found


@attrs.define(eq=False)
class Scope:
    """The limits of one client."""

    limiter: Limiter
    driver: str
    account: str
    application: str = ""
    limits: Sequence[Limit] = ()
    _bound: dict[tuple[str, str], Sequence[Bound]] = attrs.field(factory=dict, repr=False)

    def of(self, limits: Sequence[Limit]) -> Scope:
        """The same scope for these limits."""
        return Scope(self.limiter, self.driver, self.account, self.application, limits)

    async def enter(self, operation: str, host: str, cost: float) -> Turn:
        """Wait for a turn; every `enter` needs its `leave`, and one without `sent` gives its units back.

        Raises:
            RateLimited: it would take longer than the limiter's `longest`; nothing was sent.
        """
        bounds = self._bound.get((operation, host))
        if bounds is None:
            bounds = self._bind(operation, host)
        turn = Turn(bounds, cost, [])
        if bounds:
            try:
                await self._slots(operation, turn)
                await self._units(operation, turn)
            except BaseException:
                with anyio.CancelScope(shield=True):
                    await self._free(turn)
                raise
            for bound in bounds:
                bound.line.pending += 1
        return turn

    async def leave(self, turn: Turn, answer: Answer | None) -> None:
        """The request is over: what its answer tells is read, its place is free. Runs to its end though cancelled."""
        if not turn.bounds:
            return
        bounds, turn.bounds = turn.bounds, ()
        with anyio.CancelScope(shield=True):
            try:
                await self._settle(turn, bounds, answer)
            finally:
                for bound in bounds:
                    bound.line.over()
                await self._free(turn)

    async def slow_down(self, operation: str, host: str, seconds: float) -> None:
        """The remote said so: nobody under these budgets asks before."""
        for bound in self._bound.get((operation, host), ()):
            await self.limiter.buckets.wait(bound.key, bound.plan, seconds, self._now())

    async def _settle(self, turn: Turn, bounds: Sequence[Bound], answer: Answer | None) -> None:
        metered, now, buckets = [bound for bound in bounds if bound.metered], self._now(), self.limiter.buckets
        broken: errors.ContractBroken | None = None
        for bound, number in zip(metered, turn.turns, strict=True):
            reading = None
            try:
                reading = _reading(bound.limit, answer)
            except errors.ContractBroken as cause:
                broken = cause
            if turn.sent:
                await buckets.settle(bound.key, bound.plan, turn.cost, number, reading, now)
            else:
                await buckets.give(bound.key, bound.plan, turn.cost)
        if broken is not None:
            raise broken

    async def _slots(self, operation: str, turn: Turn) -> None:
        """A place among the requests under way at once, of every limit that counts them, in one order for all.

        First in the line of this process, then among all processes.
        """
        for bound in turn.bounds:
            if bound.line.slots is not None:
                await self._slot(operation, bound.limit, bound.line.slots)
                turn.places.append((bound, ""))
                turn.places[-1] = (bound, await self._place(operation, bound))

    async def _slot(self, operation: str, limit: Limit, slots: anyio.Semaphore) -> None:
        with contextlib.suppress(anyio.WouldBlock):
            return slots.acquire_nowait()
        try:
            with anyio.fail_after(self.limiter.longest):
                return await slots.acquire()
        except TimeoutError:
            raise self._full(operation, limit) from None

    async def _place(self, operation: str, bound: Bound) -> str:
        waited, places = 0.0, bound.limit.concurrent or 1
        while True:
            with anyio.CancelScope(shield=True):  # a place that was given must not be forgotten
                place = await self.limiter.buckets.occupy(bound.key, places, self._now())
            if place:
                return place
            if waited >= self.limiter.longest:
                raise self._full(operation, bound.limit)
            await self.limiter.clock.sleep(_ELSEWHERE)
            waited += _ELSEWHERE

    def _full(self, operation: str, limit: Limit) -> errors.RateLimited:
        return errors.RateLimited(
            f"{operation}: limit {limit.name!r} lets {limit.concurrent} requests through at once, and none came "
            f"back for {self.limiter.longest:g} s; it goes on later.",
            self.limiter.longest,
        )

    async def _free(self, turn: Turn) -> None:
        while turn.places:
            bound, place = turn.places.pop()
            if bound.line.slots is not None:
                bound.line.slots.release()
            if place:
                await self.limiter.buckets.vacate(bound.key, place)

    async def _units(self, operation: str, turn: Turn) -> None:
        """All of them or none, so that units wait in the bucket and not in hands."""
        blocking = next((bound for bound in turn.bounds if bound.line.waiting), None)
        if blocking is None:
            wait, blocking = await self._take_all(turn)
            if blocking is None:
                return
            self._patient(operation, blocking, wait)
        line = blocking.line
        await self._estimate(operation, blocking, turn.cost)
        line.waiting += turn.cost
        try:
            async with line.head:
                while True:
                    wait, short = await self._take_all(turn)
                    if short is None:
                        return
                    self._patient(operation, short, wait)
                    await self._rest(short, wait)
        finally:
            line.waiting -= turn.cost

    async def _take_all(self, turn: Turn) -> tuple[float, Bound | None]:
        buckets, now = self.limiter.buckets, self._now()
        for bound in turn.bounds:
            if not bound.metered:
                continue
            wait, number = await buckets.take(bound.key, bound.plan, turn.cost, now)
            if wait:
                for taken, _ in zip([one for one in turn.bounds if one.metered], turn.turns, strict=False):
                    await buckets.give(taken.key, taken.plan, turn.cost)
                turn.turns.clear()
                return wait, bound
            turn.turns.append(number)
        return 0.0, None

    async def _rest(self, bound: Bound, wait: float) -> None:
        if wait != AFTER_AN_ANSWER:
            await self.limiter.clock.sleep(wait)
        elif bound.line.pending:
            await bound.line.answered.wait()
        else:
            await self.limiter.clock.sleep(_ELSEWHERE)

    async def _estimate(self, operation: str, bound: Bound, cost: float) -> None:
        """Behind many others it may take too long although the first of them does not wait long."""
        if bound.metered and bound.line.waiting:
            wait, _ = await self.limiter.buckets.take(
                bound.key, bound.plan, cost, self._now(), ahead=bound.line.waiting
            )
            self._patient(operation, bound, wait)

    def _patient(self, operation: str, bound: Bound, wait: float) -> None:
        if wait > self.limiter.longest:
            raise errors.RateLimited(
                f"{operation}: limit {bound.limit.name!r} is used up for {wait:.0f} s; it goes on then.", wait
            )

    def _bind(self, operation: str, host: str) -> Sequence[Bound]:
        bounds = []
        for limit in self.limits:
            if limit.operations is not None and operation not in limit.operations:
                continue
            scope = {"account": self.account, "application": self.application, "host": host}[limit.per]
            key = f"{self.driver}/{limit.per}/{scope}/{limit.name}"
            metered = limit.rate < math.inf or limit.window is not None or limit.read is not None
            bounds.append(Bound(limit, key, Plan.of(limit), self.limiter.line(key, limit), metered))
        self._bound[operation, host] = bounds
        return bounds

    def _now(self) -> float:
        return self.limiter.clock.now().timestamp()


def _reading(limit: Limit, answer: Answer | None) -> Reading | None:
    """What the driver's reader makes of an answer.

    Raises:
        ContractBroken: it raised.
    """
    if limit.read is None or answer is None:
        return None
    try:
        return limit.read(answer)
    except Exception as cause:
        raise errors.ContractBroken(
            f"{answer.operation}: the reader of limit {limit.name!r} raised {type(cause).__name__}; correct the driver."
        ) from cause
