"""`omnichannel doctor`."""

from __future__ import annotations

import platform
from collections.abc import AsyncIterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

from omnichannel_core import errors
from omnichannel_core.cli.opening import Options, asynchronous
from omnichannel_core.cli.output import rows

if TYPE_CHECKING:
    from omnichannel_core.app import Omnichannel


@attrs.frozen
class Finding:
    """One line: ok, warning or error."""

    what: str
    state: str
    detail: str


@click.command()
@asynchronous
async def command(options: Options) -> None:
    """Versions, drivers, store, vault, endpoints; exit 1 when something is wrong."""
    from omnichannel_core.driver.hookspecs import HOOK_API

    found = [
        Finding("omnichannel-core", "ok", f"{metadata.version('omnichannel-core')}, hook API {HOOK_API}"),
        Finding("python", "ok", f"{platform.python_version()} on {platform.system()}"),
    ]
    found += [Finding("endpoint", "warning", f"{name} goes to {url}") for name, url in options.endpoints.items()]
    found += [Finding("address guard", "warning", f"lets drivers connect to {one}") for one in options.allow]
    if _is_new(options.db):
        found.append(
            Finding("store", "warning", f"{options.db} is not there yet; the first command that needs it makes it")
        )
    else:
        try:
            async with options.opened() as house:
                found += [one async for one in _house(house, options)]
        except errors.OmnichannelError as trouble:
            found.append(Finding("store", "error", str(trouble)))
    rows(found, ["what", "state", "detail"], as_json=options.as_json, empty="")
    if any(one.state == "error" for one in found):
        raise click.exceptions.Exit(1)


async def _house(house: Omnichannel, options: Options) -> AsyncIterator[Finding]:
    yield Finding("store", "ok", f"{options.db}, tables of version {await house.version()}")
    census = await house.vault_census()
    yield Finding("vault", "ok", f"opens; secrets by key: {', '.join(f'{k}: {n}' for k, n in census.items())}")
    key = house.own_key_file
    if options.key_file is None and key is not None and key.exists():
        yield Finding("vault", "warning", f"key file {key} lies beside the store: a backup of the folder holds both")
    for account in await house.accounts.list():
        for one in await house.drivers.list(account.id):
            state = "ok" if one.available or not one.installed else "error"
            yield Finding(
                f"driver {one.name} in {account.id}", state, one.reason or f"{one.distribution} {one.version}"
            )


def _is_new(db: str) -> bool:
    """Whether opening this store would make it."""
    return "://" not in db and not Path(db).exists()
