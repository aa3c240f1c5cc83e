"""`omnichannel connections`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from omnichannel_core.cli import looks, pages, secrets
from omnichannel_core.cli.following import ended, no_wait, synced, to_end
from omnichannel_core.cli.gating import gate_moved
from omnichannel_core.cli.opening import Options, asynchronous, exit_code
from omnichannel_core.cli.output import connection_json, emit, rows, say, show, told

if TYPE_CHECKING:
    from omnichannel_core.connections.listing import ListPage
    from omnichannel_core.connections.switching import Moved
    from omnichannel_core.model.connection import Connection

COLUMNS = ["id", "name", "status", "health", "order_return_errors", "driver", "last_synced_at", "health_reason"]
from_stdin = click.option("--secrets-stdin", is_flag=True, help="Secrets from stdin: JSON or lines of FIELD=VALUE.")
from_file = click.option("--secrets-file", default=None, help="Secrets from a file: JSON or lines of FIELD=VALUE.")


@click.group()
def command() -> None:
    """Create, edit, check, synchronize, delete connections."""


for _one in (pages.settings, pages.defaults, pages.schedule):
    command.add_command(_one)


@command.command("list")
@looks.options
@click.option("--cursor", default=None, help="Go on where the last list ended.")
@click.option("--limit", default=50, show_default=True)
@asynchronous
async def list_(options: Options, cursor: str | None, limit: int, **look: Any) -> None:
    """The list of connections, filtered and sorted, with or without a view.

    Status is active or inactive, and deleting while a connection goes. A suspended one's health says why.
    """
    account = options.need_account()
    async with options.opened() as house:
        wanted = await looks.wanted(house, options, **look)

        async def read() -> ListPage:
            return await house.connections.page(account, wanted, cursor=cursor, limit=limit)

        page = await read()
        if await gate_moved(house, account, page.rows):
            page = await read()
    shown = [connection_json(one) for one in page.rows]
    if options.as_json:
        emit(shown)
    else:
        every = [{**one, **_more(seen)} for one, seen in zip(shown, page.rows, strict=True)]
        rows(every, wanted.columns or COLUMNS, as_json=False, empty="No connections.")
    if page.next:
        say(f"More: --cursor {page.next}")


@command.command("show")
@click.argument("connection", type=int)
@asynchronous
async def show_(options: Options, connection: int) -> None:
    """One connection; nothing of its driver is imported.

    Status is active or inactive, and deleting while it goes.
    """
    account = options.need_account()
    async with options.opened() as house:
        seen = await house.connections.get(account, connection)
        if await gate_moved(house, account, [seen]):
            seen = await house.connections.get(account, connection)
    show({**connection_json(seen), **({} if options.as_json else _more(seen))}, as_json=options.as_json)


@command.command()
@click.argument("connection", type=int)
@asynchronous
async def diagnose(options: Options, connection: int) -> None:
    """A bundle about one connection, as JSON, to look at or to give away: no secret, nobody's text or data."""
    account = options.need_account()
    async with options.opened() as house:
        emit(await house.diagnose(account, connection))


@command.command()
@click.argument("driver")
@click.argument("name")
@secrets.typed
@from_stdin
@from_file
@click.option("--draft", type=int, default=None, help="Of an authorize, or an install begun at the marketplace.")
@no_wait
@asynchronous
async def create(
    options: Options, driver: str, name: str, sets: tuple[str, ...], secrets_stdin: bool, secrets_file: str | None,
    draft: int | None, no_wait: bool,
) -> None:  # fmt: skip
    """Create a connection: checked, saved, synchronized."""
    account = options.need_account()
    async with options.opened() as house:
        schema = (await house.drivers.schema(account, driver))["credentials"]
        form = secrets.gather(
            schema, sets, secrets_stdin=secrets_stdin, secrets_file=secrets_file, editing=draft is not None
        )
        say("Checking credentials...")
        saved = await house.connections.create(account, driver, name, form, draft=draft, actor=options.actor)
        await synced(house, options, saved, no_wait)


@command.command()
@click.argument("connection", type=int)
@click.option("--name", default=None)
@secrets.typed
@from_stdin
@from_file
@click.option("--draft", type=int, default=None, help="Of an authorize for this connection.")
@click.option("--move-account", is_flag=True, help="Allow credentials of another remote account.")
@no_wait
@asynchronous
async def edit(
    options: Options, connection: int, name: str | None, sets: tuple[str, ...], secrets_stdin: bool,
    secrets_file: str | None, draft: int | None, move_account: bool, no_wait: bool,
) -> None:  # fmt: skip
    """Change name or credentials; what is not given stays."""
    account = options.need_account()
    async with options.opened() as house:
        form: dict[str, Any] | None = None
        if sets or secrets_stdin or secrets_file:
            seen = await house.connections.get(account, connection)
            schema = (await house.drivers.schema(account, seen.driver))["credentials"]
            given = secrets.gather(schema, sets, secrets_stdin=secrets_stdin, secrets_file=secrets_file, editing=True)
            shown = await house.connections.credentials(account, connection)
            form = {**_without_secrets(schema, shown), **given}
            say("Checking credentials...")
        saved = await house.connections.edit(
            account,
            connection,
            name=name,
            credentials=form,
            draft=draft,
            move_account=move_account,
            actor=options.actor,
        )
        await synced(house, options, saved, no_wait)


