"""`omnichannel migrate`."""

from __future__ import annotations

import click

from omnichannel_core.cli.opening import Options, asynchronous
from omnichannel_core.cli.output import told


@click.command()
@asynchronous
async def command(options: Options) -> None:
    """Bring the store's tables to this version (SQLite does it by itself when it is opened)."""
    from omnichannel_core.storage import migrations

    version = await options.house().migrate()
    told(f"The store is of version {version} (newest: {migrations.HEAD}).",
         {"version": version, "newest": migrations.HEAD}, as_json=options.as_json)  # fmt: skip
