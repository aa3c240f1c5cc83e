"""`omnichannel licenses`."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import click

from omnichannel_core.cli.opening import Options, asynchronous
from omnichannel_core.cli.output import rows, say, show
from omnichannel_core.gate import vendor


@click.group()
def command() -> None:
    """Keys, licenses, applications, revocations. keygen, issue and revoke are the vendor's side."""


@command.command()
@click.argument("private", type=click.Path(path_type=Path))
@click.argument("public", type=click.Path(path_type=Path))
def keygen(private: Path, public: Path) -> None:
    """Make a vendor's key: PRIVATE stays with the vendor, PUBLIC is what hosts trust."""
    secret, shown = vendor.keygen()
    try:
        file = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise click.UsageError(f"{private} is there already and is not overwritten.") from None
    with os.fdopen(file, "w") as opened:
        json.dump(secret, opened)
    old = json.loads(public.read_text())["keys"] if public.exists() else []
    public.write_text(json.dumps(vendor.key_set(shown, *old), indent=1) + "\n")
    say(f"Key {shown['kid']}: {private} (keep it secret), {public} ({len(old) + 1} keys).")


@command.command()
@click.argument("private", type=click.Path(path_type=Path, exists=True))
@click.option("--for", "account", required=True, help="The main account that bought it.")
@click.option("--driver", required=True)
@click.option("--distribution", required=True, help="The driver's distribution, e.g. omnichannel-bigcommerce.")
@click.option("--days", default=365, show_default=True)
@click.option("--grace-days", default=14, show_default=True)
@click.option("--feature", multiple=True)
@click.option("--application", default="", help="Name of the application document it comes with.")
def issue(private: Path, account: str, driver: str, distribution: str, days: int, grace_days: int,
          feature: tuple[str, ...], application: str) -> None:  # fmt: skip
    """Sign a license; its text goes to stdout."""
    now = datetime.now(UTC)
    click.echo(
        vendor.issue(
            json.loads(private.read_text()), account=account, driver=driver, distribution=distribution, now=now,
            days=days, grace_days=grace_days, features=feature, application=application,
        )
    )  # fmt: skip


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
        show(held, as_json=options.as_json)


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
    say(f"{count} licenses are revoked.")


@command.command("revoke-sign")
@click.argument("private", type=click.Path(path_type=Path, exists=True))
@click.argument("license_ids", nargs=-1, required=True)
@click.option("--seq", type=int, required=True, help="Higher than that of the list before.")
def revoke_sign(private: Path, license_ids: tuple[str, ...], seq: int) -> None:
    """The vendor's side of revoke: sign a list of license ids; its text goes to stdout."""
    click.echo(vendor.revoke(json.loads(private.read_text()), license_ids, seq=seq, now=datetime.now(UTC)))
