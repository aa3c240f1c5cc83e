"""Which addresses are public, and what a host allows beyond them."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

import attrs

from omnichannel_core import errors

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

# IANA special-purpose registries (RFC 6890 and its updates), spelled out: `is_global` differs between patch
# releases of Python, and calls multicast global.
_NOT_PUBLIC_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
_UNICAST_6 = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarking
        "2001:db8::/32", "3fff::/20",  # documentation
        "2002::/16",  # 6to4: the relay reaches whatever IPv4 address is inside
    )
)  # fmt: skip
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052; the local-use 64:ff9b:1::/48 (RFC 8215) is outside 2000::/3
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)  # RFC 5214 6.1: an interface identifier that holds an IPv4 address
_ALLOWED = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<four>[^:\[\]]+))(?::(?P<port>\d{1,5}))?")


def parse(text: str) -> Address | None:
    """An IP literal as the address a socket would really reach, None for a name. Zone ids are dropped."""
    try:
        return reached(ip_address(text.partition("%")[0]))
    except ValueError:
        return None


def reached(address: Address) -> Address:
    """The kernel sends v4-mapped addresses to the IPv4 address inside."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def is_public(address: Address) -> bool:
    """Whether it leads to the public internet, whatever it is wrapped in."""
    address = reached(address)
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _NOT_PUBLIC_4)
    inside = IPv4Address(int(address) & 0xFFFF_FFFF)
    if address in _NAT64:
        return is_public(inside)
    if (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP and not is_public(inside):
        return False
    return address.is_global and address in _UNICAST_6 and not any(address in network for network in _NOT_PUBLIC_6)


@attrs.frozen
class Allowed:
    """One entry of a host's allow-list.

    Attributes:
        network: addresses that may be reached though they are not public; None: public ones only, on one more port.
        port: the only port there; None is any (never together with no network).
    """

    network: Network | None = None
    port: int | None = None

    def __attrs_post_init__(self) -> None:
        if self.network is None and self.port is None:
            raise errors.UsageError("An allowed address names a network, a port, or both.")

    @classmethod
    def parse(cls, text: str) -> Allowed:
        """`10.1.0.0/16`, `127.0.0.1:8080`, `[fd00::/8]:443`, `public:8443`.

        Raises:
            UsageError: it is none of these.
        """
        found = _ALLOWED.fullmatch(text.strip())
        if found is None:
            raise errors.UsageError(f"{text!r} is not an allowed address: write 10.1.0.0/16:8443 or [fd00::/8]:443.")
        port = None if found["port"] is None else int(found["port"])
        if found["four"] == "public":
            return cls(None, port)
        try:
            return cls(ip_network(found["six"] or found["four"], strict=False), port)
        except ValueError as cause:
            raise errors.UsageError(f"{text!r} is not an allowed address: {cause}.") from None

    def admits(self, address: Address, port: int) -> bool:
        """Whether this entry lets the house connect there."""
        if self.port is not None and self.port != port:
            return False
        if self.network is None:
            return is_public(address)
        return address.version == self.network.version and address in self.network
