"""`omnichannel licenses`."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import click

from omnichannel_core.cli.opening import Options, asynchronous, read_text
from omnichannel_core.cli.output import dumps, license_json, rows, show, told


@click.group()
def command() -> None:
    """Keys, licenses, applications, revocations. keygen, issue and revoke are the vendor's side."""


@command.command()
@click.argument("private", type=click.Path(path_type=Path))
@click.argument("public", type=click.Path(path_type=Path))
@click.pass_obj
def keygen(options: Options, private: Path, public: Path) -> None:
    """Make a vendor's key: PRIVATE stays with the vendor, PUBLIC is what hosts trust; a key there stays behind it."""
    from omnichannel_core.gate import vendor

    secret, shown = vendor.keygen()
    old = json.loads(read_text(public, "PUBLIC"))["keys"] if public.exists() else []
    try:
        file = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise click.UsageError(f"{private} is there already and is not overwritten.") from None
    with os.fdopen(file, "w") as opened:
        json.dump(secret, opened)
    public.write_text(json.dumps(vendor.key_set(shown, *old), indent=1) + "\n")
    told(f"Key {shown['kid']}: {private} (keep it secret), {public} (keys in it: {len(old) + 1}).",
         {"key_id": shown["kid"], "private": str(private), "public": str(public), "keys": len(old) + 1},
         as_json=options.as_json)  # fmt: skip


@command.command()
@click.argument("private", type=click.Path(path_type=Path, exists=True))
@click.option("--for", "account", required=True, help="The main account that bought it.")
@click.option("--driver", required=True)
@click.option("--distribution", required=True, help="The driver's distribution, e.g. omnichannel-bigcommerce.")
@click.option("--days", default=365, show_default=True)
@click.option("--grace-days", default=14, show_default=True)
@click.option("--feature", multiple=True)
@click.option("--application", default="", help="Name of the application document it comes with.")
@click.pass_obj
def issue(options: Options, private: Path, account: str, driver: str, distribution: str, days: int, grace_days: int,
          feature: tuple[str, ...], application: str) -> None:  # fmt: skip
    """Sign a license; its text goes to stdout."""
    from omnichannel_core.gate import vendor

    text = vendor.issue(
        _private(private), account=account, driver=driver, distribution=distribution, now=datetime.now(UTC),
        days=days, grace_days=grace_days, features=feature, application=application,
    )  # fmt: skip
    click.echo(dumps({"license": text}) if options.as_json else text)


@command.command()
@click.argument("file", type=click.File("r"), default="-")
@click.option("--application", "document", type=click.File("r"), default=None, help="Application document (JSON).")
@asynchronous
async def add(options: Options, file: IO[str], document: IO[str] | None) -> None:
    """Add a license (a file, or stdin) to the main account."""
    account = options.need_account()
    async with options.opened() as house:
        held = await house.licenses.add(account, file.read().strip())
        if document is not None:
            await house.licenses.add_application(account, document.read())
        await house.watch_gate()
    show(license_json(held, text=options.as_json), as_json=options.as_json)


@command.command("list")
@asynchronous
async def list_(options: Options) -> None:
    """The account's licenses and what they are worth now."""
    async with options.opened() as house:
        found = await house.licenses.list(options.need_account())
    shown = [
        {"id": one.id, "driver": one.driver, "state": one.state.value, "reason": one.reason,
         "expires_at": one.license.expires_at if one.license else None,
         "features": sorted(one.license.features) if one.license else []}
        for one in found
    ]  # fmt: skip
    rows(shown, ["id", "driver", "state", "expires_at", "reason"], as_json=options.as_json, empty="No licenses.")


@command.command()
@click.argument("file", type=click.File("r"), default="-")
@asynchronous
async def revoke(options: Options, file: IO[str]) -> None:
    """Take in a vendor's signed revocation list (a file, or stdin)."""
    async with options.opened() as house:
        count = await house.licenses.add_revocations(file.read().strip())
        await house.watch_gate()
    told(f"Licenses on the list: {count}.", {"revoked": count}, as_json=options.as_json)


@command.command("revoke-sign")
@click.argument("private", type=click.Path(path_type=Path, exists=True))
@click.argument("license_ids", nargs=-1, required=True)
@click.option("--seq", type=int, required=True, help="Higher than that of the list before.")
@click.pass_obj
def revoke_sign(options: Options, private: Path, license_ids: tuple[str, ...], seq: int) -> None:
    """The vendor's side of revoke: sign a list of all revoked ids; its text goes to stdout."""
    from omnichannel_core.gate import vendor

    text = vendor.revoke(_private(private), license_ids, seq=seq, now=datetime.now(UTC))
    click.echo(dumps({"revocations": text}) if options.as_json else text)


def _private(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(read_text(file, "Key"))
    except json.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise click.UsageError(f"{file} is no private key: make one with `omnichannel licenses keygen`.")
    return found
