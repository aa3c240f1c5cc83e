"""The driver in the real house, against its simulator over a real socket."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import anyio
import pytest

from omnichannel_core import errors
from omnichannel_core.app import Omnichannel
from omnichannel_core.driver import Call
from omnichannel_core.gate import vendor
from omnichannel_core.model.lifecycle import Health
from omnichannel_core.model.process import Process, State
from omnichannel_core.records import Cancellation, Invoice, Shipment, StockLevel
from omnichannel_core.testing import simulator

pytestmark = pytest.mark.anyio
BACK = "https://host.example/back"
DE, FR = "A1PA6795UKMFR9", "A13V1IB3VIYZZH"
APP = {"client_id": "amzn1.application-oa2-client.house", "client_secret": "amzn1.oa2-cs.v1.house",
       "application_id": "amzn1.sellerapps.app.house"}  # fmt: skip


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """Both loops."""
    return request.param


class Leaping:
    """The simulator's clock; whoever waits long is there at once, and so is the simulator."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.leap(0)

    def now(self) -> datetime:
        return datetime.fromtimestamp(time.time() + self.ahead, UTC)

    def leap(self, seconds: float) -> None:
        shown = simulator.control(self.address, "clock", {"advance": seconds})
        self.ahead = shown["start"] - shown["since"]

    async def sleep(self, seconds: float) -> None:
        if seconds > 1:
            self.leap(seconds)
        await anyio.sleep(min(seconds, 0.01))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """One simulator for all tests; each opens sellers of its own."""
    with simulator.running("amazon") as found:
        simulator.control(found, "apps", {**APP, "redirect_uris": [BACK]})
        yield found


@pytest.fixture
def seller(address: str, request: pytest.FixtureRequest) -> str:
    """A seller on two marketplaces with forty orders; its id."""
    name = f"A{abs(hash(request.node.nodeid)) % 10**9}SELLER"
    words = {"seller_id": name, "marketplaces": [DE, FR], "orders": 40, "days": 20, "types": 12, "report_delay": 0,
             "listing_delay": 0, "fba_report_lag": 0}  # fmt: skip
    simulator.control(address, "sellers", words)
    simulator.control(address, f"sellers/{name}/rates", {
        "searchOrders": {"rate": 1000, "burst": 1000}, "createReport": {"rate": 1000, "burst": 1000},
        "getMarketplaceParticipations": {"rate": 1000, "burst": 1000},
    }, method="PUT")  # fmt: skip
    return name


@pytest.fixture
def clock(address: str) -> Leaping:
    """Of the house and of the simulator."""
    return Leaping(address)


@pytest.fixture
async def house(tmp_path: Path, address: str, clock: Leaping) -> AsyncIterator[Omnichannel]:
    """A house with the driver and its application in account acme."""
    private, public = vendor.keygen()
    async with Omnichannel(
        tmp_path / "x.db",
        trust=vendor.key_set(public),
        endpoints={"amazon": address},
        work=False,
        clock=clock,
    ) as opened:
        await opened.accounts.add("acme")
        text = vendor.issue(
            private, account="acme", driver="amazon", distribution="omnichannel-amazon", now=clock.now(),
            application="app",
        )  # fmt: skip
        await opened.licenses.add("acme", text)
        values = {"application_id": APP["application_id"], "client_id": APP["client_id"],
                  "client_secrets": [APP["client_secret"]]}  # fmt: skip
        await opened.licenses.add_application(
            "acme", {"name": "app", "driver": "amazon", "version": 1, "values": values}
        )
        await opened.drivers.install("acme", "amazon")
        yield opened


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def consent(address: str, url: str, seller: str) -> Call:
    """What a merchant does in Seller Central: signs in as this seller, and confirms."""
    where = urlsplit(url)
    form = dict(parse_qsl(where.query)) | {"selling_partner_id": seller, "confirm": "1"}
    request = urllib.request.Request(address + where.path, urlencode(form).encode(), {"X-Forwarded-Host": where.netloc})
    with pytest.raises(urllib.error.HTTPError) as found:
        urllib.request.build_opener(_Stay).open(request, timeout=10)
    found.value.close()
    assert found.value.code == 302
    back = found.value.headers["Location"]
    assert back.startswith(BACK)
    return Call(method="GET", path="/back", query=dict(parse_qsl(urlsplit(back).query)))


