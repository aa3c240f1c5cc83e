"""A real server on loopback that does what a test tells it, a clock that jumps, and clients between them."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio.lowlevel
import attrs
import pytest
from pydantic import SecretStr

from omnichannel_core.driver import RemoteApi, Token, judge
from omnichannel_core.remote.addresses import Allowed
from omnichannel_core.remote.client import Client
from omnichannel_core.remote.guard import AddressGuard
from omnichannel_core.remote.limits import Limiter
from omnichannel_core.remote.transport import Transport

Act = Callable[[socket.socket], None]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Every asynchronous test runs on both loops."""
    return str(request.param)


@attrs.define
class JumpingClock:
    """Time passes only when somebody sleeps."""

    at: datetime = datetime(2026, 11, 21, 12, tzinfo=UTC)
    naps: list[float] = attrs.field(factory=list)

    def now(self) -> datetime:
        """The moment."""
        return self.at

    async def sleep(self, seconds: float) -> None:
        """Jump."""
        self.naps.append(seconds)
        self.at += timedelta(seconds=seconds)
        await anyio.lowlevel.checkpoint()


def reply(status: int = 200, body: bytes = b"{}", headers: Mapping[str, str] = {}) -> Act:
    """A whole, honest answer."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in {"Content-Length": str(len(body)), **headers}.items())
    return lambda peer: peer.sendall(f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + body)


@attrs.define
class Loopback:
    """Answers the n-th request with the n-th act, later ones with the last."""

    acts: list[Act] = attrs.field(factory=lambda: [reply()])
    requests: list[bytes] = attrs.field(factory=list)
    sockets: int = 0
    _listener: socket.socket = attrs.field(factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _peers: list[socket.socket] = attrs.field(factory=list)
    _threads: list[threading.Thread] = attrs.field(factory=list)
    _lock: threading.Lock = attrs.field(factory=threading.Lock)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        """Its origin."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Begin to listen."""
        self._run(self._accept)

    def stop(self) -> None:
        """End, with all sockets and threads."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for peer in self._peers:
            with contextlib.suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()
        for peer in self._peers:
            peer.close()

    def _run(self, work: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            self.sockets += 1
            self._peers.append(peer)
            self._run(self._serve, peer)

    def _serve(self, peer: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while request := _request(peer):
                with self._lock:
                    act = self.acts[min(len(self.requests), len(self.acts) - 1)]
                    self.requests.append(request)
                act(peer)


def _request(peer: socket.socket) -> bytes:
    """One request, its body by Content-Length or in chunks."""
    found = b""
    while b"\r\n\r\n" not in found:
        part = peer.recv(65536)
        if not part:
            return b""
        found += part
    head, _, body = found.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        body += peer.recv(65536)
    return head + b"\r\n\r\n" + body


@pytest.fixture
def remote() -> Iterator[Loopback]:
    """The remote."""
    server = Loopback()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def clock() -> JumpingClock:
    """The clock of the house."""
    return JumpingClock()


@attrs.define
class KnownTokens:
    """Tokens as the house hands them out."""

    token: Token | None = attrs.field(factory=lambda: Token(value=SecretStr("first-token-0123456789")))
    other: Token | None = attrs.field(factory=lambda: Token(value=SecretStr("other-token-0123456789")))
    asked: list[str] = attrs.field(factory=list)

    async def get(self, name: str = "access") -> Token | None:
        """The current one."""
        return self.token

    async def refused(self, name: str, token: Token) -> Token | None:
        """The next one."""
        self.asked.append(token.value.get_secret_value())
        self.token = self.other
        return self.other


def bearer(session: Any, ask: Any, token: Token | None) -> Mapping[str, str]:
    """The usual signature."""
    return {} if token is None else {"Authorization": f"Bearer {token.value.get_secret_value()}"}


@attrs.define
class House:
    """Makes clients; closes what they opened."""

    clock: JumpingClock
    allow: tuple[Allowed, ...] = (Allowed.parse("127.0.0.0/8"),)
    origins: tuple[str, ...] = ()
    tokens: KnownTokens = attrs.field(factory=KnownTokens)
    limiter: Limiter | None = None
    transports: list[Transport] = attrs.field(factory=list)

    def client(self, *, account: str = "shop", transport: Transport | None = None, **more: Any) -> Client:
        """One session's way out."""
        transport = transport or Transport(AddressGuard(self.allow))
        self.transports.append(transport)
        self.limiter = self.limiter or Limiter(self.clock)
        api = more.pop("api", None) or RemoteApi(
            sign=more.pop("sign", bearer), judge=more.pop("judge", judge), origins=lambda _: self.origins,
            limits=more.pop("limits", ()),
        )  # fmt: skip
        return Client(
            api=api, session=object(), tokens=self.tokens, limiter=self.limiter.scoped(driver="echo", account=account),
            transport=transport, clock=self.clock, **more,
        )  # fmt: skip

    async def close(self) -> None:
        """All sockets."""
        for transport in self.transports:
            await transport.aclose()


@pytest.fixture
async def house(anyio_backend: str, clock: JumpingClock, remote: Loopback) -> Any:
    """A house whose one remote is on loopback."""
    logging.getLogger("stamina").setLevel(logging.ERROR)
    made = House(clock, origins=(remote.url,))
    yield made
    await made.close()
