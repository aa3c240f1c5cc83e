"""The driver in the real house, over a real socket, with a shop that says what a test wrote down."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
import uvicorn

from omnichannel_core import errors
from omnichannel_core.app import Omnichannel
from omnichannel_core.driver import Call
from omnichannel_core.gate import vendor
from omnichannel_core.model.lifecycle import Health
from omnichannel_core.model.process import State
from omnichannel_core.testing.simulator import listening

pytestmark = pytest.mark.anyio
SHOP, BASE, SECRET = "demo.myshopify.com", "https://host.example/omnichannel", "shpss_the-secret-of-the-app-987654"
BACK = f"{BASE}/authorized"
WHOLE = {"hasNextPage": False}
SCOPES = [
    "write_orders", "read_customers",
    "read_all_orders", "write_returns", "write_products", "read_locations", "write_publications",
    "read_metaobject_definitions", "write_inventory", "write_merchant_managed_fulfillment_orders",
]  # fmt: skip


def connection(*nodes: Any) -> dict[str, Any]:
    return {"nodes": list(nodes), "pageInfo": WHOLE}


def order(number: int, note: str = "") -> dict[str, Any]:
    money = {"shopMoney": {"amount": "11.90", "currencyCode": "EUR"}}
    row = {"id": f"gid://shopify/LineItem/{number}", "quantity": 1, "originalUnitPriceSet": money}
    return {
        "id": f"gid://shopify/Order/{number}", "name": f"#{number}", "number": number, "note": note,
        "createdAt": "2026-10-01T10:00:00Z", "updatedAt": f"2026-10-20T10:00:{number % 60:02}Z", "currencyCode": "EUR",
        "presentmentCurrencyCode": "EUR", "displayFinancialStatus": "PAID", "displayFulfillmentStatus": "UNFULFILLED",
        "taxesIncluded": True, "totalPriceSet": money, "lineItems": connection(row), "shippingLines": connection(),
        "transactions": [], "refunds": [], "returns": connection(),
    }  # fmt: skip


class Till:
    """What the scripted shop knows of tokens: the last one given is good, refresh tokens change each time."""

    def __init__(self, shop: Any) -> None:
        self.shop, self.given, self.dead = shop, 0, set[str]()
        shop.on("token", self.token)

    def token(self, _: dict[str, Any]) -> dict[str, Any]:
        self.given += 1
        return {"access_token": f"shpat_{self.given}", "scope": ",".join(SCOPES), "expires_in": 3600,
                "refresh_token": f"shprt_{self.given}"}  # fmt: skip


@pytest.fixture
def orders() -> dict[str, Any]:
    """The shop's orders by id."""
    return {one["id"]: one for one in (order(n) for n in range(1, 6))}


@pytest.fixture
def address(shop: Any, orders: dict[str, Any]) -> Iterator[str]:
    """The scripted shop on a socket: which shop is meant stands in a header."""
    facts = {"id": "gid://shopify/Shop/1", "name": "Demo", "myshopifyDomain": SHOP, "currencyCode": "EUR",
             "ianaTimezone": "Europe/Berlin", "weightUnit": "KILOGRAMS"}  # fmt: skip
    scopes = {"accessScopes": [{"handle": one} for one in SCOPES]}
    shop.on("ConnectionCheck", {"shop": facts, "currentAppInstallation": scopes})
    shop.on("CustomerDataProbe", {"orders": {"nodes": []}})
    for name, where in (
        ("Locations", "locations"), ("Publications", "publications"), ("PriceLists", "priceLists"),
        ("Collections", "collections"), ("MetaobjectDefinitions", "metaobjectDefinitions"),
        ("MetafieldDefinitions", "metafieldDefinitions"), ("ProductOptions", "products"),
        ("Subscriptions", "webhookSubscriptions"), ("OrdersWithReturns", "orders"),
    ):  # fmt: skip
        shop.on(name, {where: connection()})
    shop.on("CategoriesUsed", {"shop": {"allProductCategoriesList": []}})
    shop.on("Subscribe", {"webhookSubscriptionCreate": {"userErrors": []}})
    shop.on("NewestOrder", {"orders": {"nodes": [{"id": "x", "updatedAt": "2026-10-20T10:00:05Z"}]}})
    shop.on("OrdersCount", lambda _: {"ordersCount": {"count": len(orders)}})
    shop.on("OrdersPage", lambda _: {"orders": connection(*orders.values())})
    shop.on("OrderById", lambda said: {"order": orders.get(said["id"])})
    with serving(shop) as found:
        yield found


