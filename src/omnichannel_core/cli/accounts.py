"""`omnichannel accounts`."""

from __future__ import annotations

import click

from omnichannel_core.cli.opening import Options, asynchronous
from omnichannel_core.cli.output import rows, show


@click.group()
def command() -> None:
    """Main accounts and sandboxes below them."""


@command.command()
@click.argument("account_id")
@click.option("--name", default="", help="For eyes; the id when not given.")
@click.option("--main", default=None, help="The main account this sandbox stands below.")
@asynchronous
async def add(options: Options, account_id: str, name: str, main: str | None) -> None:
    """Add a main account, or a sandbox with --main."""
    async with options.opened() as house:
        show(await house.accounts.add(account_id, name, main), as_json=options.as_json)


@command.command("list")
@asynchronous
async def list_(options: Options) -> None:
    """All accounts."""
    async with options.opened() as house:
        found = await house.accounts.list()
    rows(found, ["id", "name", "main", "created_at"], as_json=options.as_json, empty="No accounts yet: add one.")
