"""Catalog, prices and stock go out as numbered files, and the tills answer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import anyio
import pytest
from omnichannel_pos_simulator.office import Office, verified

from omnichannel_core.model.process import State
from omnichannel_core.records import Money, Offer, OfferVariant, Price, StockLevel
from omnichannel_core.records.offers import Value

pytestmark = pytest.mark.anyio


def offers(*skus: str, price: str = "1.00") -> list[Offer]:
    """Products with one attribute."""
    return [Offer(id=sku, sku=sku, values={"variants.price": Value(text=price)}) for sku in skus]


async def deliver(shop: Any, office: Office | None = None, turns: int = 400) -> State:
    """Deliveries until they end, the office at work in between; without one, for some turns only."""
    left = turns

    def seen(process: Any) -> None:
        nonlocal left
        left -= 1
        if office is not None and process.state == "waiting":
            office.work()
        if left <= 0:
            scope.cancel()

    open_ = [one.id for one in await shop.house.processes.list("acme", kind="deliver") if one.finished_at is None]
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:
            for one in open_:
                group.start_soon(shop.house.processes.run_to_end, "acme", one, seen)
    ended = [(await shop.house.processes.get("acme", one)).state for one in open_]
    return next((state for state in ended if state is not State.SUCCEEDED), State.SUCCEEDED)


async def states(shop: Any) -> dict[str, tuple[str, str]]:
    """The newest push of each thing: state and reason."""
    rows = (await shop.house.hub.pushes("acme", connection=shop.id, limit=200)).items
    return {f"{row.stream}/{row.thing}": (row.state.value, row.reason) for row in reversed(rows)}


async def test_numbered_and_acknowledged(shop: Any) -> None:
    """All kinds share one sequence; what the tills took is accepted, a refused SKU says why, and files are archived."""
    office = Office(shop.exchange, refuse={"b": "unknown tax key"})
    await shop.house.hub.push("acme", shop.id, "offers", offers("a", "b"))
    await shop.house.hub.push("acme", shop.id, "stock", [StockLevel(id="a", sku="a", quantity=Decimal(7))])
    money = Money(Decimal("9.90"), "EUR")
    await shop.house.hub.push("acme", shop.id, "prices", [Price(id="a", sku="a", price=money)])
    assert await deliver(shop, office) is State.SUCCEEDED
    found = await states(shop)
    assert {what: state for what, (state, _) in found.items()} == {
        "offers/a": "accepted", "offers/b": "rejected", "stock/a": "accepted", "prices/a": "accepted",
    }  # fmt: skip
    assert found["offers/b"][1] == "unknown tax key"
    assert office.seen == [1, 2, 3]
    assert office.held["stock"]["a//"]["quantity"] == "7"
    assert office.held["prices"]["a//"]["price"] == "9.90"
    assert office.held["catalog"]["a//"]["values"] == {"price": "1.00"}
    assert shop.files("out") == []


async def test_snapshot_then_deltas(shop: Any, clock: Any) -> None:
    """The first file of a kind is everything, the next say what changed, and a day later everything comes again."""
    office = Office(shop.exchange)
    for number, price in enumerate(("1.00", "2.00")):
        await shop.house.hub.push("acme", shop.id, "offers", offers("a", *("b", "c")[:number], price=price))
        await deliver(shop, office)
    kinds = _headers(shop)
    assert [one["snapshot"] for one in kinds] == [True, False]
    await clock.sleep(90_000)
    await shop.house.hub.push("acme", shop.id, "offers", offers("d"))
    await deliver(shop, office)
    office.work()
    await shop.sync()
    assert [one["snapshot"] for one in _headers(shop)] == [True, False, False, True]
    fresh = Office(shop.exchange)
    fresh.ask_for("catalog")
    await shop.sync()
    fresh.seen = list(range(1, 5))
    assert fresh.work() == 1
    assert fresh.held["catalog"] == office.held["catalog"]
    assert {one.partition("/")[0] for one in fresh.held["catalog"]} == {"a", "b", "d"}


def _headers(shop: Any) -> list[dict[str, Any]]:
    import json

    files = [*(shop.exchange / "out").glob("*.json"), *(shop.exchange / "archive").rglob("out/*.json")]
    bodies = [file.read_bytes() for file in sorted(files, key=lambda file: file.name)]
    assert all(verified(body, json.loads(body)) for body in bodies)
    return [json.loads(body)["header"] for body in bodies]


async def test_a_lost_file_is_sent_again(shop: Any) -> None:
    """A file that vanished before the till read it is noticed as a gap and sent again with the same bytes."""
    office = Office(shop.exchange)
    await shop.house.hub.push("acme", shop.id, "offers", offers("a"))
    await deliver(shop, turns=6)
    await shop.house.hub.push("acme", shop.id, "stock", [StockLevel(id="a", sku="a", quantity=Decimal(1))])
    await deliver(shop, turns=6)
    (first, second) = sorted((shop.exchange / "out").glob("*.json"))
    body = first.read_bytes()
    first.unlink()
    assert office.work() == 0
    await shop.sync()
    assert first.read_bytes() == body
    assert second.exists()
    assert await deliver(shop, office) is State.SUCCEEDED
    assert office.seen == [1, 2]


async def test_a_damaged_file_is_sent_again(shop: Any) -> None:
    """A file that was changed on its way fails its checksum, and comes whole after the till asked."""
    office = Office(shop.exchange)
    await shop.house.hub.push("acme", shop.id, "offers", offers("a", price="1.00"))
    await deliver(shop, turns=6)
    (file,) = (shop.exchange / "out").glob("*.json")
    file.write_bytes(file.read_bytes().replace(b'"1.00"', b'"0.01"'))
    assert office.work() == 0
    await shop.sync()
    assert office.work() == 1
    assert office.held["catalog"]["a//"]["values"] == {"price": "1.00"}


async def test_a_broken_acknowledgement(shop: Any) -> None:
    """An answer that is none goes to error with the reason beside it, and the others count."""
    office = Office(shop.exchange)
    (shop.exchange / "ack" / "0.json").write_bytes(b'{"seq": "first"}')
    (shop.exchange / "ack" / "00.json").write_bytes(b"[" * 100_000)
    await shop.house.hub.push("acme", shop.id, "offers", offers("a"))
    assert await deliver(shop, office) is State.SUCCEEDED
    assert shop.files("error") == ["0.json", "0.json.reason.json", "00.json", "00.json.reason.json"]


async def test_variants(shop: Any) -> None:
    """Variants go out below their product, each with its own SKU and options."""
    office = Office(shop.exchange)
    variant = OfferVariant(sku="a-m", options={"Size": "M"}, values={"variants.gtin": Value(text="2000000047119")})
    await shop.house.hub.push("acme", shop.id, "offers", [Offer(id="a", sku="a", variants=(variant,))])
    await deliver(shop, office)
    (row,) = office.held["catalog"].values()
    assert row["variants"] == [
        {"sku": "a-m", "values": {"gtin": "2000000047119"}, "options": {"Size": "M"}, "product": "a"}
    ]
