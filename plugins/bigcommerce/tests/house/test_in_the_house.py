"""The driver in the real house, against its simulator over a real socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import anyio
import pytest

from omnichannel_core import errors
from omnichannel_core.app import Omnichannel
from omnichannel_core.driver import Call
from omnichannel_core.gate import vendor
from omnichannel_core.model.lifecycle import Health
from omnichannel_core.model.process import State
from omnichannel_core.records import Order, Shipment
from omnichannel_core.storage.hub import Found
from omnichannel_core.testing import simulator

pytestmark = pytest.mark.anyio
BASE = "https://host.example/omnichannel"
TOKEN = "token-of-the-store-0123456789"
APP = {"client_id": "app-client", "client_secret": "app-client-secret-987654321"}


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """Both loops."""
    return request.param


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """One simulator for all tests; each opens stores of its own."""
    with simulator.running("bigcommerce") as found:
        simulator.control(found, "apps", {**APP, "auth_callback": f"{BASE}/callbacks/bigcommerce/auth"})
        yield found


@pytest.fixture
def store(address: str, request: pytest.FixtureRequest) -> str:
    """A store of 30 orders; its hash."""
    name = f"s{abs(hash(request.node.nodeid)) % 10**9}"
    simulator.control(address, "stores", {"hash": name, "token": TOKEN, "orders": 30, "products": 6, "quota": 450})
    return name


@pytest.fixture
async def house(tmp_path: Path, address: str) -> AsyncIterator[Omnichannel]:
    """A house with the driver and its application in account acme, and an account without."""
    private, public = vendor.keygen()
    trust, now = vendor.key_set(public), datetime.now(UTC)
    async with Omnichannel(
        tmp_path / "x.db", trust=trust, endpoints={"bigcommerce": address}, work=False,
        callback_base=BASE,
    ) as opened:  # fmt: skip
        await opened.accounts.add("acme")
        text = vendor.issue(
            private,
            account="acme",
            driver="bigcommerce",
            distribution="omnichannel-bigcommerce",
            now=now,
            application="app",
        )
        await opened.licenses.add("acme", text)
        values = {"client_id": APP["client_id"], "client_secrets": [APP["client_secret"]]}
        document = {"name": "app", "driver": "bigcommerce", "version": 1, "values": values}
        await opened.licenses.add_application("acme", document)
        await opened.drivers.install("acme", "bigcommerce")
        yield opened


async def connected(house: Omnichannel, store: str) -> int:
    """A connection after its first synchronize."""
    typed = {"store_hash": store, "access_token": TOKEN}
    saved = await house.connections.create("acme", "bigcommerce", "Shop", typed)
    assert saved.process is not None
    ended = await house.processes.run_to_end("acme", saved.process.id)
    assert (ended.state, ended.error) == (State.SUCCEEDED, "")
    return saved.connection.id


async def test_first_import(house: Omnichannel, address: str, store: str) -> None:
    """What is stored is what the store has in the statuses that are on, and nothing else."""
    one = await connected(house, store)
    wanted = {3, 8, 9, 10, 11, 14}
    found = (await house.hub.orders("acme", connection=one, limit=200)).items
    facts = simulator.control(address, f"stores/{store}")
    truth = set()
    for number in range(facts["first_order_id"], facts["next_order_id"]):
        there = simulator.control(address, f"stores/{store}/orders/{number}")["order"]
        if there["status_id"] in wanted and not there["is_deleted"]:
            truth.add(str(number))
    assert {entry.id for entry in found} == truth


async def test_nothing_new(house: Omnichannel, address: str, store: str) -> None:
    """A scheduled look with nothing new costs at most two requests a record stream."""
    one = await connected(house, store)
    simulator.control(address, f"stores/{store}/figures", method="DELETE")
    process = await house.connections.synchronize("acme", one)
    await house.processes.run_to_end("acme", process.id)
    asked = simulator.control(address, f"stores/{store}/figures")["requests"]
    assert asked["GET /v2/orders"] <= 2
    assert asked["GET /v3/orders/payment_actions/refunds"] <= 2


async def test_wrong_token(house: Omnichannel, store: str) -> None:
    """A token that the store does not know is refused as such, and nothing is stored."""
    with pytest.raises(errors.CredentialsRejected):
        await house.connections.create(
            "acme", "bigcommerce", "Shop", {"store_hash": store, "access_token": "wrong-token"}
        )
    assert await house.connections.list("acme") == []


def browser(path: str, url: str) -> Call:
    """What a browser or server of BigCommerce sends."""
    return Call(method="GET", path=path, query=dict(parse_qsl(urlsplit(url).query)))


async def test_install_begun_at_bigcommerce(house: Omnichannel, address: str, store: str) -> None:
    """An install waits for a signed-in user, fills both fields, and its id becomes the connection's."""
    begun = simulator.control(address, f"apps/{APP['client_id']}/install", {"hash": store})
    answer = await house.connections.receive("bigcommerce", browser("auth", begun["url"]))
    assert answer.draft is not None
    assert await house.connections.list("acme") == []
    form = await house.connections.confirm("acme", answer.draft, claim=answer.claim, actor="anna")
    assert form.values["store_hash"] == store
    assert form.values["access_token"] == {"set": True}
    saved = await house.connections.create("acme", "bigcommerce", "Shop", draft=answer.draft, actor="anna")
    assert saved.connection.id == answer.draft
    loaded = simulator.control(address, f"apps/{APP['client_id']}/callback", {"hash": store, "kind": "load"})
    again = await house.connections.receive("bigcommerce", browser("load", loaded["url"]))
    assert list(again.connections) == [saved.connection.id]
    gone = simulator.control(address, f"apps/{APP['client_id']}/callback", {"hash": store, "kind": "uninstall"})
    await house.connections.receive("bigcommerce", browser("uninstall", gone["url"]))
    assert (await house.connections.get("acme", saved.connection.id)).health is Health.ATTENTION


