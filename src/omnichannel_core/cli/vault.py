"""`omnichannel vault`."""

from __future__ import annotations

from pathlib import Path

import click

from omnichannel_core.cli.opening import Options, asynchronous
from omnichannel_core.cli.output import show, told


@click.group()
def command() -> None:
    """Keys and sealed secrets."""


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def keygen(options: Options, file: Path) -> None:
    """Make a new key file (0600), never over an old one."""
    from omnichannel_core.storage import keys

    ring = keys.create_file(file)
    told(f"Key {ring.primary} is in {file}. Keep a copy apart from the store's backup.",
         {"key_id": ring.primary, "file": str(file)}, as_json=options.as_json)  # fmt: skip


@command.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True))
@click.pass_obj
def add(options: Options, file: Path) -> None:
    """Put a new primary key before the old ones of a key file; then rotate."""
    from omnichannel_core.storage import keys

    old = keys.from_file(file)
    key_id, key = keys.new_key()
    keys.replace_file(file, keys.KeyRing({key_id: key, **old.keys}))
    told(f"Key {key_id} is the primary one now. Run `omnichannel vault rotate`, then remove the old ones.",
         {"key_id": key_id, "file": str(file)}, as_json=options.as_json)  # fmt: skip


@command.command()
@asynchronous
async def rotate(options: Options) -> None:
    """Seal every secret anew with the primary key; counts rows, and fails when it finds none of those there are."""
    async with options.opened() as house:
        counts = await house.rotate_vault()
    told(f"{counts['sealed']} of {counts['secrets']} secrets are sealed anew; {counts['current']} were current.",
         counts, as_json=options.as_json)  # fmt: skip


@command.command()
@asynchronous
async def status(options: Options) -> None:
    """How many secrets each key holds."""
    async with options.opened() as house:
        show(await house.vault_census(), as_json=options.as_json)
