"""A house with two drivers behind its pages; clients that act as whoever a header says."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from typing import Any

import attrs
import httpx2
import pytest
from starlette.requests import Request

from omnichannel_core.app import Omnichannel
from omnichannel_core.web import Actor, Permission, create_web
from omnichannel_core.web.actors import EVERYTHING

HERE = "https://host.example"
SHOP = {"shop": "a", "secret": "hush-echo"}


async def resolve(request: Request) -> Actor | None:
    """`x-actor: ann/acme`, with `/see,operate` behind it where not everything is allowed."""
    said = request.headers.get("x-actor")
    if not said:
        return None
    name, account, *may = said.split("/")
    allowed = frozenset(Permission(one) for one in may[0].split(",") if one) if may else EVERYTHING
    return Actor(id=name, account=account, permissions=allowed, display=name.title())


@attrs.define
class Site:
    """The application, and browsers without JavaScript in front of it."""

    house: Omnichannel
    app: Any
    clients: list[httpx2.AsyncClient] = attrs.field(factory=list)

    def client(self, actor: str = "ann/acme", **headers: str) -> httpx2.AsyncClient:
        """A browser of ours, on our own pages."""
        said = {"sec-fetch-site": "same-origin", **({"x-actor": actor} if actor else {}), **headers}
        made = httpx2.AsyncClient(transport=httpx2.ASGITransport(self.app), base_url=HERE, headers=said)
        self.clients.append(made)
        return made

    async def connected(self, name: str = "Shop", account: str = "acme") -> int:
        """A connection of the echo driver, not synchronized yet."""
        saved = await self.house.connections.create(account, "echo", name, SHOP, actor="ann")
        return saved.connection.id


@pytest.fixture
async def site(open_house: Any, shop: Any) -> AsyncIterator[Site]:
    """Account acme with echo and lab; account other with both, too."""
    open_house.plug.ready("lab")
    bench = importlib.import_module("omnichannel_lab.bench")
    bench.BENCH = bench.Bench()
    async with open_house(callback_base="") as house:
        for account in ("acme", "other"):
            await house.accounts.add(account)
            for driver in ("echo", "lab"):
                await open_house.buy(house, account, driver)
                await house.drivers.install(account, driver)
        made = Site(house, create_web(house, resolve=resolve))
        yield made
        for client in made.clients:
            await client.aclose()


@pytest.fixture
def web(site: Site) -> httpx2.AsyncClient:
    """Ann in acme, who may do everything."""
    return site.client()
