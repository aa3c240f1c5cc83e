"""Stores over REST, with the real driver."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from omnichannel_pos_simulator.live import pushed
from omnichannel_pos_simulator.till import Till
from starlette.requests import Request

from omnichannel_core.app import Omnichannel
from omnichannel_core.web import Actor, create_web
from omnichannel_core.web.actors import EVERYTHING

pytestmark = pytest.mark.anyio
STORES = "/api/v1/stores"


async def resolve(request: Request) -> Actor | None:
    """The account that a header says."""
    account = request.headers.get("x-account", "acme")
    return Actor(id="ann", account=account, permissions=EVERYTHING, display="Ann")


@pytest.fixture
async def web(house: Omnichannel) -> AsyncIterator[httpx2.AsyncClient]:
    """Ann in account acme."""
    app = create_web(house, resolve=resolve)
    headers = {"sec-fetch-site": "same-origin"}
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app), base_url="https://host.example", headers=headers
    ) as client:
        yield client


async def test_a_store_over_rest(web: Any, house: Omnichannel) -> None:
    """A store is added, shown, edited and fed; no answer tells a place on the host's disk."""
    made = await web.post(STORES, json={"name": "Berlin", "address": "Markt 1"})
    assert made.status_code == 201
    one = made.json()["connection"]["id"]
    await house.processes.run_to_end("acme", made.json()["process"]["id"])
    assert (await web.patch(f"{STORES}/{one}", json={"name": "Bonn"})).json()["connection"] == "POS store Bonn"
    (listed,) = (await web.get(STORES)).json()
    assert (listed["id"], listed["name"], listed["address"], listed["currency"]) == (one, "Bonn", "Markt 1", "EUR")
    assert "exchange" not in json.dumps(listed)
    till = Till(seed=1)
    receipts = [json.loads(pushed(till, till.sell())) for _ in range(3)]
    assert (await web.post(f"{STORES}/{one}/receipts", json={"receipts": receipts})).status_code == 204
    process = await house.connections.synchronize("acme", one)
    await house.processes.run_to_end("acme", process.id)
    assert {entry.id for entry in (await house.hub.orders("acme")).items} == set(till.truth.orders)


async def test_pushed_to_the_address(web: Any) -> None:
    """A till that knows the store's address pushes there without any login."""
    one = (await web.post(STORES, json={"name": "Berlin"})).json()["connection"]["id"]
    url = (await web.get(f"{STORES}/{one}/address")).json()["url"]
    path = url.removeprefix("https://host.example/omnichannel")
    till = Till(seed=2)
    answer = await web.post(path, content=pushed(till, till.sell()))
    assert answer.status_code == 200
    assert (await web.post(path, content=b"{}")).status_code == 401
    assert (await web.post("/callbacks/pos/" + "x" * 32, content=b"{}")).status_code == 404


async def test_refused(web: Any) -> None:
    """What does not fit is a problem with fields, and another account finds nothing."""
    wrong = await web.post(STORES, json={"name": "Berlin", "currency": "euro"})
    assert (wrong.status_code, set(wrong.json()["fields"])) == (422, {"currency"})
    one = (await web.post(STORES, json={"name": "Berlin"})).json()["connection"]["id"]
    bad = await web.post(f"{STORES}/{one}/receipts", json={"receipts": [{"head": {}}]})
    assert (bad.status_code, set(bad.json()["fields"])) == (422, {"receipt"})
    other = {"x-account": "other"}
    assert (await web.get(f"{STORES}/{one}", headers=other)).status_code == 404
    assert (await web.get(STORES, headers=other)).json() == []
