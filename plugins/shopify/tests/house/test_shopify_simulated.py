"""The driver in the real house, against its simulator over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from omnichannel_shopify.settings import FINANCIAL, FULFILLMENT

from omnichannel_core import errors
from omnichannel_core.app import Omnichannel
from omnichannel_core.driver import Call
from omnichannel_core.gate import vendor
from omnichannel_core.model.lifecycle import Health
from omnichannel_core.model.process import State
from omnichannel_core.records import (
    Cancellation,
    Money,
    Offer,
    OfferVariant,
    Order,
    Price,
    Return,
    ReturnLine,
    Shipment,
    StockLevel,
    Value,
)  # fmt: skip
from omnichannel_core.storage.hub import Found
from omnichannel_core.testing import simulator

pytestmark = pytest.mark.anyio
BASE, BACK = "https://host.example/omnichannel", "https://host.example/omnichannel/authorized"
TOKEN, KEY, SECRET = "shpat_of-the-shop-0123456789", "shpss_of-the-shop-0123456789", "shpss_of-the-vendor-987654321"
EVERYTHING = {
    "orders": {
        "financial": sorted(FINANCIAL), "fulfillment": sorted(FULFILLMENT), "archived": True, "cancelled": True,
        "test": True,
    }
}  # fmt: skip
NUMBERS = count(1)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """Both loops."""
    return request.param


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """One simulator for all tests; each opens shops of its own."""
    with simulator.running("shopify") as found:
        app = {"client_id": "app-client", "client_secret": SECRET, "redirect_urls": [BACK]}
        simulator.control(found, "apps", {**app, "app_url": f"{BASE}/callbacks/shopify/app"})
        yield found


class Shop:
    """A simulated shop."""

    def __init__(self, address: str, **options: Any) -> None:
        self.address, self.name = address, f"shop-{next(NUMBERS)}"
        simulator.control(
            address, "stores", {"shop": self.name, "token": TOKEN, "secret": KEY, "bulk_seconds": 0.2, **options}
        )

    def say(self, path: str = "", body: Any = None, method: str = "") -> Any:
        """A call of the control API below the shop."""
        return simulator.control(self.address, f"stores/{self.name}{path}", body, method)

    def there(self) -> list[dict[str, Any]]:
        """All orders, as the shop has them."""
        facts = self.say()
        return [self.say(f"/orders/{n}") for n in range(facts["first_order_id"], facts["next_order_id"])]


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
        values = {"client_id": "app-client", "client_secrets": [SECRET]}
        await opened.licenses.add_application(
            "acme", {"name": "app", "driver": "shopify", "version": 1, "values": values}
        )
        await opened.drivers.install("acme", "shopify")
        yield opened


async def ended(house: Omnichannel, process: Any) -> None:
    """To its end, and well."""
    assert process is not None
    found = await house.processes.run_to_end("acme", process.id)
    assert (found.state, found.error) == (State.SUCCEEDED, "")


async def connected(house: Omnichannel, shop: Shop, settings: Any = None) -> int:
    """A connection by a pasted token, after its first synchronize."""
    access = {"way": "token", "access_token": TOKEN, "api_secret": KEY}
    typed = {"shop": shop.name, "access": access}
    saved = await house.connections.create("acme", "shopify", "Shop", typed, settings=settings)
    await ended(house, saved.process)
    return saved.connection.id


async def stored(house: Omnichannel, one: int) -> dict[str, Order]:
    """All orders of a connection."""
    found, cursor = dict[str, Order](), ""
    while True:
        page = await house.hub.orders("acme", connection=one, limit=200, cursor=cursor)
        for entry in page.items:
            found[entry.id] = await house.hub.order("acme", one, entry.id)
        cursor = page.next
        if not cursor:
            return found


async def delivered(house: Omnichannel, one: int, stream: str, *records: Any) -> list[Any]:
    """What became of pushed records."""
    rows = await house.hub.push("acme", one, stream, records)
    for process in await house.processes.list("acme", kind="deliver"):
        if process.state is State.QUEUED:
            await house.processes.run_to_end("acme", process.id)
    found = (await house.hub.pushes("acme", connection=one, keys=[row.key for row in rows])).items
    return sorted(found, key=lambda row: row.id)


def admitted(order: dict[str, Any]) -> bool:
    """What the filters admit by default."""
    financial = {"PAID", "PARTIALLY_PAID", "PARTIALLY_REFUNDED", "AUTHORIZED"}
    fulfillment = {"UNFULFILLED", "PARTIALLY_FULFILLED", "IN_PROGRESS", "SCHEDULED", "ON_HOLD", "OPEN"}
    return (
        order["displayFinancialStatus"] in financial
        and order["displayFulfillmentStatus"] in fulfillment
        and not (order["test"] or order["cancelledAt"] or order["closedAt"])
    )


async def test_first_import(house: Omnichannel, address: str):
    """What is stored is what the shop has in the statuses that are on, and nothing else; exact ids of 64 bits."""
    shop = Shop(address, orders=60)
    one = await connected(house, shop)
    assert set(await stored(house, one)) == {order["id"] for order in shop.there() if admitted(order)}
    assert await house.hub.errors("acme", one) == []
    assert shop.say("/figures")["throttled"] == 0


async def test_bulk_and_pages_bring_the_same(house: Omnichannel, address: str):
    """A history by bulk operation holds exactly what the same orders have when they are asked for one by one."""
    shop = Shop(address, orders=300)
    one = await connected(house, shop, EVERYTHING)
    assert shop.say("/figures")["requests"]["BulkRun"] == 1
    by_bulk = await stored(house, one)
    assert len(by_bulk) == 300
    other = Shop(address, orders=200)  # the same seed: the same orders, fewer than a bulk operation is begun for
    two = await connected(house, other, EVERYTHING)
    assert "BulkRun" not in other.say("/figures")["requests"]
    by_page = await stored(house, two)
    assert len(by_page) == 200
    for key in list(by_bulk)[::10]:
        (fresh,) = [row for row in await again(house, one, key) if isinstance(row, Order)]
        assert fresh == by_bulk[key]


async def again(house: Omnichannel, one: int, key: str) -> list[Any]:
    """An order fetched by itself."""
    from omnichannel_shopify.sync.orders import fetch

    async with house._sessions.open("acme", one) as work:
        return list(await fetch(work.session, [key]))


async def test_nothing_new(house: Omnichannel, address: str):
    """A scheduled look with nothing new costs one request a record stream."""
    shop = Shop(address, orders=20)
    one = await connected(house, shop)
    shop.say("/figures", method="DELETE")
    await ended(house, await house.connections.synchronize("acme", one))
    asked = shop.say("/figures")["requests"]
    assert {name: asked[name] for name in ("OrdersPage", "OrdersWithReturns") if name in asked}["OrdersPage"] == 1


async def test_s11_s22_changes_refunds_and_returns(house: Omnichannel, address: str):
    """S11, S22: what happens afterwards arrives: refunds, and returns with what became of the goods."""
    shop = Shop(address)
    (number,) = shop.say("/orders", {"count": 1, "lines": [{"sku": "", "quantity": 2, "price": "10.00"}]})["numbers"]
    one, key = await connected(house, shop, EVERYTHING), f"gid://shopify/Order/{number}"
    shop.say(f"/orders/{number}/ship", {"number": "T1"})
    shop.say(f"/orders/{number}/return", {"units": 1})
    shop.say(f"/orders/{number}/return/0", {"dispose": {"type": "RESTOCKED"}, "refund": True, "close": True})
    shop.say(f"/orders/{number}/refund", {"amount": "1.00", "note": "sorry"})
    await ended(house, await house.connections.synchronize("acme", one))
    order = await house.hub.order("acme", one, key)
    assert order.state in ("shipped", "completed")
    found = {row.id: row for row in await again(house, one, key) if isinstance(row, Return)}
    assert await house.hub.count("acme", Found(kind="Return", connection=one)) == len(found) == 2
    (back,) = [row for row in found.values() if "/Return/" in row.id]
    (line,) = [row for row in back.lines.values() if row.kind == "product"]
    assert (back.status, line.restock, line.order_line in order.lines) == ("CLOSED", True, True)


async def test_s06_authorize_and_uninstall(house: Omnichannel, address: str):
    """S6: AUTHORIZE over the consent page brings a token; an uninstall is noticed, authorized again it works."""
    shop = Shop(address, orders=12, expiring_required=True)
    begun = await house.connections.authorize("acme", "shopify", {"shop": shop.name}, return_url=BACK, actor="anna")
    agreed = simulator.control(address, "apps/app-client/consent", {"url": begun.url})
    back = await house.connections.returned(browser("", agreed["url"]), account="acme", actor="anna")
    assert back.error is None
    saved = await house.connections.create("acme", "shopify", "Shop", draft=begun.draft, actor="anna")
    await ended(house, saved.process)
    one = saved.connection.id
    simulator.control(address, "apps/app-client/uninstall", {"shop": shop.name})
    with pytest.raises(errors.AttentionNeeded):
        await house.connections.check("acme", one)
    assert (await house.connections.get("acme", one)).health is Health.ATTENTION
    begun = await house.connections.authorize(
        "acme", "shopify", {"shop": shop.name}, return_url=BACK, actor="anna", connection=one
    )
    agreed = simulator.control(address, "apps/app-client/consent", {"url": begun.url})
    assert (await house.connections.returned(browser("", agreed["url"]), account="acme", actor="anna")).error is None
    await house.connections.edit("acme", one, credentials={"shop": shop.name}, draft=begun.draft, actor="anna")
    await ended(house, await house.connections.synchronize("acme", one))


def browser(path: str, url: str) -> Call:
    """A browser that Shopify sent."""
    return Call(method="GET", path=path, query=dict(parse_qsl(urlsplit(url).query)))


async def test_consent_denied(house: Omnichannel, address: str):
    """A merchant who does not agree brings nothing home."""
    shop = Shop(address)
    begun = await house.connections.authorize("acme", "shopify", {"shop": shop.name}, return_url=BACK, actor="anna")
    denied = simulator.control(address, "apps/app-client/consent", {"url": begun.url, "deny": True})
    call = browser("", denied["url"])
    if "state" in call.query:
        back = await house.connections.returned(call, account="acme", actor="anna")
        assert isinstance(back.error, errors.AuthorizationDenied)
    assert await house.connections.list("acme") == []


async def test_opened_at_shopify(house: Omnichannel, address: str):
    """An install that begins at Shopify waits for a signed-in user, with the shop filled in."""
    shop = Shop(address)
    begun = simulator.control(address, "apps/app-client/open", {"shop": shop.name})
    answer = await house.connections.receive("shopify", browser("app", begun["url"]))
    assert answer.draft is not None
    form = await house.connections.confirm("acme", answer.draft, claim=answer.claim, actor="anna")
    assert form.values["shop"] == f"{shop.name}.myshopify.com"


async def test_opened_within_shopify(house: Omnichannel, address: str):
    """An app that is shown within Shopify's admin needs no AUTHORIZE: who opens it brings the token along."""
    shop = Shop(address, orders=6)
    simulator.control(address, "apps/app-client", {"embedded": True}, "PUT")
    begun = simulator.control(address, "apps/app-client/open", {"shop": shop.name})
    simulator.control(address, "apps/app-client", {"embedded": False}, "PUT")
    answer = await house.connections.receive("shopify", browser("app", begun["url"]))
    assert answer.draft is not None
    await house.connections.confirm("acme", answer.draft, claim=answer.claim, actor="anna")
    saved = await house.connections.create("acme", "shopify", "Shop", draft=answer.draft, actor="anna")
    await ended(house, saved.process)


