"""`omnichannel demo`: the main job, told step by step, on a temporary store against a simulated shop."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import click

from omnichannel_core import errors
from omnichannel_core.app import Omnichannel
from omnichannel_core.cli import demo_till, serving
from omnichannel_core.cli.following import to_end, together
from omnichannel_core.cli.output import say, say_error
from omnichannel_core.gate import vendor
from omnichannel_core.gate.catalog import Catalog
from omnichannel_core.records import Order, Shipment, StockLevel
from omnichannel_core.storage.hub import Found
from omnichannel_core.testing import simulator

DRIVER, ACCOUNT, STORE, TOKEN = "bigcommerce", "acme", "demo01", "demo-token-0123456789abcdef"
ORDERS = 400


@click.command()
@click.option(
    "--keep", is_flag=True, help="Leave store and simulator running, with the admin pages, and say how to go on."
)
def command(keep: bool) -> None:
    """Connect a simulated BigCommerce store and a point of sale: data model, orders, settings, stock, a shipment."""
    folder = Path(tempfile.mkdtemp(prefix="omnichannel-demo-"))
    try:
        with simulator.running(DRIVER) as address, _till() as counter:
            anyio.run(_story, folder, address, counter, keep)
            if keep:
                _stay(folder, address)
    except errors.OmnichannelError as trouble:
        say_error(trouble, as_json=False)
        raise SystemExit(1) from None
    finally:
        if not keep:
            _remove(folder)


async def _story(folder: Path, address: str, counter: str, keep: bool) -> None:
    began, told = time.monotonic(), list[tuple[str, str]]()
    private, public = vendor.keygen()
    trust = vendor.key_set(public)
    (folder / "trust.json").write_text(json.dumps(trust))
    async with Omnichannel(folder / "demo.db", trust=trust, endpoints={DRIVER: address}, work=False) as house:
        await _licensed(house, private, told)
        shop = await anyio.to_thread.run_sync(_shop, address)
        told.append(("A shop to connect", f"simulated BigCommerce store {STORE} at {address}, {shop} orders"))
        if counter:
            store = await demo_till.opened(house, ACCOUNT, private, counter, told)
        async with demo_till.selling(counter) if counter else nullcontext():
            connection = await _connected(house, told)
            await _settings(house, connection, told)
            await _pushed(house, connection, told)
        if counter:
            await demo_till.closed(house, ACCOUNT, store, counter, told)
        if not keep:
            await _ended(house, connection, told)
    click.echo("")
    width = max(len(step) for step, _ in told)
    for step, what in told:
        click.echo(f"  {step:<{width}}  {what}")
    click.echo(f"\nDone in {time.monotonic() - began:.1f} s.")


def _till() -> AbstractContextManager[str]:
    """The till's simulator, '' where no driver for points of sale is installed."""
    return simulator.running(demo_till.DRIVER) if demo_till.there() else nullcontext("")


async def _licensed(house: Omnichannel, private: Mapping[str, Any], told: list[tuple[str, str]]) -> None:
    _step("A main account, a license, an installation")
    await house.accounts.add(ACCOUNT, "ACME Trading")
    found = Catalog().listing()[DRIVER]
    text = vendor.issue(
        private, account=ACCOUNT, driver=DRIVER, distribution=found.distribution, now=datetime.now(UTC), days=30,
        application="demo-app",
    )  # fmt: skip
    await house.licenses.add(ACCOUNT, text)
    await house.licenses.add_application(
        ACCOUNT,
        {"name": "demo-app", "driver": DRIVER, "version": 1,
         "values": {"client_id": "demo-client", "client_secrets": ["demo-client-secret"]}},
    )  # fmt: skip
    await house.drivers.install(ACCOUNT, DRIVER)
    (line,) = [one for one in await house.drivers.list(ACCOUNT) if one.name == DRIVER]
    told.append(("Driver", f"{line.title} {line.version} from {line.distribution}: licensed, installed, available"))


def _shop(address: str) -> int:
    simulator.control(address, "apps", {"client_id": "demo-client", "client_secret": "demo-client-secret"})
    simulator.control(
        address, "stores", {"hash": STORE, "token": TOKEN, "orders": ORDERS, "products": 40, "seed": 7, "quota": 450}
    )
    return ORDERS


async def _connected(house: Omnichannel, told: list[tuple[str, str]]) -> int:
    _step("Create a connection: credentials are checked, then everything is synchronized")
    saved = await house.connections.create(
        ACCOUNT, DRIVER, "BigCommerce demo store", {"store_hash": STORE, "access_token": TOKEN}, actor="demo"
    )
    seen = saved.connection
    told.append(("Connected", f"connection {seen.id} to {seen.remote_title!r}; works: {', '.join(sorted(seen.works))}"))
    await _follow(house, saved.process)
    told.append(("Data model", await _counts(house, seen.id, ("Attribute", "AttributeSet", "Choices"))))
    told.append(("Orders", await _counts(house, seen.id, ("Order", "Return"))))
    return seen.id


