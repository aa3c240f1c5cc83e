"""Where a request goes. Parsed once: what is vetted, signed and connected to is the same reading of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

import attrs
import httpx2

from omnichannel_core import errors
from omnichannel_core.remote.addresses import parse

_DEFAULT = {"http": 80, "https": 443}
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?", re.ASCII)


@attrs.frozen
class Origin:
    """scheme://host:port; `host` is a lower-case name or an IP literal without brackets."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """As the Host header says it."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == _DEFAULT[self.scheme] else f"{name}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


@attrs.frozen
class Target:
    """An origin and what is asked of it: `path` with its query, as it goes over the wire; `url` the whole as text."""

    origin: Origin
    path: bytes = attrs.field(repr=False)
    url: str = attrs.field(repr=False)


def target(operation: str, url: str, params: Mapping[str, str]) -> Target:
    """An absolute http or https address; `params` are added to the query it has.

    Raises:
        AddressRefused: it is something else, holds a user name, or no readable host.
    """
    try:
        found = httpx2.URL(url)
        if params:
            found = found.copy_merge_params(params)
        origin = _origin(found.scheme, found.raw_host.decode("ascii"), found.port)
    except (httpx2.InvalidURL, UnicodeError, TypeError, ValueError):
        raise errors.AddressRefused(f"{operation}: this is not a web address; correct the address.") from None
    if origin is None or found.userinfo:
        raise errors.AddressRefused(
            f"{operation}: only http and https addresses without a user name are used; correct the address."
        )
    return Target(origin, found.raw_path, str(found))


@lru_cache(maxsize=4096)
def _origin(scheme: str, host: str, port: int | None) -> Origin | None:
    if scheme not in _DEFAULT or not (port is None or 0 < port < 65536):
        return None
    host = host.lower()
    if not (_NAME.fullmatch(host) or (parse(host) is not None and "%" not in host)):
        return None
    return Origin(scheme, host, port or _DEFAULT[scheme])


@lru_cache(maxsize=4096)
def origin_of(text: str) -> Origin:
    """`https://api.example.com[:port]` as an origin.

    Raises:
        AddressRefused: it is not one, or has more than that.
    """
    found = target("origin", text, {})
    if found.path not in {b"/", b""}:
        raise errors.AddressRefused(f"{found.origin} must be named without a path.")
    return found.origin


def override_of(text: str) -> tuple[Origin, bool]:
    """What a host points a driver to, and whether it must be loopback (plain http is allowed nowhere else).

    Raises:
        UsageError: not an origin, or plain http to somewhere else.
    """
    try:
        origin = origin_of(text.rstrip("/"))
    except errors.AddressRefused as cause:
        raise errors.UsageError(f"{text!r} is not an endpoint: write scheme://host[:port], nothing more.") from cause
    address = parse(origin.host)
    loopback = origin.host == "localhost" or (address is not None and address.is_loopback)
    if origin.scheme == "http" and not loopback:
        raise errors.UsageError(f"{origin}: an endpoint may be plain http on loopback only; use https.")
    return origin, origin.scheme == "http"


def stand_in(url: str, override: str) -> str:
    """Where a browser goes instead of `url`, as the host pointed this driver to `override`.

    A plain http endpoint on loopback stands in for the whole marketplace, consent page included: it is reached as
    `http://<real host>.localhost:<port>` (RFC 6761 6.3), so that it can tell which of its hosts is meant. With any
    other endpoint, and for an address that is on this machine already, `url` comes back as it is.
    """
    where = urlsplit(url)
    if not override or not where.hostname or where.scheme != "https":
        return url
    origin, loopback = override_of(override)
    if not loopback:
        return url
    return urlunsplit(("http", f"{where.hostname}.localhost:{origin.port}", where.path, where.query, where.fragment))
