"""Fixtures of the simulator's tests: a world with a standing clock, and clients of it without sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import pytest
from omnichannel_bigcommerce_simulator import Simulator, create
from omnichannel_bigcommerce_simulator.store import Store

NOW = 1_790_000_000.0


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def simulator() -> Simulator:
    """One store `shop1` with 60 orders and 20 products; its clock stands at NOW."""
    stores = [{"hash": "shop1", "token": "token-1", "client_secret": "secret-1", "orders": 60, "stock_lag": 0.0}]
    return create(clock="manual", now=NOW, stores=stores, dropped=lambda: httpx2.RemoteProtocolError("dropped"))


@pytest.fixture
def store(simulator: Simulator) -> Store:
    return simulator.state.world.stores["shop1"]


class Api:
    """A client of one store; paths start with /v2 or /v3."""

    def __init__(self, http: httpx2.AsyncClient, store: str) -> None:
        self.http, self.store = http, store

    async def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        return await self.http.request(method, f"/stores/{self.store}{path}", json=body, headers=headers)

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        return await self("GET", path, **headers)

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        """A control operation that must work."""
        answer = await self.http.request(method, f"/_control{path}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()


Client = Callable[..., Any]


@pytest.fixture
async def client(simulator: Simulator) -> AsyncIterator[Client]:
    """`client(token="token-1", store="shop1", **headers)` makes an `Api`."""
    async with AsyncExitStack() as stack:

        async def make(token: str = "token-1", store: str = "shop1", **headers: str) -> Api:
            words = {"X-Auth-Token": token, "Accept": "application/json", **headers}
            transport = httpx2.ASGITransport(app=simulator)
            http = httpx2.AsyncClient(transport=transport, base_url="http://simulator", headers=words)
            return Api(await stack.enter_async_context(http), store)

        yield make


@pytest.fixture
async def api(client: Client) -> Api:
    made: Api = await client()
    return made
