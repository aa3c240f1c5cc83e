"""Numbers, keys, times and tables, whatever a till writes."""

from __future__ import annotations

import contextlib
import csv
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omnichannel_pos.gathering import Head, Line, Receipt
from omnichannel_pos.index import listed
from omnichannel_pos.refusals import FileRefused
from omnichannel_pos.tables import key_of, moment, number, rows, text_of, whole


@given(st.decimals(-(10**9), 10**9, places=5), st.booleans(), st.booleans())
def test_amounts(amount: Decimal, point: bool, grouped: bool) -> None:
    """An amount is read exactly, with decimal comma or point, grouped or not."""
    text = f"{amount:,.5f}" if grouped and not point else f"{amount:.5f}"
    text = text if point else text.translate({ord(","): ".", ord("."): ","})
    assert number(text) == amount


@given(st.text(max_size=60))
def test_no_amount(text: str) -> None:
    """Any text is an amount or refused as none, never anything else."""
    with contextlib.suppress(FileRefused):
        assert number(text).is_finite()


@pytest.mark.parametrize(
    ("text", "said"),
    [("17", "17"), ("017", "17"), ("17,0", "17"), ("17.0", "17"), ("1.234", "1234"), ("1.234,0", "1234"), ("A1", "A1"),
     ("", ""), ("1.234.567", "1234567"), ("0", "0")],
)  # fmt: skip
def test_whole_numbers(text: str, said: str) -> None:
    """A closing's number is one number, however it is written."""
    assert whole(text) == said


@given(st.tuples(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1)),
       st.tuples(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1)))  # fmt: skip
def test_ids_do_not_collide(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    """Different receipts have different ids, also where a name has a slash."""
    if "/" in "".join(one) or "/" in "".join(other) or "%2F" not in "".join((*one, *other)):
        assert (key_of(*one) == key_of(*other)) == (one == other)


def test_times() -> None:
    """Times keep their zone; without one they are German; what is none is none."""
    zoned = moment("2031-07-01T10:00:00.000Z")
    naive = moment("2031-07-01T12:00:00")
    assert zoned is not None
    assert zoned == naive
    assert moment("yesterday") is None


CELLS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)


@given(st.lists(st.tuples(CELLS, CELLS), max_size=20), st.sampled_from(";\t,"), st.sampled_from(["utf-8", "utf-8-sig"]),
       st.booleans())  # fmt: skip
def test_tables(table: list[tuple[str, str]], delimiter: str, encoding: str, swapped: bool) -> None:
    """Columns are found by name in any order, quoted or not; what is not there is empty."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(["B", "Z_NR", "A"] if swapped else ["a ", "Z_NR", "b"])
    for a, b in table:
        writer.writerow([b, "1", a] if swapped else [a, "1", b])
    text = text_of(out.getvalue().encode(encoding), "t.csv")
    assert list(rows(text, "t.csv", ("A", "B", "C"))) == [(a, b, "") for a, b in table]


@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_refused(raw: bytes) -> None:
    """No bytes make the reader fail in another way than by refusing."""
    with contextlib.suppress(FileRefused):
        list(rows(text_of(raw, "t.csv"), "t.csv", ("Z_NR", "A")))


@given(st.binary(max_size=300))
def test_any_bytes_are_an_index_or_refused(raw: bytes) -> None:
    """No bytes make the index reader fail in another way than by refusing."""
    with contextlib.suppress(FileRefused):
        listed(raw)


def receipt(*lines: tuple[str, int, bool], says: int) -> Receipt:
    """Lines as (article, cents, voided), and what the receipt itself says."""
    made = Receipt(Head(*[""] * 18)._replace(id="B", gross=f"{says / 100:.2f}"))
    for at, (article, cents, void) in enumerate(lines):
        line = Line(("", "", "", str(at), "", "", "Umsatz", "", "1" if void else "0", article, "", "", "", "1", "", ""))
        line.gross = Decimal(cents) / 100
        line.vat = [("1", line.gross, line.gross, Decimal(0))]
        made.lines[line.id] = line
    made.vat = {"1": Decimal(says) / 100}
    return made


@pytest.mark.parametrize(
    ("lines", "says", "left"),
    [
        ([("a", 500, False), ("b", 100, False), ("b", -100, True)], 500, ["a"]),
        ([("a", 500, False), ("b", 100, True), ("b", -100, True)], 500, ["a"]),
        ([("a", 500, False), ("b", 100, True)], 500, ["a"]),
        ([("a", 500, False), ("b", 100, False)], 600, ["a", "b"]),
        ([("a", 500, False), ("b", -100, True)], 400, ["a", "b"]),
    ],
)
def test_lines_voided_while_ringing_up(lines: list[tuple[str, int, bool]], says: int, left: list[str]) -> None:
    """However a till writes a voided line, what remains sums up to the receipt."""
    made = receipt(*lines, says=says)
    made.settle()
    assert [line.article for line in made.lines.values()] == left
    assert sum(line.gross for line in made.lines.values()) * 100 == says


def test_a_receipt_that_sums_up_to_nothing_it_says() -> None:
    """Where no reading sums up, the receipt is refused, and the error names it and both sums."""
    with pytest.raises(FileRefused, match=r"receipt B: its lines sum up to 6.00.*says 7 at"):
        receipt(("a", 500, False), ("b", 100, True), says=700).settle()
