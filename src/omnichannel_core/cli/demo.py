"""`omnichannel demo`: the main job, told step by step, on a temporary store against simulated marketplaces."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path

import anyio
import click

from omnichannel_core import errors
from omnichannel_core.app import Omnichannel
from omnichannel_core.cli import demo_away, demo_shop, demo_till, serving
from omnichannel_core.cli.demo_stage import ACCOUNT, Stage, there
from omnichannel_core.cli.output import say, say_error
from omnichannel_core.gate import vendor
from omnichannel_core.testing import simulator

NOWHERE = "https://demo.example/omnichannel"
"""What marketplaces send browsers back to where no pages are served: the demo's browser stops there."""

Places = Mapping[str, str]
OTHERS = (demo_till.DRIVER, demo_away.AMAZON, demo_away.SHOPIFY)


@click.command()
@click.option(
    "--keep", is_flag=True, help="Leave store and simulators running, with the admin pages, and say how to go on."
)
def command(keep: bool) -> None:
    """Connect simulated marketplaces and a till: data model, orders, settings, AUTHORIZE, stock, a shipment."""
    folder = Path(tempfile.mkdtemp(prefix="omnichannel-demo-"))
    try:
        with _simulators() as places, _pages_at(keep) as door:
            base = f"http://127.0.0.1:{door.getsockname()[1]}" if door else NOWHERE
            anyio.run(_story, folder, places, base, keep)
            if keep:
                _stay(folder, places, door)
    except errors.OmnichannelError as trouble:
        say_error(trouble, as_json=False)
        raise SystemExit(1) from None
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _simulators() -> Iterator[Places]:
    """Driver -> address: BigCommerce, and what else is installed beside this program."""
    with ExitStack() as stack:
        names = (demo_shop.DRIVER, *(one for one in OTHERS if there(one)))
        yield {name: stack.enter_context(simulator.running(name)) for name in names}


@contextmanager
def _pages_at(keep: bool) -> Iterator[socket.socket | None]:
    """The pages' own port, held from the beginning: it is registered with the marketplaces."""
    if not (keep and serving.can_serve()):
        yield None
        return
    with simulator.listening() as door:
        yield door


async def _story(folder: Path, places: Places, base: str, keep: bool) -> None:
    began = time.monotonic()
    private, public = vendor.keygen()
    trust = vendor.key_set(public)
    (folder / "trust.json").write_text(json.dumps(trust))
    async with Omnichannel(folder / "demo.db", trust=trust, endpoints=places, work=False) as house:
        stage = Stage(house, private, base)
        await _played(stage, places, keep)
    click.echo("")
    width = max(len(step) for step, _ in stage.told)
    for step, what in stage.told:
        click.echo(f"  {step:<{width}}  {what}")
    click.echo(f"\nDone in {time.monotonic() - began:.1f} s.")


async def _played(stage: Stage, places: Places, keep: bool) -> None:
    counter = places.get(demo_till.DRIVER, "")
    await demo_shop.opened(stage, places[demo_shop.DRIVER])
    store = await demo_till.opened(stage, counter) if counter else 0
    async with demo_till.selling(counter) if counter else nullcontext():
        connection = await demo_shop.played(stage)
    if demo_away.AMAZON in places:
        await demo_away.amazon(stage, places[demo_away.AMAZON])
    if demo_away.SHOPIFY in places:
        await demo_away.shopify(stage, places[demo_away.SHOPIFY])
    if counter:
        await demo_till.closed(stage, store, counter)
    if not keep:
        await demo_shop.ended(stage, connection)


def _stay(folder: Path, places: Places, door: socket.socket | None) -> None:
    told = " ".join(f"--endpoint {name}={address}" for name, address in places.items() if name != demo_till.DRIVER)
    program = f"{Path(sys.argv[0]).name} {told}"
    say(
        "\nStore and simulators stay. In another terminal:\n"
        f"  export OMNICHANNEL_DB={folder / 'demo.db'} OMNICHANNEL_TRUST={folder / 'trust.json'}\n"
        f"  export OMNICHANNEL_ACCOUNT={ACCOUNT}\n"
        f"  {program} connections list\n"
        f"  {program} connections sync 1\n"
        "To create another one on the pages: Amazon needs nothing but its marketplace and AUTHORIZE, Shopify the shop\n"
        f"{demo_away.SHOP}. Ctrl-C ends the simulators; the folder is yours to remove."
    )
    if door is not None:
        anyio.run(_pages, folder, places, door)
    else:
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


async def _pages(folder: Path, places: Places, door: socket.socket) -> None:
    """The admin pages over the same store, its processes running."""
    trust = (folder / "trust.json").read_text()
    async with Omnichannel(folder / "demo.db", trust=trust, endpoints=places) as house:
        await serving.serve(house, ACCOUNT, door)
