"""Running what a command queued to its end, with progress."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from omnichannel_core.cli.opening import Options, exit_code_of
from omnichannel_core.cli.output import Progress, connection_json, emit, process_json, say, show

if TYPE_CHECKING:
    from omnichannel_core.app import Omnichannel
    from omnichannel_core.connections.managing import Saved
    from omnichannel_core.model.process import Process

DOWN = "remote_unavailable"
no_wait = click.option("--no-wait", is_flag=True, help="Only queue; a worker runs it.")


async def to_end(house: Omnichannel, account: str, process: Process | None, *, quiet: bool) -> Process | None:
    """Drive a process here, and then the deliveries it queued; None stays None.

    A process that waits for a remote that is down is given back as it is: a worker goes on with it.
    """
    if process is None:
        return None
    progress = Progress(quiet=quiet)
    try:
        ended = await _drive(house, account, process, progress)
        if ended.connection is not None:
            queued = await house.processes.list(account, connection=ended.connection, kind="deliver")
            await together(house, account, [one for one in queued if one.state == "queued"])
    finally:
        progress.end()
    if not quiet:
        later = (
            f" It is tried again from {ended.run_at.isoformat(timespec='seconds')} by a worker." if ended.open else ""
        )
        say(f"{ended.kind} {ended.state}. {ended.error or ended.message}".rstrip() + later)
    return ended


async def _drive(
    house: Omnichannel, account: str, process: Process, progress: Progress | None = None, *, patient: bool = True
) -> Process:
    import anyio

    def seen(now: Process) -> None:
        if progress is not None:
            progress.show(now)
        if now.state == "waiting" and (now.error_key == DOWN or not patient):
            scope.cancel()

    with anyio.CancelScope() as scope:
        return await house.processes.run_to_end(account, process.id, seen)
    return await house.processes.get(account, process.id)


def finish(process: Process | None) -> None:
    """The exit code of a command that ran this process: that of the error that ended or delays it."""
    if process is not None and process.error_key:
        raise click.exceptions.Exit(exit_code_of(process.error_key))


async def together(
    house: Omnichannel, account: str, processes: Sequence[Process], *, patient: bool = True
) -> list[Process]:
    """Drive several to their ends at the same time: some wait for others (stock goes before shipments).

    Without patience one that waits for the remote is given back as it is.
    """
    import anyio

    ended: list[Process] = []

    async def one(process: Process) -> None:
        ended.append(await _drive(house, account, process, patient=patient))

    async with anyio.create_task_group() as group:
        for process in processes:
            group.start_soon(one, process)
    return ended


async def synced(house: Omnichannel, options: Options, saved: Saved, no_wait: bool) -> None:
    """The rest of a SAVE: what it queued is run to its end, then the connection is shown."""
    account, process = options.need_account(), saved.process
    if process is not None:
        say("Sync triggered.")
        if not no_wait:
            process = await to_end(house, account, process, quiet=options.as_json)
    show(connection_json(await house.connections.get(account, saved.connection.id)), as_json=options.as_json)
    finish(None if no_wait else process)


def ended(options: Options, process: Process, no_wait: bool) -> None:
    """The last word of a command that is about one process."""
    if options.as_json:
        emit(process_json(process))
    elif no_wait:
        say(f"Process {process.id} is {process.state}: a worker runs it; see `omnichannel processes watch`.")
    finish(None if no_wait else process)
