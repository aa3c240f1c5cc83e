"""Running what a command queued to its end, with progress."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from omnichannel_core.cli.opening import exit_code_of
from omnichannel_core.cli.output import Progress, say

if TYPE_CHECKING:
    from omnichannel_core.app import Omnichannel
    from omnichannel_core.model.process import Process

DOWN = "remote_unavailable"


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


async def _drive(house: Omnichannel, account: str, process: Process, progress: Progress | None = None) -> Process:
    import anyio

    def seen(now: Process) -> None:
        if progress is not None:
            progress.show(now)
        if now.state == "waiting" and now.error_key == DOWN:
            scope.cancel()

    with anyio.CancelScope() as scope:
        return await house.processes.run_to_end(account, process.id, seen)
    return await house.processes.get(account, process.id)


def finish(process: Process | None) -> None:
    """The exit code of a command that ran this process: that of the error that ended or delays it."""
    if process is not None and process.error_key:
        raise click.exceptions.Exit(exit_code_of(process.error_key))


async def together(house: Omnichannel, account: str, processes: Sequence[Process]) -> list[Process]:
    """Drive several to their ends at the same time: some wait for others (stock goes before shipments)."""
    import anyio

    ended: list[Process] = []

    async def one(process: Process) -> None:
        ended.append(await _drive(house, account, process))

    async with anyio.create_task_group() as group:
        for process in processes:
            group.start_soon(one, process)
    return ended
