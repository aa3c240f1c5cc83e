"""Widened filters: what they newly admit is filled in; what narrowed ones no longer admit stays."""

from __future__ import annotations

import msgspec

from omnichannel_core.connections.pages import Moved
from omnichannel_core.driver import Driver
from omnichannel_core.storage import streams
from omnichannel_core.storage.store import Tx


def widen(tx: Tx, account: str, driver: Driver, connection_id: int, moved: Moved) -> None:
    """Set back the cursors that the driver says must be, in the transaction that changes the settings."""
    stored = streams.cursors(tx, account, connection_id)
    for stream in driver.pulls.values():
        if stream.widen is None or stream.name not in stored:
            continue
        for before, after in moved.values():
            cursor = stream.widen(msgspec.json.decode(stored[stream.name], type=stream.cursor), before, after)
            if cursor is not None:
                stored[stream.name] = msgspec.json.encode(cursor)
                streams.set_cursor(tx, account, connection_id, stream.name, stored[stream.name])