@pytest.mark.parametrize("flaw", ["wrong_aud", "expired", "bad_signature", "none"])
async def test_forged_calls(house: Omnichannel, address: str, store: str, flaw: str) -> None:
    """A call that BigCommerce did not sign for this app is refused."""
    made = simulator.control(
        address, f"apps/{APP['client_id']}/callback", {"hash": store, "kind": "uninstall", "flaw": flaw}
    )
    with pytest.raises(errors.CallRefused):
        await house.connections.receive("bigcommerce", browser("uninstall", made["url"]))


async def test_shipment_with_lost_answer(house: Omnichannel, address: str, store: str) -> None:
    """A shipment that was made and not answered is found by looking, and never made twice."""
    one = await connected(house, store)
    found = (await house.hub.orders("acme", connection=one, state="11", limit=50)).items
    orders = [await house.hub.order("acme", one, entry.id) for entry in found]
    order = next(order for order in orders if _plain(order))
    fault = {"kind": "drop_after", "times": 1, "method": "POST", "path": f"/orders/{order.id}/shipments"}
    simulator.control(address, "faults", {**fault, "store": store})
    parcel = Shipment(id="parcel-1", order_id=order.id, carrier="dhl", tracking="T1")
    (row,) = await house.hub.push("acme", one, "shipments", [parcel])
    (process,) = await house.processes.list("acme", kind="deliver")
    ended = await house.processes.run_to_end("acme", process.id)
    assert ended.state is State.SUCCEEDED
    (done,) = (await house.hub.pushes("acme", connection=one, keys=[row.key])).items
    assert done.state == "accepted"
    there = simulator.control(address, f"stores/{store}/orders/{order.id}")
    assert len(there["shipments"]) == 1
    posts = [one for one in simulator.control(address, f"log?store={store}")["requests"] if one["method"] == "POST"]
    assert [one["fault"] for one in posts if one["path"].endswith(f"/orders/{order.id}/shipments")] == ["drop_after"]


def _plain(order: Order) -> bool:
    """Physical lines only, to one address."""
    lines = order.lines
    if not hasattr(lines, "values"):
        return False
    return all(line.kind == "product" and line.quantity > Decimal(0) for line in lines.values()) and (
        len({line.ship_to for line in lines.values()}) == 1
    )


async def test_widening_fills_in(house: Omnichannel, store: str) -> None:
    """A status switched on brings its older orders, once; switched off again it removes none."""
    one = await connected(house, store)
    before = await house.hub.count("acme", Found(kind="Order", connection=one))
    every = list(range(15))
    saved = await house.connections.edit("acme", one, settings={"orders": {"statuses": every}})
    assert saved.process is not None
    await house.processes.run_to_end("acme", saved.process.id)
    after = await house.hub.count("acme", Found(kind="Order", connection=one))
    assert after > before
    saved = await house.connections.edit("acme", one, settings={"orders": {"statuses": [11]}})
    assert saved.process is not None
    await house.processes.run_to_end("acme", saved.process.id)
    assert await house.hub.count("acme", Found(kind="Order", connection=one)) == after


