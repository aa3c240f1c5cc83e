"""The authors' door: all that a driver imports."""

from omnichannel_core.driver.authorization import AuthorizationFlow, Call, Checkup, Grant, Trip
from omnichannel_core.driver.callbacks import Arrived, Callbacks, Changed, Left
from omnichannel_core.driver.declaration import Driver
from omnichannel_core.driver.forms import Application, Credentials, Form, Locked, Settings, SettingsPage, Ui
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
