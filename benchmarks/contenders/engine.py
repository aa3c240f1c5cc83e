"""The whole house: license, installation, a checked connection, and its first synchronize to the end."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from omnichannel_core.app import Omnichannel
from omnichannel_core.gate import vendor
from omnichannel_core.gate.catalog import Catalog

ACCOUNT, DRIVER, DISTRIBUTION = "bench", "shop", "omnichannel-shop"


def plugged(site: Path) -> Catalog:
    """The benchmark's driver as an installed distribution, and no other."""
    info = site / "omnichannel_shop-1.0.dist-info"
    info.mkdir(parents=True)
    head = ("Metadata-Version: 2.4", f"Name: {DISTRIBUTION}", "Version: 1.0", "Requires-Dist: omnichannel-core>=0.1")
    (info / "METADATA").write_text("\n".join(head) + "\n\n")
    (info / "entry_points.txt").write_text("[omnichannel_core.drivers]\nshop = benchmarks.shop.driver\n")
    return Catalog(lambda: metadata.distributions(path=[str(site)]))


async def main(url: str) -> None:
    """Fails unless the synchronize succeeded."""
    private, public = vendor.keygen()
    trust, catalog = vendor.key_set(public), plugged(Path("site"))
    async with Omnichannel("result.db", trust=trust, catalog=catalog, endpoints={DRIVER: url}, work=False) as house:
        await house.accounts.add(ACCOUNT)
        text = vendor.issue(
            private, account=ACCOUNT, driver=DRIVER, distribution=DISTRIBUTION, now=datetime.now(UTC), days=30
        )
        await house.licenses.add(ACCOUNT, text)
        await house.drivers.install(ACCOUNT, DRIVER)
        saved = await house.connections.create(ACCOUNT, DRIVER, "Shop", {"tenant": 0})
        assert saved.process is not None
        ended = await house.processes.run_to_end(ACCOUNT, saved.process.id)
        if ended.state.value != "succeeded":
            raise SystemExit(f"{ended.state}: {ended.error_key} {ended.error} {ended.message}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