async def connected(house: Omnichannel, address: str, seller: str, marketplace: str, typed: str = "") -> int:
    """A connection made with AUTHORIZE."""
    form = {"seller_id": typed, "marketplace": marketplace}
    begun = await house.connections.authorize("acme", "amazon", form, return_url=BACK)
    returned = await house.connections.returned(consent(address, begun.url, seller), account="acme")
    assert returned.error is None, returned.error
    assert returned.form.authorized
    saved = await house.connections.create("acme", "amazon", f"Amazon {marketplace}", draft=begun.draft)
    return int(saved.connection.id)


async def ran(house: Omnichannel, clock: Leaping, connection: int) -> list[Process]:
    """A whole synchronize, to its end; the states in which it waited, which the clocks leap over."""
    process = await house.connections.synchronize("acme", connection)
    return await driven(house, clock, process.id)


async def driven(house: Omnichannel, clock: Leaping, process: int) -> list[Process]:
    """One process to its end; the states in which it waited."""
    waited = dict[datetime, Process]()

    async def leap() -> None:
        while True:
            seen = await house.processes.get("acme", process)
            if seen.state is State.WAITING and (ahead := (seen.run_at - clock.now()).total_seconds()) > 0:
                waited[seen.run_at] = seen
                clock.leap(ahead)
            await anyio.sleep(0.05)

    with anyio.fail_after(100):
        async with anyio.create_task_group() as group:
            group.start_soon(leap)
            ended = await house.processes.run_to_end("acme", process)
            group.cancel_scope.cancel()
    assert ended.state is State.SUCCEEDED, ended.error
    return list(waited.values())


def truth(address: str, seller: str, place: str) -> set[str]:
    """Orders of a marketplace that are no longer pending."""
    rows = simulator.control(address, f"sellers/{seller}/orders")["orders"]
    return {
        one["id"] for one in rows
        if one["marketplace"] == place and one["sales"] == "AMAZON" and not one["status"].startswith("PENDING")
    }  # fmt: skip


async def test_authorize_and_first_import(house: Omnichannel, clock: Leaping, address: str, seller: str) -> None:
    """AUTHORIZE over the consent page fills the Seller ID in, and the first import brings the marketplace's orders."""
    one = await connected(house, address, seller, DE)
    assert (await house.connections.credentials("acme", one))["seller_id"] == seller
    await ran(house, clock, one)
    found = (await house.hub.orders("acme", connection=one, limit=200)).items
    assert {entry.id for entry in found} == truth(address, seller, DE)


async def test_two_marketplaces_of_one_grant(house: Omnichannel, clock: Leaping, address: str, seller: str) -> None:
    """Two connections of one seller share the grant, and each has the orders of its own marketplace."""
    german = await connected(house, address, seller, DE)
    french = await connected(house, address, seller, FR)
    for one in (german, french):
        await ran(house, clock, one)
    for one, place in ((german, DE), (french, FR)):
        found = (await house.hub.orders("acme", connection=one, limit=200)).items
        assert {entry.id for entry in found} == truth(address, seller, place)


async def test_signed_in_as_another_seller(house: Omnichannel, address: str, seller: str) -> None:
    """A consent of another seller than the typed one is refused, and nothing is connected."""
    begun = await house.connections.authorize(
        "acme", "amazon", {"seller_id": "A0OTHER", "marketplace": DE}, return_url=BACK
    )
    returned = await house.connections.returned(consent(address, begun.url, seller), account="acme")
    assert isinstance(returned.error, errors.AuthorizationDenied)
    assert await house.connections.list("acme") == []


async def test_another_seller_id_on_edit(house: Omnichannel, address: str, seller: str) -> None:
    """Another Seller ID needs AUTHORIZE by that seller, and even then is another account, which has to be wished."""
    one = await connected(house, address, seller, DE)
    other = f"{seller}B"
    words = {"seller_id": other, "marketplaces": [DE], "types": 6}
    simulator.control(address, "sellers", words)
    form = {"seller_id": other, "marketplace": DE}
    for wished in (False, True):
        with pytest.raises(errors.AuthorizationNeeded, match="AUTHORIZE"):
            await house.connections.edit("acme", one, credentials=form, move_account=wished)
    begun = await house.connections.authorize("acme", "amazon", form, return_url=BACK, connection=one)
    returned = await house.connections.returned(consent(address, begun.url, other), account="acme")
    assert returned.error is None
    with pytest.raises(errors.RemoteAccountChanged):
        await house.connections.edit("acme", one, draft=begun.draft)
    assert (await house.connections.credentials("acme", one))["seller_id"] == seller
    await house.connections.edit("acme", one, draft=begun.draft, move_account=True)
    assert (await house.connections.credentials("acme", one))["seller_id"] == other


