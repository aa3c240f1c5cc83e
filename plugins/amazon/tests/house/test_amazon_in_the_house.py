"""The driver in the real house, against its simulator over a real socket."""

from __future__ import annotations

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
from omnichannel_core.model.process import State
from omnichannel_core.records import StockLevel
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
    """The real time, but whoever sleeps long is there at once, and so is the simulator."""

    def __init__(self, address: str) -> None:
        self.address, self.ahead = address, timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    async def sleep(self, seconds: float) -> None:
        if seconds > 1:
            self.ahead += timedelta(seconds=seconds)
            simulator.control(self.address, "clock", {"advance": seconds})
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
async def house(tmp_path: Path, address: str) -> AsyncIterator[Omnichannel]:
    """A house with the driver and its application in account acme."""
    private, public = vendor.keygen()
    async with Omnichannel(
        tmp_path / "x.db",
        trust=vendor.key_set(public),
        endpoints={"amazon": address},
        work=False,
        clock=Leaping(address),
    ) as opened:
        await opened.accounts.add("acme")
        text = vendor.issue(
            private, account="acme", driver="amazon", distribution="omnichannel-amazon", now=datetime.now(UTC),
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


async def ran(house: Omnichannel, connection: int) -> None:
    """A whole synchronize, to its end."""
    process = await house.connections.synchronize("acme", connection)
    for _ in range(200):
        ended = await house.processes.run_to_end("acme", process.id)
        if ended.state is not State.WAITING:
            break
    assert ended.state is State.SUCCEEDED, ended.error


def truth(address: str, seller: str, place: str) -> set[str]:
    """Orders of a marketplace that are no longer pending."""
    rows = simulator.control(address, f"sellers/{seller}/orders")["orders"]
    return {
        one["id"] for one in rows
        if one["marketplace"] == place and one["sales"] == "AMAZON" and not one["status"].startswith("PENDING")
    }  # fmt: skip


async def test_authorize_and_first_import(house: Omnichannel, address: str, seller: str) -> None:
    """AUTHORIZE over the consent page fills the Seller ID in, and the first import brings the marketplace's orders."""
    one = await connected(house, address, seller, DE)
    assert (await house.connections.credentials("acme", one))["seller_id"] == seller
    await ran(house, one)
    found = (await house.hub.orders("acme", connection=one, limit=200)).items
    assert {entry.id for entry in found} == truth(address, seller, DE)


async def test_two_marketplaces_of_one_grant(house: Omnichannel, address: str, seller: str) -> None:
    """Two connections of one seller share the grant, and each has the orders of its own marketplace."""
    german = await connected(house, address, seller, DE)
    french = await connected(house, address, seller, FR)
    for one in (german, french):
        await ran(house, one)
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


async def test_revoked(house: Omnichannel, address: str, seller: str) -> None:
    """A revoked authorization asks for AUTHORIZE, and says so on the connection."""
    one = await connected(house, address, seller, DE)
    simulator.control(address, f"sellers/{seller}/grants", {"alive": False})
    with pytest.raises(errors.AuthorizationNeeded):
        await house.connections.check("acme", one)
    assert (await house.connections.get("acme", one)).health is Health.ATTENTION
