"""`omnichannel connections`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from omnichannel_core.cli import looks, secrets
from omnichannel_core.cli.following import finish, to_end
from omnichannel_core.cli.gating import gate_moved
from omnichannel_core.cli.opening import Options, asynchronous, exit_code
from omnichannel_core.cli.output import connection_json, emit, process_json, rows, say, show, told

if TYPE_CHECKING:
    from omnichannel_core.app import Omnichannel
    from omnichannel_core.connections.listing import ListPage
    from omnichannel_core.connections.managing import Saved
    from omnichannel_core.connections.switching import Moved
    from omnichannel_core.model.connection import Connection
    from omnichannel_core.model.process import Process

COLUMNS = ["id", "name", "status", "health", "order_return_errors", "driver", "last_synced_at", "health_reason"]
no_wait = click.option("--no-wait", is_flag=True, help="Only queue; a worker runs it.")
typed = click.option("--set", "sets", multiple=True, metavar="FIELD=VALUE", help="A field of the form (no secrets).")
from_stdin = click.option("--secrets-stdin", is_flag=True, help="Secrets from stdin: JSON or lines of FIELD=VALUE.")
from_file = click.option("--secrets-file", default=None, help="Secrets from a file: JSON or lines of FIELD=VALUE.")


@click.group()
def command() -> None:
    """Create, edit, check, synchronize, delete connections."""


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
@click.argument("driver")
@click.argument("name")
@typed
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
        await _synced(house, options, saved, no_wait)


@command.command()
@click.argument("connection", type=int)
@click.option("--name", default=None)
@typed
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
        await _synced(house, options, saved, no_wait)


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
    _ended(options, process, no_wait)


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
    _ended(options, process, no_wait)


@command.command()
@click.argument("connection", type=int)
@click.argument("page", required=False)
@typed
@click.option("--inherit/--own", default=None, help="*Apply from default* on or off for the page.")
@no_wait
@asynchronous
async def settings(
    options: Options, connection: int, page: str | None, sets: tuple[str, ...], inherit: bool | None, no_wait: bool
) -> None:
    """Show the settings pages, or change one."""
    account = options.need_account()
    async with options.opened() as house:
        seen = await house.connections.get(account, connection)
        driver = await house.drivers.load(account, seen.driver)
        if page is not None and page not in driver.pages:
            raise click.UsageError(f"There is no page {page!r}; pages: {', '.join(driver.pages) or 'none'}.")
        if page is None:
            show(await house.connections.settings.pages(account, driver, connection), as_json=options.as_json)
            return
        if not sets and inherit is None:
            show(await house.connections.settings.page(account, driver, connection, page), as_json=options.as_json)
            return
        schema = (await house.drivers.schema(account, seen.driver))["settings"][page]["form"]
        values = secrets.gather(schema, sets, secrets_stdin=False, secrets_file=None, editing=True)
        saved = await house.connections.edit(
            account, connection, settings={page: values} if sets else {}, actor=options.actor,
            inherits={} if inherit is None else {page: inherit},
        )  # fmt: skip
        await _synced(house, options, saved, no_wait)


@command.command()
@click.argument("driver")
@click.argument("page", required=False)
@typed
@asynchronous
async def defaults(options: Options, driver: str, page: str | None, sets: tuple[str, ...]) -> None:
    """Show or change the account's defaults for a driver's settings pages."""
    account = options.need_account()
    async with options.opened() as house:
        loaded = await house.drivers.load(account, driver)
        if page is not None and page not in loaded.pages:
            raise click.UsageError(f"There is no page {page!r}; pages: {', '.join(loaded.pages) or 'none'}.")
        if page is not None and sets:
            schema = (await house.drivers.schema(account, driver))["settings"][page]["form"]
            values = secrets.gather(schema, sets, secrets_stdin=False, secrets_file=None, editing=True)
            await house.connections.settings.set_defaults(account, loaded, page, values)
        show(await house.connections.settings.defaults(account, loaded), as_json=options.as_json)


@command.command()
@click.argument("connection", type=int)
@click.argument("stream", required=False)
@click.argument("minutes", type=int, required=False)
@asynchronous
async def schedule(options: Options, connection: int, stream: str | None, minutes: int | None) -> None:
    """Show when streams run by themselves, or set one (0 is never)."""
    account = options.need_account()
    async with options.opened() as house:
        if stream is not None and minutes is None:
            raise click.UsageError("How many MINUTES? 0 is never.")
        if stream is not None and minutes is not None:
            await house.connections.schedule(account, connection, stream, minutes)
        found = await house.connections.schedules(account, connection)
    rows(found, ["stream", "minutes", "next_at", "resting"], as_json=options.as_json, empty="No streams.")


@command.command()
@click.argument("driver_or_connection")
@typed
@from_stdin
@from_file
@click.option("--port", default=0, help="Of the loopback address the browser comes back to.")
@asynchronous
async def authorize(
    options: Options,
    driver_or_connection: str,
    sets: tuple[str, ...],
    secrets_stdin: bool,
    secrets_file: str | None,
    port: int,
) -> None:
    """AUTHORIZE: prints where the browser goes, waits for it on loopback, keeps a draft to create or edit with."""
    from omnichannel_core.cli.returning import authorize_on_loopback

    account = options.need_account()
    async with options.opened() as house:
        connection = int(driver_or_connection) if driver_or_connection.isdigit() else None
        driver = (
            driver_or_connection if connection is None else (await house.connections.get(account, connection)).driver
        )
        schema = (await house.drivers.schema(account, driver))["credentials"]
        form = secrets.gather(schema, sets, secrets_stdin=secrets_stdin, secrets_file=secrets_file, editing=True)
        returned = await authorize_on_loopback(house, options, driver, form, connection, port)
        show({"draft": returned.form.id, "authorized": returned.form.authorized, "values": returned.form.values},
             as_json=options.as_json)  # fmt: skip
        if returned.error is not None:
            raise returned.error


def _without_secrets(schema: dict[str, Any], shown: Any) -> dict[str, Any]:
    fields = schema.get("properties", {})
    return {name: one for name, one in shown.items() if not secrets.is_secret(fields.get(name, {})) and one is not None}


async def _synced(house: Omnichannel, options: Options, saved: Saved, no_wait: bool) -> None:
    account, process = options.need_account(), saved.process
    if process is not None:
        say("Sync triggered.")
        if not no_wait:
            process = await to_end(house, account, process, quiet=options.as_json)
    show(connection_json(await house.connections.get(account, saved.connection.id)), as_json=options.as_json)
    finish(None if no_wait else process)


def _ended(options: Options, process: Process, no_wait: bool) -> None:
    if options.as_json:
        emit(process_json(process))
    elif no_wait:
        say(f"Process {process.id} is {process.state}: a worker runs it; see `omnichannel processes watch`.")
    finish(None if no_wait else process)


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
