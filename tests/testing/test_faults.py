"""The fault proxy over real sockets."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

import pytest

from omnichannel_core.testing import Fault, FaultProxy, SimulatorBase, proxied, served
from omnichannel_core.testing.faults import always, once


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    """Before a simulator that knows no path."""
    with served(SimulatorBase()) as address, proxied(address) as made:
        yield made


def ask(proxy: FaultProxy) -> tuple[int, bytes]:
    """One request on a socket of its own."""
    connection = http.client.HTTPConnection(proxy.address.removeprefix("http://"), timeout=10)
    try:
        connection.request("GET", "/x")
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("fault", [Fault.LATENCY, Fault.SLOW_BODY])
def test_slow_answers_are_whole(proxy: FaultProxy, fault: Fault) -> None:
    """Latency and a slow body change nothing but the time."""
    healthy = ask(proxy)
    proxy.plan(always(fault))
    assert ask(proxy) == healthy
    assert proxy.exchanges[-1].fault is fault


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.TRUNCATION, Fault.BLACK_HOLE, Fault.DROPPED])
def test_broken_connections(proxy: FaultProxy, fault: Fault) -> None:
    """The client hears no whole answer; the remote was asked, or not, as the fault says."""
    proxy.plan(once(fault))
    with pytest.raises((OSError, http.client.HTTPException)):
        ask(proxy)
    assert (proxy.exchanges[-1].status == 404) is (fault in (Fault.TRUNCATION, Fault.DROPPED))
    assert ask(proxy)[0] == 404


@pytest.mark.parametrize(("fault", "status"), [(Fault.LIMITED, 429), (Fault.LIMITED_BARE, 429), (Fault.BROKEN, 500)])
def test_refusals(proxy: FaultProxy, fault: Fault, status: int) -> None:
    """The remote is not asked."""
    proxy.plan(always(fault))
    assert ask(proxy)[0] == status
    assert proxy.exchanges[-1].status == 0
