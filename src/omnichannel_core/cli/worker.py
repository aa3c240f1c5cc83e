"""`omnichannel worker`."""

from __future__ import annotations

import signal

import click

from omnichannel_core.cli.opening import Options, asynchronous
from omnichannel_core.cli.output import say, told


@click.command()
@click.option("--slots", default=64, show_default=True, help="Processes at once.")
@asynchronous
async def command(options: Options, slots: int) -> None:
    """Run what is queued and due, until SIGINT or SIGTERM; what runs then goes back into the queue."""
    import anyio

    async with options.opened(work=True, slots=slots):
        say("Working. Stop with Ctrl-C.")
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            got = await anext(aiter(signals))
        say("Stopping at the next page boundaries.")
    told("Stopped.", {"stopped": signal.Signals(got).name}, as_json=options.as_json)
