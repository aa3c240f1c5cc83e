"""`omnichannel simulator`."""

from __future__ import annotations

import signal
import threading

import click

from omnichannel_core.cli.opening import Options, exit_code
from omnichannel_core.cli.output import say, say_error
from omnichannel_core.errors import OmnichannelError
from omnichannel_core.testing import simulator


@click.command()
@click.argument("name", required=False)
@click.option("--port", default=0, help="0: any free one.")
@click.pass_obj
def command(options: Options, name: str | None, port: int) -> None:
    """Run a stand-in of a marketplace on loopback until stopped; without NAME, list those that are there."""
    if name is None:
        click.echo("\n".join(simulator.names()))
        return
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    try:
        with simulator.running(name, port=port) as address:
            click.echo(address)
            say(f"Use it with --endpoint {name}={address}; its controls are at {address}/_control/. Stop with Ctrl-C.")
            over.wait()
    except OmnichannelError as trouble:
        say_error(trouble, as_json=options.as_json)
        raise SystemExit(exit_code(trouble)) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
