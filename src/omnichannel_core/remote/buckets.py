"""What may still be spent of a budget: pure arithmetic on one small state, in memory or in a store.

Two kinds. A *bucket* drips: `rate` units per second up to `burst`. A *window* holds `burst` units and starts anew as a
whole. While the remote has not told when, no stretch of a window's length ever holds more than `burst`; once it has
told (Reading.full_in), its own counter is obeyed.
"""

from __future__ import annotations

import math
from typing import Protocol

import attrs
import msgspec

from omnichannel_core import errors
from omnichannel_core.driver.remote import Limit, Reading

NOW = 0.0
AFTER_AN_ANSWER = -1.0  # what is left is known to the unit only when an answer under way has come in
_SLACK = 0.01  # seconds; an answer tells its window's end in whole milliseconds, and is read a little later
_SLOTS = 16  # a window nobody told us about is remembered in so many parts
_LOST = 120.0  # seconds; no request is under way that long
_BACK = 60.0  # seconds; clocks of several machines differ by less
_TINY = 1e-9


@attrs.frozen
class Plan:
    """A limit's own numbers: units per second, units, seconds (a bucket that drips has no window)."""

    rate: float
    burst: float
    window: float | None

    @classmethod
    def of(cls, limit: Limit) -> Plan:
        """As declared."""
        return cls(limit.rate, limit.burst, limit.window)