def truth(address: str, store: str) -> set[str]:
    """Ids of the orders that the default filter admits, as the store has them."""
    facts, found = simulator.control(address, f"stores/{store}"), set()
    for number in range(facts["first_order_id"], facts["next_order_id"]):
        there = simulator.control(address, f"stores/{store}/orders/{number}")["order"]
        if there["status_id"] in {3, 8, 9, 10, 11, 14} and not there["is_deleted"]:
            found.add(str(number))
    return found


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 429, "retry_after": 1},
        {"kind": "truncate"},
        {"kind": "drop_before"},
        {"kind": "drop_after"},
    ],
    ids=lambda fault: f"{fault['kind']}-{fault.get('status', '')}",
)
async def test_faults_while_orders_come(house: Omnichannel, address: str, store: str, fault: dict[str, Any]) -> None:
    """A fault in the middle of an import costs a repeat, and no order is lost or doubled."""
    simulator.control(address, f"stores/{store}/quota", {"limit": 100, "window_ms": 1500}, method="PUT")
    typed = {"store_hash": store, "access_token": TOKEN}
    saved = await house.connections.create("acme", "bigcommerce", "Shop", typed)
    simulator.control(address, "faults", {**fault, "times": 2, "skip": 1, "path": "/v[23]/orders", "store": store})
    assert saved.process is not None
    ended = await house.processes.run_to_end("acme", saved.process.id)
    assert (ended.state, ended.error) == (State.SUCCEEDED, "")
    hits = [each["fault"] for each in simulator.control(address, f"log?store={store}")["requests"] if each["fault"]]
    assert hits == [fault["kind"]] * 2
    found = (await house.hub.orders("acme", connection=saved.connection.id, limit=200)).items
    assert len(found) == len({entry.id for entry in found})
    assert {entry.id for entry in found} == truth(address, store)


def webhooks(address: str, store: str) -> list[tuple[str, Call]]:
    """(key of the connection, call) of every webhook that is due, as BigCommerce sends it."""
    found = []
    for each in simulator.control(address, f"stores/{store}/deliveries")["deliveries"]:
        key = each["destination"].removeprefix(f"{BASE}/callbacks/bigcommerce/")
        head = {name.lower(): value for name, value in each["headers"].items()}
        found.append((key, Call(method="POST", path="", headers=head, body=each["body"].encode())))
        simulator.control(address, f"stores/{store}/deliveries/{each['id']}", {"status": 200})
    return found


async def test_webhooks(house: Omnichannel, address: str, store: str) -> None:
    """A changed order is fetched because BigCommerce called, once however often it calls; forged calls are refused."""
    simulator.control(address, f"stores/{store}", {"hook_lag": 0}, method="PUT")
    one = await connected(house, store)
    (order, *_) = [each.id for each in (await house.hub.orders("acme", connection=one, state="11", limit=200)).items]
    webhooks(address, store)
    simulator.control(address, f"stores/{store}/orders/{order}/status", {"status_id": 10})
    simulator.control(address, f"stores/{store}/figures", method="DELETE")
    calls = [(key, call) for key, call in webhooks(address, store) if json.loads(call.body)["data"]["id"] == int(order)]
    assert calls
    before = {each.id for each in await house.processes.list("acme", connection=one)}
    for key, call in calls * 2:
        await house.connections.receive("bigcommerce", call, key=key)
    queued = [each for each in await house.processes.list("acme", connection=one) if each.id not in before]
    assert 1 <= len(queued) <= len(calls)
    for each in queued:
        assert (await house.processes.run_to_end("acme", each.id)).state is State.SUCCEEDED
    assert str((await house.hub.order("acme", one, order)).status) == "10"
    asked = simulator.control(address, f"stores/{store}/figures")["requests"]
    assert asked.get("GET /v3/orders/payment_actions/refunds", 0) == 0
    key, call = calls[0]
    forged = Call(method="POST", path="", headers={"x-omnichannel-secret": "guessed"}, body=call.body)
    with pytest.raises(errors.CallRefused):
        await house.connections.receive("bigcommerce", forged, key=key)


async def test_two_connections_share_a_quota(house: Omnichannel, address: str, store: str) -> None:
    """Two connections to one store spend one quota: together they stay within it, and the store refuses nothing."""
    simulator.control(address, f"stores/{store}/quota", {"limit": 12, "window_ms": 1500}, method="PUT")
    typed = {"store_hash": store, "access_token": TOKEN}
    made = [await house.connections.create("acme", "bigcommerce", name, typed) for name in ("One", "Two")]
    async with anyio.create_task_group() as group:
        for saved in made:
            assert saved.process is not None
            group.start_soon(house.processes.run_to_end, "acme", saved.process.id)
    for saved in made:
        found = await house.hub.orders("acme", connection=saved.connection.id, limit=200)
        assert {entry.id for entry in found.items} == truth(address, store)
    figures = simulator.control(address, f"stores/{store}/figures")
    assert sum(figures["requests"].values()) > 24
    assert figures["statuses"].get("429", 0) == 0
