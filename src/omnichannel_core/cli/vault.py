"""`omnichannel vault`."""

from __future__ import annotations

from pathlib import Path

import click

from omnichannel_core.cli.opening import Options, asynchronous
from omnichannel_core.cli.output import say, show
from omnichannel_core.storage import keys
from omnichannel_core.storage.keys import KeyRing


@click.group()
def command() -> None:
    """Keys and sealed secrets."""


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
def keygen(file: Path) -> None:
    """Make a new key file (0600), never over an old one."""
    ring = keys.create_file(file)
    say(f"Key {ring.primary} is in {file}. Keep a copy apart from the store's backup.")


@command.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True))
def add(file: Path) -> None:
    """Put a new primary key before the old ones of a key file; then rotate."""
    old = keys.from_file(file)
    key_id, key = keys.new_key()
    keys.replace_file(file, KeyRing({key_id: key, **old.keys}))
    say(f"Key {key_id} is the primary one now. Run `omnichannel vault rotate`, then remove the old ones.")


@command.command()
@asynchronous
async def rotate(options: Options) -> None:
    """Seal every secret anew with the primary key; counts rows, and fails when it finds none of those there are."""
    async with options.opened() as house:
        counts = await house.rotate_vault()
    if options.as_json:
        show(counts, as_json=True)
    else:
        say(f"{counts['sealed']} of {counts['secrets']} secrets are sealed anew; {counts['current']} were current.")


@command.command()
@asynchronous
async def status(options: Options) -> None:
    """How many secrets each key holds."""
    async with options.opened() as house:
        show(await house.vault_census(), as_json=options.as_json)
