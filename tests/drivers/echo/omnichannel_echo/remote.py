"""The remote: shops in memory. A test fills one, breaks it, and looks at what arrived."""

from __future__ import annotations

from decimal import Decimal

import attrs

from omnichannel_core import errors
from omnichannel_core.driver import Session
from omnichannel_core.records import Order, Shipment
from omnichannel_echo.forms import EchoCredentials


@attrs.define
class Remote:
    """One shop. `trouble` is raised by every call while it is set; `calls` names them in their order."""

    secret: str = "hush-echo"
    orders: list[Order] = attrs.field(factory=list)
    stock: dict[str, Decimal] = attrs.field(factory=dict)
    shipments: dict[str, Shipment] = attrs.field(factory=dict)
    page: int = 2
    trouble: Exception | None = None
    calls: list[str] = attrs.field(factory=list)
    disconnected: bool = False


SHOPS: dict[str, Remote] = {}
"""By the name that credentials say."""


def reach(session: Session, call: str) -> Remote:
    """The session's shop, when the secret is right.

    Raises:
        CredentialsRejected: no such shop, or another secret.
    """
    typed = session[EchoCredentials]
    remote = SHOPS.get(typed.shop)
    if remote is None or typed.secret.get_secret_value() != remote.secret:
        raise errors.CredentialsRejected(f"{call}: shop {typed.shop!r} does not accept the secret.")
    remote.calls.append(call)
    if remote.trouble is not None:
        raise remote.trouble
    return remote
