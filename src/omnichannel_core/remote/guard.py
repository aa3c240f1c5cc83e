"""The address guard: a user-typed address never makes the house connect to a non-public one.

A name is resolved once, every address it has is vetted, and the connection goes to a vetted address itself: nothing
is looked up again in between, so a name that changes its mind (rebinding) changes nothing. TLS still checks the name.
Source of the rules: guide web-cli-hosts-packaging 6.2, goal S1.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import attrs

from omnichannel_core import errors
from omnichannel_core.remote.addresses import Address, Allowed, is_public, parse
from omnichannel_core.remote.lanes import blocking

Resolve: TypeAlias = Callable[[str, int], Sequence[str]]
"""Blocking: a host name and a port -> its addresses as text. Raises OSError when there are none."""

WEB_PORTS = frozenset({80, 443})
FILE_PORTS = frozenset({22, 443})  # Session.connect: SFTP and the like


def system_resolve(host: str, port: int) -> list[str]:
    """What the operating system says, each address once."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@attrs.frozen
class AddressGuard:
    """Vets addresses for one account, or for all of them.

    Attributes:
        allow: exceptions of the host, for every account.
        accounts: more of them, by account.
        exact: (host, port) the host itself pointed us to (endpoint overrides) -> must it be loopback?
    """

    allow: Sequence[Allowed] = ()
    accounts: Mapping[str, Sequence[Allowed]] = attrs.field(factory=dict)
    resolve: Resolve = system_resolve
    exact: Mapping[tuple[str, int], bool] = attrs.field(factory=dict)

    def for_account(self, account: str) -> AddressGuard:
        """The guard with this account's exceptions, and nobody else's."""
        return attrs.evolve(self, allow=(*self.allow, *self.accounts.get(account, ())), accounts={})

    def permitting(self, host: str, port: int, *, loopback: bool) -> AddressGuard:
        """The guard that also lets exactly this origin through; with `loopback`, only if it really is loopback."""
        return attrs.evolve(self, exact={**self.exact, (host.lower(), port): loopback})

    def vet(self, host: str, port: int, *, ports: frozenset[int] = WEB_PORTS) -> list[str]:
        """Blocking: the addresses of a host as literals, all of them vetted.

        Raises:
            AddressRefused: one of them is not public and not allowed, or the port is not.
            OSError: the name has no address.
        """
        literal = parse(host)
        return self._vetted(host, port, ports, [host] if literal is not None else self._looked_up(host, port))

    async def vet_off_loop(self, host: str, port: int) -> list[str]:
        """The same without blocking the loop; an IP literal needs no thread."""
        if parse(host) is not None:
            return self._vetted(host, port, WEB_PORTS, [host])
        found = await blocking("lookups", lambda: self._looked_up(host, port), abandon=True)
        return self._vetted(host, port, WEB_PORTS, found)

    def connect(self, host: str, port: int, timeout: float = 10.0) -> socket.socket:
        """Blocking: a vetted socket, for `Session.connect`.

        Raises:
            AddressRefused: see `vet`.
            RemoteUnavailable: nobody answers there.
        """
        until, last = time.monotonic() + timeout, "no address"
        try:
            found = self.vet(host, port, ports=FILE_PORTS)
        except OSError as cause:
            raise errors.RemoteUnavailable(f"{host}:{port}: the name is not known ({why(cause)})") from cause
        for done, address in enumerate(found):
            share = (until - time.monotonic()) / (len(found) - done)
            try:
                return socket.create_connection((address, port), timeout=max(0.1, share))
            except OSError as cause:
                last = why(cause)
        raise errors.RemoteUnavailable(f"{host}:{port}: cannot connect ({last})")

    def _looked_up(self, host: str, port: int) -> Sequence[str]:
        try:
            return self.resolve(host, port)
        except UnicodeError:
            raise errors.AddressRefused(f"{host!r} is not a host name; correct the address.") from None

    def _vetted(self, host: str, port: int, ports: frozenset[int], found: Sequence[str]) -> list[str]:
        loopback = self.exact.get((host.lower(), port))
        vetted = []
        for text in found:
            address = parse(text)
            if address is None or not self._admits(address, port, ports, loopback):
                raise _refused(host, port, address, ports)
            vetted.append(str(address))
        if not vetted:
            raise OSError("no address")
        return vetted

    def _admits(self, address: Address, port: int, ports: frozenset[int], loopback: bool | None) -> bool:
        if loopback is not None:
            return address.is_loopback or not loopback
        return any(entry.admits(address, port) for entry in self.allow) or (port in ports and is_public(address))


def _refused(host: str, port: int, address: Address | None, ports: frozenset[int]) -> errors.AddressRefused:
    if address is not None and is_public(address):
        allowed = ", ".join(map(str, sorted(ports)))
        return errors.AddressRefused(
            f"{host}:{port}: port {port} is refused, only {allowed} may be used; correct the address, or let the host "
            f"allow the port."
        )
    return errors.AddressRefused(
        f"{host}:{port} leads to {address}, which is not public; correct the address, or let the host allow it."
    )


def why(cause: OSError) -> str:
    return cause.strerror or type(cause).__name__
