"""What all tests share: both loops, a clock that tests turn, an opened store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio.lowlevel
import attrs
import pytest

from omnichannel_core.storage import migrations
from omnichannel_core.storage.store import Store


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """Every async test runs on both."""
    return request.param


@attrs.define
class FakeClock:
    """Stands still until somebody sleeps on it or turns it."""

    time: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """Aware, UTC."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """The time is over at once."""
        self.turn(seconds)
        await anyio.lowlevel.checkpoint()

    def turn(self, seconds: float) -> None:
        """So many seconds later."""
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> FakeClock:
    """At the beginning of 2026."""
    return FakeClock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A brand-new SQLite store with all tables."""
    made = Store(str(tmp_path / "store.db"))
    made.open()
    migrations.ensure(made)
    yield made
    made.close()
