"""What all tests share: both event loops, a clock that obeys, a store on disk."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio.lowlevel
import attrs
import pytest

from omnichannel_core.storage import migrations
from omnichannel_core.storage.store import Store


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Every async test runs on both loops."""
    return str(request.param)


@attrs.define
class FakeClock:
    """A day passes in a millisecond: sleeping moves the time."""

    time: datetime = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """Aware, UTC."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """Moves the time, and lets others run."""
        self.time += timedelta(seconds=seconds)
        await anyio.lowlevel.checkpoint()


@pytest.fixture
def clock() -> FakeClock:
    """A clock of one's own."""
    return FakeClock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A brand-new store with all tables."""
    made = Store(str(tmp_path / "house.db"))
    made.open()
    try:
        migrations.ensure(made)
        yield made
    finally:
        made.close()
