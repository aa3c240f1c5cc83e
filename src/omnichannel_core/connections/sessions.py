"""Sessions: one connection at work, with everything a driver may touch, and nothing else."""

from __future__ import annotations

import logging
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs
import pydantic

from omnichannel_core import errors
from omnichannel_core.connections import forms, scratch
from omnichannel_core.connections.parts import Parts
from omnichannel_core.connections.settings import effective_forms
from omnichannel_core.connections.tokens import Tokens
from omnichannel_core.driver import (
    Clock,
    Driver,
    Http,
    Session,
    Token,
)  # fmt: skip
from omnichannel_core.gate.loader import load
from omnichannel_core.model.connection import Connection
from omnichannel_core.records import Choice, Choices, Record
from omnichannel_core.remote import redaction
from omnichannel_core.storage import bodies, receipts
from omnichannel_core.storage.connections import Connections, Kept
from omnichannel_core.storage.settings import stored_pages
from omnichannel_core.storage.store import Store, Tx

if TYPE_CHECKING:  # the HTTP library is imported when the first session is opened
    from omnichannel_core.driver import Application, Credentials, Form
    from omnichannel_core.remote.client import Client
    from omnichannel_core.remote.transport import Transport

F = TypeVar("F", bound="Form")
T = TypeVar("T")
IDLE_TRANSPORTS = 512


@attrs.define(kw_only=True, repr=False)
class LiveSession(Session):
    """What a driver is handed."""

    clock: Clock
    log: logging.Logger
    scratch: Path
    exchange: Path
    callback_url: str
    callback_secret: pydantic.SecretStr
    subject: Record | None
    works: frozenset[str]
    store: Store = attrs.field(alias="store")
    account: str
    connection_id: int
    forms: dict[type[Form], Form]
    tokens: Callable[[str], Any] | None = None
    open_socket: Callable[[str, int], socket.socket]
    http: Http = attrs.field(init=False)  # set right after: the client needs the session, the session the client

    def __getitem__(self, form: type[F]) -> F:
        return cast("F", self.forms[form])

    def get(self, form: type[F]) -> F | None:
        return cast("F | None", self.forms.get(form))

    async def token(self, name: str = "access") -> Token:
        token = None if self.tokens is None else await self.tokens(name)
        if token is None:
            raise errors.AuthorizationNeeded("There is no authorization yet: press AUTHORIZE.")
        for secret in (token.value, token.refresh):
            if secret is not None:
                cast("Client", self.http).redactor.add(secret.get_secret_value())
        return cast("Token", token)

    async def choices(self, name: str) -> Mapping[str, Choice]:
        found = await self.store.read(lambda tx: receipts.one(tx, self.account, self.connection_id, "Choices", name))
        return found.items if isinstance(found, Choices) else {}

    async def known(self, kind: type[Record], ids: frozenset[str]) -> frozenset[str]:
        wanted = list(ids)
        return await self.store.read(
            lambda tx: receipts.known(tx, self.account, self.connection_id, kind.__name__, wanted)
        )

    async def compute(self, work: Callable[[], T]) -> T:
        return await self.store.compute(work)

    async def connect(self, host: str, port: int) -> socket.socket:
        return await self.store.compute(lambda: self.open_socket(host, port))

    def __repr__(self) -> str:
        return f"<Session of connection {self.connection_id}>"


@attrs.define
class Work:
    """An opened session with what the house knows about it."""

    driver: Driver
    session: LiveSession
    connection: Connection
    client: Client
    kept: Kept | None = None
    grant: _GrantTokens | None = None

    @property
    def carried(self) -> Token | None:
        """What a draft's session holds now: its token may have been renewed on the way."""
        return None if self.grant is None else self.grant.carried

    @property
    def left(self) -> bool:
        """Something unrepeatable may have arrived since `reset_left`."""
        return bool(self.client.left)

    def reset_left(self) -> None:
        """Before a call whose outcome matters."""
        self.client.left = False


@attrs.frozen(kw_only=True)
class _Read:
    """What one read transaction brings."""

    kept: Kept
    secrets: Mapping[str, pydantic.SecretStr]
    pages: Mapping[str, Any]


