"""The simulator's clock: follows the machine, possibly faster, or stands still until a test moves it."""

from __future__ import annotations

import time


class Clock:
    """Unix time in seconds. `real` runs `speed` times as fast as the machine's clock; `manual` stands until it is set
    or advanced.

    Whoever knows `start`, `since` (the machine's time then) and `speed` can follow a fast clock without asking.
    """

    def __init__(self, mode: str = "real", start: float | None = None, speed: float = 1.0) -> None:
        if mode not in {"real", "manual"} or speed <= 0:
            raise ValueError(f"clock: {mode!r} is not one of real, manual, or the speed {speed} is not positive")
        self.mode, self.speed = mode, speed
        self.since = time.time()
        self.start = self.since if start is None else start

    def now(self) -> float:
        return self.start + (time.time() - self.since) * self.speed if self.mode == "real" else self.start

    def set(self, at: float) -> None:
        """Puts the clock at `at` (Unix seconds); a real clock goes on running from there."""
        self.start, self.since = at, time.time()

    def advance(self, seconds: float) -> None:
        self.set(self.now() + seconds)

    def change(self, mode: str, speed: float) -> None:
        """Another way to go on from here.

        Raises:
            ValueError: a mode that does not exist.
        """
        changed = Clock(mode, self.now(), speed)
        self.mode, self.speed, self.start, self.since = mode, speed, changed.start, changed.since

    def shown(self) -> dict[str, float | str]:
        return {"mode": self.mode, "now": self.now(), "speed": self.speed, "start": self.start, "since": self.since}
