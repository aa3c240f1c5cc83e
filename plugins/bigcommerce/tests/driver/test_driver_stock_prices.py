"""Stock and prices against the simulated store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from omnichannel_bigcommerce.sync.data_model import DATA_MODEL
from omnichannel_bigcommerce.sync.prices import PRICES
from omnichannel_bigcommerce.sync.stock import STOCK

from omnichannel_core import errors
from omnichannel_core.driver import Accepted, Batch, Item, Later, Rejected
from omnichannel_core.records import Money, Price, StockLevel

pytestmark = pytest.mark.anyio
Make = Callable[..., Any]


def batch(*records: Any, remote: dict[str, str] | None = None) -> Batch[Any]:
    return Batch(key="b1", items=[Item(key=one.id, record=one, remote=remote or {}) for one in records])


def level(sku: str, quantity: str = "7", location: str = "") -> StockLevel:
    return StockLevel(id=f"{sku}@{location}", sku=sku, quantity=Decimal(quantity), location=location)


def price(sku: str, amount: str = "12.345", **said: Any) -> Price:
    return Price(id=sku, sku=sku, price=Money(Decimal(amount), said.pop("currency", "USD")), **said)


def products(here: Any) -> list[Any]:
    return list(here.store.catalog.products.values())


def simple(here: Any, tracking: str = "") -> Any:
    return next(p for p in products(here) if not p.options and tracking in ("", p.row["inventory_tracking"]))


def varied(here: Any) -> Any:
    return next(p for p in products(here) if p.options)


def tracked(here: Any) -> list[str]:
    """SKUs whose stock is kept by variant."""
    return [v["sku"] for p in products(here) for v in p.variants if p.row["inventory_tracking"] == "variant"]


def adjustments(here: Any, since: int = 0) -> int:
    return len([1 for _, path in here.asked(since) if path == "/v3/inventory/adjustments/absolute"])


async def test_stock(shop: Make):
    """Absolute quantities arrive in one call, at the default location, again and again."""
    here = shop(products=8)
    await here.session.run(DATA_MODEL)
    skus = tracked(here)
    since = len(here.session.sent)
    for _ in range(2):
        outcomes = await STOCK.push(here.session, batch(*(level(sku) for sku in skus)))
        assert list(outcomes.values()) == [Accepted()] * len(outcomes)
    assert adjustments(here, since) == 2


async def test_stock_before_the_lists(shop: Make):
    """Without pulled locations the default one is asked for."""
    here = shop(products=8)
    sku = tracked(here)[0]
    assert await STOCK.push(here.session, batch(level(sku))) == {f"{sku}@": Accepted()}


async def test_one_bad_stock_item(shop: Make):
    """Among many, the one unknown SKU is found by halving and the others are taken."""
    here = shop(products=20)
    await here.session.run(DATA_MODEL)
    skus = tracked(here)
    outcomes = await STOCK.push(here.session, batch(*(level(sku) for sku in skus), level("NO-SUCH")))
    refused = {key for key, one in outcomes.items() if isinstance(one, Rejected)}
    assert refused == {"NO-SUCH@"}
    assert len(outcomes) == len(skus) + 1


async def test_stock_that_cannot_be_said(shop: Make):
    """Fractions, negatives and unknown locations are refused without asking."""
    here = shop(products=4)
    await here.session.run(DATA_MODEL)
    since = len(here.session.sent)
    wrong = [level("A", "1.5"), level("B", "-1"), level("C", "1", "999"), level("D", "NaN")]
    outcomes = await STOCK.push(here.session, batch(*wrong))
    assert [type(one) for one in outcomes.values()] == [Rejected] * 4
    assert len(here.session.sent) == since


async def test_stock_tracked_otherwise(shop: Make):
    """Stock tracked by product is sent again under the identity the remote asks for."""
    here = shop(products=20)
    await here.session.run(DATA_MODEL)
    words = "[Item with variant_id 106 is tracked by product, please update stock by product id]"
    await here.control("POST", "//faults", {"kind": "status", "status": 422, "title": words, "method": "PUT"})
    product = next(p for p in products(here) if p.row["inventory_tracking"] == "product")
    sku = product.variants[0]["sku"]
    outcomes = await STOCK.push(here.session, batch(level(sku)))
    assert outcomes == {f"{sku}@": Accepted()}
    assert f'"product_id":{product.id}'.encode() in here.session.sent[-1].body


async def test_tracking_text_for_several(shop: Make):
    """A refusal of several at once is taken apart before any is sent under another identity."""
    here = shop(products=20)
    await here.session.run(DATA_MODEL)
    words = "[Item with variant_id 106 is tracked by product, please update stock by product id]"
    await here.control("POST", "//faults", {"kind": "status", "status": 422, "title": words, "method": "PUT"})
    outcomes = await STOCK.push(here.session, batch(*(level(sku) for sku in tracked(here)[:2])))
    assert list(outcomes.values()) == [Accepted(), Accepted()]


async def test_untracked_stock(shop: Make):
    """Stock of what is not tracked is refused in the remote's words, one request for each beside the rest."""
    here = shop(products=20)
    await here.session.run(DATA_MODEL)
    skus = [v["sku"] for p in products(here) for v in p.variants]
    untracked = {f"{v['sku']}@" for p in products(here) if p.row["inventory_tracking"] == "none" for v in p.variants}
    since = len(here.session.sent)
    outcomes = await STOCK.push(here.session, batch(*(level(sku) for sku in skus)))
    assert {key for key, one in outcomes.items() if isinstance(one, Rejected)} == untracked
    assert adjustments(here, since) == 2 * len(untracked) + 1