async def test_wrong_token(house: Omnichannel, address: str):
    """A token that the shop does not know is refused as such, and nothing is stored."""
    shop = Shop(address)
    typed = {"shop": shop.name, "access": {"way": "token", "access_token": "shpat_wrong"}}
    with pytest.raises(errors.CredentialsRejected):
        await house.connections.create("acme", "shopify", "Shop", typed)
    assert await house.connections.list("acme") == []


async def test_s09_levels_of_customer_data(house: Omnichannel, address: str):
    """S9: without level 2 orders come without the hidden fields, and the connection says so."""
    shop = Shop(address, orders=10, level=1)
    one = await connected(house, shop, EVERYTHING)
    assert "customer data" in (await house.connections.get("acme", one)).missing
    found = await stored(house, one)
    assert len(found) == 10
    assert all(order.email == "" for order in found.values())


async def test_s21_few_scopes(house: Omnichannel, address: str):
    """S21: without the scopes for returns, customers and the catalog, orders are imported; what is missing is named."""
    scopes = ["read_orders", "read_products", "read_locations"]
    shop = Shop(address, orders=30, scopes=scopes)
    one = await connected(house, shop, EVERYTHING)
    seen = await house.connections.get("acme", one)
    assert {"returns", "customers", "stock", "offers", "shipments", "order history"} <= set(seen.missing)
    assert "orders" in seen.works
    assert len(await stored(house, one)) == 30
    assert await house.hub.errors("acme", one) == []