async def _settings(house: Omnichannel, connection: int, told: list[tuple[str, str]]) -> None:
    _step("Change a setting: shipped orders are wanted too, and are filled in")
    before = await _count(house, connection, "Order")
    saved = await house.connections.edit(
        ACCOUNT, connection, settings={"orders": {"statuses": [2, 3, 8, 9, 10, 11, 14]}}, actor="demo"
    )
    await _follow(house, saved.process)
    after = await _count(house, connection, "Order")
    told.append(
        ("Order filters", f"status Shipped switched on: {after - before} more orders, none twice ({after} now)")
    )


async def _pushed(house: Omnichannel, connection: int, told: list[tuple[str, str]]) -> None:
    _step("Stock and a shipment go out")
    order = await _shippable(house, connection)
    levels = [StockLevel(id=sku, sku=sku, quantity=Decimal(17)) for sku in await _skus(house, connection)]
    await house.hub.push(ACCOUNT, connection, "stock", levels)
    parcel = Shipment(id=f"parcel-{order.id}", order_id=order.id, carrier="dhl", tracking="00340434161094000001")
    await house.hub.push(ACCOUNT, connection, "shipments", [parcel])
    for ended in await together(
        house, ACCOUNT, await house.processes.list(ACCOUNT, connection=connection, kind="deliver")
    ):
        say(f"{ended.kind} {ended.state}. {ended.message}")
    rows = (await house.hub.pushes(ACCOUNT, connection=connection)).items
    told.extend((f"Pushed to {row.stream}", f"{row.thing}: {row.state} {row.reason}".strip()) for row in reversed(rows))


async def _skus(house: Omnichannel, connection: int) -> list[str]:
    """What some orders are about."""
    found = await house.hub.find(ACCOUNT, Found(kind="Order", connection=connection), limit=8)
    lines = [line for entry in found.items for line in await house.hub.lines(ACCOUNT, connection, entry.id)]
    return list(dict.fromkeys(line.sku for line in lines if line.sku))[:6]


async def _shippable(house: Omnichannel, connection: int) -> Order:
    """An order that waits to be shipped, to one address."""
    found = await house.hub.find(ACCOUNT, Found(kind="Order", connection=connection, state="9", full=True), limit=200)
    for entry in found.items:
        order = await house.hub.order(ACCOUNT, connection, entry.id)
        if isinstance(order.lines, Mapping) and {line.kind for line in order.lines.values()} == {"product"}:
            return order
    return await house.hub.order(ACCOUNT, connection, found.items[0].id)


async def _ended(house: Omnichannel, connection: int, told: list[tuple[str, str]]) -> None:
    _step("Disable, then delete")
    (moved,) = await house.connections.disable(ACCOUNT, [connection], "demo")
    if moved.error is not None:
        raise moved.error
    counts = await house.connections.what_goes(ACCOUNT, connection)
    process = await house.connections.delete(ACCOUNT, connection, actor="demo")
    await _follow(house, process)
    left = len(await house.connections.list(ACCOUNT))
    told.append(
        ("Deleted", f"{counts['orders']} orders, {counts['other_records']} other records; {left} connections left")
    )


async def _follow(house: Omnichannel, process: Any) -> None:
    ended = await to_end(house, ACCOUNT, process, quiet=False)
    if ended is not None and ended.error_key:
        raise errors.UsageError(f"{ended.kind} {ended.state}: {ended.error}")


async def _count(house: Omnichannel, connection: int, kind: str) -> int:
    return await house.hub.count(ACCOUNT, Found(kind=kind, connection=connection))


async def _counts(house: Omnichannel, connection: int, kinds: tuple[str, ...]) -> str:
    names = {"Attribute": "attributes", "AttributeSet": "attribute sets", "Choices": "lists", "Order": "orders",
             "Return": "returns"}  # fmt: skip
    return ", ".join([f"{await _count(house, connection, kind)} {names[kind]}" for kind in kinds])


def _step(text: str) -> None:
    say(f"> {text}")


def _stay(folder: Path, address: str) -> None:
    say(
        "\nStore and simulator stay. In another terminal:\n"
        f"  export OMNICHANNEL_DB={folder / 'demo.db'} OMNICHANNEL_TRUST={folder / 'trust.json'}\n"
        f"  export OMNICHANNEL_ACCOUNT={ACCOUNT}\n"
        f"  {Path(sys.argv[0]).name} --endpoint {DRIVER}={address} connections list\n"
        f"  {Path(sys.argv[0]).name} --endpoint {DRIVER}={address} connections sync 1\n"
        "Ctrl-C ends the simulator; the folder is yours to remove."
    )
    if serving.can_serve():
        anyio.run(_pages, folder, address)
    else:
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


async def _pages(folder: Path, address: str) -> None:
    """The admin pages over the same store, its processes running."""
    trust = (folder / "trust.json").read_text()
    async with Omnichannel(folder / "demo.db", trust=trust, endpoints={DRIVER: address}) as house:
        await serving.serve(house, ACCOUNT)


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
