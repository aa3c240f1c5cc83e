"""The authors' door: all that a driver imports. Forms are opened on first use: pydantic costs a tenth of a second."""

from importlib import import_module
from typing import TYPE_CHECKING

from omnichannel_core.driver.authorization import AuthorizationFlow, Call, Checkup, Grant, Trip
from omnichannel_core.driver.callbacks import Arrived, Callbacks, Changed, Left
from omnichannel_core.driver.declaration import Driver
from omnichannel_core.driver.hookspecs import DriverHooks, MoreHooks, hookimpl
from omnichannel_core.driver.remote import Limit, Reading, RemoteApi
from omnichannel_core.driver.session import Clock, Http, Session, Token
from omnichannel_core.driver.streams import (
    Accepted,
    Batch,
    Item,
    Later,
    Outcome,
    Page,
    Pending,
    PullStream,
    PushStream,
    Rejected,
    Streams,
    Wait,
)  # fmt: skip
from omnichannel_core.driver.wire import Answer, Ask, Rows, Unreadable, judge, retry_after

if TYPE_CHECKING:
    from omnichannel_core.driver.forms import Application, Credentials, Form, Locked, Settings, SettingsPage, Ui

__all__ = [
    "hookimpl", "DriverHooks", "MoreHooks", "Driver",
    "Form", "Credentials", "Application", "Settings", "SettingsPage", "Ui", "Locked",
    "AuthorizationFlow", "Checkup", "Call", "Trip", "Grant", "Token",
    "Callbacks", "Changed", "Arrived", "Left",
    "Session", "Http", "Clock", "Ask", "Answer", "Rows", "Unreadable", "judge", "retry_after",
    "RemoteApi", "Limit", "Reading",
    "PullStream", "Page", "Wait", "PushStream", "Batch", "Item", "Streams",
    "Outcome", "Accepted", "Rejected", "Pending", "Later",
]  # fmt: skip

_FORMS = frozenset({"Form", "Credentials", "Application", "Settings", "SettingsPage", "Ui", "Locked"})


def __getattr__(name: str) -> object:
    if name not in _FORMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.forms"), name)
    globals()[name] = found
    return found
