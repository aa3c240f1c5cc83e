"""The address guard on the socket: below it nothing is looked up again."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Sequence
from typing import Any

import anyio
import httpcore2

from omnichannel_core import errors
from omnichannel_core.remote.guard import AddressGuard, why

MOST_AT_ONCE = 1 << 18  # bytes: what an event loop takes from a socket in one go


class WideStream(httpcore2.AsyncNetworkStream):
    """A stream that gives all that has arrived: httpcore2 asks for 64 KB at a time, and each time costs the loop."""

    def __init__(self, stream: httpcore2.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What is there, at least one byte; none at the end."""
        return await self._stream.read(max(max_bytes, MOST_AT_ONCE), timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """All of it."""
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        """Of the stream below."""
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        """The same stream, encrypted."""
        return WideStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        """Of the stream below."""
        return self._stream.get_extra_info(info)


class GuardedBackend(httpcore2.AsyncNetworkBackend):
    """httpcore2's way to the network with the guard in front of it: what `connect_tcp` gets is a vetted literal."""

    def __init__(self, guard: AddressGuard, network: httpcore2.AsyncNetworkBackend | None = None) -> None:
        self.guard = guard
        self._network = network or httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Resolve once, vet all, connect to one of them.

        Raises:
            AddressRefused; httpcore2.ConnectError, ConnectTimeout.
        """
        until = None if timeout is None else anyio.current_time() + timeout
        try:
            with anyio.fail_after(timeout):
                found = await self.guard.vet_off_loop(host, port)
        except TimeoutError as cause:
            raise httpcore2.ConnectTimeout("the name lookup took too long") from cause
        except OSError as cause:
            raise httpcore2.ConnectError(f"the name is not known ({why(cause)})") from cause
        return await self._first(found, port, until, local_address, socket_options)

    async def _first(
        self, found: Sequence[str], port: int, until: float | None, local: str | None, options: Iterable[Any] | None
    ) -> httpcore2.AsyncNetworkStream:
        """Each address gets its share of the time that is left, so that a dead one leaves some for the next."""
        last: Exception = httpcore2.ConnectError("no address")
        for done, address in enumerate(found):
            share = None if until is None else max(0.05, (until - anyio.current_time()) / (len(found) - done))
            try:
                return WideStream(await self._network.connect_tcp(address, port, share, local, options))
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as cause:
                last = cause
        raise last

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.AsyncNetworkStream:
        """Never."""
        raise errors.AddressRefused("Unix sockets are refused; use an http or https address.")

    async def sleep(self, seconds: float) -> None:
        """Of the network below."""
        await self._network.sleep(seconds)
