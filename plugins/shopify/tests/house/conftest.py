"""A house with the driver in it, a simulator beside it, and what tests do with both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from omnichannel_shopify.settings import FINANCIAL, FULFILLMENT

from omnichannel_core.app import Omnichannel
from omnichannel_core.gate import vendor
from omnichannel_core.model.process import State
from omnichannel_core.records import Order
from omnichannel_core.testing import simulator

TOKEN, KEY, NUMBERS = "shpat_of-the-shop-0123456789", "shpss_of-the-shop-0123456789", count(1)
EVERYTHING = {
    "orders": {
        "financial": sorted(FINANCIAL), "fulfillment": sorted(FULFILLMENT), "archived": True, "cancelled": True,
        "test": True,
    }
}  # fmt: skip


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """Both loops."""
    return request.param


class Lab:
    """One connection to one simulated shop."""

    def __init__(self, house: Omnichannel, address: str) -> None:
        self.house, self.address = house, address
        self.shop, self.connection = f"lab-{next(NUMBERS)}", 0

    def opened(self, **options: Any) -> None:
        """A shop with a token; `bulk_seconds` is how long a bulk operation takes there."""
        simulator.control(
            self.address, "stores", {"shop": self.shop, "token": TOKEN, "secret": KEY, "bulk_seconds": 0.2, **options}
        )

    def say(self, path: str = "", body: Any = None, method: str = "") -> Any:
        """A call of the control API below the shop."""
        return simulator.control(self.address, f"stores/{self.shop}{path}", body, method)

    def placed(self, **plan: Any) -> str:
        """A new order; its number."""
        (number,) = self.say("/orders", plan)["numbers"]
        return str(number)

    async def connected(self, access: Mapping[str, Any] | None = None, settings: Any = None) -> Any:
        """The connection, after its first synchronize."""
        typed = {"shop": self.shop, "access": access or {"way": "token", "access_token": TOKEN, "api_secret": KEY}}
        saved = await self.house.connections.create(
            "acme", "shopify", "Shop", typed, settings=EVERYTHING if settings is None else settings
        )
        self.connection = saved.connection.id
        assert saved.process is not None
        await self._ended(saved.process.id)
        return saved.connection

    async def synchronized(self) -> None:
        """Once more, to its end."""
        process = await self.house.connections.synchronize("acme", self.connection)
        assert process is not None
        await self._ended(process.id)

    async def _ended(self, process: int) -> None:
        found = await self.house.processes.run_to_end("acme", process)
        assert (found.state, found.error) == (State.SUCCEEDED, "")

    async def stored(self) -> dict[str, Order]:
        """All orders of the connection."""
        found, cursor = dict[str, Order](), ""
        while True:
            page = await self.house.hub.orders("acme", connection=self.connection, limit=200, cursor=cursor)
            for entry in page.items:
                found[entry.id] = await self.house.hub.order("acme", self.connection, entry.id)
            cursor = page.next
            if not cursor:
                return found

    async def delivered(self, stream: str, record: Any) -> Any:
        """What became of a pushed record."""
        (row,) = await self.house.hub.push("acme", self.connection, stream, [record])
        for process in await self.house.processes.list("acme", kind="deliver"):
            if process.state is State.QUEUED:
                await self.house.processes.run_to_end("acme", process.id)
        (found,) = (await self.house.hub.pushes("acme", connection=self.connection, keys=[row.key])).items
        return found


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    """A house with the driver in account acme, and a simulator of its own."""
    private, public = vendor.keygen()
    with simulator.running("shopify") as address:
        async with Omnichannel(
            tmp_path / "x.db", trust=vendor.key_set(public), endpoints={"shopify": address}, work=False
        ) as house:
            await house.accounts.add("acme")
            now = datetime.now(UTC)
            text = vendor.issue(private, account="acme", driver="shopify", distribution="omnichannel-shopify", now=now)
            await house.licenses.add("acme", text)
            await house.drivers.install("acme", "shopify")
            yield Lab(house, address)
