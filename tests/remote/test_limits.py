"""Limits between several workers and a remote that counts for itself, in virtual time."""

from __future__ import annotations

import heapq
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import anyio
import attrs
import pytest

from omnichannel_core import errors
from omnichannel_core.driver import Answer, Limit, Reading
from omnichannel_core.remote.limits import Limiter, Scope

pytestmark = pytest.mark.anyio


@attrs.define(eq=False)
class VirtualClock:
    """Time passes when everybody waits: to the first who wakes."""

    at: float = 1_700_000_000.0
    _sleepers: list[tuple[float, int, anyio.Event]] = attrs.field(factory=list)
    _number: int = 0

    def now(self) -> datetime:
        """The moment."""
        return datetime.fromtimestamp(self.at, UTC)

    async def sleep(self, seconds: float) -> None:
        """Until then."""
        self._number += 1
        event = anyio.Event()
        heapq.heappush(self._sleepers, (self.at + seconds, self._number, event))
        await event.wait()

    async def run(self, *works: Callable[[], Awaitable[None]]) -> None:
        """All of them, to their end."""
        async with anyio.create_task_group() as tasks:
            left = len(works)

            async def one(work: Callable[[], Awaitable[None]]) -> None:
                nonlocal left
                try:
                    await work()
                finally:
                    left -= 1

            for work in works:
                tasks.start_soon(one, work)
            while left:
                await anyio.wait_all_tasks_blocked()
                if self._sleepers:
                    self.at, _, event = heapq.heappop(self._sleepers)
                    event.set()


def read_window(answer: Answer) -> Reading | None:
    """BigCommerce's own headers (guide bigcommerce-and-shopify 1.7)."""
    if "left" not in answer.headers:
        return None
    return Reading(
        left=float(answer.headers["left"]), burst=float(answer.headers["quota"]),
        full_in=float(answer.headers["reset"]) / 1000,
    )  # fmt: skip


