"""Spellings by which a user-typed address could lead inside, and a count of those that did.

Every case is a URL with what a resolver would answer for its name. The guard's resolver here is the operating system's
for literals in any spelling (its own inet_aton reads octal, hex and short forms) and a table for names, so nothing
leaves the machine. The control sends the same cases without the guard: they must reach the recording network.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import anyio
import httpcore2
from pydantic import SecretStr

from omnichannel_core import errors
from omnichannel_core.driver import Token
from omnichannel_core.remote.client import Client
from omnichannel_core.remote.guard import AddressGuard
from omnichannel_core.remote.limits import Limiter
from omnichannel_core.remote.transport import Transport

# name -> (URL, what its host resolves to, call by call; empty: it is a literal)
CASES: dict[str, tuple[str, tuple[tuple[str, ...], ...]]] = {
    "loopback": ("http://127.0.0.1/", ()),
    "loopback, another": ("http://127.200.3.4/", ()),
    "loopback, short": ("http://127.1/", ()),
    "loopback, two parts short": ("http://127.0.1/", ()),
    "loopback, decimal": ("http://2130706433/", ()),
    "loopback, hex": ("http://0x7f000001/", ()),
    "loopback, hex parts": ("http://0x7f.0x0.0x0.0x1/", ()),
    "loopback, octal parts": ("http://0177.0.0.01/", ()),
    "loopback, octal": ("http://017700000001/", ()),
    "loopback, mixed": ("http://0x7f.1/", ()),
    "loopback, zero padded": ("http://127.000.000.001/", ()),
    "loopback, ideographic stops": ("http://127\u30020\u30020\u30021/", ()),
    "loopback, full-width digits": ("http://\uff11\uff12\uff17.0.0.1/", ()),
    "loopback, circled digits": ("http://\u2460\u2461\u2466.0.0.1/", ()),
    "loopback, trailing dot": ("http://127.0.0.1./", (("127.0.0.1",),)),
    "loopback, percent-encoded": ("http://%31%32%37.0.0.1/", (("127.0.0.1",),)),
    "localhost": ("http://localhost/", (("127.0.0.1",),)),
    "localhost, upper case": ("http://LOCALHOST/", (("127.0.0.1",),)),
    "localhost, trailing dot": ("http://localhost./", (("127.0.0.1",),)),
    "localhost, a subdomain": ("http://shop.localhost/", (("127.0.0.1",),)),
    "localhost, both families": ("http://localhost/", (("::1", "127.0.0.1"),)),
    "unspecified": ("http://0.0.0.0/", ()),
    "unspecified, short": ("http://0/", ()),
    "this network": ("http://0.1.2.3/", ()),
    "private 10": ("http://10.0.0.1/", ()),
    "private 172": ("http://172.31.255.254/", ()),
    "private 192": ("https://192.168.1.1/", ()),
    "carrier-grade NAT": ("http://100.64.0.1/", ()),
    "link-local metadata": ("http://169.254.169.254/latest/meta-data/", ()),
    "link-local metadata, decimal": ("http://2852039166/", ()),
    "link-local metadata, by name": ("http://metadata.google.internal/", (("169.254.169.254",),)),
    "container metadata": ("http://169.254.170.2/", ()),
    "metadata of another cloud": ("http://100.100.100.200/", ()),
    "protocol assignments": ("http://192.0.0.192/", ()),
    "documentation": ("http://192.0.2.1/", ()),
    "benchmarking": ("http://198.18.0.1/", ()),
    "6to4 relay": ("http://192.88.99.1/", ()),
    "multicast": ("http://224.0.0.1/", ()),
    "multicast, global": ("http://232.1.1.1/", ()),
    "reserved": ("http://240.0.0.1/", ()),
    "broadcast": ("http://255.255.255.255/", ()),
    "IPv6 loopback": ("http://[::1]/", ()),
    "IPv6 loopback, long": ("http://[0:0:0:0:0:0:0:1]/", ()),
    "IPv6 loopback, padded": ("http://[0000:0000::0001]/", ()),
    "IPv6 unspecified": ("http://[::]/", ()),
    "IPv6 v4-mapped": ("http://[::ffff:127.0.0.1]/", ()),
    "IPv6 v4-mapped, hex": ("http://[::ffff:7f00:1]/", ()),
    "IPv6 v4-mapped metadata": ("http://[::ffff:a9fe:a9fe]/", ()),
    "IPv6 v4-mapped, by name": ("http://mapped.example/", (("::ffff:10.0.0.1",),)),
    "IPv6 v4-compatible": ("http://[::127.0.0.1]/", ()),
    "IPv6 v4-translated": ("http://[::ffff:0:127.0.0.1]/", ()),
    "IPv6 NAT64": ("http://[64:ff9b::7f00:1]/", ()),
    "IPv6 NAT64 metadata": ("http://[64:ff9b::169.254.169.254]/", ()),
    "IPv6 NAT64 local use": ("http://[64:ff9b:1::7f00:1]/", ()),
    "IPv6 6to4": ("http://[2002:7f00:1::]/", ()),
    "IPv6 6to4 private": ("http://[2002:c0a8:101::1]/", ()),
    "IPv6 Teredo": ("http://[2001:0:4136:e378:8000:63bf:80ff:fffe]/", ()),
    "IPv6 ISATAP": ("http://[2a00:1450:4001:800:0:5efe:7f00:1]/", ()),
    "IPv6 unique local": ("http://[fd00::1]/", ()),
    "IPv6 unique local, metadata": ("http://[fd00:ec2::254]/", ()),
    "IPv6 link-local": ("http://[fe80::1]/", ()),
    "IPv6 link-local with a zone": ("http://[fe80::1%25lo]/", ()),
    "IPv6 loopback with a zone": ("http://zoned.example/", (("::1%lo",),)),
    "IPv6 site-local": ("http://[fec0::1]/", ()),
    "IPv6 multicast": ("http://[ff02::1]/", ()),
    "IPv6 documentation": ("http://[2001:db8::1]/", ()),
    "IPv6 discard": ("http://[100::1]/", ()),
    "IPv6 segment routing": ("http://[5f00::1]/", ()),
    "a public name for a private address": ("https://shop.example/", (("10.1.2.3",),)),
    "a name for 127.0.0.1 as wildcard services give": ("http://127.0.0.1.nip.example/", (("127.0.0.1",),)),
    "one public and one private address": ("https://both.example/", (("93.184.216.34", "10.0.0.1"),)),
    "one public and one mapped private": ("https://both.example/", (("93.184.216.34", "::ffff:10.0.0.1"),)),
    "rebinding to loopback": ("https://rebind.example/", (("127.0.0.1",), ("93.184.216.34",))),
    "a user name in front": ("http://example.com@127.0.0.1/", ()),
    "a user name that looks like a host": ("http://93.184.216.34:80@127.0.0.1/", ()),
    "a backslash": ("http://127.0.0.1\\@example.com/", (("127.0.0.1",),)),
    "a fragment": ("http://127.0.0.1#@example.com/", ()),
    "a query": ("http://127.0.0.1?@example.com/", ()),
    "another port of a public host": ("http://93.184.216.34:22/", ()),
    "a database's port": ("http://example.com:6379/", (("93.184.216.34",),)),
    "another scheme": ("gopher://127.0.0.1:6379/_INFO", ()),
    "a file": ("file:///etc/passwd", ()),
    "a socket": ("http+unix://%2Frun%2Fdocker.sock/info", ()),
    "no scheme": ("//127.0.0.1/", ()),
    "a tab inside": ("http://127.0.\t0.1/", (("127.0.0.1",),)),
    "a line break inside": ("http://127.0.0.1/\r\nHost: example.com", ()),
}
UNREADABLE = frozenset(
    {
        "loopback, circled digits",
        "loopback, percent-encoded",
        "a user name in front",
        "a user name that looks like a host",
        "a backslash",
        "another scheme",
        "a file",
        "a socket",
        "no scheme",
        "a tab inside",
        "a line break inside",
        "IPv6 link-local with a zone",
        "loopback, full-width digits",
        "loopback, octal parts",
        "loopback, zero padded",
    }
)  # fmt: skip  refused before there is a host to connect to, with the guard or without


class Recording(httpcore2.AsyncNetworkBackend):
    """A network that connects to nobody and remembers who was wanted."""

    def __init__(self) -> None:
        self.wanted: list[tuple[str, int]] = []

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:  # fmt: skip
        """Remember, and be down."""
        self.wanted.append((host, port))
        raise httpcore2.ConnectError("recorded")


class Everything(AddressGuard):
    """The control: a guard that lets everything through."""

    def _admits(self, *_: Any) -> bool:
        return True


class Answers:
    """A resolver: the table's answers, call by call (the last one again); the system's own reading of literals."""

    def __init__(self, answers: tuple[tuple[str, ...], ...]) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int) -> Sequence[str]:
        """Addresses as text."""
        self.asked += 1
        if self.answers:
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        return [str(entry[4][0]) for entry in found]


class _Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await anyio.lowlevel.checkpoint()


class _NoTokens:
    async def get(self, name: str = "access") -> Token | None:
        return None

    async def refused(self, name: str, token: Token) -> Token | None:
        return None


async def attempt(name: str, guard: type[AddressGuard] = AddressGuard) -> Recording:
    """Send one request to a case's URL; what reached the network."""
    url, answers = CASES[name]
    network, clock = Recording(), _Clock()
    transport = Transport(guard(resolve=Answers(answers)), network=network)
    client = Client(
        api=None, session=object(), tokens=_NoTokens(), limiter=Limiter(clock).scoped(driver="campaign", account=name),
        transport=transport, clock=clock, secrets=[SecretStr("unused-secret")],
    )  # fmt: skip
    try:
        await client.send("probe", "POST", url, token=None)
    except (errors.AddressRefused, errors.RemoteUnavailable):
        pass
    finally:
        await transport.aclose()
    return network


async def run(size: float = 1.0) -> list[dict[str, Any]]:
    """All cases, whatever the size: they cost nothing."""
    inside, control = 0, 0
    for name in CASES:
        inside += len((await attempt(name)).wanted) > 0
        control += len((await attempt(name, Everything)).wanted) > 0
    expected = len(CASES) - len(UNREADABLE)
    return [
        {
            "figure": "address_guard_bypasses", "cases": len(CASES), "connections": inside,
            "control": control, "control_expected": expected, "ok": inside == 0 and control == expected,
        }
    ]  # fmt: skip


if __name__ == "__main__":
    import json

    for line in anyio.run(run):
        print(json.dumps(line))
