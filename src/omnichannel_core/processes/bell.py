"""A bell: whoever waits is woken, and a ring between looking and waiting is not missed."""

from __future__ import annotations

import anyio


class Bell:
    """Rung and heard on one event loop."""

    def __init__(self) -> None:
        self.rings = 0
        self._waiting: set[anyio.Event] = set()

    def ring(self) -> None:
        """Wake all who wait."""
        self.rings += 1
        for event in self._waiting:
            event.set()

    async def heard(self, since: int, seconds: float) -> bool:
        """Wait until it has rung after `since` (a value of `rings`), at most so many real seconds; whether it has."""
        event = anyio.Event()
        self._waiting.add(event)
        try:
            if self.rings == since:
                with anyio.move_on_after(seconds):
                    await event.wait()
        finally:
            self._waiting.discard(event)
        return self.rings != since
