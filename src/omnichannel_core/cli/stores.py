"""`omnichannel stores`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from omnichannel_core.cli.following import no_wait, synced
from omnichannel_core.cli.opening import Options, asynchronous
from omnichannel_core.cli.output import emit, rows, say, show

if TYPE_CHECKING:
    from omnichannel_core.connections.stores import Store

COLUMNS = ["id", "name", "currency", "gross_prices", "status", "health", "driver"]


def _json(store: Store, *, url: bool = False) -> dict[str, Any]:
    said = {name: getattr(store, name) for name in ("id", "name", "address", "currency", "gross_prices", "driver",
                                                    "connection")}  # fmt: skip
    said |= {"status": store.status.value, "health": store.health.value, "exchange": str(store.exchange)}
    return said | ({"callback_url": store.callback_url} if url else {})


@click.group()
def command() -> None:
    """Points of sale, each with a connection of its own. A store's id is its connection's."""


@command.command()
@click.argument("name")
@click.option("--address", default="")
@click.option("--currency", default="EUR", show_default=True, help="ISO 4217; stays as it is.")
@click.option("--gross/--net", "gross_prices", default=True, help="Prices are with tax, or without.  [default: gross]")
@click.option("--driver", default="", help="Where several installed drivers are made for stores.")
@no_wait
@asynchronous
async def add(options: Options, name: str, no_wait: bool, **typed: Any) -> None:
    """Add a store: its connection is made, and there is nothing to configure."""
    account = options.need_account()
    async with options.opened() as house:
        saved = await house.stores.add(account, name, actor=options.actor, **typed)
        store = await house.stores.get(account, saved.connection.id)
        say(f"Files come in and go out at {store.exchange}")
        await synced(house, options, saved, no_wait)


@command.command("list")
@asynchronous
async def list_(options: Options) -> None:
    """All stores."""
    async with options.opened() as house:
        found = await house.stores.list(options.need_account())
    rows([_json(one) for one in found], COLUMNS, as_json=options.as_json, empty="No stores yet: add one.")


@command.command("show")
@click.argument("store", type=int)
@asynchronous
async def show_(options: Options, store: int) -> None:
    """One store, with its exchange directory and the address where tills push receipts."""
    async with options.opened() as house:
        show(_json(await house.stores.get(options.need_account(), store), url=True), as_json=options.as_json)


@command.command()
@click.argument("store", type=int)
@click.option("--name", default=None)
@click.option("--address", default=None)
@click.option("--gross/--net", "gross_prices", default=None, help="Prices are with tax, or without.")
@asynchronous
async def edit(options: Options, store: int, **typed: Any) -> None:
    """Change what is given; the rest stays."""
    async with options.opened() as house:
        changed = await house.stores.edit(options.need_account(), store, actor=options.actor, **typed)
        show(_json(changed), as_json=options.as_json)


@command.command()
@click.argument("store", type=int)
@click.argument("receipt", type=click.File("rb"))
@asynchronous
async def receive(options: Options, store: int, receipt: Any) -> None:
    """Hand over a till's live receipt, or a list of them: JSON from a file, or - for stdin."""
    async with options.opened() as house:
        answer = await house.stores.receive(options.need_account(), store, receipt.read())
    if options.as_json:
        emit({"status": answer.status, "connections": list(answer.connections)})
    else:
        say("Taken. The next synchronize stores it.")
