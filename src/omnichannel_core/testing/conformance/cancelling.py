"""Gold, its last part: cancelled at any await, a driver leaves nothing running and nothing done twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Any

import anyio
import anyio.lowlevel
import attrs

from omnichannel_core import errors
from omnichannel_core.driver import Page, PushStream, Trip
from omnichannel_core.remote.lanes import blocking
from omnichannel_core.testing.canaries import tasks
from omnichannel_core.testing.conformance.authorizing import (
    RETURN_URL,
    STATE,
    authorized,
    out_and_back,
    unauthorized,
)  # fmt: skip
from omnichannel_core.testing.conformance.driving import in_time, spread
from omnichannel_core.testing.conformance.gold import has_samples, no_push, to_the_end
from omnichannel_core.testing.conformance.rules import Failed, Level, rule
from omnichannel_core.testing.conformance.trying import Bench, Subject

CANCELLED_AT = 60  # awaits of a trip at most
AT_ONCE = 5.0  # seconds from a cancellation to the end
PATIENCE = 4  # times as long as other rules have: most awaits are in pulls
GRACE = 3  # awaits after a cancellation, to clean up
Call = Callable[[], Awaitable[Any]]


@rule(Level.GOLD, "Hosts shut down, and merchants press cancel: what goes on after that is nobody's, forever.")
def cancelled_anywhere_leaves_nothing(subject: Subject) -> None:
    """Cancelled at any await of a check or of a first, second or last page, it ends at once, and works again."""

    async def work(bench: Bench) -> None:
        session = await bench.prepared()
        calls: dict[str, Call] = {"check": lambda: bench.driver.flow.check(session)}
        for stream in bench.driver.pulls.values():
            cursors = (await bench.walk(stream, session=session)).cursors[:-1]
            for at in dict.fromkeys((0, 1, len(cursors) - 1) if len(cursors) > 1 else (0,)):
                what = f"pull of {stream.name}" + (f" from page {at + 1} on" if at else "")
                calls[what] = lambda s=stream, c=cursors[at]: bench.step(session, s, c)  # type: ignore[misc]
        for what, call in calls.items():
            counted = _Counted(lambda c=call: bench.unhurried(c), -1)  # type: ignore[misc]
            whole = await counted
            for at in in_time(subject, spread(counted.seen), len(calls) / PATIENCE):
                await _cancelled(bench, what, call, at)
            if not _alike_answers(whole, await bench.unhurried(call)):
                raise Failed(f"After {what} was cancelled, it answers something else than before.")

    subject.each(work)


@rule(Level.GOLD, "AUTHORIZE and the way out of it are pressed by people, who close the window.",
      out_of_place=lambda subject: "" if _trips(subject) else "its flow has no trip, renewal or leaving")  # fmt: skip
def cancelled_authorizations_end(subject: Subject) -> None:
    """Cancelled at every await of going out, coming back, renewing or leaving, it ends at once and leaves no task."""

    async def work(bench: Bench) -> None:
        for what in _trips(subject):
            for at in range(CANCELLED_AT):
                if not await _cancelled(bench, what, await _trip(bench, what), at):
                    break

    subject.each(work)


@rule(Level.GOLD, "A host that ends while a parcel is told must find out later, and never tell it twice.",
      out_of_place=no_push)  # fmt: skip
def cancelled_pushes_are_once(subject: Subject) -> None:
    """Cancelled at any await, a push ends at once; looked at and gone on with, it is there once, or not at all."""

    async def work(bench: Bench, stream: PushStream[Any], at: int, ends: list[object]) -> None:
        await bench.stocked()
        batch = next(iter(bench.batches(stream)))
        before, session = bench.facts.held(bench.remote), bench.session()
        what = f"push of {stream.name}"
        hit = await _cancelled(bench, what, lambda: stream.push(session, batch), at)
        left = bool(getattr(session.http, "left", False))
        await _quiet(bench)
        ends.append(before)
        if stream.settle is not None or stream.repeatable:
            await to_the_end(bench, stream, batch, {}, left=left)
            ends.pop()
        if hit and bench.facts.held(bench.remote) not in ends:
            raise Failed(
                f"{what}, cancelled at its await {at + 1} and gone on with, ends otherwise than a healthy one."
            )

    has_samples(subject)
    for stream in subject.driver.pushes.values():
        awaits, whole = _healthy(subject, stream)
        for at in in_time(subject, spread(awaits), len(subject.driver.pushes)):
            subject.each(lambda bench, s=stream, n=at, w=whole: work(bench, s, n, [w]))  # type: ignore[misc]


def _healthy(subject: Subject, stream: PushStream[Any]) -> tuple[int, object]:
    """How often a push of the first batch awaits, and what is held after it."""
    found = list[tuple[int, object]]()

    async def work(bench: Bench) -> None:
        await bench.stocked()
        session, batch = bench.session(), next(iter(bench.batches(stream)))
        counted = _Counted(lambda: stream.push(session, batch), -1)
        await to_the_end(bench, stream, batch, await counted, left=False)
        found.append((counted.seen, bench.facts.held(bench.remote)))

    subject.each(work)
    return found[-1]


def _trips(subject: Subject) -> list[str]:
    flow = subject.driver.flow
    there = {"begin": flow.begin, "finish": flow.finish, "renew": flow.renew, "disconnect": flow.disconnect}
    return [name for name, hook in there.items() if hook is not None]


async def _trip(bench: Bench, what: str) -> Call:
    """A new one each time: what was cancelled may have used up its code or its token."""
    flow = bench.driver.flow
    if what == "begin" and flow.begin is not None:
        begin, session = flow.begin, unauthorized(bench)
        return lambda: begin(session, Trip(state=STATE, return_url=RETURN_URL))
    if what == "finish" and flow.finish is not None:
        finish, way = flow.finish, await out_and_back(bench)
        return lambda: finish(way.session, way.trip, way.back)
    session = await authorized(bench)
    if what == "renew" and flow.renew is not None:
        renew, (name, token) = flow.renew, next(iter(session.tokens.items()), ("access", None))
        return lambda: renew(session, name, token)
    assert flow.disconnect is not None  # noqa: S101 - one of those that are there
    disconnect = flow.disconnect
    return lambda: disconnect(session)


async def _quiet(bench: Bench) -> None:
    """What was on its way when it was cancelled has arrived, or never will."""
    for session in bench.sessions:
        await session.aclose()
    if bench.proxy is not None:
        await blocking("files", bench.proxy.quiet)


def _alike_answers(one: Any, other: Any) -> bool:
    """Pages by their records: a cursor may hold the moment."""
    return bool(list(one.records) == list(other.records) if isinstance(one, Page) else one == other)


async def _cancelled(bench: Bench, what: str, call: Call, at: int) -> bool:
    """Whether there was an await number `at` to cancel it at."""
    before, counted = tasks(), _Counted(call, at)
    with anyio.CancelScope() as late:
        counted.late = late
        with anyio.CancelScope() as scope:
            counted.scope = scope
            try:
                await counted
            except errors.RateLimited as slow:  # our own limit: so many tries spend it
                bench.clock.turn(max(slow.wait or 1.0, 1.0))
                return True
            except errors.OmnichannelError as problem:
                if not counted.hit:
                    return False  # a trip that cannot be made without a person's answer
                raise Failed(
                    f"{what}, cancelled, raises {type(problem).__name__}; let a cancellation pass."
                ) from problem
        if counted.hit and not scope.cancelled_caught and counted.after > GRACE:
            raise Failed(f"{what} goes on after it was cancelled; never catch a cancellation.")
    if late.cancelled_caught:
        raise Failed(f"{what} does not end when it is cancelled; shield nothing that may wait.")
    for _ in range(GRACE):
        await anyio.lowlevel.checkpoint()
    if tasks() - before:
        raise Failed(f"{what}, cancelled, leaves a task running; start tasks in a task group.")
    return counted.hit


@attrs.define(eq=False)
class _Counted:
    """Drives a call and cancels its scope at one of its awaits; `late` ends what does not end by itself."""

    call: Callable[[], Awaitable[Any]]
    at: int
    scope: anyio.CancelScope = attrs.field(factory=anyio.CancelScope)
    late: anyio.CancelScope = attrs.field(factory=anyio.CancelScope)
    hit: bool = False
    after: int = 0
    seen: int = 0

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self.call().__await__()
        value, thrown = None, None
        while True:
            try:
                asked = (
                    steps.throw(thrown) if thrown is not None else next(steps) if value is None else _sent(steps, value)
                )
            except StopIteration as over:
                return over.value
            if self.seen == self.at:
                self.hit = True
                self.late.deadline = anyio.current_time() + AT_ONCE
                self.scope.cancel()
            self.after += self.hit
            self.seen += 1
            try:
                value, thrown = (yield asked), None
            except BaseException as problem:  # noqa: BLE001 - handed on to whom it is meant for
                value, thrown = None, problem


def _sent(steps: Any, value: Any) -> Any:
    return steps.send(value)
