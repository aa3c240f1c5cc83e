"""`omnichannel doctor`."""

from __future__ import annotations

import platform
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import click

from omnichannel_core import errors
from omnichannel_core.cli import findings
from omnichannel_core.cli.findings import Finding
from omnichannel_core.cli.opening import Options, asynchronous
from omnichannel_core.cli.output import rows

if TYPE_CHECKING:
    from omnichannel_core.app import Omnichannel
    from omnichannel_core.gate.admission import DriverListing

SHOWN = 20  # accounts, of those where a driver is not available


@click.command()
@asynchronous
async def command(options: Options) -> None:
    """Look for trouble: program, store, key, clock, licenses, drivers, workers, failures, connections, server.

    Each line is ok, warn or fail, with what to do. Exit 1 when a line fails. Makes no store, and migrates none.
    """
    found = [*_program(options)]
    try:
        await _look(options, found)
    except errors.OmnichannelError as trouble:
        what = {"vault_sealed": "key", "store_outdated": "tables"}.get(trouble.key, "store")
        found.append(Finding(what, "fail", str(trouble), "See the message."))
    rows(found, ["what", "state", "detail", "now"], as_json=options.as_json, empty="")
    if any(one.state == "fail" for one in found):
        raise click.exceptions.Exit(1)


def _program(options: Options) -> Iterator[Finding]:
    from omnichannel_core.driver.hookspecs import HOOK_API

    yield Finding("omnichannel-core", "ok", f"{metadata.version('omnichannel-core')}, hook API {HOOK_API}")
    yield Finding("python", "ok", f"{platform.python_version()} on {platform.system()}")
    for name, url in options.endpoints.items():
        yield Finding("endpoint", "warn", f"{name} goes to {url}", "Take it away where real shops are connected.")
    if options.trust is None:
        yield Finding("trust", "warn", "no vendor's keys: no license counts", "Give --trust FILE (OMNICHANNEL_TRUST).")
    for one in options.allow:
        yield Finding("address guard", "warn", f"drivers may connect to {one}", "Allow only what you need.")


async def _look(options: Options, found: list[Finding]) -> None:
    """From the door inwards: what cannot be reached hides what lies behind it."""
    from omnichannel_core.storage import migrations

    unopened = options.house()
    shown = unopened.store_shown
    server = "://" in shown
    if _is_new(shown):
        todo = "The first command that needs it makes it; is --db right?"
        found.append(Finding("store", "warn", f"{shown} is not there yet", todo))
        return
    version = await unopened.look()
    found.append(Finding("store", "ok", f"reached: {shown}"))
    found.append(findings.tables(version, migrations.HEAD, server=server))
    if version == migrations.HEAD:
        async with options.opened() as house:
            await _house(house, options, found)


async def _house(house: Omnichannel, options: Options, found: list[Finding]) -> None:
    now, server = datetime.now(UTC), "://" in house.store_shown
    census = await house.vault_census()
    secrets = ", ".join(f"{key}: {count}" for key, count in census.items())
    found.append(Finding("vault", "ok", f"opens; secrets by key: {secrets}"))
    folders = [] if server else [Path(house.store_shown).parent]
    folders += [options.data.resolve()] if options.data is not None else []
    own = house.own_key_file if options.keys_from_environment() is None else None
    found.append(findings.key(options.key_file, own, folders))
    for folder in _disks(folders):
        usage = shutil.disk_usage(folder)
        found.append(findings.disk(folder, usage.free, usage.total))
    found.append(findings.clock(await house.licenses.clock_mark(), now))
    found.extend([one async for one in _gate(house, now)])
    found.extend(findings.condition(await house.condition(), now, server=server))


def _is_new(shown: str) -> bool:
    """Whether opening this store would make it."""
    return "://" not in shown and not Path(shown).exists()


def _disks(folders: list[Path]) -> list[Path]:
    """One folder for each disk."""
    return list({folder.stat().st_dev: folder for folder in reversed(folders) if folder.exists()}.values())


async def _gate(house: Omnichannel, now: datetime) -> AsyncIterator[Finding]:
    """Licenses that lapse, and drivers: whether each is available where it is installed, and can be imported."""
    installed: dict[str, set[str]] = defaultdict(set)  # main account -> drivers
    seen: dict[str, DriverListing] = {}
    works: dict[str, list[str]] = defaultdict(list)
    closed: dict[tuple[str, str], list[str]] = defaultdict(list)
    accounts = await house.accounts.list()
    for account in accounts:
        for one in await house.drivers.list(account.id):
            seen[one.name] = one
            if one.installed:
                installed[account.buyer].add(one.name)
                (works[one.name] if one.available else closed[one.name, one.reason]).append(account.id)
    for account in accounts:
        if not account.is_sandbox:
            held = await house.licenses.list(account.id)
            for line in findings.licenses(account.id, held, frozenset(installed[account.id]), now):
                yield line
    for name, one in sorted(seen.items()):
        yield await _driver(house, one, works[name])
    for (name, reason), where in sorted(closed.items()):
        some = ", ".join(where[:SHOWN]) + (f" and {len(where) - SHOWN} more" if len(where) > SHOWN else "")
        todo = "Connections there are suspended: mend the reason, or uninstall the driver."
        yield Finding(f"driver {name}", "fail", f"not available in {some}: {reason}", todo)


async def _driver(house: Omnichannel, one: DriverListing, accounts: list[str]) -> Finding:
    """A driver that is available somewhere is imported as the house would."""
    what, told = f"driver {one.name}", f"{one.distribution} {one.version}"
    if accounts:
        try:
            await house.drivers.load(accounts[0], one.name)
        except errors.OmnichannelError as trouble:
            return Finding(what, "fail", str(trouble), "Its connections stand still: see the message.")
        return Finding(what, "ok", f"{told}, available in {len(accounts)} accounts")
    if not one.compatible:
        return Finding(what, "warn", f"{told}: {one.reason}", "Install versions that fit.")
    return Finding(what, "ok", f"{told}, installed in no account that may use it")
