"""A proxy on loopback that breaks what it is told to break, as networks and marketplaces do.

It stands between a driver and its simulator, speaks HTTP/1.1 over real sockets in threads of its own (so both loops
look the same to it), and remembers every exchange.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import BinaryIO
from urllib.parse import urlsplit

import attrs

SKIPPED = frozenset({"connection", "content-length", "transfer-encoding", "keep-alive", "date", "server"})
LINGER = struct.pack("ii", 1, 0)  # closing sends RST


class Fault(StrEnum):
    """What may go wrong with one request."""

    LATENCY = "latency"  # answered, a little later
    RESET = "reset"  # before the remote saw it
    TRUNCATION = "truncation"  # half the body under the whole length
    BLACK_HOLE = "black hole"  # never answered; the remote saw nothing
    LIMITED = "429 with Retry-After"
    LIMITED_BARE = "429 without headers"
    BROKEN = "500"
    SLOW_BODY = "slow body"  # byte by byte, whole
    MALFORMED = "malformed JSON"
    DROPPED = "commit, then drop"  # the remote did it; nobody hears of it


@attrs.frozen
class Exchange:
    """One request as it came, and the remote's answer to it; `status` 0 when the remote was not asked."""

    method: str
    path: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)
    status: int = 0
    answer_headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    answer: bytes = attrs.field(default=b"", repr=False)
    fault: Fault | None = None


Choose = Callable[[int, Exchange], Fault | int | None]
"""Request number (from 0 since the last `plan`) and request -> a fault, an HTTP status to answer with, or nothing."""


@attrs.define(eq=False)
class FaultProxy:
    """Forwards to `upstream` (http://127.0.0.1:port). `plan` says what goes wrong from now on.

    Attributes:
        hold: seconds that a black hole lasts, that latency adds, and that a slow body takes.
    """

    upstream: str
    hold: float = 0.05
    exchanges: list[Exchange] = attrs.field(factory=list)
    _choose: Choose | None = None
    _number: int = 0
    _listener: socket.socket = attrs.field(factory=lambda: socket.create_server(("127.0.0.1", 0), backlog=64))
    _peers: set[socket.socket] = attrs.field(factory=set)
    _lock: threading.Lock = attrs.field(factory=threading.Lock)
    _over: threading.Event = attrs.field(factory=threading.Event)

    @property
    def address(self) -> str:
        """http://127.0.0.1:port."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def planned(self) -> bool:
        """Whether anything is to go wrong."""
        return self._choose is not None

    def plan(self, choose: Choose | None) -> None:
        """From now on; None is nothing."""
        with self._lock:
            self._choose, self._number = choose, 0

    def quiet(self, seconds: float = 5.0) -> bool:
        """Blocking: whether every connection has ended within so many seconds, and so all that came on them is done."""
        end = time.monotonic() + seconds
        while self._peers and time.monotonic() < end:
            time.sleep(0.002)
        return not self._peers

    def start(self) -> None:
        """Begin to listen."""
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        """End, with all sockets."""
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for peer in list(self._peers):
            with contextlib.suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            self._peers.add(peer)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        forward = http.client.HTTPConnection(urlsplit(self.upstream).netloc, timeout=30)
        try:
            with contextlib.suppress(OSError, http.client.HTTPException), peer.makefile("rb") as stream:
                while (request := _read(stream)) is not None and self._one(peer, forward, request):
                    pass
        finally:
            forward.close()
            self._peers.discard(peer)
            peer.close()

    def _one(self, peer: socket.socket, forward: http.client.HTTPConnection, request: Exchange) -> bool:
        """Whether the connection goes on."""
        with self._lock:
            chosen = None if self._choose is None else self._choose(self._number, request)
            self._number += 1
        fault = chosen if isinstance(chosen, Fault) else None
        early = _early(chosen)
        if early is not None:
            self.exchanges.append(attrs.evolve(request, fault=fault))
            peer.sendall(early)
            return True
        if fault in (Fault.RESET, Fault.BLACK_HOLE):
            self.exchanges.append(attrs.evolve(request, fault=fault))
            if fault is Fault.BLACK_HOLE:
                self._over.wait(max(self.hold, 2.0))
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
            return False
        forward.request(request.method, request.path, request.body or None, dict(request.headers))
        answer = forward.getresponse()
        body, headers = answer.read(), {name.lower(): value for name, value in answer.getheaders()}
        self.exchanges.append(
            attrs.evolve(
                request, status=answer.status, answer_headers=headers, answer=body, fault=fault
            )
        )  # fmt: skip
        return self._answer(peer, answer.status, headers, body, fault)

    def _answer(
        self, peer: socket.socket, status: int, headers: Mapping[str, str], body: bytes, fault: Fault | None
    ) -> bool:
        if fault is Fault.DROPPED:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
            return False
        if fault is Fault.MALFORMED:
            body = b'{"' + body[: len(body) // 2]
        head = _head(status, {name: value for name, value in headers.items() if name not in SKIPPED}, len(body))
        if fault is Fault.TRUNCATION:
            peer.sendall(head + body[: len(body) // 2])
            return False
        if fault is Fault.LATENCY:
            self._over.wait(self.hold)
        if fault is Fault.SLOW_BODY:
            peer.sendall(head)
            for at in range(0, len(body), max(1, len(body) // 8)):
                time.sleep(self.hold / 8)
                peer.sendall(body[at : at + max(1, len(body) // 8)])
            return True
        peer.sendall(head + body)
        return True


def always(fault: Fault | int | None) -> Choose:
    """A plan: the same for every request."""
    return lambda number, request: fault


def once(fault: Fault | int, at: int = 0) -> Choose:
    """A plan: one request, the `at`-th."""
    return lambda number, request: fault if number == at else None


@contextmanager
def proxied(upstream: str) -> Iterator[FaultProxy]:
    """A proxy before a simulator; it ends with the block."""
    proxy = FaultProxy(upstream)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()


def _early(chosen: Fault | int | None) -> bytes | None:
    """An answer that the remote is not asked for."""
    if chosen is Fault.LIMITED:
        return _head(429, {"retry-after": "7", "content-type": "application/json"}, 2) + b"{}"
    if chosen is Fault.LIMITED_BARE:
        return _head(429, {}, 0)
    if chosen is Fault.BROKEN:
        return _head(500, {"content-type": "text/html"}, 15) + b"<html>oh</html>"
    if isinstance(chosen, int):
        return _head(chosen, {"content-type": "application/json"}, 2) + b"{}"
    return None


def _head(status: int, headers: Mapping[str, str], length: int) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    size = "" if status in (204, 304) else f"content-length: {length}\r\n"
    return f"HTTP/1.1 {status} X\r\n{lines}{size}\r\n".encode("latin-1")


def _read(stream: BinaryIO) -> Exchange | None:
    """One request; None at the end."""
    line = stream.readline()
    if not line.strip():
        return None
    method, path, _ = line.decode("latin-1").split(" ", 2)
    headers = dict[str, str]()
    while (raw := stream.readline()) not in (b"\r\n", b"\n", b""):
        name, _, value = raw.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = b"".join(_chunks(stream))
        del headers["transfer-encoding"]
    else:
        body = stream.read(int(headers.get("content-length", "0")))
    return Exchange(method, path, headers, body)


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while size := int(stream.readline().split(b";")[0], 16):
        yield stream.read(size)
        stream.readline()
    while stream.readline() not in (b"\r\n", b"\n", b""):
        pass
