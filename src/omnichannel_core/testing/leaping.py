"""A clock for long stories in a short time: a house's waits and its simulator's time leap ahead together."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import anyio
import anyio.to_thread

from omnichannel_core.testing.simulator import control


class LeapingClock:
    """The machine's clock, but nobody sleeps: it leaps ahead, and the clock of the simulator at `address` with it.

    What work takes is real. Where several would sleep at once it leaps further than they need, so that more of a
    permitted rate goes unused: a share of it measured with this clock is never too high.
    """

    def __init__(self, address: str) -> None:
        self._address, self._turn = address, anyio.Lock()
        self._ahead = timedelta(seconds=control(address, "clock")["now"] - time.time())

    def now(self) -> datetime:
        """Aware, UTC; that of the simulator."""
        return datetime.now(UTC) + self._ahead

    async def sleep(self, seconds: float) -> None:
        """Until then, at once."""
        until = self.now() + timedelta(seconds=seconds)
        async with self._turn:
            left = (until - self.now()).total_seconds()
            if left > 0:
                await anyio.to_thread.run_sync(control, self._address, "clock", {"advance": left})
                self._ahead += timedelta(seconds=left)