class Bucket(msgspec.Struct):
    """The state of one budget; times are seconds of the house's clock. Starts full.

    Attributes:
        left: units that may be spent if everything told so far is true; None: a new one, full.
        sure: of these, units that are there even if no request under way was counted yet by the last answer.
        at: a bucket that drips: when `left` was right; a window: when it starts anew.
        told: a window whose end the remote has told.
        rate, burst, window: what the remote told to be true instead of what was declared.
        pending: units under way: sent and not answered.
        guessed: `at` is a window's length after we first asked, not what the remote told.
        drop: units somebody else took between two of our answers, at most, lately.
        hold: nothing before that time.
        spent: part of a window nobody told us about -> units spent in it.
        turn: how often the window started anew; a bucket that drips has turns of a few minutes, from `since` on, and of
            `pending` the units `older` were sent in the turn before.
        seen: what the clock showed last.
    """

    left: float | None = None
    sure: float = 0.0
    at: float = 0.0
    told: bool = False
    rate: float | None = None
    burst: float | None = None
    window: float | None = None
    guessed: bool = False
    pending: float = 0.0
    drop: float = 0.0
    hold: float = 0.0
    spent: dict[int, float] = {}
    turn: int = 0
    since: float = 0.0
    older: float = 0.0
    seen: float = 0.0

    def take(self, plan: Plan, cost: float, now: float, *, ahead: float = 0.0) -> float:
        """Spend `cost` units, if they are there now.

        Args:
            ahead: units of others that come first: then nothing is spent, and the answer is an estimate.

        Returns:
            NOW when they are spent; else seconds until it is worth asking again, or AFTER_AN_ANSWER.
        """
        if now < self.seen - _BACK:
            self._begin_anew(plan, now)
        self.seen = now
        if now < self.hold:
            return self.hold - now
        if self.told:
            return self._take_told(plan, cost, now, ahead)
        if plan.window is not None:
            return self._take_untold(plan, plan.window, cost, now, ahead)
        return self._take_dripped(plan, cost, now, ahead)

    def give(self, plan: Plan, cost: float) -> None:
        """Units that were taken and not spent: nothing was sent."""
        cost, most = min(cost, self._most(plan)), self._most(plan)
        self.pending = max(0.0, self.pending - cost)
        self.older = min(self.older, self.pending)
        self.left = most if self.left is None else min(self.left + cost, most)
        self.sure = min(self.sure + cost, most)
        if self.spent:
            newest = max(self.spent)
            self.spent[newest] = max(0.0, self.spent[newest] - cost)

    def settle(self, plan: Plan, cost: float, turn: int, reading: Reading | None, now: float) -> None:
        """A request that had taken `cost` in `turn` is over; what its answer told, if one came.

        What an answer of an earlier turn tells is about a window that is gone.
        """
        drips, units = plan.window is None and not self.told, min(cost, self._most(plan))
        if turn != self.turn and not (drips and self.older and turn == self.turn - 1):
            return
        if drips and self.left is not None:
            self._drip(plan, units, now)
        if turn != self.turn:
            units = min(units, self.older)
            self.older -= units
        self.pending = max(self.older, self.pending - units)
        if reading is not None:
            self._read(plan, reading, cost, now)

    def wait(self, seconds: float, now: float) -> None:
        """The remote says slow down: nothing before so many seconds are over, and what drips is empty over there."""
        self.hold = max(self.hold, now + errors.bounded(seconds))
        if not self.told and self.left is not None and self.left > 0:
            self.left, self.at = 0.0, max(self.at, now)

    def _begin_anew(self, plan: Plan, now: float) -> None:
        """The clock was set back: times ahead of it are worth nothing, so all was spent just now."""
        fresh = Bucket(rate=self.rate, burst=self.burst, seen=now)
        fresh.take(plan, fresh._most(plan), now)
        fresh.pending, fresh.turn = 0.0, self.turn + 1
        for name in self.__struct_fields__:
            setattr(self, name, getattr(fresh, name))

    def idle(self, plan: Plan, now: float) -> bool:
        """Whether it may be forgotten: as full as a new one, and nothing told that a new one would not know."""
        window = self.window or plan.window or 60.0
        return (
            self.pending <= 0 and now > self.hold and now > self.at + 10 * window + self._most(plan) / self._rate(plan)
        )

    def _most(self, plan: Plan) -> float:
        return plan.burst if self.burst is None else self.burst

    def _rate(self, plan: Plan) -> float:
        return max(_TINY, plan.rate if self.rate is None else self.rate)

    def _take_dripped(self, plan: Plan, cost: float, now: float, ahead: float) -> float:
        most, rate = self._most(plan), self._rate(plan)
        if now - self.since > _LOST:  # whoever sent what was not answered in the turn before has died
            ours = self.pending - self.older if now - self.since <= 2 * _LOST else 0.0
            self.pending, self.older, self.since, self.turn = ours, ours, now, self.turn + 1
        cost = min(cost, most)
        missing = cost + ahead - self._drip(plan, cost, now)
        if missing > _TINY and rate < math.inf:
            return missing / rate
        if not ahead:
            self.left = (self.left or 0.0) - cost
            self.pending += cost
        return NOW

    def _drip(self, plan: Plan, cost: float, now: float) -> float:
        """What is left now. Units under way may not have arrived over there: a bucket that was full still is, and
        nothing drips into it, so they leave room that is not filled before they are answered (but for `cost`).
        """
        rate, room = self._rate(plan), max(self._most(plan) - self.pending, cost)
        dripped = math.inf if self.left is None or rate == math.inf else self.left + max(0.0, now - self.at) * rate
        self.left, self.at = min(room, dripped), max(self.at, now)
        return self.left

    def _take_untold(self, plan: Plan, window: float, cost: float, now: float, ahead: float) -> float:
        """No stretch of the window's length holds more than it may: every part of the last window counts in full."""
        width, most = window / _SLOTS, self._most(plan)
        part = math.floor(now / width)
        self.spent = {one: units for one, units in self.spent.items() if one >= part - _SLOTS}
        cost = min(cost, most)
        over = sum(self.spent.values()) + cost + ahead - most
        if over > _TINY:
            for one in sorted(self.spent):
                over -= self.spent[one]
                if over <= _TINY:
                    return (one + _SLOTS + 1) * width - now + _TINY
            return window * math.ceil(over / most + 1)
        if not ahead:
            self.spent[part] = self.spent.get(part, 0.0) + cost
            self.pending += cost
            self.at = now
        return NOW

    def _take_told(self, plan: Plan, cost: float, now: float, ahead: float) -> float:
        window, most = self.window or plan.window or 1.0, self._most(plan)
        if now >= self.at:
            self.left = self.sure = most
            self.at, self.guessed, self.pending, self.turn = now + window, True, 0.0, self.turn + 1
            self.drop /= 2
        cost, left = min(cost, most), most if self.left is None else self.left
        if ahead:
            over = cost + ahead - left
            return NOW if over <= 0 else self.at - now + (math.ceil(over / most) - 1) * window
        if left - cost < -_TINY:
            return self.at - now
        if self.sure - cost < self._margin():
            if self.pending > _TINY:
                return AFTER_AN_ANSWER
            self.sure = left
        self.left, self.sure, self.pending = left - cost, self.sure - cost, self.pending + cost
        return NOW

    def _margin(self) -> float:
        """Somebody else may spend once more before each request under way arrives: the last units go singly."""
        return max(1.0, self.drop) * (1 + self.pending)

    def _read(self, plan: Plan, reading: Reading, cost: float, now: float) -> None:
        if not all(value is None or math.isfinite(value) for value in attrs.astuple(reading)):
            return  # nothing that one can count with
        self.rate = reading.rate if reading.rate is not None and reading.rate > 0 else self.rate
        self.burst = reading.burst if reading.burst is not None and reading.burst > 0 else self.burst
        if reading.full_in is not None:
            self._read_window(plan, reading.left, errors.bounded(reading.full_in), cost, now)
        elif reading.left is not None:
            if self.told:
                self._lower(reading.left)
            else:
                self.left, self.at = min(reading.left - self.pending, self._most(plan)), now
        elif reading.spent is not None and self.left is not None and not self.told:
            self.left = min(self.left + cost - reading.spent, self._most(plan))

    def _read_window(self, plan: Plan, told: float | None, full_in: float, cost: float, now: float) -> None:
        ends = now + full_in + _SLACK
        self.window = max(self.window or plan.window or 0.0, full_in)
        if self.told and not self.guessed and ends < self.at - self.window / 4:
            return  # a late answer of a window that is gone
        if self.told and ends <= self.at + self.window / 4:
            self.at, self.guessed = ends, False
            if told is not None:
                self._lower(told)
            return
        # The first word about it, or it began anew before we thought. Our own requests account for what is gone, or
        # somebody else's do too: then all that is under way may still come on top.
        most, ours = self._most(plan), self.pending + cost
        if told is None:
            left = most - sum(self.spent.values())
        else:
            left = most - ours if told >= most - ours else told - self.pending
        self.told, self.guessed, self.spent, self.drop = True, False, {}, self.drop / 2
        self.at, self.left, self.sure = ends, left, left

    def _lower(self, told: float) -> None:
        """The remote's own count: right if it has seen all we sent, and too high by what is under way if not."""
        left = told if self.left is None else self.left
        self.drop = max(self.drop, left - told)
        self.left = min(left, told)
        self.sure = min(told - self.pending, self.left)


