"""A process for tests: `spender.py URL DATA PORT SECONDS` asks the server on that port as fast as its budget allows.

Prints `ready` first; the path it asks for is the time at which its units were taken.
The budget is 20 at once and 40 a second, of key `test`.
"""

from __future__ import annotations

import sys
import time
import urllib.request
from pathlib import Path

import anyio

from omnichannel_core.connections import budgets
from omnichannel_core.connections.clock import SystemClock
from omnichannel_core.remote.buckets import Plan
from omnichannel_core.storage.store import Store

PLAN = Plan(rate=40.0, burst=20.0, window=None)


async def main(url: str, data: Path, port: int, seconds: float) -> None:
    """Until the time is over."""
    store = Store(url, data)
    store.open()
    shared = budgets.shared(store, SystemClock())
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    until = time.time() + seconds
    while time.time() < until:
        now = time.time()
        wait, turn = await shared.take("test", PLAN, 1.0, now)
        if wait:
            await anyio.sleep(wait)
            continue
        urllib.request.urlopen(f"http://127.0.0.1:{port}/{now}", timeout=5).read()  # noqa: ASYNC210
        await shared.settle("test", PLAN, 1.0, turn, None, time.time())
    shared.close()
    store.close()


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
