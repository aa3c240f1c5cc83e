"""`omnichannel drivers`."""

from __future__ import annotations

import click

from omnichannel_core.cli.opening import Options, asynchronous
from omnichannel_core.cli.output import DRIVER, driver_json, rows, say, show, told


@click.group()
def command() -> None:
    """What is there, licensed, installed."""


@command.command("list")
@asynchronous
async def list_(options: Options) -> None:
    """All drivers, and why one is not available; nothing is imported for it."""
    async with options.opened() as house:
        found = await house.drivers.list(options.need_account())
    rows(
        [driver_json(one) for one in found],
        DRIVER,
        as_json=options.as_json,
        empty="No driver is there: pip install one.",
    )
    for one in found:
        if one.notice:
            say(f"{one.name}: {one.notice}")


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
    told(f"Driver {driver} is installed in account {options.account}.", {"driver": driver, "installed": True},
         as_json=options.as_json)  # fmt: skip


@command.command()
@click.argument("driver")
@asynchronous
async def uninstall(options: Options, driver: str) -> None:
    """Switch it off; refused while connections exist."""
    async with options.opened() as house:
        await house.drivers.uninstall(options.need_account(), driver)
    told(f"Driver {driver} is no longer installed in account {options.account}.",
         {"driver": driver, "installed": False}, as_json=options.as_json)  # fmt: skip
