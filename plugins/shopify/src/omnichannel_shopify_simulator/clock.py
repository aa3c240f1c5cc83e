"""The simulator's clock: follows the machine, or stands still until a test moves it."""

from __future__ import annotations

import time


class Clock:
    """Unix time in seconds. `real` follows `time.time()` plus an offset; `manual` stands until it is set or
    advanced.
    """

    def __init__(self, mode: str = "real", start: float | None = None) -> None:
        if mode not in {"real", "manual"}:
            raise ValueError(f"clock: {mode!r} is not one of real, manual")
        self.mode = mode
        self._offset = 0.0
        self._at = time.time() if start is None else start
        if mode == "real" and start is not None:
            self._offset = start - time.time()

    def now(self) -> float:
        return time.time() + self._offset if self.mode == "real" else self._at

    def set(self, at: float) -> None:
        """Puts the clock at `at` (Unix seconds); a real clock goes on running from there."""
        self._at = at
        self._offset = at - time.time()

    def advance(self, seconds: float) -> None:
        self.set(self.now() + seconds)
