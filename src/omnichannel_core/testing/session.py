"""One connection's session without a house: the real way out, and a memory in place of the store."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from socket import socket
from typing import TypeVar, cast

import attrs
import pydantic

from omnichannel_core import errors
from omnichannel_core.connections import forms as sealed
from omnichannel_core.driver import Clock, Driver, Form, Http, Session, Token
from omnichannel_core.records import Bad, Choice, Choices, Record
from omnichannel_core.remote import redaction
from omnichannel_core.remote.client import Client
from omnichannel_core.remote.exchange import Deadlines
from omnichannel_core.remote.guard import AddressGuard
from omnichannel_core.remote.lanes import blocking
from omnichannel_core.remote.limits import Limiter
from omnichannel_core.remote.transport import Transport

F = TypeVar("F", bound=Form)
T = TypeVar("T")
PATIENCE = 10.0  # seconds for an answer


@attrs.define(kw_only=True, repr=False, eq=False)
class LoneSession(Session):
    """What a driver is handed. `commit` keeps a page's records, as the house would.

    Attributes:
        stored: by kind's name and id.
        tokens: by name; renewed by the driver's own flow when they are refused or over.
    """

    driver: Driver
    clock: Clock
    scratch: Path
    exchange: Path
    forms: Mapping[type[Form], Form]
    address: str
    patience: float = PATIENCE
    limiter: Limiter
    tokens: dict[str, Token] = attrs.field(factory=dict)
    subject: Record | None = None
    works: frozenset[str] = frozenset()
    callback_url: str = "https://host.example/callbacks/kit/0123456789"
    callback_secret: pydantic.SecretStr = attrs.field(factory=lambda: pydantic.SecretStr("callback-canary-0123456789"))
    log: logging.Logger = attrs.field(init=False)
    http: Http = attrs.field(init=False)
    stored: dict[tuple[str, str], Record] = attrs.field(factory=dict)
    transport: Transport = attrs.field(factory=lambda: Transport(AddressGuard()))

    def __attrs_post_init__(self) -> None:
        self.log = redaction.logger(f"omnichannel_core.drivers.{self.driver.name}")
        account = next((one.remote_account() for one in self.forms.values() if hasattr(one, "remote_account")), "")
        self.http = Client(
            api=self.driver.api, session=self, tokens=_Tokens(self), transport=self.transport, clock=self.clock,
            limiter=self.limiter.scoped(driver=self.driver.name, account=account or "kit", application="kit"),
            override=self.address or None, secrets=self.secrets(),
            deadlines=Deadlines(connect=5.0, request=self.patience),
        )  # fmt: skip

    def secrets(self) -> tuple[str, ...]:
        """Everything that nobody may see."""
        typed = [value for form in self.forms.values() for value in sealed.secret_values(form)]
        tokens = [part for token in self.tokens.values() for part in (token.value, token.refresh) if part is not None]
        return (*typed, *(one.get_secret_value() for one in tokens), self.callback_secret.get_secret_value())

    def commit(self, records: Sequence[Record | Bad]) -> None:
        """A page is stored."""
        for one in records:
            if isinstance(one, Record):
                self.stored[type(one).__name__, one.id] = one

    def __getitem__(self, form: type[F]) -> F:
        return cast("F", self.forms[form])

    def get(self, form: type[F]) -> F | None:
        return cast("F | None", self.forms.get(form))  # type: ignore[redundant-cast, unused-ignore]

    async def token(self, name: str = "access") -> Token:
        found = await self.current(name)
        if found is None:
            raise errors.AuthorizationNeeded("There is no authorization yet: press AUTHORIZE.")
        return found

    async def choices(self, name: str) -> Mapping[str, Choice]:
        found = self.stored.get(("Choices", name))
        return found.items if isinstance(found, Choices) else {}

    async def known(self, kind: type[Record], ids: frozenset[str]) -> frozenset[str]:
        return frozenset(one for one in ids if (kind.__name__, one) in self.stored)

    async def compute(self, work: Callable[[], T]) -> T:
        return await blocking("files", work)

    async def connect(self, host: str, port: int) -> socket:
        return await blocking("files", lambda: AddressGuard().connect(host, port))

    async def current(self, name: str) -> Token | None:
        """A token that is good for now."""
        token = self.tokens.get(name)
        over = token is not None and token.expires is not None and token.expires <= self.clock.now()
        return await self.renewed(name, token) if token is None or over else token

    async def renewed(self, name: str, token: Token | None) -> Token | None:
        """Another one than this; None where there is nothing to renew it with."""
        if self.driver.flow.renew is None:
            return None if token is not None else self.tokens.get(name)
        fresh = await self.driver.flow.renew(self, name, token)
        if fresh.refresh is None and token is not None:
            fresh = attrs.evolve(fresh, refresh=token.refresh, granted=token.granted)
        self.tokens[name] = fresh
        return fresh

    async def aclose(self) -> None:
        """Its sockets."""
        await self.transport.aclose()

    def __repr__(self) -> str:
        return f"<Session of {self.driver.name}>"


@attrs.frozen
class _Tokens:
    """The port of the way out to a session's tokens."""

    session: LoneSession

    async def get(self, name: str = "access") -> Token | None:
        return await self.session.current(name)

    async def refused(self, name: str, token: Token) -> Token | None:
        return await self.session.renewed(name, token)
