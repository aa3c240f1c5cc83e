"""Fixtures of the simulator's tests: a world with a standing clock, and clients of it without sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import pytest
from omnichannel_shopify_simulator import Simulator, create
from omnichannel_shopify_simulator.store import Store

NOW = 1_790_000_000.0
ORDERS = 60


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def simulator() -> Simulator:
    """One shop `demo` with 60 orders and 20 products; its clock stands at NOW."""
    stores = [{"shop": "demo", "token": "shpat_1", "secret": "hush", "orders": ORDERS, "bulk_seconds": 5}]
    return create(clock="manual", now=NOW, stores=stores, dropped=lambda: httpx2.RemoteProtocolError("dropped"))


@pytest.fixture
def store(simulator: Simulator) -> Store:
    found: Store = simulator.state.world.stores["demo"]
    return found


class Api:
    """A client of one shop."""

    def __init__(self, http: httpx2.AsyncClient, shop: str) -> None:
        self.http, self.shop = http, shop

    async def raw(self, query: str, version: str = "2026-10", **variables: Any) -> httpx2.Response:
        body = {"query": query, "variables": variables}
        return await self.http.post(f"/admin/api/{version}/graphql.json", json=body)

    async def __call__(self, query: str, **variables: Any) -> Any:
        """The whole document of an answer that is HTTP 200."""
        answer = await self.raw(query, **variables)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def data(self, query: str, **variables: Any) -> Any:
        """The data of an answer without errors."""
        document = await self(query, **variables)
        assert "errors" not in document, document["errors"]
        return document["data"]

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        """A control operation that must work."""
        answer = await self.http.request(method, f"/_control{path}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    async def order(self, **plan: Any) -> str:
        """Places an order; its id."""
        made = await self.control("POST", f"/stores/{self.shop}/orders", plan)
        return str(made["ids"][0])

    async def act(self, order: str, what: str, **words: Any) -> Any:
        number = order.rsplit("/", 1)[-1]
        return await self.control("POST", f"/stores/{self.shop}/orders/{number}/{what}", words)


Client = Callable[..., Any]


@pytest.fixture
async def client(simulator: Simulator) -> AsyncIterator[Client]:
    """`client(token="shpat_1", shop="demo", **headers)` makes an `Api`."""
    async with AsyncExitStack() as stack:

        async def make(token: str = "shpat_1", shop: str = "demo", **headers: str) -> Api:
            words = {"X-Shopify-Access-Token": token, "X-Forwarded-Host": f"{shop}.myshopify.com", **headers}
            transport = httpx2.ASGITransport(app=simulator)
            http = httpx2.AsyncClient(transport=transport, base_url="http://simulator", headers=words)
            return Api(await stack.enter_async_context(http), shop)

        yield make


@pytest.fixture
async def api(client: Client) -> Api:
    made: Api = await client()
    return made