@attrs.define
class Sessions:
    """Opens sessions; keeps each connection's transport between turns."""

    parts: Parts
    tokens: Tokens
    _transports: dict[int, Transport] = attrs.field(factory=dict, repr=False)

    @asynccontextmanager
    async def open(self, account: str, connection_id: int) -> AsyncIterator[Work]:
        """A stored connection at work.

        Raises:
            NotFound, NotAdmitted, DriverBroken, FormInvalid (stored by an older driver and no longer valid),
            VaultSealed, ApplicationMissing.
        """
        kept = await self.parts.store.read(lambda tx: Connections(tx, account).get(connection_id))
        driver = await self.driver(account, kept.seen.driver)
        read = await self.parts.store.read(lambda tx: self._read(tx, account, connection_id, driver))
        credentials = forms.restore(driver.credentials, read.kept.credentials, read.secrets)
        work = await self._work(account, driver, read.kept.seen, credentials, read.kept, read.pages)
        yield work

    @asynccontextmanager
    async def draft(
        self, account: str, driver: Driver, draft_id: int, credentials: Credentials | None, *,
        token: Token | None = None, name: str = "", subject: Record | None = None,
    ) -> AsyncIterator[Work]:  # fmt: skip
        """Something that is not a connection yet: a form being checked, a trip, a door."""
        seen = _unsaved(account, driver, draft_id, name, credentials, self.parts)
        transport = _new_transport(self.parts, account)
        try:
            yield await self._work(
                account, driver, seen, credentials, None, {}, token=token, transport=transport, subject=subject
            )
        finally:
            await transport.aclose()

    async def driver(self, account: str, name: str) -> Driver:
        """Through the gate."""
        return load(await self.parts.gate.admit(account, name))

    async def admitted(self, account: str, connection_id: int) -> None:
        """Whether the gate lets a stored connection work; imports nothing.

        Raises:
            NotFound, NotAdmitted leaves.
        """
        kept = await self.parts.store.read(lambda tx: Connections(tx, account).get(connection_id))
        await self.parts.gate.admit(account, kept.seen.driver)

    def folder(self, connection_id: int) -> Path:
        """A connection's own directory under the host's data: its scratch and exchange."""
        return scratch.home(self.parts.store.data, connection_id)

    def callback_url(self, kept: Kept) -> str:
        """Where a stored connection is called back."""
        return _callback_url(self.parts.callback_base, kept.seen.driver, kept)

    async def forget(self, connection_id: int) -> None:
        """The connection was disabled, edited or deleted: its sockets are closed."""
        transport = self._transports.pop(connection_id, None)
        if transport is not None:
            await transport.aclose()

    async def aclose(self) -> None:
        """Close all sockets."""
        for connection_id in list(self._transports):
            await self.forget(connection_id)

    def _read(self, tx: Tx, account: str, connection_id: int, driver: Driver) -> _Read:
        kept = Connections(tx, account).get(connection_id)
        scratch.folder(self.parts.store.data, connection_id).mkdir(parents=True, exist_ok=True)  # in a thread already
        secrets = self.parts.vault.get(tx, account, "connection", connection_id)
        return _Read(
            kept=kept, secrets=secrets, pages=stored_pages(tx, account, driver.name, connection_id, self.parts.vault)
        )

    async def _work(
        self, account: str, driver: Driver, seen: Connection, credentials: Credentials | None, kept: Kept | None,
        pages: Mapping[str, Any], *, token: Token | None = None, transport: Transport | None = None,
        subject: Record | None = None,
    ) -> Work:  # fmt: skip
        application = await self._application(account, driver)
        shapes: dict[type[Form], Form] = {type(one): one for one in effective_forms(driver, pages).values()}
        shapes |= {type(one): one for one in (credentials, application) if one is not None}
        session = LiveSession(
            clock=self.parts.clock, log=redaction.logger(f"omnichannel_core.drivers.{driver.name}"),
            scratch=scratch.folder(self.parts.store.data, seen.id), exchange=self.folder(seen.id) / "exchange",
            subject=subject or _subject(kept),
            callback_url=_callback_url(self.parts.callback_base, driver.name, kept),
            callback_secret=self._callback_secret(kept), works=seen.works, store=self.parts.store, account=account,
            connection_id=seen.id, forms=shapes, open_socket=self.parts.guard.for_account(account).connect,
        )  # fmt: skip
        grant = _GrantTokens(self, account, driver, session, kept.grant if kept else 0, token)
        from omnichannel_core.remote.client import Client

        client = Client(
            api=driver.api, session=session, tokens=grant, limiter=self.parts.limiter.scoped(
                driver=driver.name, account=seen.remote_account or f"{account}/{seen.id}",
                application=_application_id(account, application, self.parts.vault.pepper),
            ),
            transport=transport or await self._transport(account, seen.id),
            override=self.parts.endpoints.get(driver.name), clock=self.parts.clock,
            secrets=tuple(value for form in shapes.values() for value in forms.secret_values(form)),
        )  # fmt: skip
        session.http = client
        session.tokens = grant.get
        return Work(driver, session, seen, client, kept, grant)

    async def _transport(self, account: str, connection_id: int) -> Transport:
        found = self._transports.pop(connection_id, None) or _new_transport(self.parts, account)
        self._transports[connection_id] = found
        if len(self._transports) > IDLE_TRANSPORTS:
            await self._transports.pop(next(iter(self._transports))).release()
        return found

    async def _application(self, account: str, driver: Driver) -> Application | None:
        if driver.application is None:
            return None
        admission = await self.parts.gate.admit(account, driver.name)
        return await self.parts.gate.application(admission, driver.application)

    def _callback_secret(self, kept: Kept | None) -> pydantic.SecretStr:
        return pydantic.SecretStr(self.parts.vault.derive(f"callback/{kept.callback_key}") if kept else "")


