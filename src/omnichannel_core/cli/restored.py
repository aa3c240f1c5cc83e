"""`omnichannel restored`."""

from __future__ import annotations

import click

from omnichannel_core.cli import secrets
from omnichannel_core.cli.opening import Options, asynchronous
from omnichannel_core.cli.output import told


@click.command()
@click.option("--yes", is_flag=True, help="Without a question.")
@asynchronous
async def command(options: Options, yes: bool) -> None:
    """A backup of the store came back: nobody knows what was sent since, so open pushes become unknown first."""
    secrets.confirm("All open pushes of the store become unknown and are settled by looking.", yes=yes)
    async with options.opened() as house:
        count = await house.restored()
    told(f"Open pushes that are unknown now and are settled before anything is sent: {count}.", {"unknown": count},
         as_json=options.as_json)  # fmt: skip
