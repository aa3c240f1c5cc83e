"""`omnichannel simulator`."""

from __future__ import annotations

import signal
import threading

import click

from omnichannel_core.cli.opening import Options
from omnichannel_core.cli.output import emit, say
from omnichannel_core.testing import simulator


@click.command()
@click.argument("name", required=False)
@click.option("--port", default=0, help="0: any free one.")
@click.pass_obj
def command(options: Options, name: str | None, port: int) -> None:
    """Run a stand-in of a marketplace on loopback until stopped; without NAME, list those that are there."""
    if name is None:
        emit(simulator.names()) if options.as_json else click.echo("\n".join(simulator.names()))
        return
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    with simulator.running(name, port=port) as address:
        emit({"name": name, "address": address}) if options.as_json else click.echo(address)
        say(f"Use it with --endpoint {name}={address}; its controls are at {address}/_control/. Stop with Ctrl-C.")
        over.wait()
