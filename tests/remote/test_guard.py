"""The address guard: what is public, what a host allows, and every spelling that tries to get around it."""

from __future__ import annotations

import importlib.util
import socket
import threading
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from types import ModuleType
from typing import Any

import anyio
import httpcore2
import pytest
from hypothesis import given
from hypothesis import strategies as some

from omnichannel_core import errors
from omnichannel_core.remote.addresses import Allowed, is_public, parse
from omnichannel_core.remote.backend import GuardedBackend
from omnichannel_core.remote.guard import AddressGuard

pytestmark = pytest.mark.anyio


def _campaign() -> ModuleType:
    path = Path(__file__).parents[2] / "campaigns" / "addresses.py"
    spec = importlib.util.spec_from_file_location("campaign_addresses", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CAMPAIGN = _campaign()
PUBLIC = "93.184.216.34"


@pytest.mark.parametrize("name", CAMPAIGN.CASES)
async def test_bypass(name: str) -> None:
    """No spelling of a non-public address gets the house to connect; without the guard it would have."""
    assert (await CAMPAIGN.attempt(name)).wanted == []
    unguarded = (await CAMPAIGN.attempt(name, CAMPAIGN.Everything)).wanted
    assert bool(unguarded) == (name not in CAMPAIGN.UNREADABLE)


async def test_campaign_figure() -> None:
    """The campaign counts at least 60 cases, no connection, and a control that connected."""
    (figure,) = await CAMPAIGN.run(0.05)
    assert figure["cases"] >= 60
    assert (figure["connections"], figure["ok"]) == (0, True)
    assert figure["control"] == figure["control_expected"] >= 60


async def test_connects_to_the_vetted_address_itself() -> None:
    """A name is looked up once and the connection goes to the literal: changing its mind changes nothing."""
    answers, network = CAMPAIGN.Answers(((PUBLIC,), ("127.0.0.1",))), CAMPAIGN.Recording()
    backend = GuardedBackend(AddressGuard(resolve=answers), network)
    with pytest.raises(httpcore2.ConnectError, match="recorded"):
        await backend.connect_tcp("rebind.example", 443, 5.0)
    assert (network.wanted, answers.asked) == ([(PUBLIC, 443)], 1)
    with pytest.raises(errors.AddressRefused):
        await backend.connect_tcp("rebind.example", 443, 5.0)


async def test_every_address_gets_its_try() -> None:
    """When the first address does not answer, the next vetted one is tried."""
    both = ("2606:2800:220:1:248:1893:25c8:1946", PUBLIC)
    network = CAMPAIGN.Recording()
    backend = GuardedBackend(AddressGuard(resolve=lambda *_: both), network)
    with pytest.raises(httpcore2.ConnectError):
        await backend.connect_tcp("shop.example", 443)
    assert [host for host, _ in network.wanted] == list(both)


async def test_unix_sockets_are_refused() -> None:
    """No path leads to a unix socket."""
    with pytest.raises(errors.AddressRefused):
        await GuardedBackend(AddressGuard()).connect_unix_socket("/run/docker.sock")


async def test_unknown_names_are_nobodys_fault() -> None:
    """A name without an address is a connect error, one that is no name is refused, a slow lookup ends in time."""

    def unknown(*_: Any) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(httpcore2.ConnectError, match="not known"):
        await GuardedBackend(AddressGuard(resolve=unknown)).connect_tcp("gone.example", 443)
    with pytest.raises(httpcore2.ConnectError):
        await GuardedBackend(AddressGuard(resolve=lambda *_: [])).connect_tcp("empty.example", 443)
    with pytest.raises(errors.AddressRefused, match="not a host name"):
        await GuardedBackend(AddressGuard()).connect_tcp("a" * 64 + ".example", 443)
    waiting = threading.Event()
    slow = AddressGuard(resolve=lambda *_: [str(waiting.wait(5))])
    with anyio.fail_after(3), pytest.raises(httpcore2.ConnectTimeout):
        await GuardedBackend(slow).connect_tcp("slow.example", 443, 0.1)
    waiting.set()


@pytest.mark.parametrize("text", [PUBLIC, "1.1.1.1", "2606:4700::1111", "64:ff9b::5db8:d822", "::ffff:93.184.216.34"])
def test_public_addresses(text: str) -> None:
    """Ordinary public addresses are public, also behind NAT64 or v4-mapped."""
    assert is_public(ip_address(text))
    assert AddressGuard().vet(text, 443) == [str(parse(text))]


@given(some.ip_addresses(v=4))
def test_wrapping_never_makes_public(inside: Any) -> None:
    """An IPv4 address that is not public is not public in any IPv6 wrapping either."""
    packed = int(inside)
    wrapped = [
        ip_address((0xFFFF << 32) | packed), ip_address((0x64FF9B << 96) | packed),
        ip_address((0x2002 << 112) | packed << 80), ip_address(f"::{inside}"),
        ip_address((0x2A001450 << 96) | (0x5EFE << 32) | packed),
    ]  # fmt: skip
    if not is_public(inside):
        assert not any(map(is_public, wrapped))


def test_allow_list() -> None:
    """A host's exceptions hold for their network and port, and only for the account they are for."""
    guard = AddressGuard([Allowed.parse("10.1.0.0/16:8443")], accounts={"a": [Allowed.parse("[fd00::/8]:443")]})
    assert guard.vet("10.1.2.3", 8443) == ["10.1.2.3"]
    assert guard.vet("::ffff:10.1.2.3", 8443) == ["10.1.2.3"]
    assert guard.for_account("a").vet("fd00::1", 443) == ["fd00::1"]
    refused = [
        (guard, "10.1.2.3", 443), (guard, "10.2.0.1", 8443), (guard, "fd00::1", 443),
        (guard.for_account("b"), "fd00::1", 443), (guard.for_account("a"), "fd00::1", 80),
    ]  # fmt: skip
    for other, host, port in refused:
        with pytest.raises(errors.AddressRefused):
            other.vet(host, port)


def test_a_port_of_public_addresses() -> None:
    """`public:8443` opens a port of public addresses and none of the others."""
    guard = AddressGuard([Allowed.parse("public:8443")])
    assert guard.vet(PUBLIC, 8443) == [PUBLIC]
    with pytest.raises(errors.AddressRefused):
        guard.vet("127.0.0.1", 8443)
    with pytest.raises(errors.AddressRefused, match="port 8444"):
        guard.vet(PUBLIC, 8444)


def test_exact_origins_must_be_what_they_say() -> None:
    """A loopback exception for a name does not hold when the name leads elsewhere, nor for another port."""
    guard = AddressGuard(resolve=lambda *_: [PUBLIC]).permitting("localhost", 8080, loopback=True)
    with pytest.raises(errors.AddressRefused):
        guard.vet("localhost", 8080)
    guard = AddressGuard(resolve=lambda *_: ["127.0.0.1"]).permitting("localhost", 8080, loopback=True)
    assert guard.vet("LOCALHOST", 8080) == ["127.0.0.1"]
    with pytest.raises(errors.AddressRefused):
        guard.vet("localhost", 8081)


@pytest.mark.parametrize(
    "text", ["", "public", "10.0.0.0/33", "10.0.0.1:99999999", "example.com", "10.0.0.0/8:x", "[::1"]
)
def test_unreadable_exceptions(text: str) -> None:
    """An exception nobody can read is refused, not ignored."""
    with pytest.raises(errors.UsageError):
        Allowed.parse(text)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Somebody listening on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield found


def test_blocking_socket(listener: socket.socket) -> None:
    """`Session.connect` gets a connected socket where allowed, and a typed error elsewhere."""
    port = listener.getsockname()[1]
    guard = AddressGuard([Allowed.parse("127.0.0.0/8")])
    with guard.connect("127.0.0.1", port) as found:
        assert found.getpeername() == ("127.0.0.1", port)
    with pytest.raises(errors.AddressRefused):
        AddressGuard().connect("127.0.0.1", port)
    listener.close()
    with pytest.raises(errors.RemoteUnavailable):
        guard.connect("127.0.0.1", port)
