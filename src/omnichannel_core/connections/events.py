"""What the house tells its host: broadcast hooks, each answered by whoever wants to."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import pluggy

from omnichannel_core.model.connection import Connection
from omnichannel_core.model.process import Process

PROJECT = "omnichannel_core_host"
hostspec, hostimpl = pluggy.HookspecMarker(PROJECT), pluggy.HookimplMarker(PROJECT)
_log = logging.getLogger(__name__)


class HostHooks(Protocol):
    """Events, told after they are committed. A hook may be async. What one raises is logged and harms nobody."""

    @hostspec
    def connection_created(self, connection: Connection) -> None:
        """A connection was saved for the first time."""

    @hostspec
    def connection_edited(self, connection: Connection, changed: Sequence[str]) -> None:
        """Name, credentials or settings pages changed; `changed` names them."""

    @hostspec
    def connection_moved(self, connection: Connection, move: str) -> None:
        """Disabled, enabled, suspended, returned, being deleted, deleted."""

    @hostspec
    def process_finished(self, process: Process) -> None:
        """A process succeeded, failed or was cancelled."""

    @hostspec
    def page_stored(self, account: str, connection: int, stream: str, ids: Mapping[str, Sequence[str]]) -> None:
        """A page is committed; ids of new and changed records by kind. In the same transaction writes only a sink."""

    @hostspec
    def records_failed(self, account: str, connection: int, stream: str, count: int) -> None:
        """Records of a page, or of a push, could not be taken."""


class Events:
    """The relay to the host's plugins (modules or objects with @hostimpl functions)."""

    def __init__(self, plugins: Iterable[object] = ()) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(HostHooks)
        for plugin in plugins:
            self._manager.register(plugin)
        self._manager.check_pending()
        self._heard = {
            name for name in vars(HostHooks) if not name.startswith("_") and self._caller(name).get_hookimpls()
        }

    def _caller(self, name: str) -> Any:
        return getattr(self._manager.hook, name)

    async def tell(self, event: str, **facts: object) -> None:
        """Tell one event; costs nothing when nobody listens."""
        if event not in self._heard:
            return
        for implementation in self._caller(event).get_hookimpls():
            try:
                said = implementation.function(*(facts[name] for name in implementation.argnames))
                if inspect.isawaitable(said):
                    await said
            except Exception:  # noqa: BLE001 - a host's fault must not become ours
                _log.exception("host hook %s of %s failed", event, implementation.plugin_name)
