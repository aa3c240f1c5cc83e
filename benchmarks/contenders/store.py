"""The BigCommerce driver in a whole house against its simulator: a first synchronize of one store.

`python -m benchmarks.contenders.store ADDRESS HASH TOKEN`; says seconds and orders as one JSON line.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import UTC, datetime

from benchmarks.contenders.engine import ACCOUNT, ended
from omnichannel_core.app import Omnichannel
from omnichannel_core.gate import vendor
from omnichannel_core.gate.catalog import Catalog

DRIVER = "bigcommerce"


async def main(address: str, shop: str, token: str) -> dict[str, float]:
    """From the created connection to the end of its first synchronize."""
    private, public = vendor.keygen()
    async with Omnichannel("result.db", trust=vendor.key_set(public), endpoints={DRIVER: address}, work=False) as house:
        await house.accounts.add(ACCOUNT)
        text = vendor.issue(
            private, account=ACCOUNT, driver=DRIVER, distribution=Catalog().listing()[DRIVER].distribution,
            now=datetime.now(UTC), days=30, application="bench",
        )  # fmt: skip
        await house.licenses.add(ACCOUNT, text)
        values = {"client_id": "bench", "client_secrets": ["bench-secret"]}
        application = {"name": "bench", "driver": DRIVER, "version": 1, "values": values}
        await house.licenses.add_application(ACCOUNT, application)
        await house.drivers.install(ACCOUNT, DRIVER)
        given = {"store_hash": shop, "access_token": token}
        saved = await house.connections.create(ACCOUNT, DRIVER, "Store", given)
        began = time.perf_counter()
        await ended(house, saved.process)
        return {"seconds": time.perf_counter() - began}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*sys.argv[1:4]))))
