"""The hooks a driver module implements.

Hooks declare: they take nothing, await nothing and open nothing. Each is asked once, right after the gate let the
driver in; whatever does work lives in what they return.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import pluggy

from omnichannel_core.driver.authorization import AuthorizationFlow
from omnichannel_core.driver.callbacks import Callbacks
from omnichannel_core.driver.remote import RemoteApi
from omnichannel_core.driver.streams import Streams

if TYPE_CHECKING:
    from omnichannel_core.driver.forms import Application, Credentials, SettingsPage

PROJECT = "omnichannel_core"
hookspec, hookimpl = pluggy.HookspecMarker(PROJECT), pluggy.HookimplMarker(PROJECT)


class DriverHooks(Protocol):
    """What every driver module says."""

    @hookspec(firstresult=True)
    def credential_schema(self) -> type[Credentials]:
        """The fields an account fills in, or an authorization flow brings back; an empty form where there are none."""
        ...

    @hookspec(firstresult=True)
    def authorization_flow(self) -> AuthorizationFlow:
        """The way from a filled form to a working connection, and back."""
        ...

    @hookspec(firstresult=True)
    def settings_pages(self) -> Sequence[SettingsPage]:
        """The menu entries of a connection's Settings, in their order; empty where there is nothing to set."""
        ...

    @hookspec(firstresult=True)
    def sync_streams(self) -> Streams:
        """What can be pulled from the remote, the data model first, and what can be pushed to it."""
        ...


class MoreHooks(Protocol):
    """What a driver may say besides."""

    @hookspec(firstresult=True)
    def application_schema(self) -> type[Application]:
        """What the vendor registered with the marketplace; comes with the license."""
        ...

    @hookspec(firstresult=True)
    def remote_api(self) -> RemoteApi:
        """Signature, judgement, origins and limits; a driver that sends requests has one."""
        ...

    @hookspec(firstresult=True)
    def callbacks(self) -> Callbacks:
        """What the marketplace calls us for."""
        ...

    @hookspec(firstresult=True)
    def not_supported(self) -> Mapping[str, str]:
        """What users expect of such a driver and this marketplace has no way for: stream name -> why."""
        ...


HOOK_API = 1
"""Raised when a hook changes so that old drivers no longer fit; see docs/decisions."""
