"""A clock that stands still until somebody sleeps on it or turns it."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import anyio.lowlevel
import attrs


@attrs.define
class FakeClock:
    """Begins in 2026, or where it is told to. `turned` is called with the seconds, so that a remote's clock follows."""

    time: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    turned: Callable[[float], None] | None = None

    def now(self) -> datetime:
        """Aware, UTC."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """The time is over at once."""
        self.turn(seconds)
        await anyio.lowlevel.checkpoint()

    def turn(self, seconds: float) -> None:
        """So many seconds later."""
        self.time += timedelta(microseconds=math.ceil(seconds * 1e6))  # rounded down, a short sleep would never be over
        if self.turned is not None:
            self.turned(seconds)
