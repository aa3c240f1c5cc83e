"""The request quota of a store: 30-second windows shared by every token, four headers on every answer (guide 1.7)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(slots=True)
class Window:
    """What one window saw: requests let through, requests of somebody else, requests refused."""

    index: int
    used: int = 0
    foreign: int = 0
    refused: int = 0


class Quota:
    """A bucket of `limit` requests per window of `window_ms`; windows follow each other from `started` on.

    `foreign_rate` is another consumer of the same store: so many requests per second are taken from each window as
    it goes on.
    """

    def __init__(self, limit: int, window_ms: int, started: float) -> None:
        self.limit = limit
        self.window_ms = window_ms
        self.started = started
        self.foreign_rate = 0.0
        self.windows: deque[Window] = deque(maxlen=1000)

    def window(self, now: float) -> Window:
        index = self._index(now)
        if not self.windows or self.windows[-1].index != index:
            self.windows.append(Window(index))
        window = self.windows[-1]
        if self.foreign_rate:
            due = int((now - self._start(index)) * self.foreign_rate)
            window.foreign = max(window.foreign, min(due, self.limit - window.used))
        return window

    def _index(self, now: float) -> int:
        return int((now - self.started) * 1000 // self.window_ms)

    def _start(self, index: int) -> float:
        return self.started + index * self.window_ms / 1000

    def charge(self, now: float) -> bool:
        """Takes one request from the bucket; False when it is empty (429)."""
        window = self.window(now)
        if window.used + window.foreign >= self.limit:
            window.refused += 1
            return False
        window.used += 1
        return True

    def take(self, requests: int, now: float) -> None:
        """Another consumer takes `requests` at once."""
        window = self.window(now)
        window.foreign += min(requests, self.limit - window.used - window.foreign)

    def left(self, now: float) -> int:
        window = self.window(now)
        return self.limit - window.used - window.foreign

    def reset_ms(self, now: float) -> int:
        return max(0, round((self._start(self._index(now) + 1) - now) * 1000))

    def headers(self, now: float) -> dict[str, str]:
        return {
            "X-Rate-Limit-Time-Window-Ms": str(self.window_ms),
            "X-Rate-Limit-Time-Reset-Ms": str(self.reset_ms(now)),
            "X-Rate-Limit-Requests-Quota": str(self.limit),
            "X-Rate-Limit-Requests-Left": str(max(0, self.left(now))),
        }

    def report(self) -> list[dict[str, float]]:
        """One row per window: used, foreign, refused, share of what was left to us (0 to 1)."""
        return [
            {
                "window": w.index,
                "used": w.used,
                "foreign": w.foreign,
                "refused": w.refused,
                "share": round(w.used / max(1, self.limit - w.foreign), 4),
            }
            for w in self.windows
        ]
