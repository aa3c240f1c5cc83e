"""The simulator in a child process, over a real socket."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx2
import pytest

from omnichannel_core.testing import simulator

NOW = 1_790_000_000.0
LISTING = "/listings/2021-08-01/items/A1/A%2FB%201"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with simulator.running("amazon", options={"clock": "manual", "now": NOW}) as found:
        app = {"client_id": "c", "client_secret": "s", "application_id": "amzn1.sellerapps.app.1"}
        simulator.control(found, "apps", app)
        simulator.control(found, "sellers", {"seller_id": "A1", "returns": 0.5, "orders": 100})
        yield found


@pytest.fixture
def client(address: str) -> Iterator[httpx2.Client]:
    """A client with an access token, for one request a connection."""
    given = simulator.control(address, "sellers/A1/authorize", {"client_id": "c"})["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": given, "client_id": "c", "client_secret": "s"}
    with httpx2.Client(base_url=address, headers={"connection": "close"}) as made:
        made.headers["x-amz-access-token"] = made.post("/auth/o2/token", data=form).json()["access_token"]
        yield made


def test_the_answers_are_dated_by_the_simulated_clock(address: str, client: httpx2.Client) -> None:
    """One Date header, of the world's time; the control API works, and the past has returns."""
    answer = client.get("/sellers/v1/account")
    assert answer.status_code == 200
    assert answer.headers.get_list("date") == ["Mon, 21 Sep 2026 14:13:20 GMT"]
    assert simulator.control(address, "sellers/A1")["returns"] > 0


@pytest.mark.parametrize(("region", "status"), [("eu", 200), ("na", 403)])
def test_a_region_is_told_by_the_forwarded_host(client: httpx2.Client, region: str, status: int) -> None:
    """Whoever sends requests here names the host they are for; an odd SKU keeps its escapes on the wire."""
    headers = {"x-forwarded-host": f"sellingpartnerapi-{region}.amazon.com"}
    assert client.get(f"{LISTING}?marketplaceIds=A1PA6795UKMFR9", headers=headers).status_code == status


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "truncate"])
def test_a_broken_connection_is_really_broken(address: str, client: httpx2.Client, kind: str) -> None:
    """The socket closes with nothing, or in the middle of the body."""
    simulator.control(address, "faults", {"kind": kind, "operation": "getAccount"})
    with pytest.raises(httpx2.RemoteProtocolError):
        client.get("/sellers/v1/account")


def test_a_fast_clock_can_be_followed_from_outside() -> None:
    """From start, speed and the machine's time anybody computes the simulated time, over changes of the clock."""
    with simulator.running("amazon", options={"now": NOW, "speed": 1000.0}) as address:
        for change in (None, {"advance": 3600}, {"speed": 50.0}):
            shown = simulator.control(address, "clock", change)
            before = shown["start"] + (time.time() - shown["since"]) * shown["speed"]
            told = simulator.control(address, "clock")["now"]
            after = shown["start"] + (time.time() - shown["since"]) * shown["speed"]
            assert before <= told <= after
