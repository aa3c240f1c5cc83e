"""The command line. Data goes to stdout, everything else to stderr; secrets are never arguments."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point `omnichannel`."""
    try:
        from omnichannel_core.cli.commands import cli
    except ModuleNotFoundError as missing:
        if missing.name != "click":
            raise
        sys.stderr.write("The command line needs the extra `cli`: pip install 'omnichannel-core[cli]'\n")
        raise SystemExit(1) from None
    cli(prog_name="omnichannel")