@command.command()
@click.argument("connection", type=int)
@asynchronous
async def check(options: Options, connection: int) -> None:
    """Ask the remote who we are there and what we may do."""
    async with options.opened() as house:
        found = await house.connections.check(options.need_account(), connection)
    show({"title": found.title, "works": found.works, "missing": found.missing, "expires": found.expires},
         as_json=options.as_json)  # fmt: skip


@command.command()
@click.argument("connection", type=int)
@no_wait
@asynchronous
async def sync(options: Options, connection: int, no_wait: bool) -> None:
    """Data model, pulls, due pushes."""
    account = options.need_account()
    async with options.opened() as house:
        process = await house.connections.synchronize(account, connection)
        say("Sync triggered.")
        if not no_wait:
            process = await to_end(house, account, process, quiet=options.as_json) or process
    ended(options, process, no_wait)


@command.command()
@click.argument("connections", type=int, nargs=-1, required=True)
@asynchronous
async def enable(options: Options, connections: tuple[int, ...]) -> None:
    """Enable those that can be."""
    async with options.opened() as house:
        answers = await house.connections.enable(options.need_account(), connections, options.actor)
    _moved(options, answers)


@command.command()
@click.argument("connections", type=int, nargs=-1, required=True)
@asynchronous
async def disable(options: Options, connections: tuple[int, ...]) -> None:
    """Disable those that can be; running work ends at its next page."""
    async with options.opened() as house:
        answers = await house.connections.disable(options.need_account(), connections, options.actor)
    _moved(options, answers)


@command.command()
@click.argument("connection", type=int)
@click.option("--yes", is_flag=True, help="Without a question.")
@no_wait
@asynchronous
async def delete(options: Options, connection: int, yes: bool, no_wait: bool) -> None:
    """Delete an inactive connection and all that was stored of it."""
    account = options.need_account()
    async with options.opened() as house:
        counts = await house.connections.what_goes(account, connection)
        what = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
        secrets.confirm(f"Connection {connection} goes for ever, with {what}.", yes=yes)
        process = await house.connections.delete(account, connection, actor=options.actor)
        if not no_wait:
            process = await to_end(house, account, process, quiet=options.as_json) or process
    ended(options, process, no_wait)


@command.command()
@click.argument("driver_or_connection")
@secrets.typed
@from_stdin
@from_file
@click.option("--draft", type=int, default=None, help="Of an earlier authorize: what it holds need not be typed again.")
@click.option("--port", default=0, help="Of the loopback address the browser comes back to.")
@asynchronous
async def authorize(
    options: Options,
    driver_or_connection: str,
    sets: tuple[str, ...],
    secrets_stdin: bool,
    secrets_file: str | None,
    draft: int | None,
    port: int,
) -> None:
    """AUTHORIZE: prints where the browser goes, waits for it on loopback, keeps a draft to create or edit with."""
    from omnichannel_core.cli.returning import authorize_on_loopback

    account = options.need_account()
    async with options.opened() as house:
        connection = int(driver_or_connection) if re.fullmatch("[0-9]+", driver_or_connection) else None
        driver = (
            driver_or_connection if connection is None else (await house.connections.get(account, connection)).driver
        )
        schema = (await house.drivers.schema(account, driver))["credentials"]
        form = secrets.gather(schema, sets, secrets_stdin=secrets_stdin, secrets_file=secrets_file, editing=True)
        returned = await authorize_on_loopback(house, options, driver, form, connection, port, draft)
        show({"draft": returned.form.id, "authorized": returned.form.authorized, "values": returned.form.values},
             as_json=options.as_json)  # fmt: skip
        if returned.error is not None:
            raise returned.error


def _without_secrets(schema: dict[str, Any], shown: Any) -> dict[str, Any]:
    fields = schema.get("properties", {})
    return {name: one for name, one in shown.items() if not secrets.is_secret(fields.get(name, {})) and one is not None}


def _more(seen: Connection) -> dict[str, Any]:
    return {"remote_account": seen.remote_account, "remote_title": seen.remote_title, "missing": seen.missing,
            "other_errors": seen.other_errors}  # fmt: skip


def _moved(options: Options, answers: Sequence[Moved]) -> None:
    words = [f"Connection {one.id}: {one.connection.status if one.connection else one.error}" for one in answers]
    told("\n".join(words), [
        {"id": one.id, "status": one.connection.status.value if one.connection else None,
         "error": one.error.key if one.error else None, "message": str(one.error) if one.error else ""}
        for one in answers
    ], as_json=options.as_json)  # fmt: skip
    failed = [one.error for one in answers if one.error is not None]
    if failed and len(failed) == len(answers):
        raise click.exceptions.Exit(exit_code(failed[0]))
