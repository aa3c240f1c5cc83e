"""The engine a second time, with nothing new: how many requests that costs, by the server's own count."""

from __future__ import annotations

import asyncio
import json
import sys
from urllib.request import urlopen

from benchmarks.contenders import engine
from omnichannel_core.gate import vendor


def requests(url: str) -> int:
    """Order requests answered so far."""
    with urlopen(f"{url}/stats", timeout=10) as answer:
        return int(json.load(answer)["requests"])


async def main(url: str) -> dict[str, int]:
    """The first synchronize, then another."""
    private, public = vendor.keygen()
    async with engine.opened(url, vendor.key_set(public)) as house:
        await engine.install(house, private)
        saved = await house.connections.create(engine.ACCOUNT, engine.DRIVER, "Shop", {"tenant": 0})
        await engine.ended(house, saved.process)
        first = await asyncio.to_thread(requests, url)
        process = await house.connections.synchronize(engine.ACCOUNT, saved.connection.id)
        await engine.ended(house, process)
    return {"first": first, "again": await asyncio.to_thread(requests, url) - first}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1]))))
