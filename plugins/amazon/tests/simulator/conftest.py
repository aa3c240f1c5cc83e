"""Fixtures of the simulator's tests: a world with a standing clock, and a signed client of it without sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import pytest
from omnichannel_amazon_simulator import Simulator, create
from omnichannel_amazon_simulator.sellers import Seller

NOW = 1_790_000_000.0
DE, FR, US = "A1PA6795UKMFR9", "A13V1IB3VIYZZH", "ATVPDKIKX0DER"
CLIENT, SECRET = "amzn1.application-oa2-client.0001", "amzn1.oa2-cs.v1.secret"
APP = {
    "client_id": CLIENT,
    "client_secret": SECRET,
    "application_id": "amzn1.sellerapps.app.0001",
    "redirect_uris": ["https://host.example/callbacks/amazon/authorize"],
    "login_uri": "https://host.example/callbacks/amazon/login",
}


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def simulator() -> Simulator:
    """An application, a German and French seller A1SELLER of 60 orders, an American one; the clock stands at NOW."""
    sellers = [
        {"seller_id": "A1SELLER", "marketplaces": [DE, FR], "orders": 60, "rate_headers": 1.0, "fba_report_lag": 0.0},
        {"seller_id": "A2SELLER", "marketplaces": [US], "orders": 5, "rate_headers": 1.0},
    ]
    return create(clock="manual", now=NOW, sellers=sellers, apps=[APP], dropped=lambda: httpx2.RemoteProtocolError("x"))


@pytest.fixture
def seller(simulator: Simulator) -> Seller:
    return simulator.world.sellers["A1SELLER"]


class Api:
    """A client that authorized one seller; `token` is its access token."""

    def __init__(self, http: httpx2.AsyncClient, seller: str) -> None:
        self.http, self.seller, self.refresh, self.token = http, seller, "", ""

    async def authorize(self, **words: Any) -> Api:
        """By the seller itself, then a first access token."""
        given = await self.control("POST", f"/sellers/{self.seller}/authorize", {"client_id": CLIENT} | words)
        self.refresh = given["refresh_token"]
        return await self.renew()

    async def renew(self) -> Api:
        answer = await self.lwa(grant_type="refresh_token", refresh_token=self.refresh)
        assert answer.status_code == 200, answer.text
        self.token, self.refresh = answer.json()["access_token"], answer.json()["refresh_token"]
        return self

    async def lwa(self, **form: str) -> httpx2.Response:
        words = {"client_id": CLIENT, "client_secret": SECRET} | form
        return await self.http.post("https://api.amazon.com/auth/o2/token", data=words)

    async def __call__(
        self, method: str, path: str, body: Any = None, *, host: str = "", token: str | None = None, **params: str
    ) -> httpx2.Response:
        region = host or ("eu" if self.seller == "A1SELLER" else "na")
        url = f"https://sellingpartnerapi-{region}.amazon.com{path}"
        headers = {"x-amz-access-token": self.token if token is None else token}
        if params:
            return await self.http.request(method, url, json=body, headers=headers, params=params)
        return await self.http.request(method, url, json=body, headers=headers)

    async def get(self, path: str, **params: str) -> httpx2.Response:
        return await self("GET", path, **params)

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        """A control operation that must work."""
        answer = await self.http.request(method, f"https://simulator/_control{path}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    async def advance(self, seconds: float) -> None:
        await self.control("POST", "/clock", {"advance": seconds})


@pytest.fixture
async def http(simulator: Simulator) -> AsyncIterator[httpx2.AsyncClient]:
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(httpx2.AsyncClient(transport=httpx2.ASGITransport(app=simulator)))


@pytest.fixture
async def api(http: httpx2.AsyncClient) -> Api:
    """The European seller's client."""
    return await Api(http, "A1SELLER").authorize()


@pytest.fixture
async def american(http: httpx2.AsyncClient) -> Api:
    return await Api(http, "A2SELLER").authorize()
