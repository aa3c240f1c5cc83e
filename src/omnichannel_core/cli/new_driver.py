"""`omnichannel new-driver`."""

from __future__ import annotations

from pathlib import Path

import click

from omnichannel_core.cli.opening import Options
from omnichannel_core.cli.output import emit, say


@click.command("new-driver")
@click.argument("name")
@click.option("--title", default="", help="The marketplace as people write it; from NAME when not said.")
@click.option("--folder", type=click.Path(path_type=Path), default=None, help="What to make; omnichannel-NAME here.")
@click.pass_obj
def command(options: Options, name: str, title: str, folder: Path | None) -> None:
    """Make the distribution of a driver NAME, with a simulator and the conformance kit; it works as it is."""
    from omnichannel_core.cli import scaffold

    made = scaffold.write(name, folder or Path(f"omnichannel-{name}"), title)
    files = sorted(str(path.relative_to(made)) for path in made.rglob("*") if path.is_file())
    emit({"folder": str(made), "files": files}) if options.as_json else click.echo(str(made))
    say(f"Next: pip install -e '{made}[test]' && pytest {made}; README.md there says where to go on.")
