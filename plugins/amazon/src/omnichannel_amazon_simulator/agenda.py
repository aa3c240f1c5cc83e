"""What will happen by itself: feeds that end, listings that propagate, orders that leave pending."""

from __future__ import annotations

import heapq
from collections.abc import Callable


class Agenda:
    """Things due at Unix times; `settle` lets happen what is due, in order, each at its own time."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[float], object]]] = []
        self._count = 0

    def at(self, when: float, do: Callable[[float], object]) -> None:
        """`do(when)` once the clock has reached it."""
        self._count += 1
        heapq.heappush(self._heap, (when, self._count, do))

    def settle(self, now: float) -> None:
        while self._heap and self._heap[0][0] <= now:
            when, _, do = heapq.heappop(self._heap)
            do(when)
