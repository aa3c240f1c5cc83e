"""The same crowd without a house: a client per connection over one TLS context, one lane that decodes and stores.

`python -m benchmarks.contenders.crowd_bare URL CONNECTIONS`; the window caps pages in flight (guide performance C6).
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx2

from benchmarks.contenders.minimal import prepare, store
from benchmarks.crowding import Lag

WINDOW = 64


async def main(url: str, count: int) -> dict[str, float]:
    """All connections at once, so many pages in flight."""
    loop, window, tls = asyncio.get_running_loop(), asyncio.Semaphore(WINDOW), httpx2.create_ssl_context()
    with closing(sqlite3.connect("result.db", isolation_level=None, check_same_thread=False)) as db:
        prepare(db)
        with ThreadPoolExecutor(1) as lane:

            async def shop(tenant: int) -> None:
                async with httpx2.AsyncClient(base_url=url, timeout=60, verify=tls) as client:
                    page, full = 1, True
                    while full:
                        async with window:
                            answer = await client.get(f"/t/{tenant}/orders", params={"page": page, "limit": 250})
                            answer.raise_for_status()
                            done = loop.run_in_executor(lane, store, db, page, answer.content, tenant + 1)
                            del answer
                            full = await done == 250
                        page += 1

            began = time.perf_counter()
            async with Lag() as lag:
                await asyncio.gather(*(shop(tenant) for tenant in range(count)))
            seconds = time.perf_counter() - began
    return {"seconds": seconds, "lag_p99_ms": lag.p99() * 1000}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], int(sys.argv[2])))))