@attrs.define
class _GrantTokens:
    """A session's tokens: the grant's, or what a draft brought along."""

    sessions: Sessions
    account: str
    driver: Driver
    session: LiveSession
    grant: int
    carried: Token | None
    without: set[str] = attrs.field(factory=set)  # no such token: this session does not look for it again

    async def get(self, name: str = "access") -> Token | None:
        return await self._ask(name, None)

    async def refused(self, name: str, token: Token) -> Token | None:
        """Another one than this; None when there is nothing to renew it with."""
        return None if self.driver.flow.renew is None else await self._ask(name, token)

    async def _ask(self, name: str, refused: Token | None) -> Token | None:
        renew = self.driver.flow.renew
        if self.grant == 0:
            if refused is None and (self.carried is not None or renew is None):
                return self.carried
            self.carried = await renew(self.session, name, self.carried) if renew else None
            return self.carried
        if name in self.without:
            return None
        bound = None if renew is None else (lambda which, old: renew(self.session, which, old))
        found = await self.sessions.tokens.get(self.account, self.grant, name, bound, refused=refused)
        if found is None and refused is None:
            self.without.add(name)
        return found


def _unsaved(
    account: str, driver: Driver, draft_id: int, name: str, credentials: Credentials | None, parts: Parts
) -> Connection:
    from omnichannel_core.model.lifecycle import Status

    return Connection(
        id=draft_id, account=account, driver=driver.name, name=name, status=Status.INACTIVE,
        remote_account=credentials.remote_account() if credentials else "",
        channel=credentials.channel() if credentials else "", created_at=parts.clock.now(),
    )  # fmt: skip


def _subject(kept: Kept | None) -> Record | None:
    if kept is None or not kept.subject:
        return None
    kind, _, body = kept.subject.partition(":")
    return bodies.decode(kind, body.encode())


def _application_id(account: str, application: Application | None, pepper: bytes) -> str:
    """Whose budget it is: the marketplace counts an application's requests, whichever of our accounts uses it."""
    return forms.proof(application, pepper) if application else account


def _new_transport(parts: Parts, account: str) -> Transport:
    from omnichannel_core.remote.transport import Transport

    redaction.install()  # the HTTP library's loggers are there now
    return Transport(parts.guard.for_account(account))


def _callback_url(base: str, driver: str, kept: Kept | None) -> str:
    return f"{base}/callbacks/{driver}" + (f"/{kept.callback_key}" if kept else "")