async def test_self_authorized(house: Omnichannel, clock: Leaping, address: str, seller: str) -> None:
    """A pasted refresh token of a private app connects without AUTHORIZE, and is never shown again."""
    own = simulator.control(address, f"sellers/{seller}/authorize", {"client_id": APP["client_id"]})["refresh_token"]
    form = {"seller_id": seller, "marketplace": DE, "own_refresh_token": own}
    one = (await house.connections.create("acme", "amazon", "Own", form)).connection.id
    await ran(house, clock, one)
    assert (await house.hub.orders("acme", connection=one, limit=200)).items
    assert own not in str(await house.connections.credentials("acme", one))


async def test_end_of_authorization_is_announced(house: Omnichannel, clock: Leaping, address: str, seller: str) -> None:
    """Days before its year is over the connection says so; AUTHORIZE begins another year."""
    one = await connected(house, address, seller, DE)
    clock.leap(355 * 86400)
    await house.connections.check("acme", one)
    seen = await house.connections.get("acme", one)
    assert seen.health is Health.ATTENTION
    assert "authorization ends on" in seen.health_reason
    form = {"seller_id": seller, "marketplace": DE}
    begun = await house.connections.authorize("acme", "amazon", form, return_url=BACK, connection=one)
    await house.connections.returned(consent(address, begun.url, seller), account="acme")
    await house.connections.edit("acme", one, draft=begun.draft)
    await house.connections.check("acme", one)
    assert (await house.connections.get("acme", one)).health is Health.OK


async def test_missing_role_holds_up_nothing_else(
    house: Omnichannel, clock: Leaping, address: str, seller: str
) -> None:
    """Without the role of its reports a synchronize brings the orders all the same, and says what is missing."""
    one = await connected(house, address, seller, DE)
    simulator.control(address, f"sellers/{seller}/grants", {"roles": ["orders", "listing", "buyer", "shipping"]})
    await ran(house, clock, one)
    assert (await house.hub.orders("acme", connection=one, limit=200)).items
    seen = await house.connections.get("acme", one)
    assert seen.health is Health.ATTENTION
    assert "fba: createReport: 403" in seen.health_reason


async def test_stock_there_and_back(house: Omnichannel, address: str, seller: str) -> None:
    """A quantity is pushed, looked for, and accepted once Amazon shows it."""
    one = await connected(house, address, seller, DE)
    listings = simulator.control(address, f"sellers/{seller}/listings")["listings"]
    sku = next(row["sku"] for row in listings if row["fba"] is None)
    (row,) = await house.hub.push("acme", one, "stock", [StockLevel(id=sku, sku=sku, quantity=Decimal(42))])
    (process,) = await house.processes.list("acme", kind="deliver")
    await house.processes.run_to_end("acme", process.id)
    (done,) = (await house.hub.pushes("acme", connection=one, keys=[row.key])).items
    assert done.state in ("pending", "accepted"), done
    listings = simulator.control(address, f"sellers/{seller}/listings")["listings"]
    live = next(row for row in listings if row["sku"] == sku)["live"]
    assert live["fulfillment_availability"][0]["quantity"] == 42