async def test_stock_by_location(shop: Make):
    """Each location is a call of its own; a location may be named by id or code."""
    here = shop(products=8)
    here.store.locations[2] = here.store.locations[1] | {"id": 2, "code": "OUTLET"}
    await here.session.run(DATA_MODEL)
    sku = tracked(here)[0]
    since = len(here.session.sent)
    outcomes = await STOCK.push(here.session, batch(level(sku), level(sku, "3", "OUTLET"), level(sku, "4", "1")))
    assert list(outcomes.values()) == [Accepted()] * len(outcomes)
    assert adjustments(here, since) == 2


async def test_prices(shop: Make):
    """A simple product's price and a variant's price arrive, the ids are remembered and spare the next lookup."""
    here = shop(products=12)
    plain, other = simple(here), varied(here)
    sku = other.variants[0]["sku"]
    outcomes = await PRICES.push(here.session, batch(price(plain.row["sku"], "9.9900"), price(sku, "8.25")))
    first, second = outcomes[plain.row["sku"]], outcomes[sku]
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert first.remote["variant"] == "0"
    assert second.remote["variant"] == str(other.variants[0]["id"])
    assert Decimal(str(plain.row["price"])) == Decimal("9.99")
    assert Decimal(str(other.variants[0]["price"])) == Decimal("8.25")
    since = len(here.session.sent)
    await PRICES.push(here.session, batch(price(sku, "8.30"), remote=dict(second.remote)))
    assert here.asked(since) == [("PUT", "/v3/catalog/variants")]


async def test_prices_are_exact(shop: Make):
    """The digits that leave are those that were given."""
    here = shop(products=4)
    sku = simple(here).row["sku"]
    await PRICES.push(here.session, batch(price(sku, "1234567890.12345", sale_price=Money(Decimal("0.10"), "USD"))))
    assert b'"price":1234567890.12345,"sale_price":0.10' in here.session.sent[-1].body


async def test_prices_that_cannot_be_said(shop: Make):
    """An unknown SKU, another currency, no price and an unknown list are refused with the reason."""
    here = shop(products=4)
    await here.session.run(DATA_MODEL)
    sku = simple(here).row["sku"]
    outcomes = await PRICES.push(
        here.session,
        batch(
            price("NO-SUCH"),
            Price(id="euro", sku=sku, price=Money(Decimal(1), "EUR")),
            Price(id="none", sku=sku),
            Price(id="list", sku=sku, price=Money(Decimal(1), "USD"), list="Nobody's"),
        ),
    )
    reasons = {key: one.reason for key, one in outcomes.items() if isinstance(one, Rejected)}
    assert set(reasons) == {"NO-SUCH", "euro", "none", "list"}
    assert "USD" in reasons["euro"]
    assert "NO-SUCH" in reasons["NO-SUCH"]


async def test_prices_with_dates(shop: Make):
    """A price of the future waits for its day, and an end that cannot be said is noted."""
    here = shop(products=4)
    sku, now = simple(here).row["sku"], here.session.clock.now()
    soon = await PRICES.push(here.session, batch(price(sku, valid_from=now + timedelta(hours=2))))
    assert isinstance(soon[sku], Later)
    assert soon[sku].wait.seconds == 7200
    ending = await PRICES.push(here.session, batch(price(sku, valid_to=now + timedelta(hours=2))))
    assert "no end" in ending[sku].note


async def test_price_lists(shop: Make):
    """Prices of a list go as its records, by the list's name or id; one bad SKU does not stop the others."""
    here = shop(products=12)
    url = "https://api.bigcommerce.com/stores/abc123/v3/pricelists"
    await here.session.http.send("createPriceList", "POST", url, json={"name": "Wholesale"})
    await here.session.run(DATA_MODEL)
    skus = [p.variants[0]["sku"] for p in products(here)]
    since = len(here.session.sent)
    outcomes = await PRICES.push(
        here.session,
        batch(*(price(sku, list="Wholesale", currency="USD") for sku in skus), price("NO-SUCH", list="Wholesale")),
    )
    assert {key for key, one in outcomes.items() if isinstance(one, Rejected)} == {"NO-SUCH"}
    assert {path for _, path in here.asked(since)} == {"/v3/pricelists/" + next(iter(await ids(here))) + "/records"}


async def ids(here: Any) -> list[str]:
    return list(await here.session.choices("price_lists"))


async def test_trouble_is_not_a_refusal(shop: Make):
    """When the remote is down a batch is neither accepted nor refused."""
    here = shop(products=4)
    await here.session.run(DATA_MODEL)
    await here.control("POST", "//faults", {"kind": "status", "status": 502, "times": -1, "method": "PUT"})
    sku = simple(here).row["sku"]
    with pytest.raises(errors.RemoteUnavailable):
        await STOCK.push(here.session, batch(level(sku)))
    with pytest.raises(errors.RemoteUnavailable):
        await PRICES.push(here.session, batch(price(sku)))
