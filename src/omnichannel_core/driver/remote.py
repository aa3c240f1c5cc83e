"""How a marketplace wants to be talked to: signature, judgement, origins, limits. Data; the house enforces it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import attrs

from omnichannel_core.driver.session import Session, Token
from omnichannel_core.driver.wire import Answer, Ask


@attrs.frozen(kw_only=True)
class Reading:
    """What an answer tells about a limit; None: nothing.

    Attributes:
        left: units that may still be spent now.
        burst: the bucket's or window's size.
        rate: units per second.
        full_in: seconds until a window starts anew, with `burst` units; a bucket that drips has none.
        spent: what this request really cost.
    """

    left: float | None = None
    burst: float | None = None
    rate: float | None = None
    full_in: float | None = None
    spent: float | None = None


@attrs.frozen(kw_only=True)
class Limit:
    """A budget, shared by all connections and workers it covers. A request obeys every limit that names it.

    Attributes:
        rate: units per second, refilled continuously.
        burst: units that may be spent at once.
        window: seconds of a window that starts anew as a whole (then `burst` units per window, `rate` unused).
        concurrent: requests under way at once.
        operations: names it covers; None is all.
        per: whose budget it is: the remote account's, the vendor's application's, or the remote host's.
        read: asked on every answer, also on errors.
    """

    name: str
    rate: float = float("inf")
    burst: float = 1.0
    window: float | None = None
    concurrent: int | None = None
    operations: frozenset[str] | None = None
    per: Literal["account", "application", "host"] = "account"
    read: Callable[[Answer], Reading | None] | None = None


@attrs.frozen(kw_only=True)
class RemoteApi:
    """How this marketplace wants to be talked to.

    Attributes:
        sign: headers that prove who asks; called for every request whose `token` is not None.
        judge: raises what an answer means; see `judge` of this door for plain HTTP.
        origins: scheme://host[:port] signed requests may go to, and nowhere else.
    """

    sign: Callable[[Session, Ask, Token | None], Mapping[str, str]]
    judge: Callable[[Answer], None]
    origins: Callable[[Session], Sequence[str]]
    limits: Sequence[Limit] = ()