async def test_shipment_invoice_and_cancellation(house: Omnichannel, clock: Leaping, address: str, seller: str) -> None:
    """Of three imported orders one is shipped, one billed, one cancelled, and Amazon has it so."""
    one = await connected(house, address, seller, DE)
    ids = {kind: f"303-0000000-000000{n}" for n, kind in enumerate(("ship", "bill", "stop"))}
    for kind, ident in ids.items():
        words = {"kind": "mfn", "id": ident, "marketplace": DE, "at": clock.now().timestamp() - 7200}
        words |= {"status": "SHIPPED"} if kind == "bill" else {}
        simulator.control(address, f"sellers/{seller}/orders", words)
    await ran(house, clock, one)
    boxes = {"shipments_b2c": [DE], "invoices_b2c": [DE]}
    await house.connections.edit("acme", one, settings={"order-export": boxes})
    pushed = {
        "shipments": Shipment(id="s", order_id=ids["ship"], carrier="DHL GoGreen", tracking="T1"),
        "invoices": Invoice(id="i", order_id=ids["bill"], number="RE-1", pdf=b"%PDF", extra={"vat": "0"}),
        "cancellations": Cancellation(id="c", order_id=ids["stop"]),
    }
    for stream, record in pushed.items():
        (row,) = await house.hub.push("acme", one, stream, [record])
        for _ in range(12):
            for process in await house.processes.list("acme", kind="deliver"):
                if process.open:
                    await driven(house, clock, process.id)
            (done,) = (await house.hub.pushes("acme", connection=one, keys=[row.key])).items
            if done.state not in ("queued", "pending"):
                break
            clock.leap(600)
        assert done.state == "accepted", done.reason
    orders = {row["id"]: row for row in simulator.control(address, f"sellers/{seller}/orders")["orders"]}
    assert (orders[ids["ship"]]["status"], orders[ids["stop"]]["status"]) == ("SHIPPED", "CANCELLED")
    assert [row["number"] for row in simulator.control(address, f"sellers/{seller}/invoices")["invoices"]] == ["RE-1"]


async def test_pain_07_refused_once(house: Omnichannel, clock: Leaping, address: str, seller: str) -> None:
    """A bucket that somebody else emptied, at a rate lower than told before: a 429 for each of the two, waits that are
    seen, and then everything; never a storm."""
    one = await connected(house, address, seller, DE)
    emptied = {"client_id": APP["client_id"], "operation": "searchOrders", "tokens": 1000}
    simulator.control(address, f"sellers/{seller}/rates", {"searchOrders": {"rate": 0.0056, "burst": 20}}, method="PUT")
    simulator.control(address, f"sellers/{seller}/take", emptied)
    waited = await ran(house, clock, one)
    assert any(seen.error_key == "rate_limited" for seen in waited)
    requests = simulator.control(address, f"sellers/{seller}/figures")["requests"]
    assert requests["searchOrders 429"] <= 2
    found = (await house.hub.orders("acme", connection=one, limit=200)).items
    assert {entry.id for entry in found} == truth(address, seller, DE)


async def test_pain_23_trouble_for_hours(house: Omnichannel, clock: Leaping, address: str, seller: str) -> None:
    """While Amazon answers InternalFailure for hours it is asked ever less often, and then everything arrives."""
    one = await connected(house, address, seller, DE)
    begun = clock.now()
    fault = {"kind": "status", "operation": "searchOrders", "seller": seller, "status": 500, "times": 28}
    simulator.control(address, "faults", fault)
    waited = await ran(house, clock, one)
    simulator.control(address, "faults", method="DELETE")
    assert clock.now() - begun > timedelta(minutes=20)
    assert {seen.error_key for seen in waited} >= {"remote_unavailable"}
    found = (await house.hub.orders("acme", connection=one, limit=200)).items
    assert {entry.id for entry in found} == truth(address, seller, DE)


async def test_rotated_refresh_token(house: Omnichannel, clock: Leaping, address: str, seller: str) -> None:
    """A refresh token that Amazon replaces is kept: renewed again and again, the connection goes on working."""
    one = await connected(house, address, seller, DE)
    simulator.control(address, f"apps/{APP['client_id']}", {"rotate_refresh": True}, method="PUT")
    try:
        for _ in range(3):
            clock.leap(4000)
            assert "orders" in (await house.connections.check("acme", one)).works
    finally:
        simulator.control(address, f"apps/{APP['client_id']}", {"rotate_refresh": False}, method="PUT")


async def test_revoked(house: Omnichannel, address: str, seller: str) -> None:
    """A revoked authorization asks for AUTHORIZE, and says so on the connection."""
    one = await connected(house, address, seller, DE)
    simulator.control(address, f"sellers/{seller}/grants", {"alive": False})
    with pytest.raises(errors.AuthorizationNeeded):
        await house.connections.check("acme", one)
    assert (await house.connections.get("acme", one)).health is Health.ATTENTION
