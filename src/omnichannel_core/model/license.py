"""A license as kept: signed proof that a main account bought a driver."""

from __future__ import annotations

from datetime import datetime, timedelta

import attrs


@attrs.frozen(kw_only=True)
class License:
    """What a verified license says. `text` is the JWS itself, readable by anyone."""

    id: str  # jti
    account: str  # the main account
    product: str
    driver: str
    distribution: str
    issuer: str
    issued_at: datetime
    not_before: datetime
    expires_at: datetime
    grace: timedelta = timedelta(0)
    features: frozenset[str] = frozenset()
    application: str = ""  # name of the application document it comes with
    key_id: str = ""
    text: str = attrs.field(default="", repr=False)


@attrs.frozen(kw_only=True)
class Installation:
    """A driver switched on in one account."""

    account: str
    driver: str
    installed_at: datetime