class serving:  # noqa: N801 - reads as a verb
    """A function from request to response, on loopback, in a thread."""

    def __init__(self, shop: Any) -> None:
        self.shop, self.socket = shop, listening()

    def __enter__(self) -> str:
        self.server = uvicorn.Server(uvicorn.Config(self.answer, log_level="error", lifespan="off", interface="asgi3"))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]})
        self.thread.start()
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(10)
        self.socket.close()

    async def answer(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        head = {name.decode(): value.decode() for name, value in scope["headers"]}
        url = f"https://{head['x-forwarded-host']}{scope['path']}?{scope['query_string'].decode()}".rstrip("?")
        said = self.shop(httpx2.Request(scope["method"], url, headers=head, content=body))
        rows = [(name.encode(), value.encode()) for name, value in said.headers.items()]
        await send({"type": "http.response.start", "status": said.status_code, "headers": rows})
        await send({"type": "http.response.body", "body": said.content})


@pytest.fixture
async def house(tmp_path: Path, address: str) -> AsyncIterator[Omnichannel]:
    """A house with the driver and its application in account acme."""
    private, public = vendor.keygen()
    trust, now = vendor.key_set(public), datetime.now(UTC)
    async with Omnichannel(
        tmp_path / "x.db", trust=trust, endpoints={"shopify": address}, work=False, callback_base=BASE
    ) as opened:
        await opened.accounts.add("acme")
        text = vendor.issue(
            private, account="acme", driver="shopify", distribution="omnichannel-shopify", now=now, application="app"
        )
        await opened.licenses.add("acme", text)
        values = {"client_id": "app-client", "client_secrets": [SECRET], "scopes": SCOPES}
        document = {"name": "app", "driver": "shopify", "version": 1, "values": values}
        await opened.licenses.add_application("acme", document)
        await opened.drivers.install("acme", "shopify")
        yield opened


def signed(**query: str) -> Call:
    """A browser that Shopify sent."""
    query = {**query, "shop": SHOP, "timestamp": str(int(time.time()))}
    text = "&".join(f"{key}={value}" for key, value in sorted(query.items()))
    made = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
    return Call(method="GET", path="", query={**query, "hmac": made})


def delivery(topic: str, body: object, at: datetime, key: str = "w1") -> Call:
    """A webhook that Shopify signed."""
    raw = json.dumps(body).encode()
    made = base64.b64encode(hmac.digest(SECRET.encode(), raw, "sha256")).decode()
    said = {"topic": topic, "hmac-sha256": made, "shop-domain": SHOP, "webhook-id": key, "triggered-at": at.isoformat()}
    return Call(method="POST", path="", headers={f"x-shopify-{name}": text for name, text in said.items()}, body=raw)


async def authorized(house: Omnichannel, *, draft: int | None = None, connection: int | None = None) -> int:
    """AUTHORIZE pressed, agreed to at Shopify, and back; the draft."""
    begun = await house.connections.authorize(
        "acme", "shopify", {"shop": "demo"}, return_url=BACK, actor="anna", draft=draft, connection=connection
    )
    query = dict(parse_qsl(urlsplit(begun.url).query))
    assert (query["redirect_uri"], query["client_id"]) == (BACK, "app-client")
    back = await house.connections.returned(signed(code="c1", state=query["state"]), account="acme", actor="anna")
    assert back.error is None
    return begun.draft


async def test_authorize_then_first_import(house: Omnichannel, shop: Any):
    """AUTHORIZE leads out and back; the connection is made and its orders are there, under a token that expires."""
    Till(shop)
    draft = await authorized(house)
    saved = await house.connections.create("acme", "shopify", "Shop", draft=draft, actor="anna")
    assert saved.process is not None
    ended = await house.processes.run_to_end("acme", saved.process.id)
    assert (ended.state, ended.error) == (State.SUCCEEDED, "")
    found = (await house.hub.orders("acme", connection=saved.connection.id, limit=50)).items
    assert len(found) == 5
    assert (saved.connection.remote_account, saved.connection.health) == (SHOP, Health.OK)
    assert {one["x-shopify-access-token"] for one in shop.headers} == {"shpat_1"}


async def connected(house: Omnichannel, shop: Any) -> int:
    """A connection by AUTHORIZE, after its first synchronize."""
    Till(shop)
    draft = await authorized(house)
    saved = await house.connections.create("acme", "shopify", "Shop", draft=draft, actor="anna")
    assert saved.process is not None
    ended = await house.processes.run_to_end("acme", saved.process.id)
    assert (ended.state, ended.error) == (State.SUCCEEDED, "")
    return saved.connection.id


async def synchronized(house: Omnichannel, one: int) -> Any:
    process = await house.connections.synchronize("acme", one)
    return await house.processes.run_to_end("acme", process.id)


async def test_refused_token_is_renewed_once_and_stored_before_use(house: Omnichannel, shop: Any):
    """A token that Shopify does not take is renewed with the refresh token, and the next refresh has the new one."""
    one = await connected(house, shop)
    dead = httpx2.Response(401, json={"errors": "[API] Invalid API key or access token"})
    page = shop.answers["OrdersPage"]
    shop.on("OrdersPage", [dead, page({})])
    shop.tokens.clear()
    assert (await synchronized(house, one)).state is State.SUCCEEDED
    shop.on("OrdersPage", [dead, page({})])
    assert (await synchronized(house, one)).state is State.SUCCEEDED
    assert [body["refresh_token"] for body in shop.tokens] == ["shprt_1", "shprt_2"]


async def test_install_begun_at_shopify(house: Omnichannel, shop: Any):
    """An install waits for a signed-in user, then AUTHORIZE brings the token; the draft becomes the connection."""
    Till(shop)
    answer = await house.connections.receive("shopify", signed(host="aG9zdA"))
    assert answer.draft is not None
    form = await house.connections.confirm("acme", answer.draft, claim=answer.claim, actor="anna")
    assert form.values["shop"] == SHOP
    with pytest.raises(errors.AuthorizationNeeded):
        await house.connections.create("acme", "shopify", "Shop", draft=answer.draft, actor="anna")
    draft = await authorized(house, draft=answer.draft)
    saved = await house.connections.create("acme", "shopify", "Shop", draft=draft, actor="anna")
    assert saved.connection.id == answer.draft


async def test_s06_uninstalled_and_installed_again(house: Omnichannel, shop: Any):
    """S6: after an uninstall the connection asks for attention; authorized again it works with the new token."""
    one = await connected(house, shop)
    await house.connections.receive("shopify", delivery("app/uninstalled", {}, datetime.now(UTC)))
    assert (await house.connections.get("acme", one)).health is Health.ATTENTION
    draft = await authorized(house, connection=one)
    await house.connections.edit("acme", one, credentials={"shop": "demo"}, draft=draft, actor="anna")
    shop.headers.clear()
    assert (await synchronized(house, one)).state is State.SUCCEEDED
    assert {head["x-shopify-access-token"] for head in shop.headers} == {"shpat_2"}
    assert (await house.connections.get("acme", one)).health is Health.OK


async def test_s06_uninstall_before_the_connection(house: Omnichannel, shop: Any):
    """S6: an uninstall that is told hours late, after the app was installed anew and connected, changes nothing."""
    one = await connected(house, shop)
    long_ago = datetime.now(UTC) - timedelta(hours=2)
    await house.connections.receive("shopify", delivery("app/uninstalled", {}, long_ago))
    assert (await house.connections.get("acme", one)).health is Health.OK


async def test_s06_installed_again_at_shopify(house: Omnichannel, shop: Any):
    """S6: an app that was installed anew from Shopify's side has a dead token here: the visitor and the connection are
    told to authorize, and after that it works.
    """
    one = await connected(house, shop)
    healthy = shop.answers["ConnectionCheck"], shop.answers["token"]
    shop.on("ConnectionCheck", httpx2.Response(401, json={"errors": "[API] Invalid API key or access token"}))
    shop.on("token", httpx2.Response(400, json={"error": "invalid_client"}))
    with pytest.raises(errors.AuthorizationNeeded, match="press AUTHORIZE"):
        await house.connections.receive("shopify", signed(host="aG9zdA"))
    seen = await house.connections.get("acme", one)
    assert (seen.health, "press AUTHORIZE" in seen.health_reason) == (Health.ATTENTION, True)
    shop.on("ConnectionCheck", healthy[0])
    shop.on("token", healthy[1])
    draft = await authorized(house, connection=one)
    await house.connections.edit("acme", one, credentials={"shop": "demo"}, draft=draft, actor="anna")
    assert (await house.connections.get("acme", one)).health is Health.OK


async def test_webhook_brings_one_order(house: Omnichannel, shop: Any, orders: dict[str, Any]):
    """A delivery brings the order it names, once; a forged one is refused."""
    one = await connected(house, shop)
    key = "gid://shopify/Order/3"
    orders[key] = {**order(3, "changed"), "updatedAt": "2026-10-21T00:00:00Z"}
    call = delivery("orders/updated", {"admin_graphql_api_id": key}, datetime.now(UTC))
    assert list((await house.connections.receive("shopify", call)).connections) == [one]
    assert list((await house.connections.receive("shopify", call)).connections) == []
    for process in await house.processes.list("acme", kind="synchronize"):
        if process.state is State.QUEUED:
            await house.processes.run_to_end("acme", process.id)
    assert (await house.hub.order("acme", one, key)).note == "changed"
    with pytest.raises(errors.CallRefused):
        await house.connections.receive(
            "shopify", Call(method="POST", path="", headers=call.headers, body=call.body + b" ")
        )


async def test_s01_throttled_is_waited_for(house: Omnichannel, shop: Any):
    """S1: a throttled answer is waited out and asked again; nothing is lost and nothing fails."""
    one = await connected(house, shop)
    state = {"maximumAvailable": 2000, "currentlyAvailable": 390, "restoreRate": 100}
    cost = {"requestedQueryCost": 400, "actualQueryCost": None, "throttleStatus": state}
    body = {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}], "extensions": {"cost": cost}}
    page = shop.answers["OrdersPage"]
    shop.on("OrdersPage", [httpx2.Response(200, json=body), page({})])
    began = time.monotonic()
    assert (await synchronized(house, one)).state is State.SUCCEEDED
    assert time.monotonic() - began >= 0.1


async def test_wrong_credentials_store_nothing(house: Omnichannel, shop: Any):
    """A token that Shopify does not know is refused as such, and no connection is made."""
    shop.on("ConnectionCheck", httpx2.Response(401, json={"errors": "[API] Invalid API key or access token"}))
    with pytest.raises(errors.CredentialsRejected):
        await house.connections.create(
            "acme", "shopify", "Shop", {"shop": "demo", "access": {"way": "token", "access_token": "shpat_wrong"}}
        )
    assert await house.connections.list("acme") == []


async def test_another_shops_credentials(house: Omnichannel, shop: Any):
    """Credentials that lead to another shop than the one typed are noticed."""
    found = dict(shop.answers["ConnectionCheck"])
    shop.on("ConnectionCheck", {**found, "shop": {**found["shop"], "myshopifyDomain": "other.myshopify.com"}})
    with pytest.raises(errors.OmnichannelError):
        await house.connections.create(
            "acme", "shopify", "Shop", {"shop": "demo", "access": {"way": "token", "access_token": "shpat_x"}}
        )
    assert await house.connections.list("acme") == []
