"""Closings in the house, against the truth of the tills that wrote them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from omnichannel_pos_simulator.till import Habits, Till, Truth
from omnichannel_pos_simulator.writing import Liberties, as_zip, drop, files

pytestmark = pytest.mark.anyio


def cents(money: Any) -> int:
    """An amount of the books."""
    return int(money.amount * 100)


async def books(shop: Any) -> Truth:
    """What is stored, in the words of the till's truth."""
    orders = await shop.records("Order")
    returns = await shop.records("Return")
    cash = await shop.records("CashEntry")
    return Truth(
        {one: (cents(order.gross), order.state) for one, order in orders.items()},
        {one: (cents(back.amount), back.order_id) for one, back in returns.items()},
        {one: cents(entry.amount) for one, entry in cash.items()},
    )


@pytest.mark.parametrize("seed", range(6))
async def test_a_day_against_the_tills_truth(shop: Any, seed: int) -> None:
    """Every receipt of two days is booked as what it was, whatever the till's habits and the export's liberties."""
    habits = Habits(("counter", "both", "alone")[seed % 3], ("never", "counter", "alone")[seed // 2])
    till, truth = Till(seed=seed, habits=habits), Truth()
    free = Liberties(
        encoding=("utf-8", "cp1252", "utf-8-sig")[seed % 3], shuffle=seed or None, extra=bool(seed % 2),
        point=seed == 4, without=frozenset({"pa.csv", "subitems.csv", "location.csv"} if seed % 2 else ()),
    )  # fmt: skip
    for day in range(2):
        till.work(120)
        till.void()
        closed = till.close()
        truth.add(closed.truth)
        body = as_zip([closed], free, "export/") if seed % 2 else files([closed], free)
        drop(body, shop.exchange / "in", f"z{day}.zip" if seed % 2 else f"z{day}")
    await shop.sync()
    found = await books(shop)
    assert found.orders == truth.orders
    assert found.returns == truth.returns
    assert found.cash == truth.cash
    assert {"completed", "cancelled"} == {state for _, state in truth.orders.values()}
    assert len(await shop.records("Closing")) == 2
    assert await shop.house.hub.errors("acme", shop.id) == []
    assert shop.files("in") == []


async def test_the_same_and_overlapping_exports_book_once(shop: Any) -> None:
    """An export dropped twice, and one whose days another has too, change nothing in the books."""
    till, days = Till(seed=3), []
    for _ in range(3):
        till.work(30)
        days.append(till.close())
    inbox = shop.exchange / "in"
    drop(as_zip(days[:2]), inbox, "a.zip")
    await shop.sync()
    first = await books(shop)
    drop(as_zip(days[:2]), inbox, "a.zip")
    drop(as_zip(days[1:]), inbox, "b.zip")
    await shop.sync()
    found = await books(shop)
    truth = Truth()
    for day in days:
        truth.add(day.truth)
    assert first.orders == days[0].truth.orders | days[1].truth.orders
    assert (found.orders, found.returns, found.cash) == (truth.orders, truth.returns, truth.cash)
    assert sorted(await shop.records("Closing")) == ["KASSE-01/1", "KASSE-01/2", "KASSE-01/3"]
    assert shop.files("archive") == ["2~a.zip", "a.zip", "b.zip"]


async def test_what_does_not_add_up_is_not_booked(shop: Any) -> None:
    """A closing that says another sum is left out whole and named with the sum; the others are booked."""
    till = Till(seed=5)
    till.work(20)
    good = till.close()
    till.work(20)
    body = as_zip([good, till.close()])
    wrong = _with(body, "businesscases.csv", lambda text: _raise_case(text))
    drop(wrong, shop.exchange / "in", "two.zip")
    await shop.sync()
    found = await books(shop)
    assert (found.orders, found.returns) == (good.truth.orders, good.truth.returns)
    (failure,) = await shop.house.hub.errors("acme", shop.id)
    assert failure.remote_id == "KASSE-01/2"
    assert "Closing KASSE-01/2 does not add up: businesscases.csv says" in failure.reason
    assert shop.files("error") == ["two.zip", "two.zip.reason.json"]
    assert (shop.exchange / "error" / "two.zip").read_bytes() == wrong


def _raise_case(text: str) -> str:
    lines = text.splitlines(keepends=True)
    at = max(n for n, line in enumerate(lines) if ";2;Umsatz;" in line)
    row = lines[at].split(";")
    row[7] = str(Decimal(row[7].replace(",", ".")) + 1).replace(".", ",")
    lines[at] = ";".join(row)
    return "".join(lines)


def _with(body: bytes, member: str, change: Any) -> bytes:
    """A zip with one member changed."""
    import io
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            text = before.read(name)
            after.writestr(name, change(text.decode()).encode() if name == member else text)
    return out.getvalue()


async def test_corrected_and_retried(shop: Any) -> None:
    """A file in error is booked after it was corrected in place and the error was retried, and the error is gone."""
    till = Till(seed=6)
    till.work(20)
    day = till.close()
    body = as_zip([day])
    drop(
        _with(body, "payment.csv", lambda text: text.replace(";Bar;Bar;", ";Bar;Bar;9")), shop.exchange / "in", "z.zip"
    )
    await shop.sync()
    assert (await books(shop)).orders == {}
    assert (await shop.house.connections.get("acme", shop.id)).other_errors == 1
    (shop.exchange / "error" / "z.zip").write_bytes(body)
    await shop.house.hub.retry("acme", shop.id)
    await shop.sync()
    assert (await books(shop)).orders == day.truth.orders
    assert await shop.house.hub.errors("acme", shop.id) == []
    assert shop.files("error") == []


async def test_archived_unchanged(shop: Any) -> None:
    """What came in is archived byte for byte, and the closing names its checksum."""
    import hashlib

    till = Till(seed=7)
    till.work(10)
    body = as_zip([till.close()])
    drop(body, shop.exchange / "in", "z.zip")
    await shop.sync()
    (kept,) = (shop.exchange / "archive").rglob("*.zip")
    assert kept.read_bytes() == body
    (closing,) = (await shop.records("Closing")).values()
    assert closing.extra["sha256"] == hashlib.sha256(body).hexdigest()


async def test_unreadable_then_whole(shop: Any) -> None:
    """A file that could not be opened and comes whole under the same name has failed no more."""
    till = Till(seed=8)
    till.work(10)
    day = till.close()
    drop(as_zip([day])[:-700], shop.exchange / "in", "z.zip")
    await shop.sync()
    (failure,) = await shop.house.hub.errors("acme", shop.id)
    assert failure.remote_id == "z.zip"
    drop(as_zip([day]), shop.exchange / "in", "z.zip")
    await shop.sync()
    assert (await books(shop)).orders == day.truth.orders
    assert await shop.house.hub.errors("acme", shop.id) == []
    assert shop.files("error") == ["z.zip", "z.zip.reason.json"]
