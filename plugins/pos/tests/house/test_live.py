"""Receipts pushed during the day, and the closing that takes their place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from omnichannel_pos_simulator.live import pushed
from omnichannel_pos_simulator.till import Till
from omnichannel_pos_simulator.writing import as_zip, drop

from omnichannel_core import errors
from omnichannel_core.driver import Call

pytestmark = pytest.mark.anyio


async def ids(shop: Any) -> tuple[set[str], set[str], set[str]]:
    """Of orders, returns and cash entries."""
    return tuple([set(await shop.records(kind)) for kind in ("Order", "Return", "CashEntry")])  # type: ignore[return-value]


@pytest.mark.parametrize("seed", range(4))
async def test_superseded_by_the_closing(shop: Any, seed: int) -> None:
    """What was pushed is there at once, and after the closing the books hold what the closing alone would give."""
    till = Till(seed=seed)
    till.work(80)
    till.void()
    for receipt in till.receipts:
        await shop.house.stores.receive("acme", shop.id, pushed(till, receipt))
    await shop.sync()
    orders, returns, cash = await ids(shop)
    live = await shop.records("Order")
    assert orders
    assert all(order.extra["live"] == "yes" for order in live.values())
    day = till.close()
    assert orders <= set(day.truth.orders)
    assert returns <= set(day.truth.returns)
    assert cash == set(day.truth.cash)
    drop(as_zip([day]), shop.exchange / "in", "z.zip")
    await shop.sync()
    found = await shop.records("Order")
    assert {one: (int(order.gross.amount * 100), order.state) for one, order in found.items()} == day.truth.orders
    assert not any("live" in order.extra for order in found.values())
    assert set(await shop.records("Return")) == set(day.truth.returns)
    assert set(await shop.records("CashEntry")) == set(day.truth.cash)


async def test_a_late_receipt_changes_nothing(shop: Any) -> None:
    """A receipt that is pushed after its closing came is known already."""
    till = Till(seed=11)
    sale = till.sell()
    body = pushed(till, sale)
    drop(as_zip([till.close()]), shop.exchange / "in", "z.zip")
    await shop.sync()
    before = await shop.records("Order")
    await shop.house.stores.receive("acme", shop.id, body)
    await shop.sync()
    assert await shop.records("Order") == before


async def test_a_list_and_a_repeat(shop: Any) -> None:
    """A list of receipts is taken, and the same one pushed again is the same one."""
    till = Till(seed=12)
    bodies = [pushed(till, till.sell()) for _ in range(3)]
    await shop.house.stores.receive("acme", shop.id, b"[" + b",".join(bodies) + b"]")
    await shop.house.stores.receive("acme", shop.id, json.loads(bodies[1]))
    await shop.house.stores.receive("acme", shop.id, bodies[1])
    await shop.sync()
    assert set(await shop.records("Order")) == set(till.truth.orders)


async def test_pushed_to_the_stores_address(shop: Any) -> None:
    """A till may push to the store's own address; no other address takes it."""
    till = Till(seed=13)
    body = pushed(till, till.sell())
    url = (await shop.house.stores.get("acme", shop.id)).callback_url
    assert url.startswith("https://host.example/omnichannel/callbacks/pos/")
    answer = await shop.house.connections.receive(
        "pos", Call(method="POST", path="", body=body), key=url.rpartition("/")[2]
    )
    assert list(answer.connections) == [shop.id]
    for key in ("", "guessed"):
        with pytest.raises((errors.CallRefused, errors.NotFound)):
            await shop.house.connections.receive("pos", Call(method="POST", path="", body=body), key=key)
    (queued,) = [one for one in await shop.house.processes.list("acme", kind="synchronize") if one.finished_at is None]
    await shop.house.processes.run_to_end("acme", queued.id)
    assert set(await shop.records("Order")) == set(till.truth.orders)


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said.pop("head"),
        lambda said: said.update(cash_point_closing_export_id="seven"),
        lambda said: said["data"].update(full_amount_incl_vat="NaN"),
        lambda said: said["data"].update(lines=said["data"]["lines"] * 2),
        lambda said: said["data"]["amounts_per_vat_id"][0].update(incl_vat="999.00"),
        lambda said: said["head"].update(transaction_export_id=""),
        lambda said: said["data"]["lines"][0]["business_case"]["amounts_per_vat_id"][0].update(excl_vat="1e999999"),
    ],
)
async def test_what_does_not_fit_is_refused(shop: Any, change: Any) -> None:
    """A receipt that does not fit the schema or its own sums is refused at once, and nothing is kept."""
    till = Till(seed=14)
    said = json.loads(pushed(till, till.sell()))
    change(said)
    with pytest.raises(errors.FormInvalid, match="not taken"):
        await shop.house.stores.receive("acme", shop.id, said)
    assert shop.files("in") == []


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"[[]]", b"\xff\xfe", b"[" * 100_000, b"null"])
async def test_garbage_is_refused(shop: Any, body: bytes) -> None:
    """Whatever is no receipt is refused."""
    with pytest.raises(errors.FormInvalid, match="not taken"):
        await shop.house.stores.receive("acme", shop.id, body)


async def test_idle_receipts_move_nothing(shop: Any) -> None:
    """Training and aborted receipts are taken and not booked."""
    till = Till(seed=15)
    for kind in ("AVTraining", "AVBelegabbruch"):
        await shop.house.stores.receive("acme", shop.id, pushed(till, till.idle(kind)))
    await shop.sync()
    assert await ids(shop) == (set(), set(), set())
    assert len(shop.files("archive")) == 2
