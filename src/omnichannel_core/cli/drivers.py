"""`omnichannel drivers`."""

from __future__ import annotations

import click

from omnichannel_core.cli.opening import Options, asynchronous
from omnichannel_core.cli.output import rows, say, show


@click.group()
def command() -> None:
    """What is there, licensed, installed."""


@command.command("list")
@asynchronous
async def list_(options: Options) -> None:
    """All drivers, and why one is not available; nothing is imported for it."""
    async with options.opened() as house:
        found = await house.drivers.list(options.need_account())
    columns = ["name", "title", "version", "distribution", "compatible", "licensed", "installed", "available", "reason"]
    rows(
        found,
        columns,
        as_json=options.as_json,
        empty="No driver is there: pip install one, such as omnichannel-bigcommerce.",
    )


@command.command()
@click.argument("driver")
@asynchronous
async def schema(options: Options, driver: str) -> None:
    """The driver's forms as JSON Schema."""
    async with options.opened() as house:
        show(await house.drivers.schema(options.need_account(), driver), as_json=True)


@command.command()
@click.argument("driver")
@asynchronous
async def install(options: Options, driver: str) -> None:
    """Switch a licensed driver on in the account."""
    async with options.opened() as house:
        await house.drivers.install(options.need_account(), driver)
    say(f"Driver {driver} is installed in account {options.account}.")


@command.command()
@click.argument("driver")
@asynchronous
async def uninstall(options: Options, driver: str) -> None:
    """Switch it off; refused while connections exist."""
    async with options.opened() as house:
        await house.drivers.uninstall(options.need_account(), driver)
    say(f"Driver {driver} is no longer installed in account {options.account}.")
