"""Running what a command queued to its end, with progress."""

from __future__ import annotations

from collections.abc import Sequence

import anyio

from omnichannel_core.app import Omnichannel
from omnichannel_core.cli.output import Progress, say
from omnichannel_core.model.process import Process, State


async def to_end(house: Omnichannel, account: str, process: Process | None, *, quiet: bool) -> Process | None:
    """Drive a process here, and then the deliveries it queued; None stays None."""
    if process is None:
        return None
    progress = Progress(quiet=quiet)
    async with anyio.create_task_group() as group:
        group.start_soon(_watch, house, account, process.id, progress)
        ended = await house.processes.run_to_end(account, process.id)
        if ended.connection is not None:
            queued = await house.processes.list(account, connection=ended.connection, kind="deliver")
            await together(house, account, [one for one in queued if one.state is State.QUEUED])
        group.cancel_scope.cancel()
    progress.end()
    if not quiet:
        say(f"{ended.kind} {ended.state}. {ended.message or ended.error}".rstrip())
    return ended


async def _watch(house: Omnichannel, account: str, process_id: int, progress: Progress) -> None:
    while True:
        progress.show(await house.processes.get(account, process_id))
        await anyio.sleep(0.2)


async def together(house: Omnichannel, account: str, processes: Sequence[Process]) -> list[Process]:
    """Drive several to their ends at the same time: some wait for others (stock goes before shipments)."""
    ended: list[Process] = []

    async def one(process: Process) -> None:
        ended.append(await house.processes.run_to_end(account, process.id))

    async with anyio.create_task_group() as group:
        for process in processes:
            group.start_soon(one, process)
    return ended
