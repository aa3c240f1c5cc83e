"""A command repeated while other processes take every core: what passes here does not hang on a lucky order.

`python -m campaigns.busy --times 20 -- COMMAND...`; one JSON line, exit code 1 when any run failed.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time


def spin(until: float) -> None:
    """Take a core."""
    while time.monotonic() < until:
        sum(range(10_000))


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--hogs", type=int, default=(os.cpu_count() or 2) + 1)
    parser.add_argument("command", nargs="+")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the hogs end with us
    until = time.monotonic() + 4 * 3600
    hogs = [multiprocessing.get_context("spawn").Process(target=spin, args=(until,), daemon=True)
            for _ in range(given.hogs)]  # fmt: skip
    for hog in hogs:
        hog.start()
    begun, failed = time.monotonic(), 0
    try:
        for _ in range(given.times):
            failed += subprocess.run(given.command, check=False).returncode != 0
    finally:
        for hog in hogs:
            hog.terminate()
    print(json.dumps({"figure": "runs failed under load", "runs": given.times, "value": failed,
                      "seconds": round(time.monotonic() - begun, 1)}))  # fmt: skip
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
