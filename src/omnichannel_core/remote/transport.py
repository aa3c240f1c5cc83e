"""Sockets and TLS: one pool per connection, one TLS context per process.

httpx2 gives its clients no way to bring their own network backend; httpcore2, which it is made of, does, as a public
parameter of its connection pool. So the house speaks to that pool directly: no private attribute is touched, there is
no cookie jar, no redirect, no environment proxy and no log line with a URL to switch off, and a request costs less.
One context for all pools: an own one costs 865 KB and 27 ms each (guide performance E).
"""

from __future__ import annotations

import ssl
from functools import cache

import anyio
import httpcore2
import httpx2

from omnichannel_core.remote.backend import GuardedBackend
from omnichannel_core.remote.guard import AddressGuard

MOST_SOCKETS = 8
IDLE_SOCKETS = 4
IDLE_SECONDS = 30.0


@cache
def shared_tls() -> ssl.SSLContext:
    """The process's context: the operating system's trust store, names checked. Made on first use."""
    return httpx2.create_ssl_context()


class Transport:
    """One connection's sockets. Nothing is opened, and no TLS context made, before the first request."""

    __slots__ = ("_backend", "_busy", "_pool", "_released", "_tls")

    def __init__(
        self,
        guard: AddressGuard,
        *,
        tls: ssl.SSLContext | None = None,
        network: httpcore2.AsyncNetworkBackend | None = None,
    ) -> None:
        """Args: tls: instead of the process's context. network: below the guard, instead of real sockets."""
        self._backend = GuardedBackend(guard, network)
        self._tls = tls
        self._pool: httpcore2.AsyncConnectionPool | None = None
        self._busy = 0
        self._released = False

    def permit(self, host: str, port: int, *, loopback: bool) -> None:
        """Let exactly this origin through: the host pointed the driver there."""
        self._backend.guard = self._backend.guard.permitting(host, port, loopback=loopback)

    @property
    def pool(self) -> httpcore2.AsyncConnectionPool:
        """The pool, made on first use; HTTP/1.1 only (one request a socket keeps limits and deadlines simple)."""
        if self._pool is None:
            self._pool = httpcore2.AsyncConnectionPool(
                ssl_context=self._tls or shared_tls(),
                max_connections=MOST_SOCKETS,
                max_keepalive_connections=IDLE_SOCKETS,
                keepalive_expiry=IDLE_SECONDS,
                network_backend=self._backend,
            )
        return self._pool

    def begin(self) -> None:
        """A request is about to use the pool."""
        self._busy += 1
        self._released = False

    async def end(self) -> None:
        """It is over, however it ended."""
        self._busy -= 1
        if self._released and self._busy == 0:
            with anyio.CancelScope(shield=True):
                await self.aclose()

    async def release(self) -> None:
        """Close all sockets, now or when the last request under way is over; the next request opens new ones."""
        self._released = True
        if self._busy == 0:
            await self.aclose()

    async def aclose(self) -> None:
        """Close all sockets."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.aclose()

    def __repr__(self) -> str:
        return f"<Transport with {len(self._pool.connections) if self._pool else 0} sockets>"
