"""Many connections through one house: all are created first, then timed from the opening to the last one's end.

`python -m benchmarks.contenders.crowd URL CONNECTIONS`; says seconds and the event loop's lag as one JSON line.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from benchmarks.contenders.engine import ACCOUNT, DRIVER, install, opened
from benchmarks.crowding import Lag
from omnichannel_core.gate import vendor
from omnichannel_core.model.process import State

AT_ONCE = 64  # connections being created, as people would: checked, stored, queued
OPEN = (State.QUEUED, State.RUNNING, State.WAITING)
LOOK = 0.25  # seconds between two looks whether all have ended


async def main(url: str, count: int) -> dict[str, float]:
    """Creates, then synchronizes; fails unless all succeeded."""
    private, public = vendor.keygen()
    trust = vendor.key_set(public)
    async with opened(url, trust) as house:
        await install(house, private)
        gate = asyncio.Semaphore(AT_ONCE)

        async def create(tenant: int) -> None:
            async with gate:
                await house.connections.create(ACCOUNT, DRIVER, f"Shop {tenant}", {"tenant": tenant})

        await asyncio.gather(*(create(tenant) for tenant in range(count)))
    began = time.perf_counter()
    async with opened(url, trust, work=True) as house, Lag() as lag:
        while await house.processes.list(ACCOUNT, states=OPEN, limit=1):  # noqa: ASYNC110 - the rows are the truth
            await asyncio.sleep(LOOK)
        seconds = time.perf_counter() - began
        wrong = await house.processes.list(ACCOUNT, states=(State.FAILED, State.CANCELLED), limit=1)
        if wrong:
            raise SystemExit(f"{wrong[0].error_key} {wrong[0].error}")
    return {"seconds": seconds, "lag_p99_ms": lag.p99() * 1000}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], int(sys.argv[2])))))
