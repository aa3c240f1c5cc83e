"""The way in and out of a remote account."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from omnichannel_core.driver.session import Session, Token
from omnichannel_core.records import Record

if TYPE_CHECKING:
    from omnichannel_core.driver.forms import Credentials


@attrs.frozen(kw_only=True)
class Checkup:
    """Who answered, and what we may do there.

    Attributes:
        title: the shop's name, as the merchant knows it.
        works: capabilities that are there.
        missing: capability -> why, and what now; nothing else stops.
        expires: what ends when ("authorization", "client secret"): announced before.
        account: whose it is by the remote's own word; '' when the remote does not say. Compared with the form's
            `remote_account` so that credentials of another account are noticed.
    """

    title: str
    works: frozenset[str] = frozenset()
    missing: Mapping[str, str] = {}
    expires: Mapping[str, datetime] = {}
    account: str = ""


@attrs.frozen(kw_only=True)
class Call:
    """Something that came in: a browser or a server of the marketplace. The body is raw; header names lower case."""

    method: str
    path: str
    query: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    body: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen(kw_only=True)
class Trip:
    """One way out and back: `state` is the house's (single use, bound to user and draft)."""

    state: str = attrs.field(repr=False)
    return_url: str
    context: Mapping[str, str] = attrs.field(factory=dict, repr=False)  # what an Arrived brought along


@attrs.frozen(kw_only=True)
class Grant:
    """What a trip brought home. `credentials`: the form, where the trip filled something in."""

    token: Token | None = None
    credentials: Credentials | None = None


@attrs.frozen(kw_only=True)
class AuthorizationFlow:
    """From a filled form to a working connection, and back. Only `check` is a must.

    Attributes:
        check: whose account it is, what works, what is missing and why, what expires when.
        begin: AUTHORIZE: the URL for the browser. Raises FormInvalid naming a missing field it needs.
        finish: the browser is back.
        renew: a token by name; the first one from None.
        disconnect: before delete: take back what we left there.
        made_for: created with such a thing of the host (a store), not by a form.
        plain: names in the answer's query that are no secrets ("shop"): errors may repeat them. All others are hidden.
    """

    check: Callable[[Session], Awaitable[Checkup]]
    begin: Callable[[Session, Trip], Awaitable[str]] | None = None
    finish: Callable[[Session, Trip, Call], Awaitable[Grant]] | None = None
    renew: Callable[[Session, str, Token | None], Awaitable[Token]] | None = None
    disconnect: Callable[[Session], Awaitable[None]] | None = None
    made_for: type[Record] | None = None
    plain: frozenset[str] = frozenset()
