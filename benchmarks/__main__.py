"""`python -m benchmarks [--only NAME ...] [--orders N] [--runs K]`: exit code 1 when a limit is missed or void."""

from __future__ import annotations

import argparse
import sys

from benchmarks import competing, orders
from benchmarks.benches import BENCHES, Plan
from benchmarks.figures import Report, say


def main() -> int:
    """Runs what is asked for; the exit code."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=BENCHES, help="this benchmark; can be repeated")
    parser.add_argument(
        "--contender", action="append", choices=competing.CONTENDERS, help="only these; can be repeated"
    )
    parser.add_argument("--orders", type=int, default=100_000, help=f"a multiple of {orders.PAGE}")
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    if asked.orders % orders.PAGE or asked.orders < orders.PAGE or asked.runs < 1:
        parser.error(f"--orders is a multiple of {orders.PAGE}, --runs at least 1")
    plan = Plan(asked.orders, asked.runs, competing.entered(asked.contender))
    report = Report()
    for name in asked.only or BENCHES:
        say(f"-- {name}: {plan.orders:,} orders, {plan.runs} runs")
        for figure in BENCHES[name](plan):
            report.add(figure)
    return 0 if report.close() else 1


if __name__ == "__main__":
    sys.exit(main())
