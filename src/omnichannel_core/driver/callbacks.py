"""What a marketplace calls us for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

import attrs

from omnichannel_core.driver.authorization import Call
from omnichannel_core.driver.session import Session, Token


@attrs.frozen(kw_only=True)
class Changed:
    """Fetch `ids` (none: run the stream; no stream: check again). Same `key` twice is once. account '' = this one."""

    account: str = ""
    stream: str = ""
    ids: Sequence[str] = ()
    key: str = ""


@attrs.frozen(kw_only=True)
class Arrived:
    """Someone came from the marketplace: an install, a re-install, a visit. Known account: updated after a check.

    Unknown: kept sealed until a signed-in user confirms; `fields` prefill the form, `begin` runs if a token is needed.
    """

    account: str
    fields: Mapping[str, object] = attrs.field(factory=dict, repr=False)
    token: Token | None = None
    context: Mapping[str, str] = {}


@attrs.frozen(kw_only=True)
class Left:
    """Uninstalled at `at`; an older one than the last Arrived is ignored. `erase`: purge personal data of `ids`/all."""

    account: str
    at: datetime | None = None
    erase: Sequence[str] | None = None


@attrs.frozen(kw_only=True)
class Callbacks:
    """`receive` verifies (CallRefused) and translates; the house dedupes, refetches, answers. Others are idempotent.

    Attributes:
        subscribe: on enable, then daily.
        unsubscribe: on disable and delete.
        framed_by: origins that show the answer to a browser within a frame of theirs (https://*.example.com).
    """

    receive: Callable[[Session, Call], Awaitable[Sequence[Changed | Arrived | Left]]]
    subscribe: Callable[[Session], Awaitable[None]] | None = None
    unsubscribe: Callable[[Session], Awaitable[None]] | None = None
    framed_by: Sequence[str] = ()
