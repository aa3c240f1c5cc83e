"""The cost bucket of one app in one shop: it leaks `rate` points a second and holds `size` (guide 2.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

PLANS = {"standard": (100.0, 2000.0), "advanced": (200.0, 4000.0), "plus": (1000.0, 20_000.0), "none": (1e12, 1e12)}
"""Plan -> points restored a second, size (sizes are samples: guide 6). `none` is for benchmarks of other things."""
CAP = 1000
"""What one query may cost at most."""


@dataclass(slots=True)
class Span:
    """What one span of `Bucket.span` seconds saw."""

    index: int
    used: float = 0.0
    foreign: float = 0.0
    answered: int = 0
    throttled: int = 0


class Bucket:
    """A leaky bucket. `foreign_rate` is another consumer: so many points a second leave before we see them.

    What is permitted between two moments is what was restored between them; the full bucket at the beginning (the
    burst) is told apart, so that a share of the lasting rate can be computed.
    """

    def __init__(self, rate: float, size: float, now: float) -> None:
        self.rate, self.size = rate, size
        self.foreign_rate = 0.0
        self.level, self.at = size, now
        self.span = 30.0
        self.clear(now)

    def clear(self, now: float) -> None:
        """Forgets the figures, not the level."""
        self._settle(now)
        self.since, self.level_then, self.wasted = now, self.level, 0.0
        self.used = self.foreign = 0.0
        self.answered = self.throttled = 0
        self.last = now
        self.spans: list[Span] = []

    def _settle(self, now: float) -> None:
        passed = max(0.0, now - self.at)
        self.at = now
        grown = self.level + passed * self.rate
        if grown > self.size:
            self.wasted = getattr(self, "wasted", 0.0) + grown - self.size
            grown = self.size
        taken = min(grown, passed * min(self.foreign_rate, self.rate))
        self.foreign = getattr(self, "foreign", 0.0) + taken
        self.level = grown - taken

    def available(self, now: float) -> float:
        self._settle(now)
        return self.level

    def take(self, points: float, now: float) -> bool:
        """Takes what a query may cost at most; False when it is not there (THROTTLED)."""
        self._settle(now)
        self.last = now
        span = self._span(now)
        if points > self.level:
            self.throttled += 1
            span.throttled += 1
            return False
        self.level -= points
        self.used += points
        self.answered += 1
        span.used += points
        span.answered += 1
        return True

    def give_back(self, points: float, now: float) -> None:
        """The difference to what the query really cost."""
        self._settle(now)
        self.level = min(self.size, self.level + points)
        self.used -= points
        self._span(now).used -= points

    def steal(self, points: float, now: float) -> None:
        """Another consumer takes `points` at once."""
        self._settle(now)
        taken = min(points, self.level)
        self.level -= taken
        self.foreign += taken

    def _span(self, now: float) -> Span:
        index = int((now - self.since) // self.span)
        if not self.spans or self.spans[-1].index != index:
            self.spans.append(Span(index))
        return self.spans[-1]

    def status(self, now: float) -> dict[str, Any]:
        """`throttleStatus` of an answer."""
        return {
            "maximumAvailable": self.size,
            "currentlyAvailable": int(self.available(now)),
            "restoreRate": self.rate,
        }

    def report(self, now: float) -> dict[str, Any]:
        """Figures since `clear`.

        `permitted` is what the lasting rate allowed until the last request (burst excluded), `share` what was used of
        it; `share_of_all` counts the burst on both sides. Points of somebody else are no longer permitted to us.
        """
        self._settle(now)
        seconds = max(1e-9, self.last - self.since)
        permitted = max(1e-9, seconds * self.rate - self.foreign)
        return {
            "rate": self.rate, "size": self.size, "seconds": round(seconds, 3), "available": round(self.level, 1),
            "permitted": round(permitted, 1), "burst": round(self.level_then, 1), "used": round(self.used, 1),
            "foreign": round(self.foreign, 1), "wasted": round(self.wasted, 1), "answered": self.answered,
            "throttled": self.throttled, "share": round(self.used / permitted, 4),
            "share_of_all": round(self.used / (permitted + self.level_then), 4),
            "spans": [
                {
                    "span": one.index, "used": round(one.used, 1), "answered": one.answered, "throttled": one.throttled,
                    "share": round(one.used / (self.span * self.rate), 4),
                }
                for one in self.spans[-1000:]
            ],
        }  # fmt: skip
