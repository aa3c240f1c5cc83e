"""`omnichannel connections settings|defaults|schedule`."""

from __future__ import annotations

from typing import Any

import click

from omnichannel_core.cli import secrets
from omnichannel_core.cli.following import no_wait, synced
from omnichannel_core.cli.opening import Options, asynchronous
from omnichannel_core.cli.output import emit, rows

NONE = "There are no settings available."


@click.command()
@click.argument("connection", type=int)
@click.argument("page", required=False)
@secrets.typed
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
            pages = await house.connections.settings.pages(account, driver, connection)
            if options.as_json:
                emit(pages)
            else:
                rows(pages.pages, ["name", "title", "inherits"], as_json=False, empty=NONE)
            return
        if not sets and inherit is None:
            _page(options, await house.connections.settings.page(account, driver, connection, page))
            return
        schema = (await house.drivers.schema(account, seen.driver))["settings"][page]["form"]
        values = secrets.gather(schema, sets, secrets_stdin=False, secrets_file=None, editing=True)
        saved = await house.connections.edit(
            account, connection, settings={page: values} if sets else {}, actor=options.actor,
            inherits={} if inherit is None else {page: inherit},
        )  # fmt: skip
        await synced(house, options, saved, no_wait)


@click.command()
@click.argument("driver")
@click.argument("page", required=False)
@secrets.typed
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
            await house.connections.set_defaults(account, driver, page, values)
        found = await house.connections.settings.defaults(account, loaded)
    if options.as_json:
        emit(found)
        return
    lines = [{"page": name, "field": field, "value": value} for name, one in found.items()
             for field, value in one.values.items()]  # fmt: skip
    rows(lines, ["page", "field", "value"], as_json=False, empty=NONE)


@click.command()
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


def _page(options: Options, page: Any) -> None:
    """For eyes the values and where they come from; for machines all there is to fill in the form."""
    if options.as_json:
        emit(page)
        return
    lines = [{"field": name, "value": one, "origin": page.origin.get(name)} for name, one in page.values.items()]
    rows(lines, ["field", "value", "origin"], as_json=False, empty=NONE)
