"""Faults in process, and the ones that break connections over a real socket."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import uvicorn
from omnichannel_bigcommerce_simulator import create

pytestmark = pytest.mark.anyio
SHIPMENT = {"order_address_id": 10001, "items": [{"order_product_id": 10001, "quantity": 1}]}


async def test_429_with_and_without_headers(api: Any) -> None:
    """A 429 has the quota headers or none at all, and X-Retry-After when it is ordered."""
    await api.control(
        "POST",
        "/faults",
        [
            {"kind": "status", "status": 429, "retry_after": 7},
            {"kind": "status", "status": 429, "quota_headers": False},
        ],
    )
    first, second = await api.get("/v2/time"), await api.get("/v2/time")
    assert (first.status_code, first.headers["x-retry-after"]) == (429, "7")
    assert "x-rate-limit-time-reset-ms" in first.headers
    assert second.status_code == 429
    assert not [name for name in second.headers if name.startswith("x-r")]
    assert (await api.get("/v2/time")).status_code == 200


async def test_faults_match_what_they_are_told(api: Any) -> None:
    """A fault hits the operation, path, method and store it names, after those it lets pass, as often as it says."""
    await api.control(
        "POST", "/faults", {"kind": "status", "status": 500, "operation": "GET /v2/orders/{id}", "skip": 1, "times": 2}
    )
    statuses = [(await api.get("/v2/orders/100")).status_code for _ in range(4)]
    assert statuses == [200, 500, 500, 200]
    await api.control("POST", "/faults", {"kind": "status", "status": 503, "path": "^/stores/other/"})
    assert (await api.get("/v2/time")).status_code == 200
    assert (await api.control("GET", "/faults"))["faults"][0]["hits"] == 2
    bad = await api.http.post("/_control/faults", json={"kind": "meteor"})
    assert bad.status_code == 400


async def test_500_is_in_the_shape_of_the_version(api: Any) -> None:
    """An ordered 500 is an array in v2 and an object in v3, and does nothing."""
    await api.control("POST", "/faults", {"kind": "status", "status": 500, "times": 2})
    assert isinstance((await api("PUT", "/v2/orders/100", {"staff_notes": "x"})).json(), list)
    assert (await api("POST", "/v3/catalog/brands", {"name": "X"})).json()["status"] == 500
    assert (await api.get("/v2/orders/100")).json()["staff_notes"] == ""


async def test_compressed_error_bodies(api: Any) -> None:
    """An error body comes gzip-compressed although nobody asked for it."""
    await api.control("POST", "/faults", {"kind": "gzip_error", "status": 500})
    answer = await api.get("/v3/channels", **{"Accept-Encoding": "identity"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json()["status"] == 500


async def test_html_and_malformed_bodies(api: Any) -> None:
    """A proxy's page comes as HTML, a malformed body under a good status."""
    await api.control("POST", "/faults", [{"kind": "html"}, {"kind": "malformed"}])
    page = await api.get("/v2/store")
    assert (page.status_code, page.headers["content-type"]) == (502, "text/html")
    half = await api.get("/v2/store")
    assert half.status_code == 200
    with pytest.raises(ValueError):
        half.json()


async def test_commit_then_drop_in_process(api: Any) -> None:
    """drop_after does the work and loses the answer, drop_before loses the request."""
    await api.control(
        "POST", "/faults", [{"kind": "drop_before", "method": "POST"}, {"kind": "drop_after", "method": "POST"}]
    )
    for expected in (0, 1):
        with pytest.raises(httpx2.RemoteProtocolError):
            await api("POST", "/v2/orders/100/shipments", SHIPMENT)
        assert len((await api.control("GET", "/stores/shop1/orders/100"))["shipments"]) == expected


async def test_latency_lets_other_faults_match(api: Any) -> None:
    """Latency waits and then lets the next fault have the request."""
    await api.control("POST", "/faults", [{"kind": "latency", "seconds": 0.01}, {"kind": "status", "status": 503}])
    assert (await api.get("/v2/time")).status_code == 503


async def test_login_can_fail_too(api: Any) -> None:
    """Faults reach the token endpoint."""
    await api.control("POST", "/faults", {"kind": "status", "status": 503, "path": "/oauth2/token"})
    assert (await api.http.post("/oauth2/token", json={})).status_code == 503
    assert (await api.http.post("/oauth2/token", json={})).status_code == 401


