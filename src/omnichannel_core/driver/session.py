"""The session: all that a driver may touch while it works."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import datetime
from logging import Logger
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING, Protocol, TypeVar

import attrs
import pydantic

from omnichannel_core import errors
from omnichannel_core.driver.wire import Answer
from omnichannel_core.records import Choice, Record

if TYPE_CHECKING:
    from omnichannel_core.driver.forms import Form

F = TypeVar("F", bound="Form")
T = TypeVar("T")


def _aware(_: object, field: attrs.Attribute[datetime | None], value: datetime | None) -> None:
    if value is not None and value.tzinfo is None:
        raise errors.ContractBroken(f"Token.{field.name} has no time zone: say session.clock.now() + timedelta(...).")


@attrs.frozen(kw_only=True)
class Token:
    """What a remote gave in exchange. The house stores, shares, renews ahead of time and never blanks `refresh`.

    Attributes:
        expires: aware, by `session.clock`; None is never.
        granted: set by the house: when a person authorized.
        previous: set by the house: the refresh token before this one.
    """

    value: pydantic.SecretStr
    expires: datetime | None = attrs.field(default=None, validator=_aware)
    refresh: pydantic.SecretStr | None = None
    scopes: frozenset[str] = frozenset()
    granted: datetime | None = None
    previous: pydantic.SecretStr | None = None


class Http(Protocol):
    """The way out: limits, token, signature, retries, redaction and `judge` happen in here, for every request."""

    async def send(
        self,
        operation: str,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] = {},
        headers: Mapping[str, str] = {},
        json: object = None,
        form: Mapping[str, str] | None = None,
        content: bytes | Path = b"",
        token: str | None = "access",
        cost: float = 1.0,
        repeatable: bool | None = None,
    ) -> Answer:
        """Send one request and judge its answer.

        Args:
            operation: the remote's own name of it, for limits, logs and errors.
            json: anything msgspec encodes; excludes `form` and `content`.
            token: by name; None is unsigned (token end points, presigned URLs).
            cost: units of the limits it takes.
            repeatable: may be sent again when no answer came; default is the method's own nature
                (GET, HEAD, OPTIONS, PUT and DELETE are).

        Raises:
            whatever the driver's `judge` raises; RemoteUnavailable, RateLimited, AddressRefused, ContractBroken.
        """
        ...

    async def download(self, operation: str, url: str, to: Path, *, token: str | None = None) -> Answer:
        """Straight to a file, in flat memory; the answer's content is empty."""
        ...


class Clock(Protocol):
    """A day passes in a test in a millisecond."""

    def now(self) -> datetime:
        """Aware, UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Until so many seconds of this clock are over."""
        ...


class Session(ABC):
    """One connection at work. At the door, where none is known yet, only the application is there.

    Attributes:
        scratch: this machine's, made by the house for each connection (there is none before it is stored) and removed
            with it; kept between pages where possible, may be empty at any time.
        exchange: the connection's own directory under the host's data.
        callback_url: where this connection is called back, unguessable.
        subject: what the connection was made for (see AuthorizationFlow.made_for).
        works: what the last Checkup said.
    """

    http: Http
    clock: Clock
    log: Logger
    scratch: Path
    exchange: Path
    callback_url: str
    callback_secret: pydantic.SecretStr
    subject: Record | None
    works: frozenset[str]

    @abstractmethod
    def __getitem__(self, form: type[F]) -> F:
        """`session[MyCredentials].shop`: credentials, application or a settings page's effective values.

        Raises:
            KeyError: no such form here (a connection's credentials at the door).
        """

    @abstractmethod
    def get(self, form: type[F]) -> F | None:
        """The same, None when it is not there."""

    @abstractmethod
    async def token(self, name: str = "access") -> Token:
        """For the rare case that `sign` is not enough."""

    @abstractmethod
    async def choices(self, name: str) -> Mapping[str, Choice]:
        """A pulled list, as last stored; empty when it was never pulled."""

    @abstractmethod
    async def known(self, kind: type[Record], ids: frozenset[str]) -> frozenset[str]:
        """Which of these ids are stored for this connection."""

    @abstractmethod
    async def compute(self, work: Callable[[], T]) -> T:
        """Run a pure function (decoding, mapping) off the event loop, in the house's own lane."""

    @abstractmethod
    async def connect(self, host: str, port: int) -> socket:
        """A vetted, blocking socket: for SFTP and the like, in a thread."""
