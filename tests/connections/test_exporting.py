"""Exports can be read back, and nothing in them is run by a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnichannel_core import errors
from omnichannel_core.connections import exporting
from omnichannel_core.records import (
    Address,
    Attribute,
    AttributeSet,
    Choice,
    Choices,
    Line,
    Money,
    Order,
    Return,
)  # fmt: skip
from omnichannel_core.storage import pages
from omnichannel_core.storage.hub import Found

pytestmark = pytest.mark.anyio
DAY = datetime(2025, 6, 1, 12, tzinfo=UTC)


def keep(house: Any, *records: Any) -> None:
    ready = pages.prepare(records)
    house.store.write_now(lambda tx: pages.store(tx, "a", 1, "x", ready, run=0, now=house.clock.now()))


async def table(house: Any, kind: str) -> list[dict[str, str]]:
    text = "".join([chunk async for chunk in exporting.spreadsheet(house.hub, "a", Found(kind=kind))])
    return list(csv.DictReader(io.StringIO(text, newline="")))


async def test_json_lines(house: Any) -> None:
    """Every record is a line with its connection and kind, exact amounts as text."""
    keep(house, Order(id="1", number="N", gross=Money(Decimal("10.10"), "EUR"), placed_at=DAY, note="a\nb"))
    chunks = [chunk async for chunk in exporting.json_lines(house.hub, "a", Found(kind="Order"))]
    (line,) = "".join(chunks).splitlines()
    said = json.loads(line)
    assert (said["connection"], said["kind"]) == (1, "Order")
    assert said["record"]["gross"] == {"amount": "10.10", "currency": "EUR"}
    assert said["record"]["note"] == "a\nb"
    assert "email" not in said["record"]


async def test_a_page_a_chunk(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is flat: never more than a page at a time, every record once."""
    monkeypatch.setattr(exporting, "PAGE", 10)
    keep(house, *(Order(id=f"{n:02}", placed_at=DAY) for n in range(25)))
    chunks = [chunk async for chunk in exporting.json_lines(house.hub, "a", Found(kind="Order"))]
    assert [len(chunk.splitlines()) for chunk in chunks] == [10, 10, 5]
    ids = [json.loads(line)["record"]["id"] for line in "".join(chunks).splitlines()]
    assert sorted(ids) == [f"{n:02}" for n in range(25)]


async def test_orders_as_a_table(house: Any) -> None:
    """Sums are plain numbers also below zero, text that a program would run is text, what is not told is empty."""
    anna = Address(first_name="=cmd|' /C calc'!A0", city="Köln", country="DE")
    keep(
        house,
        Order(id="1", number="-7", gross=Money(Decimal("-5.00"), "EUR"), currency="EUR", placed_at=DAY, bill_to=anna,
              addresses={"s": anna}, lines={"7": Line(id="7")}, note='+1, "quoted"\r\n@x', archived=False),
        Order(id="2"),
    )  # fmt: skip
    first, second = await table(house, "Order")
    assert (first["connection"], first["id"], first["number"]) == ("1", "1", "'-7")
    assert (first["gross"], first["currency"], first["lines"]) == ("-5.00", "EUR", "1")
    assert first["bill_to_first_name"] == first["ship_to_first_name"] == "'=cmd|' /C calc'!A0"
    assert first["note"] == '\'+1, "quoted"\r\n@x'
    assert (first["placed_at"], first["archived"]) == ("2025-06-01T12:00:00+00:00", "false")
    assert {name for name, value in second.items() if value} == {"connection", "id"}


async def test_other_tables(house: Any) -> None:
    """Returns, attributes and attribute sets have columns; what has none says what to use instead."""
    keep(
        house,
        Return(id="r", order_id="1", amount=Money(Decimal("4.0"), "EUR"), at=DAY),
        Attribute(id="c", label="Color", choices={"r": Choice(value="r", label="Red")}, max_length=20),
        AttributeSet(id="s", label="Shoes", attributes=("c", "size")),
        Choices(id="list"),
    )
    (back,) = await table(house, "Return")
    assert (back["order_id"], back["amount"], back["currency"], back["lines"]) == ("1", "4.0", "EUR", "0")
    (color,) = await table(house, "Attribute")
    assert (color["label"], color["choices"], color["max_length"], color["required"]) == ("Color", "1", "20", "false")
    (shoes,) = await table(house, "AttributeSet")
    assert shoes["attributes"] == "c size"
    with pytest.raises(errors.UsageError, match="JSON lines"):
        await table(house, "Choices")


async def test_only_this_accounts(house: Any) -> None:
    """Another account exports a header and nothing else."""
    keep(house, Order(id="1"))
    chunks = [chunk async for chunk in exporting.spreadsheet(house.hub, "b", Found(kind="Order"))]
    assert len("".join(chunks).splitlines()) == 1


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=30))
def test_no_cell_is_run(text: str) -> None:
    """No text begins with what a spreadsheet runs, none has NUL, and taking the apostrophe away gives it back."""
    safe = exporting.cell(text)
    assert not safe.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert "\0" not in safe
    bare = text.replace("\0", "")
    assert safe in (bare, f"'{bare}")


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("\0=1", "'=1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("a=1", "a=1"),
    ],
)
def test_cells(text: str, safe: str) -> None:
    """The ways in that are known, each by name."""
    assert exporting.cell(text) == safe


def test_numbers_stay() -> None:
    """Numbers typed as numbers are written plainly, without exponents."""
    assert [exporting.cell(n) for n in (-5, Decimal("-1.50"), Decimal("1E+3"), None)] == ["-5", "-1.50", "1000", ""]
