"""Suspended connections are seen as such also where no worker runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omnichannel_core.app import Omnichannel
    from omnichannel_core.model.connection import Connection


async def gate_moved(house: Omnichannel, account: str, shown: Sequence[Connection]) -> bool:
    """Whether a license or distribution went or came back since somebody looked; then the connections are told.

    Nothing of a driver is imported.
    """
    if not shown:
        return False
    available = {one.name: one.available for one in await house.drivers.list(account)}
    going = [one for one in shown if one.status != "deleting"]
    moved = any(available.get(one.driver, False) == (one.health == "suspended") for one in going)
    if moved:
        await house.watch_gate()
    return moved
