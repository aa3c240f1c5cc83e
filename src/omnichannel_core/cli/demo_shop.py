"""The demo's shop: a simulated BigCommerce store, connected by a pasted token."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import anyio.to_thread

from omnichannel_core.cli.demo_stage import ACCOUNT, ACTOR, Stage
from omnichannel_core.records import Order, Shipment, StockLevel
from omnichannel_core.storage.hub import Found
from omnichannel_core.testing.simulator import control

DRIVER, STORE, TOKEN = "bigcommerce", "demo01", "demo-token-0123456789abcdef"
APP = {"client_id": "demo-client", "client_secret": "demo-client-secret"}
ORDERS = 400


async def opened(stage: Stage, address: str) -> None:
    """License, installation, and a store to connect."""
    stage.step("A main account, a license, an installation")
    await stage.house.accounts.add(ACCOUNT, "ACME Trading")
    await stage.license(DRIVER, {"client_id": APP["client_id"], "client_secrets": [APP["client_secret"]]})
    store = {"hash": STORE, "token": TOKEN, "orders": ORDERS, "products": 40, "seed": 7, "quota": 450}
    back = f"{stage.base}/callbacks/{DRIVER}/auth"
    await anyio.to_thread.run_sync(control, address, "apps", {**APP, "auth_callback": back})
    await anyio.to_thread.run_sync(control, address, "stores", store)
    stage.tell("A shop to connect", f"simulated BigCommerce store {STORE} at {address}, {ORDERS} orders")


async def played(stage: Stage) -> int:
    """Connected, a setting changed, stock and a shipment pushed; the connection's id."""
    stage.step("Create a connection: credentials are checked, then everything is synchronized")
    typed = {"store_hash": STORE, "access_token": TOKEN}
    seen = (await stage.connect(DRIVER, "BigCommerce demo store", typed)).connection
    stage.tell("Connected", f"connection {seen.id} to {seen.remote_title!r}; works: {', '.join(sorted(seen.works))}")
    stage.tell("Data model", await stage.counts(seen.id, "Attribute", "AttributeSet", "Choices"))
    stage.tell("Orders", await stage.counts(seen.id, "Order", "Return"))
    await _settings(stage, seen.id)
    stage.step("Stock and a shipment go out")
    order = await _shippable(stage, seen.id)
    levels = [StockLevel(id=sku, sku=sku, quantity=Decimal(17)) for sku in await _skus(stage, seen.id)]
    parcel = Shipment(id=f"parcel-{order.id}", order_id=order.id, carrier="dhl", tracking="00340434161094000001")
    await stage.push(seen.id, "stock", levels)
    await stage.push(seen.id, "shipments", [parcel])
    return seen.id


async def _settings(stage: Stage, connection: int) -> None:
    stage.step("Change a setting: shipped orders are wanted too, and are filled in")
    before = await stage.count(connection, "Order")
    saved = await stage.house.connections.edit(
        ACCOUNT, connection, settings={"orders": {"statuses": [2, 3, 8, 9, 10, 11, 14]}}, actor=ACTOR
    )
    await stage.follow(saved.process)
    after = await stage.count(connection, "Order")
    stage.tell("Order filters", f"status Shipped switched on: {after - before} more orders, none twice ({after} now)")


async def _skus(stage: Stage, connection: int) -> list[str]:
    """What some orders are about."""
    found = await stage.house.hub.find(ACCOUNT, Found(kind="Order", connection=connection), limit=8)
    lines = [line for entry in found.items for line in await stage.house.hub.lines(ACCOUNT, connection, entry.id)]
    return list(dict.fromkeys(line.sku for line in lines if line.sku))[:6]


async def _shippable(stage: Stage, connection: int) -> Order:
    """An order that waits to be shipped, to one address."""
    wanted = Found(kind="Order", connection=connection, state="9", full=True)
    found = await stage.house.hub.find(ACCOUNT, wanted, limit=200)
    for entry in found.items:
        order = await stage.house.hub.order(ACCOUNT, connection, entry.id)
        if isinstance(order.lines, Mapping) and {line.kind for line in order.lines.values()} == {"product"}:
            return order
    return await stage.house.hub.order(ACCOUNT, connection, found.items[0].id)


async def ended(stage: Stage, connection: int) -> None:
    """Disabled, then deleted, with what goes."""
    stage.step("Disable, then delete")
    house = stage.house
    (moved,) = await house.connections.disable(ACCOUNT, [connection], ACTOR)
    if moved.error is not None:
        raise moved.error
    counts = await house.connections.what_goes(ACCOUNT, connection)
    await stage.follow(await house.connections.delete(ACCOUNT, connection, actor=ACTOR))
    left = len(await house.connections.list(ACCOUNT))
    stage.tell(
        "Deleted", f"{counts['orders']} orders, {counts['other_records']} other records; {left} connections left"
    )
