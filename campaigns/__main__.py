"""`python -m campaigns [--size full|ci] [--only NAME ...] [--store postgresql]`: exit code 1 when a figure is not well.

A control is a figure too: it is not well when it finds nothing. On PostgreSQL those run that are about the store.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial

import anyio

from campaigns import addresses, canaries, hostile, kills, machines, mutants, paused, refresh
from campaigns.figures import Figure, control
from campaigns.ground import STORES

SIZES = {"full": 1.0, "ci": 0.05}


def _addresses(size: float) -> Iterable[Figure]:
    """The address guard's, in the words of all others."""
    for found in anyio.run(addresses.run, size):
        yield Figure(found["figure"], found["connections"], 0, details={"cases": found["cases"]})
        yield Figure("address_guard_cases", found["cases"], 60, least=True)
        yield control(
            found["figure"], found["control"], found["control_expected"], what="a guard that lets all through"
        )


ON_BOTH = {"kills": kills.run, "paused": paused.run, "refresh": refresh.run}
CAMPAIGNS: dict[str, Callable[[float], Iterable[Figure]]] = {
    "kills": kills.run, "paused": paused.run, "refresh": refresh.run, "canaries": canaries.run, "hostile": hostile.run,
    "machines": machines.run, "mutants": mutants.run, "addresses": _addresses,
}  # fmt: skip


def main() -> int:
    """Runs what is asked for; the exit code. Forking campaigns come before the one that has an event loop here."""
    parser = argparse.ArgumentParser(prog="campaigns", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="full", help="ci is a twentieth")
    parser.add_argument("--only", action="append", choices=CAMPAIGNS, help="this campaign; can be repeated")
    parser.add_argument("--store", choices=STORES, default="sqlite", help=f"for {', '.join(ON_BOTH)}")
    asked = parser.parse_args()
    campaigns = CAMPAIGNS
    if asked.store != "sqlite":
        campaigns = {name: partial(run, store=asked.store) for name, run in ON_BOTH.items()}
    if not set(asked.only or ()) <= set(campaigns):
        parser.error(f"--store {asked.store} is for {', '.join(campaigns)}")
    if not hasattr(os, "fork"):
        parser.error("campaigns fork: run them on Linux")
    wrong = []
    for name, campaign in campaigns.items():
        if asked.only and name not in asked.only:
            continue
        began, count = time.monotonic(), 0
        try:
            for figure in campaign(SIZES[asked.size]):
                print(figure.line(), flush=True)
                count += 1
                wrong += [] if figure.ok else [figure.figure]
        except RuntimeError as trouble:
            print(Figure(f"{name}_did_not_end", 1, 0, details={"why": str(trouble)}).line(), flush=True)
            wrong.append(name)
        print(f"-- {name}: {count} figures in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    if wrong:
        print(f"not well: {', '.join(wrong)}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
