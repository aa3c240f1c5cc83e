"""What the services of this room share. The app opens and closes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import attrs

from omnichannel_core.connections.events import Events
from omnichannel_core.driver import Clock
from omnichannel_core.gate.admission import Gate
from omnichannel_core.model.connection import Connection
from omnichannel_core.processes.queue import Queue
from omnichannel_core.records import Record
from omnichannel_core.remote.guard import AddressGuard
from omnichannel_core.remote.limits import Limiter
from omnichannel_core.storage.store import Store
from omnichannel_core.storage.vault import Vault


class Sink(Protocol):
    """The host's own tables, written in the page's transaction."""

    def __call__(self, tx: Any, connection: Connection, stream: str, records: Sequence[Record]) -> None:
        """Blocking, in the writers' lane; `tx` is a SQLAlchemy Connection. What it raises undoes the page."""
        ...


HostList = Callable[[str], Mapping[str, str]]
"""account -> value -> label; a list the host keeps (shipping providers, warehouses)."""


@attrs.frozen(kw_only=True)
class Parts:
    """Opened once per `async with Omnichannel`."""

    store: Store
    vault: Vault
    clock: Clock
    gate: Gate
    queue: Queue
    events: Events
    guard: AddressGuard
    limiter: Limiter
    endpoints: Mapping[str, str] = attrs.field(factory=dict)
    host_lists: Mapping[str, HostList] = attrs.field(factory=dict)
    callback_base: str = ""
    sink: Sink | None = None