@attrs.define
class WindowedRemote:
    """`quota` requests per `window` seconds, counted for everybody from `begun` on."""

    clock: VirtualClock
    quota: int = 150
    window: float = 30.0
    begun: float = 0.0
    used: dict[int, int] = attrs.field(factory=dict)
    refused: dict[int, int] = attrs.field(factory=dict)
    good: int = 0

    def count(self, units: int = 1) -> tuple[int, bool]:
        """The window it is, and whether it had room."""
        number = int((self.clock.at - self.begun) // self.window)
        used = self.used.get(number, 0)
        if used + units > self.quota:
            return number, False
        self.used[number] = used + units
        return number, True

    async def ask(self, scope: Scope, latency: float) -> None:
        """One request of ours, there and back."""
        turn = await scope.enter("get", "api", 1.0)
        turn.sent = True
        await self.clock.sleep(latency * 0.4)
        number, room = self.count()
        ends = self.begun + (number + 1) * self.window - self.clock.at
        left = self.quota - self.used.get(number, 0)
        headers = {"left": str(left), "quota": str(self.quota), "reset": str(int(ends * 1000))}
        await self.clock.sleep(latency * random.uniform(0.2, 1.0))
        await scope.leave(turn, Answer(operation="get", status=200 if room else 429, headers=headers, content=b""))
        if room:
            self.good += 1
        else:
            self.refused[number] = self.refused.get(number, 0) + 1
            await scope.slow_down("get", "api", ends)


LIMIT = Limit(name="quota", window=30.0, burst=150.0, read=read_window)


@pytest.mark.parametrize(("workers", "latency", "offset"), [(1, 0.02, 0.0), (8, 0.3, 25.3)])
async def test_share_of_the_permitted_rate(workers: int, latency: float, offset: float) -> None:
    """Under a window quota told by headers, several workers get at least 97 % of it and not one 429."""
    random.seed(workers)
    clock = VirtualClock()
    remote = WindowedRemote(clock, begun=clock.at - offset)
    limiter, until = Limiter(clock), clock.at - offset + 4 * 30.0

    async def work() -> None:
        scope = limiter.scoped(driver="shop", account="store-1").of([LIMIT])
        while clock.at < until - 0.5:
            await remote.ask(scope, latency)

    await clock.run(*[work] * workers)
    whole = [remote.used.get(number, 0) for number in (1, 2, 3)]
    assert remote.refused == {}
    assert sum(whole) >= 0.97 * 450


@pytest.mark.parametrize(("workers", "latency"), [(1, 0.05), (4, 0.2)])
async def test_beside_a_foreign_consumer(workers: int, latency: float) -> None:
    """Beside somebody who spends the same quota there is at most one 429 a window, and the rest is used."""
    random.seed(workers)
    clock = VirtualClock()
    remote = WindowedRemote(clock, begun=clock.at - 7.0)
    limiter, until = Limiter(clock), clock.at + 120.0

    async def work() -> None:
        scope = limiter.scoped(driver="shop", account="store-1").of([LIMIT])
        while clock.at < until:
            await remote.ask(scope, latency)

    async def foreign() -> None:
        while clock.at < until:
            await clock.sleep(random.uniform(0.05, 1.2))
            remote.count()

    await clock.run(*[work] * workers, foreign)
    assert max(remote.refused.values(), default=0) <= 1
    assert sum(remote.used.get(number, 0) for number in range(1, 4)) >= 0.9 * 450


async def test_without_the_limit_there_are_refusals() -> None:
    """The control: the same workers without the limit run into the quota."""
    clock = VirtualClock()
    remote = WindowedRemote(clock, begun=clock.at)
    scope = Limiter(clock).scoped(driver="shop", account="store-1").of([])

    async def work() -> None:
        for _ in range(60):
            await remote.ask(scope, 0.05)

    await clock.run(*[work] * 4)
    assert sum(remote.refused.values()) > 20


@attrs.define
class Seen:
    """When requests went through."""

    clock: VirtualClock
    at: list[float] = attrs.field(factory=list)

    async def ask(self, scope: Scope, operation: str = "get", cost: float = 1.0) -> None:
        """One request that takes no time."""
        turn = await scope.enter(operation, "api", cost)
        turn.sent = True
        self.at.append(self.clock.at)
        await scope.leave(turn, None)


async def test_a_declared_rate_is_kept_by_all_together() -> None:
    """Workers of several connections to one remote account share its declared rate, in order, without loss."""
    clock = VirtualClock()
    limiter, seen, begun = Limiter(clock, longest=100.0), Seen(clock), clock.at
    limit = Limit(name="orders", rate=2.0, burst=5.0)

    async def work() -> None:
        scope = limiter.scoped(driver="shop", account="seller").of([limit])
        for _ in range(10):
            await seen.ask(scope)

    await clock.run(*[work] * 5)
    assert clock.at - begun == pytest.approx((50 - 5) / 2.0, abs=0.01)
    for first in range(50):
        for last in range(first, 50):
            assert last - first + 1 <= 5 + (seen.at[last] - seen.at[first]) * 2.0 + 1e-3


async def test_a_request_obeys_every_limit_that_names_it() -> None:
    """Units are taken from all limits or from none, so that a tight one does not drain a wide one."""
    clock = VirtualClock()
    limiter, seen, begun = Limiter(clock), Seen(clock), clock.at
    limits = [
        Limit(name="wide", rate=10.0, burst=10.0),
        Limit(name="tight", rate=0.5, burst=1.0, operations=frozenset({"bulk"})),
    ]
    scope = limiter.scoped(driver="shop", account="seller").of(limits)

    async def bulk() -> None:
        for _ in range(4):
            await seen.ask(scope, "bulk")

    await clock.run(bulk)
    assert clock.at - begun == pytest.approx(6.0, abs=0.01)
    for _ in range(9):
        await seen.ask(scope, "get")
    assert clock.at - begun == pytest.approx(6.0, abs=0.01)


async def test_long_waits_are_raised() -> None:
    """Who would have to wait longer than allowed, alone or behind others, is told how long, and spends nothing."""
    clock = VirtualClock()
    limiter, seen = Limiter(clock, longest=30.0), Seen(clock)
    scope = limiter.scoped(driver="shop", account="seller").of([Limit(name="slow", rate=0.1, burst=1.0)])
    told: list[float | None] = []

    async def work() -> None:
        try:
            await seen.ask(scope)
        except errors.RateLimited as raised:
            told.append(raised.wait)

    await clock.run(*[work] * 6)
    assert [round(at - seen.at[0]) for at in seen.at] == [0, 10, 20, 30]
    assert len(told) == 2
    assert all(wait is not None and 30 < wait <= 60 for wait in told)


async def test_cancelled_waiting_leaves_no_trace() -> None:
    """Somebody cancelled in the line neither blocks it nor keeps units or a place."""
    clock = VirtualClock()
    limiter, seen = Limiter(clock), Seen(clock)
    limits = [Limit(name="slow", rate=0.1, burst=1.0, concurrent=2)]
    scope = limiter.scoped(driver="shop", account="seller").of(limits)
    await seen.ask(scope)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(seen.ask, scope)
        tasks.start_soon(seen.ask, scope)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    line = limiter.line("shop/account/seller/slow", limits[0])
    assert (line.waiting, line.pending, line.slots and line.slots.value) == (0, 0, 2)
    clock.at += 10
    turn = await scope.enter("get", "api", 1.0)
    await scope.leave(turn, None)
    await seen.ask(scope)
    assert len(seen.at) == 2


@pytest.mark.parametrize(
    ("per", "same"),
    [("account", {"account": "a", "application": "y"}), ("application", {"account": "b", "application": "x"}),
     ("host", {"account": "b", "application": "y"})],
)  # fmt: skip
async def test_whose_budget_it_is(per: Any, same: dict[str, str]) -> None:
    """A budget is shared by exactly those it belongs to."""
    clock = VirtualClock()
    limiter, seen = Limiter(clock, longest=1.0), Seen(clock)
    limit = Limit(name="one", rate=0.01, burst=1.0, per=per)
    await seen.ask(limiter.scoped(driver="shop", account="a", application="x").of([limit]))
    with pytest.raises(errors.RateLimited):
        await seen.ask(limiter.scoped(driver="shop", **same).of([limit]))
    await seen.ask(limiter.scoped(driver="another", **same).of([limit]))
    if per != "host":
        await seen.ask(limiter.scoped(driver="shop", account="c", application="z").of([limit]))
