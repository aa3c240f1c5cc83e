"""Every error, grouped by who has to act. A message says what, which, what now; never a secret.

A driver may raise those marked *; anything else that escapes a driver becomes ContractBroken. Every class has a `key`:
a stable word for logs, rows and translations.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


class OmnichannelError(Exception):
    """Root of all errors of this library."""

    @property
    def key(self) -> str:
        """The class's name as a stable snake_case word, such as `rate_limited`."""
        return _words(type(self).__name__)


# --- the account's owner: licenses and installations --------------------------------------------------------------
class NotAdmitted(OmnichannelError):
    """The gate does not let this account use this driver."""


class DriverNotFound(NotAdmitted):
    """No installed distribution declares a driver of that name."""


class DriverIncompatible(NotAdmitted):
    """The distribution does not fit this version of omnichannel-core, or its entry point is unusable."""


class DriverNotInstalled(NotAdmitted):
    """The driver is not installed in this account."""


class LicenseMissing(NotAdmitted):
    """The main account holds no license for the driver."""


class LicenseExpired(NotAdmitted):
    """The license and its grace are over, or not yet begun."""


class LicenseRevoked(NotAdmitted):
    """The license stands on the revocation list."""


class LicenseInvalid(NotAdmitted):
    """The license's text does not prove what it says: signature, key, product, account or clock."""


# --- the merchant -------------------------------------------------------------------------------------------------
class AttentionNeeded(OmnichannelError):
    """The merchant has to act."""


class FormInvalid(AttentionNeeded):
    """What was typed does not fit the form; `fields` maps a dotted field name to what is wrong with it."""

    def __init__(self, message: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields = dict(fields or {})

    def __reduce__(self) -> tuple[type[FormInvalid], tuple[str, Mapping[str, str]]]:
        return type(self), (str(self), self.fields)


class AuthorizationNeeded(AttentionNeeded):
    """* Nothing typed or stored gives a token: press AUTHORIZE (again)."""


class AuthorizationDenied(AttentionNeeded):
    """* The flow came back, but refused, forged, replayed, late, or for another account."""


class CredentialsRejected(AttentionNeeded):
    """* The remote does not accept what proves us. The house renews the token once before it believes this."""


class AccessMissing(AttentionNeeded):
    """* Accepted, but a permission (scope, role, plan) is missing; other work goes on."""

    def __init__(self, message: str, capability: str = "") -> None:
        super().__init__(message)
        self.capability = capability

    def __reduce__(self) -> tuple[type[AccessMissing], tuple[str, str]]:
        return type(self), (str(self), self.capability)


# --- the operator -------------------------------------------------------------------------------------------------
class OperatorNeeded(OmnichannelError):
    """Whoever runs the host has to act."""


class ApplicationRejected(OperatorNeeded):
    """* The vendor's application (client id, secret) is refused: every connection is affected, none is at fault."""


class ApplicationMissing(OperatorNeeded):
    """The driver needs a vendor's application and none has been added."""


class AddressRefused(OperatorNeeded):
    """The address guard does not let the house connect there; the host may allow it explicitly."""


class StorageError(OperatorNeeded):
    """The store cannot do its work: disk full, locked by somebody else, damaged."""


class StorageUnavailable(StorageError):
    """The store cannot do it now, and may later: its server restarts, its disk is full. What runs waits for it."""


class StoreOutdated(StorageError):
    """The store's tables are of another version; the message names the command that migrates."""


class WorkerLost(OperatorNeeded):
    """Whatever worker takes a process dies over it."""


class VaultSealed(OperatorNeeded):
    """A secret cannot be opened: no key, another key, or a damaged value."""


# --- nobody: wait -------------------------------------------------------------------------------------------------
WAIT_MAX = 14 * 86_400.0  # seconds; whoever is told to wait longer asks again then
WAIT_UNREADABLE = 30.0  # seconds, where what was said is no number: nobody asks again at once and for ever


def bounded(wait: float) -> float:
    """Seconds as somebody else said them, as seconds one can wait: 0 to two weeks, half a minute for no number."""
    return WAIT_UNREADABLE if math.isnan(wait) else min(max(wait, 0.0), WAIT_MAX)


class RemoteError(OmnichannelError):
    """Nobody has to act; `wait` seconds when the remote said so, two weeks at most."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = None if wait is None or math.isnan(wait) else bounded(wait)

    def __reduce__(self) -> tuple[type[RemoteError], tuple[str, float | None]]:
        return type(self), (str(self), self.wait)


class RemoteUnavailable(RemoteError):
    """* Down, broken, unreachable, malformed."""


class RateLimited(RemoteError):
    """* The remote says slow down."""


# --- the record or the request ------------------------------------------------------------------------------------
class RemoteRejected(OmnichannelError):
    """* The remote understood and refuses this request. For a push it becomes the record's Rejected."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[type[RemoteRejected], tuple[str, str]]:
        return type(self), (str(self), self.code)


class CallRefused(OmnichannelError):
    """* An inbound call is forged, stale or malformed: answered 401."""


# --- the calling code ---------------------------------------------------------------------------------------------
class UsageError(OmnichannelError):
    """The calling code asked for something that cannot be."""


class NotFound(UsageError):
    """No such thing in this account; another account's thing is no different."""


class MoveNotAllowed(UsageError):
    """The thing is in a state that does not allow this move."""


class Conflict(UsageError):
    """What was to be changed has changed meanwhile, or belongs to somebody else.

    `difference` maps a dotted field name to its value now and the one that was to be saved, secrets left out.
    """

    def __init__(self, message: str, difference: Mapping[str, tuple[object, object]] | None = None) -> None:
        super().__init__(message)
        self.difference = dict(difference or {})

    def __reduce__(self) -> tuple[type[Conflict], tuple[str, Mapping[str, tuple[object, object]]]]:
        return type(self), (str(self), self.difference)


class RemoteAccountChanged(Conflict):
    """New credentials lead to another remote account than the connection's."""


# --- the driver's author ------------------------------------------------------------------------------------------
class DriverError(OmnichannelError):
    """The driver's author has to act."""


class DriverBroken(DriverError):
    """The driver cannot be imported, or does not declare what a driver declares."""


class ContractBroken(DriverError):
    """A driver did what the contract forbids."""


# --- the house itself ---------------------------------------------------------------------------------------------
class Superseded(OmnichannelError):
    """Somebody else has taken over this work: what was done since is thrown away. Never shown to a user."""


DRIVERS_MAY_RAISE: Sequence[type[OmnichannelError]] = (
    AuthorizationNeeded,
    AuthorizationDenied,
    CredentialsRejected,
    AccessMissing,
    ApplicationRejected,
    RemoteUnavailable,
    RateLimited,
    RemoteRejected,
    CallRefused,
)