async def test_s05_stock_and_prices(house: Omnichannel, address: str):
    """S5: stock and prices arrive at the variant, and a lost answer sets nothing twice."""
    shop = Shop(address, products=4)
    one = await connected(house, shop)
    variant = shop.say("/products")["products"][0]["variants"][0]
    sku, place = variant["sku"], "gid://shopify/Location/1"
    places = await listed(house, one, "locations")
    place = next(key for key, entry in places.items() if entry.extra["service"] == "false")
    fault = {"kind": "drop_after", "times": 1, "operation": "SetStock", "shop": shop.name}
    simulator.control(address, "faults", fault)
    (done,) = await delivered(house, one, "stock", StockLevel(id=sku, sku=sku, quantity=Decimal(17), location=place))
    assert done.state == "accepted", done.reason
    price = Price(id=sku, sku=sku, price=Money(Decimal("12.50"), "USD"))
    (done,) = await delivered(house, one, "prices", price)
    assert done.state == "accepted", done.reason
    text = str(shop.say(f"/products?sku={sku}"))
    assert "17" in text
    assert "12.5" in text


async def listed(house: Omnichannel, one: int, name: str) -> Any:
    """A pulled list."""
    async with house._sessions.open("acme", one) as work:
        return await work.session.choices(name)


async def test_s19_shipment_with_lost_answer(house: Omnichannel, address: str):
    """S19: a shipment that was made and not answered is found by looking; a held one is refused."""
    shop = Shop(address)
    first, second = shop.say("/orders", {"count": 2})["numbers"]
    one = await connected(house, shop, EVERYTHING)
    simulator.control(address, "faults", {"kind": "drop_after", "times": 1, "operation": "Ship", "shop": shop.name})
    async with house._sessions.open("acme", one) as work:
        stream = work.driver.pushes["shipments"]
        from omnichannel_core.driver import Batch, Item

        parcel = Shipment(id="p", order_id=f"gid://shopify/Order/{first}", carrier="UPS", tracking="1Z999")
        batch = Batch(key="b", items=[Item(key="k", record=parcel)])
        with pytest.raises(errors.RemoteUnavailable):
            await stream.push(work.session, batch)
        assert work.left
        assert stream.settle is not None
        settled = await stream.settle(work.session, batch)
        assert "Accepted" in type(settled["k"]).__name__
    assert len(shop.say(f"/orders/{first}")["fulfillments"]) == 1
    shop.say(f"/orders/{second}/hold", {"reason": "INVENTORY_OUT_OF_STOCK"})
    held = Shipment(id="q", order_id=f"gid://shopify/Order/{second}", tracking="T2")
    (done,) = await delivered(house, one, "shipments", held)
    assert done.state == "rejected"


