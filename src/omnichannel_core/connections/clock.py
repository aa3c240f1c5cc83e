"""The real clock."""

from __future__ import annotations

from datetime import UTC, datetime

import anyio


class SystemClock:
    """The machine's time and real waiting."""

    def now(self) -> datetime:
        """Aware, UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Real seconds."""
        await anyio.sleep(seconds)
