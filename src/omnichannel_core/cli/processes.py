"""`omnichannel processes`."""

from __future__ import annotations

import click

from omnichannel_core.cli.opening import Options, asynchronous
from omnichannel_core.cli.output import Progress, emit, process_json, rows, show, told

COLUMNS = ["id", "kind", "connection", "state", "done", "total", "message", "error"]


@click.group()
def command() -> None:
    """What runs, waits and has ended."""


@command.command("list")
@click.option("--connection", type=int, default=None)
@click.option("--open", "only_open", is_flag=True, help="Only what has not ended.")
@click.option("--before", type=int, default=None, help="Older than this id.")
@click.option("--limit", default=50, show_default=True)
@asynchronous
async def list_(options: Options, connection: int | None, only_open: bool, before: int | None, limit: int) -> None:
    """Newest first."""
    from omnichannel_core.model.process import OPEN

    async with options.opened() as house:
        found = await house.processes.list(
            options.need_account(),
            connection=connection,
            states=OPEN if only_open else None,
            before=before,
            limit=limit,
        )
    rows([process_json(one) for one in found], COLUMNS, as_json=options.as_json, empty="No processes.")


@command.command()
@click.argument("process", type=int)
@asynchronous
async def watch(options: Options, process: int) -> None:
    """Follow one to its end; with --json one line per change."""
    import anyio

    account, last = options.need_account(), None
    progress = Progress(quiet=options.as_json)
    async with options.opened() as house:
        while True:
            found = await house.processes.get(account, process)
            if options.as_json and found != last:
                emit(process_json(found))
            progress.show(found)
            last = found
            if not found.open:
                break
            await anyio.sleep(0.3)
    progress.end()
    if not options.as_json:
        show(process_json(found), as_json=False)


@command.command()
@click.argument("process", type=int)
@asynchronous
async def cancel(options: Options, process: int) -> None:
    """End one: at once when it waits, within seconds when it runs."""
    async with options.opened() as house:
        found = await house.processes.cancel(options.need_account(), process)
    told(f"Process {process}: {'asked to end' if found.open else found.state}.", process_json(found),
         as_json=options.as_json)  # fmt: skip