async def test_cancellation_and_refund(house: Omnichannel, address: str):
    """An order is cancelled as a job; money goes back once, whatever answer is lost."""
    shop = Shop(address)
    lines = [{"sku": "", "quantity": 2, "price": "10.00"}]
    first, second = shop.say("/orders", {"count": 2, "lines": lines})["numbers"]
    one = await connected(house, shop, EVERYTHING)
    gone = Cancellation(id="c", order_id=f"gid://shopify/Order/{first}", reason="customer")
    (done,) = await delivered(house, one, "cancellations", gone)
    assert shop.say(f"/orders/{first}")["cancelledAt"], done.reason
    order = await house.hub.order("acme", one, f"gid://shopify/Order/{second}")
    row = ReturnLine(id="1", order_line=next(iter(order.lines)), quantity=Decimal(1), restock=False)
    back = Return(id="r", order_id=order.id, lines={"1": row}, reason="broken")
    (done,) = await delivered(house, one, "refunds", back)
    assert done.state == "accepted", done.reason
    assert len(shop.say(f"/orders/{second}")["refunds"]) == 1


async def test_offers(house: Omnichannel, address: str):
    """A product is made once; changed, it gains what is new and loses nothing."""
    shop = Shop(address, products=2)
    one = await connected(house, shop)
    said = {"title": "Towel", "descriptionHtml": "<p>Soft</p>", "variant.price": "19.90"}
    values = {name: Value(text=text) for name, text in said.items()}
    rows = tuple(OfferVariant(sku=f"T-{size}", options={"option:Size": size}) for size in "SM")
    (done,) = await delivered(house, one, "offers", Offer(id="o", sku="T", values=values, variants=rows))
    assert done.state == "accepted", done.reason
    more = (*rows[:1], OfferVariant(sku="T-L", options={"option:Size": "L"}))
    changed = {**values, "title": Value(text="Bath towel")}
    (done,) = await delivered(house, one, "offers", Offer(id="o", sku="T", values=changed, variants=more))
    assert done.state == "accepted", done.reason
    found = [one for one in shop.say("/products")["products"] if "owel" in one["title"]]
    assert [one["title"] for one in found] == ["Bath towel"]
    assert {row["sku"] for row in found[0]["variants"]} == {"T-S", "T-M", "T-L"}


