"""The demo's marketplaces that want AUTHORIZE: the browser goes to their consent page, and comes back with a token."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

import anyio.to_thread

from omnichannel_core.cli.demo_stage import ACCOUNT, Stage
from omnichannel_core.records import Choices, StockLevel
from omnichannel_core.testing.simulator import control

AMAZON, SELLER, GERMANY = "amazon", "ADEMOSELLER01", "A1PA6795UKMFR9"
AMAZON_APP = {
    "client_id": "amzn1.application-oa2-client.demo", "client_secret": "amzn1.oa2-cs.v1.demo",
    "application_id": "amzn1.sellerapps.app.demo",
}  # fmt: skip
SHOPIFY, SHOP = "shopify", "demo-shop"
SHOPIFY_APP = {"client_id": "demo-app", "client_secret": "shpss_demo-app-secret-0123456789"}


async def amazon(stage: Stage, address: str) -> None:
    """A seller connected by AUTHORIZE: the sales of twenty days come in, stock goes out."""
    stage.step("Amazon: AUTHORIZE leads to Seller Central's consent page and back into the same form")
    await _set_up(address, AMAZON_APP | {"redirect_uris": [stage.back(AMAZON)]}, "sellers", {
        "seller_id": SELLER, "marketplaces": [GERMANY], "orders": 60, "days": 20, "types": 8, "listings": 12,
        "listing_delay": 0, "report_delay": 0, "feed_delay": 0, "fba_report_lag": 0, "store_name": "ACME on Amazon",
    })  # fmt: skip
    await stage.license(AMAZON, {
        "application_id": AMAZON_APP["application_id"], "client_id": AMAZON_APP["client_id"],
        "client_secrets": [AMAZON_APP["client_secret"]],
    })  # fmt: skip
    saved = await stage.authorize(AMAZON, "Amazon Germany", {"marketplace": GERMANY})
    one = saved.connection.id
    typed = await stage.house.connections.credentials(ACCOUNT, one)
    stage.tell(
        "Amazon authorized", f"connection {one}: Amazon filled in Seller ID {typed['seller_id']}, and its orders came"
    )
    stage.tell("Amazon orders", await stage.counts(one, "Order", "Return"))
    listings = (await _ask(address, f"sellers/{SELLER}/listings"))["listings"]
    sku = next(row["sku"] for row in listings if row["fba"] is None)
    await stage.push(one, "stock", [StockLevel(id=sku, sku=sku, quantity=Decimal(17))])
    listings = (await _ask(address, f"sellers/{SELLER}/listings"))["listings"]
    live = next(row["live"] for row in listings if row["sku"] == sku)["fulfillment_availability"][0]["quantity"]
    stage.tell("Seen at Amazon", f"{sku}: {live} pieces are live; a worker looks for them in five minutes and says so")


async def shopify(stage: Stage, address: str) -> None:
    """A shop where AUTHORIZE installs the vendor's app: orders in, again those of this minute, stock out."""
    stage.step("Shopify: AUTHORIZE installs the app in the shop")
    app = {"redirect_urls": [stage.back(SHOPIFY)], "app_url": f"{stage.base}/callbacks/{SHOPIFY}/app"}
    await _set_up(address, SHOPIFY_APP | app, "stores", {
        "shop": SHOP, "name": "ACME on Shopify", "orders": 80, "products": 12, "bulk_seconds": 0.1,
    })  # fmt: skip
    values = {"client_id": SHOPIFY_APP["client_id"], "client_secrets": [SHOPIFY_APP["client_secret"]]}
    await stage.license(SHOPIFY, values)
    saved = await stage.authorize(SHOPIFY, "Shopify demo shop", {"shop": SHOP})
    one = saved.connection.id
    stage.tell("Shopify authorized", f"connection {one} to {saved.connection.remote_title!r}: the app is installed")
    stage.tell("Shopify orders", await stage.counts(one, "Order", "Return"))
    await anyio.to_thread.run_sync(control, address, f"stores/{SHOP}/orders", {"count": 3})
    before = await stage.count(one, "Order")
    await stage.follow(await stage.house.connections.synchronize(ACCOUNT, one))
    stage.tell("Shopify orders", f"{await stage.count(one, 'Order') - before} orders came with the next synchronize")
    places = await stage.house.hub.record(ACCOUNT, one, "Choices", "locations")
    assert isinstance(places, Choices)  # noqa: S101 - what was asked for
    place = next(entry.value for entry in places.items.values() if entry.extra["service"] == "false")
    variant = (await _ask(address, f"stores/{SHOP}/products"))["products"][0]["variants"][0]
    level = StockLevel(id=variant["sku"], sku=variant["sku"], quantity=Decimal(17), location=place)
    await stage.push(one, "stock", [level])


async def _set_up(address: str, app: dict[str, Any], kind: str, thing: dict[str, Any]) -> None:
    await anyio.to_thread.run_sync(control, address, "apps", app)
    await anyio.to_thread.run_sync(control, address, kind, thing)


async def _ask(address: str, path: str) -> Any:
    return await anyio.to_thread.run_sync(partial(control, address, path))