async def test_log_tells_every_request(api: Any) -> None:
    """The log names operation, status and fault of every request, and no token."""
    await api.get("/v2/orders?limit=5")
    await api.control("POST", "/faults", {"kind": "status", "status": 500})
    await api.get("/v2/time")
    entries = (await api.control("GET", "/log"))["requests"]
    assert [(each["operation"], each["status"], each["fault"]) for each in entries] == [
        ("GET /v2/orders", 200, ""),
        ("GET /v2/time", 500, "status"),
    ]
    assert entries[0]["query"] == "limit=5"
    assert "token-1" not in str(entries)


async def test_controls_say_what_does_not_fit(api: Any) -> None:
    """Unknown stores, options, orders and operations are refused with a sentence."""
    for method, path, body in (
        ("GET", "/stores/nowhere", None),
        ("POST", "/stores", {"hash": "x", "color": "red"}),
        ("POST", "/stores", {"hash": "shop1"}),
        ("POST", "/stores/shop1/orders/9/status", {"status_id": 3}),
        ("POST", "/stores/shop1/orders", {"color": "red"}),
        ("POST", "/nothing", {}),
    ):
        answer = await api.http.request(method, f"/_control{path}", json=body)
        assert answer.status_code in {400, 404}, path
        assert answer.json()["error"]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The simulator under uvicorn on loopback, as demo and command line run it."""
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    app = create(stores=[{"hash": "shop1", "token": "t", "orders": 300, "quota": 10_000}])
    runner = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=runner.run)
    thread.start()
    deadline = time.monotonic() + 10
    while not runner.started and time.monotonic() < deadline and thread.is_alive():
        threading.Event().wait(0.01)
    port = runner.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    runner.should_exit = True
    thread.join(10)


@pytest.fixture
async def wire(server: str) -> Any:
    headers = {"X-Auth-Token": "t", "Accept": "application/json"}
    async with httpx2.AsyncClient(base_url=server, headers=headers, timeout=5, trust_env=False) as http:
        await http.delete("/_control/faults")
        yield http


async def test_socket_closes_without_a_byte(wire: httpx2.AsyncClient) -> None:
    """drop_before closes the connection with nothing sent, and the next request works."""
    await wire.post("/_control/faults", json={"kind": "drop_before"})
    with pytest.raises(httpx2.RemoteProtocolError):
        await wire.get("/stores/shop1/v2/time")
    assert (await wire.get("/stores/shop1/v2/time")).status_code == 200


async def test_socket_closes_after_the_work_is_done(wire: httpx2.AsyncClient) -> None:
    """drop_after changes the order and closes without an answer."""
    await wire.post("/_control/faults", json={"kind": "drop_after", "method": "PUT"})
    with pytest.raises(httpx2.RemoteProtocolError):
        await wire.put("/stores/shop1/v2/orders/101", json={"staff_notes": "done"})
    assert (await wire.get("/stores/shop1/v2/orders/101")).json()["staff_notes"] == "done"


async def test_socket_closes_in_the_middle_of_a_body(wire: httpx2.AsyncClient) -> None:
    """truncate promises a length and closes after half of it."""
    await wire.post("/_control/faults", json={"kind": "truncate"})
    with pytest.raises(httpx2.RemoteProtocolError):
        await wire.get("/stores/shop1/v2/orders?limit=250")
    assert len((await wire.get("/stores/shop1/v2/orders?limit=250")).json()) == 250


async def test_socket_that_never_answers(wire: httpx2.AsyncClient) -> None:
    """hang_after does the work and keeps the caller waiting until it gives up."""
    await wire.post("/_control/faults", json={"kind": "hang_after", "method": "PUT"})
    with pytest.raises(httpx2.ReadTimeout):
        await wire.put("/stores/shop1/v2/orders/102", json={"staff_notes": "done"}, timeout=0.2)
    assert (await wire.get("/stores/shop1/v2/orders/102")).json()["staff_notes"] == "done"


async def test_empty_answers_over_a_socket(wire: httpx2.AsyncClient) -> None:
    """204 has neither body nor length and leaves the connection usable."""
    answer = await wire.get("/stores/shop1/v2/orders?min_id=9999")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-length" not in answer.headers
    assert (await wire.get("/stores/shop1/v2/time")).status_code == 200