class Buckets(Protocol):
    """The port: budgets by key, shared by whoever shares the implementation. Every step is atomic for its key.

    `Bucket` is the arithmetic; an implementation keeps it (`msgspec.json` encodes it) and loses nothing in between.
    """

    async def take(self, key: str, plan: Plan, cost: float, now: float, *, ahead: float = 0.0) -> tuple[float, int]:
        """See `Bucket.take`; and the bucket's `turn`."""
        ...

    async def give(self, key: str, plan: Plan, cost: float) -> None:
        """See `Bucket.give`."""
        ...

    async def settle(self, key: str, plan: Plan, cost: float, turn: int, reading: Reading | None, now: float) -> None:
        """See `Bucket.settle`."""
        ...

    async def wait(self, key: str, plan: Plan, seconds: float, now: float) -> None:
        """See `Bucket.wait`."""
        ...

    async def occupy(self, key: str, places: int, now: float) -> str:
        """One of so many places for requests under way at once, '' when none is free. A process that dies leaves it."""
        ...

    async def vacate(self, key: str, place: str) -> None:
        """The place is free again."""
        ...


_FORGET_BEYOND = 4096


@attrs.define
class LocalBuckets:
    """Buckets of this process: a step is a function call, and nothing can come in between."""

    _buckets: dict[str, tuple[Bucket, Plan]] = attrs.field(factory=dict, repr=False)

    async def take(self, key: str, plan: Plan, cost: float, now: float, *, ahead: float = 0.0) -> tuple[float, int]:
        """See Buckets."""
        if key not in self._buckets and len(self._buckets) > _FORGET_BEYOND:
            self._forget(now)
        bucket = self._of(key, plan)
        return bucket.take(plan, cost, now, ahead=ahead), bucket.turn

    async def give(self, key: str, plan: Plan, cost: float) -> None:
        """See Buckets."""
        self._of(key, plan).give(plan, cost)

    async def settle(self, key: str, plan: Plan, cost: float, turn: int, reading: Reading | None, now: float) -> None:
        """See Buckets."""
        self._of(key, plan).settle(plan, cost, turn, reading, now)

    async def wait(self, key: str, plan: Plan, seconds: float, now: float) -> None:
        """See Buckets."""
        self._of(key, plan).wait(seconds, now)

    async def occupy(self, key: str, places: int, now: float) -> str:
        """The line counts within this process already."""
        return "here"

    async def vacate(self, key: str, place: str) -> None:
        """Nothing is kept."""

    def _of(self, key: str, plan: Plan) -> Bucket:
        found = self._buckets.get(key)
        if found is None:
            found = self._buckets[key] = (Bucket(), plan)
        return found[0]

    def _forget(self, now: float) -> None:
        for key, (bucket, plan) in list(self._buckets.items()):
            if bucket.idle(plan, now):
                del self._buckets[key]
