"""omnichannel-core: connect the users of a host to any marketplace, shop or point of sale.

The hosts' door. Names are opened on first use, so that importing it costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from omnichannel_core import errors

if TYPE_CHECKING:
    from omnichannel_core.app import Omnichannel
    from omnichannel_core.connections.events import hostimpl
    from omnichannel_core.connections.parts import Sink
    from omnichannel_core.model.account import Account
    from omnichannel_core.model.connection import Connection
    from omnichannel_core.model.lifecycle import Health, Move, Status
    from omnichannel_core.model.process import Process, State
    from omnichannel_core.model.view import Filter, Look, View
    from omnichannel_core.storage.keys import KeyRing
    from omnichannel_core.synchronous import blocking

__all__ = [
    "Omnichannel", "blocking", "errors", "hostimpl", "Sink", "KeyRing",
    "Account", "Connection", "Status", "Health", "Move", "Process", "State", "View", "Look", "Filter",
]  # fmt: skip

_WHERE = {
    "Omnichannel": "app", "blocking": "synchronous", "hostimpl": "connections.events", "Sink": "connections.parts",
    "KeyRing": "storage.keys", "Account": "model.account", "Connection": "model.connection",
    "Status": "model.lifecycle", "Health": "model.lifecycle", "Move": "model.lifecycle",
    "Process": "model.process", "State": "model.process", "View": "model.view", "Look": "model.view",
    "Filter": "model.view",
}  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