async def test_s17_s18_webhooks(house: Omnichannel, address: str):
    """S17, S18: what the shop signs and sends is taken, once; what was changed on the way is refused."""
    shop = Shop(address)
    (number,) = shop.say("/orders", {"count": 1})["numbers"]
    one = await connected(house, shop, EVERYTHING)
    assert shop.say("/figures")["requests"]["Subscribe"] > 10
    shop.say(f"/orders/{number}/cancel", {})
    sent = shop.say("/deliveries")["deliveries"]
    assert sent
    for each in sent:
        raw = each["body"] if isinstance(each["body"], str) else str(each["body"])
        head = {name.lower(): value for name, value in each["headers"].items()}
        key = urlsplit(each["uri"] if "uri" in each else each["to"]).path.rsplit("/", 1)[-1]
        call = Call(method="POST", path="", headers=head, body=raw.encode())
        await house.connections.receive("shopify", call, key)
        with pytest.raises(errors.CallRefused):
            await house.connections.receive(
                "shopify", Call(method="POST", path="", headers=head, body=raw.encode() + b" "), key
            )
    for process in await house.processes.list("acme", kind="synchronize"):
        if process.state is State.QUEUED:
            await house.processes.run_to_end("acme", process.id)
    assert (await house.hub.order("acme", one, f"gid://shopify/Order/{number}")).state == "cancelled"
