"""`omnichannel hub`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from omnichannel_core.cli.following import together
from omnichannel_core.cli.opening import Options, asynchronous
from omnichannel_core.cli.output import clean, rows, say, show
from omnichannel_core.cli.secrets import confirm
from omnichannel_core.errors import UsageError

if TYPE_CHECKING:
    from omnichannel_core.app import Omnichannel
    from omnichannel_core.model.outbox import OutboxRow
    from omnichannel_core.storage.hub import Found

F = TypeVar("F", bound=Callable[..., Any])
KINDS = {"orders": "Order", "returns": "Return", "attributes": "Attribute", "sets": "AttributeSet", "lists": "Choices"}


def _filters(command: F) -> F:
    command = click.option("--connection", type=int, default=None, help="Only of this connection.")(command)
    command = click.option("--state", default=None, help="The remote's own word.")(command)
    command = click.option("--since", default=None, metavar="TIME", help="ISO 8601, from then on.")(command)
    command = click.option("--until", default=None, metavar="TIME", help="ISO 8601, before then.")(command)
    return click.option("--number", default="", help="Part of the number, or the id.")(command)


def _found(kind: str, given: dict[str, Any], *, full: bool = False) -> Found:
    from omnichannel_core.storage.hub import Found

    return Found(
        kind=kind, connection=given["connection"], state=given["state"], since=_time(given["since"]),
        until=_time(given["until"]), number=given["number"], full=full,
    )  # fmt: skip


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"{text!r} is not a time: write it like 2026-11-21T10:00:00+01:00.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@click.group()
def command() -> None:
    """Orders, returns, attributes, errors; export and push."""


def _listing(name: str) -> None:
    kind = KINDS[name]

    @command.command(name, help=f"Stored {name}, newest first.")
    @_filters
    @click.option("--cursor", default="", help="Go on where the last list ended.")
    @click.option("--limit", default=50, show_default=True)
    @asynchronous
    async def run(options: Options, cursor: str, limit: int, **given: Any) -> None:
        async with options.opened() as house:
            page = await house.hub.find(options.need_account(), _found(kind, given), cursor=cursor, limit=limit)
        columns = ["connection", "id", "number", "state", "at", "parent"]
        rows(page.items, columns, as_json=options.as_json, empty=f"No {name}.")
        if page.next:
            say(f"More: --cursor {page.next}")


for _name in KINDS:
    _listing(_name)


@command.command()
@click.argument("connection", type=int)
@click.argument("order_id")
@asynchronous
async def order(options: Options, connection: int, order_id: str) -> None:
    """One order in full."""
    async with options.opened() as house:
        show(await house.hub.order(options.need_account(), connection, order_id), as_json=options.as_json)


@command.command()
@click.option("--connection", type=int, default=None)
@click.option("--retry", multiple=True, metavar="ID", help="Try these again ('all' for all of --connection).")
@click.option("--dismiss", multiple=True, metavar="ID", help="Let go of these ('all' for all of --connection).")
@asynchronous
async def errors(options: Options, connection: int | None, retry: tuple[str, ...], dismiss: tuple[str, ...]) -> None:
    """Records that failed on their way in or out."""
    account = options.need_account()
    async with options.opened() as house:
        if retry or dismiss:
            if connection is None:
                raise click.UsageError("Say of which --connection.")
            if retry:
                again = await house.hub.retry(account, connection, None if "all" in retry else list(retry))
                say(f"Tried again: {again.records} that came in, {again.pushes} that go out.")
                some = list(again.processes)
                some += [await house.connections.synchronize(account, connection)] if again.records else []
                await together(house, account, some)
            if dismiss:
                await house.hub.dismiss(account, connection, None if "all" in dismiss else list(dismiss))
        found = await house.hub.errors(account, connection)
    columns = ["id", "connection", "stream", "remote_id", "reason", "attempts"]
    rows(found, columns, as_json=options.as_json, empty="No errors.")


@command.command()
@click.argument("kind", type=click.Choice(list(KINDS)))
@_filters
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
@asynchronous
async def export(options: Options, kind: str, form: str, **given: Any) -> None:
    """Everything of a kind, as JSON lines or as CSV that spreadsheets cannot mistake for formulas."""
    from omnichannel_core.connections import exporting

    if form == "csv" and options.as_json:
        raise click.UsageError("--json and --format csv are two things: say one of them.")
    write = exporting.json_lines if form == "jsonl" else exporting.spreadsheet
    async with options.opened() as house:
        async for text in write(house.hub, options.need_account(), _found(KINDS[kind], given, full=True)):
            sys.stdout.write(clean(text) if sys.stdout.isatty() else text)


@command.command()
@click.argument("connection", type=int)
@click.argument("stream")
@click.argument("file", type=click.File("r"), default="-")
@click.option("--no-wait", is_flag=True, help="Only queue; a worker sends it.")
@asynchronous
async def push(options: Options, connection: int, stream: str, file: Any, no_wait: bool) -> None:
    """Send records (JSON lines from a file or stdin) and show what became of them."""
    account = options.need_account()
    async with options.opened() as house:
        seen = await house.connections.get(account, connection)
        driver = await house.drivers.load(account, seen.driver)
        declared = driver.pushes.get(stream)
        if declared is None:
            why = driver.not_supported.get(stream) or f"it pushes {', '.join(driver.pushes) or 'nothing'}."
            raise UsageError(f"Driver {seen.driver!r} pushes no stream {stream!r}: {why}")
        records = [_record(line, at, declared.takes) for at, line in enumerate(file, 1) if line.strip()]
        queued = await house.hub.push(account, connection, stream, records)
        if not no_wait:
            open_ = await house.processes.list(account, connection=connection, kind="deliver")
            await together(house, account, [one for one in open_ if one.open])
        done = await _pushed(house, account, connection, [row.key for row in queued])
    shown = [{"key": row.key, "thing": row.thing, "state": row.state.value, "reason": row.reason} for row in done]
    rows(shown, ["thing", "state", "reason"], as_json=options.as_json, empty="Nothing was queued.")


@command.command()
@click.argument("connection", type=int)
@click.argument("who", nargs=-1)
@click.option("--everyone", is_flag=True, help="All customers of the shop.")
@click.option("--yes", is_flag=True, help="Without a question.")
@asynchronous
async def erase(options: Options, connection: int, who: tuple[str, ...], everyone: bool, yes: bool) -> None:
    """Blank personal data of customers (WHO: e-mail addresses or the remote's ids)."""
    if bool(who) is everyone:
        raise click.UsageError("Say whose data: WHO, or --everyone.")
    account = options.need_account()
    async with options.opened() as house:
        seen = await house.connections.get(account, connection)
        whom = "all customers" if everyone else f"{len(set(who))} customers"
        confirm(f"Personal data of {whom} in connection {seen.id} ({seen.name}) goes for ever.", yes=yes)
        done = await house.hub.erase(account, connection, who, actor=options.actor)
    show(done, as_json=options.as_json)


@command.command()
@click.argument("connection", type=int)
@click.argument("keep", nargs=-1, required=True, metavar="STREAM=DAYS...")
@click.option("--yes", is_flag=True, help="Without a question.")
@asynchronous
async def retain(options: Options, connection: int, keep: tuple[str, ...], yes: bool) -> None:
    """Blank or remove what is older than so many days, by stream: orders=90 stock=30."""
    days = dict(_days(one) for one in keep)
    account = options.need_account()
    async with options.opened() as house:
        seen = await house.connections.get(account, connection)
        what = ", ".join(f"{stream} after {kept} days" for stream, kept in days.items())
        confirm(f"In connection {seen.id} ({seen.name}) personal data goes for ever: {what}.", yes=yes)
        done = await house.hub.retain(account, connection, days, actor=options.actor)
    show(done, as_json=options.as_json)


def _days(text: str) -> tuple[str, int]:
    stream, sign, days = text.partition("=")
    if not (sign and stream and days.isascii() and days.isdecimal() and len(days) < 6):
        raise click.UsageError(f"{text!r} is not STREAM=DAYS, such as orders=90.")
    return stream, int(days)


async def _pushed(house: Omnichannel, account: str, connection: int, keys: list[str]) -> list[OutboxRow]:
    """What became of them, in the order of their lines."""
    found: dict[str, OutboxRow] = {}
    for at in range(0, len(keys), 500):
        page = await house.hub.pushes(account, connection=connection, keys=keys[at : at + 500], limit=500)
        found |= {row.key: row for row in page.items}
    return [found[key] for key in keys if key in found]


def _record(line: str, at: int, kind: Any) -> Any:
    import msgspec

    try:
        return msgspec.json.decode(line, type=kind)
    except msgspec.DecodeError as wrong:
        raise UsageError(f"Line {at} is not a {kind.__name__}: {wrong}.") from None
