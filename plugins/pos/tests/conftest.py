"""What the tests of this plugin share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio.lowlevel
import attrs
import pytest

from omnichannel_core.app import Omnichannel
from omnichannel_core.gate import vendor
from omnichannel_core.model.process import State

SPECS = Path(__file__).parents[3].parent / "shared" / "specs" / "pos"
SAMPLE = SPECS / "sample-synthetic"


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """Both loops."""
    return request.param


@attrs.define
class Clock:
    """A day passes in a moment. It runs far ahead of any file's own time, so no file counts as just written."""

    time: datetime = datetime(2031, 3, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """Aware, UTC."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """The time is over at once."""
        self.time += timedelta(seconds=seconds)
        await anyio.lowlevel.checkpoint()


@pytest.fixture
def clock() -> Clock:
    """In 2031."""
    return Clock()


@attrs.define
class Shop:
    """A store in account acme of a house that works only when told to."""

    house: Omnichannel
    id: int
    exchange: Path

    async def sync(self) -> None:
        """Everything that is there is taken in."""
        process = await self.house.connections.synchronize("acme", self.id)
        ended = await self.house.processes.run_to_end("acme", process.id)
        assert (ended.state, ended.error) == (State.SUCCEEDED, "")

    async def records(self, kind: str) -> dict[str, Any]:
        """All stored records of a kind, by id."""
        from omnichannel_core.storage.hub import Found

        found, cursor = dict[str, Any](), ""
        while True:
            page = await self.house.hub.find(
                "acme", Found(kind=kind, connection=self.id, full=True), cursor=cursor, limit=200
            )
            found |= {one.id: one.record for one in page.items}
            cursor = page.next
            if not cursor:
                return found

    def files(self, folder: str) -> list[str]:
        """Names of files anywhere below a folder of the exchange directory."""
        return sorted(one.name for one in (self.exchange / folder).rglob("*") if one.is_file())


@pytest.fixture
async def house(tmp_path: Path, clock: Clock) -> AsyncIterator[Omnichannel]:
    """With the driver licensed and installed in two accounts."""
    private, public = vendor.keygen()
    async with Omnichannel(
        tmp_path / "x.db", trust=vendor.key_set(public), work=False, clock=clock,
        callback_base="https://host.example/omnichannel",
    ) as opened:  # fmt: skip
        for account in ("acme", "other"):
            await opened.accounts.add(account)
            text = vendor.issue(
                private, account=account, driver="pos", distribution="omnichannel-pos", now=clock.now(), days=3650
            )
            await opened.licenses.add(account, text)
            await opened.drivers.install(account, "pos")
        yield opened


@pytest.fixture
async def shop(house: Omnichannel) -> Shop:
    """A store after its first synchronize."""
    saved = await house.stores.add("acme", "Berlin", address="Musterweg 1")
    assert saved.process is not None
    await house.processes.run_to_end("acme", saved.process.id)
    store = await house.stores.get("acme", saved.connection.id)
    return Shop(house, store.id, store.exchange)
