"""The whole house: license, installation, a checked connection, and its first synchronize to the end."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from omnichannel_core.app import Omnichannel
from omnichannel_core.gate import vendor
from omnichannel_core.gate.catalog import Catalog
from omnichannel_core.model.process import Process, State

ACCOUNT, DRIVER, DISTRIBUTION = "bench", "shop", "omnichannel-shop"


def plugged(site: Path) -> Catalog:
    """The benchmark's driver as an installed distribution, and no other."""
    info = site / "omnichannel_shop-1.0.dist-info"
    info.mkdir(parents=True)
    head = ("Metadata-Version: 2.4", f"Name: {DISTRIBUTION}", "Version: 1.0", "Requires-Dist: omnichannel-core>=0.1")
    (info / "METADATA").write_text("\n".join(head) + "\n\n")
    (info / "entry_points.txt").write_text("[omnichannel_core.drivers]\nshop = benchmarks.shop.driver\n")
    return Catalog(lambda: metadata.distributions(path=[str(site)]))


def opened(url: str, trust: Mapping[str, Any], *, work: bool = False) -> Omnichannel:
    """A house on `result.db` whose driver talks to the server."""
    site = Path("site")
    catalog = Catalog(lambda: metadata.distributions(path=[str(site)])) if site.exists() else plugged(site)
    return Omnichannel("result.db", trust=trust, catalog=catalog, endpoints={DRIVER: url}, work=work)


async def install(house: Omnichannel, private: Mapping[str, Any]) -> None:
    """An account, a license, the driver switched on."""
    await house.accounts.add(ACCOUNT)
    text = vendor.issue(
        private, account=ACCOUNT, driver=DRIVER, distribution=DISTRIBUTION, now=datetime.now(UTC), days=30
    )
    await house.licenses.add(ACCOUNT, text)
    await house.drivers.install(ACCOUNT, DRIVER)


async def ended(house: Omnichannel, process: Process | None) -> None:
    """Drives it to its end.

    Raises:
        SystemExit: it did not succeed.
    """
    assert process is not None
    last = await house.processes.run_to_end(ACCOUNT, process.id)
    if last.state is not State.SUCCEEDED:
        raise SystemExit(f"{last.state}: {last.error_key} {last.error} {last.message}")


async def main(url: str, *, whole: bool = False) -> None:
    """Fails unless the synchronize succeeded."""
    private, public = vendor.keygen()
    async with opened(url, vendor.key_set(public)) as house:
        await install(house, private)
        saved = await house.connections.create(ACCOUNT, DRIVER, "Shop", {"tenant": 0, "whole": whole})
        await ended(house, saved.process)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
