"""CSV tables of a DSFinV-K export, read by column name (spec pos/dsfinvk-2.4-tables.json)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from operator import itemgetter
from zoneinfo import ZoneInfo

from omnichannel_pos.refusals import FileRefused

TABLES = {
    "cashpointclosing.csv": "Stamm_Abschluss", "cashregister.csv": "Stamm_Kassen", "vat.csv": "Stamm_USt",
    "businesscases.csv": "Z_GV_Typ", "payment.csv": "Z_Zahlart", "transactions.csv": "Bonkopf",
    "transactions_vat.csv": "Bonkopf_USt", "datapayment.csv": "Bonkopf_Zahlarten", "lines.csv": "Bonpos",
    "lines_vat.csv": "Bonpos_USt", "itemamounts.csv": "Bonpos_Preisfindung", "references.csv": "Bon_Referenzen",
}  # fmt: skip
"""Tables that are read, with their official names; all others are only archived."""

LINE_MAX = 1_000_000  # bytes of one line
KEY = ("Z_KASSE_ID", "Z_NR")
_BERLIN = ZoneInfo("Europe/Berlin")  # of times without zone: the format is German tax law's
_CENT = Decimal("0.01")
_GROUPED = re.compile(r"[0-9]{1,3}(\.[0-9]{3})+(,0*)?")  # some writers group the digits of whole numbers too
_NUMBER = re.compile(r"[+-]?[0-9.,]{1,40}")


def text_of(raw: bytes, name: str) -> str:
    """UTF-8, with or without a mark, else cp1252.

    Raises:
        FileRefused: bytes that no text has.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
    if "\0" in text:
        raise FileRefused(f"{name} has zero bytes: it is not a text table.", "bad_table")
    return text


def header(line: str, name: str) -> tuple[list[str], str]:
    """Column names in upper case, and the delimiter they are separated by.

    Raises:
        FileRefused: no column of the closing's key is there.
    """
    for delimiter in ";\t,|":
        row = next(csv.reader([line], delimiter=delimiter), [])
        names = [one.strip().strip("\ufeff").upper() for one in row]
        if "Z_NR" in names:
            return names, delimiter
    raise FileRefused(f"{name} has no header row with a column Z_NR.", "bad_table")


def rows(text: str, name: str, wanted: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The wanted columns of each row, in their order; a column that is not there is ''.

    Raises:
        FileRefused: not a CSV table.
    """
    stream = io.StringIO(text, newline="")
    line = stream.readline()
    if not line.strip():
        return
    names, delimiter = header(line, name)
    width = len(names)
    pick = itemgetter(*[names.index(one) if one in names else width for one in wanted])
    try:
        for row in csv.reader(stream, delimiter=delimiter):
            if len(row) != width:
                if not row:
                    continue
                row = (row + [""] * width)[:width]
            row.append("")
            yield pick(row)
    except csv.Error as wrong:
        raise FileRefused(f"{name} is not a CSV table: {wrong}.", "bad_table") from wrong


@lru_cache(maxsize=16_384)
def number(text: str) -> Decimal:
    """An amount or quantity, decimal comma or point, '' is zero; whole cents have two decimals.

    Raises:
        FileRefused: no number.
    """
    typed = text.strip()
    if not typed:
        return Decimal("0.00")
    if not _NUMBER.fullmatch(typed):
        raise FileRefused(f"{typed[:40]!r} is not a number.", "bad_table")
    if "," in typed or typed.count(".") > 1:
        typed = typed.replace(".", "").replace(",", ".")
    try:
        found = Decimal(typed)
    except InvalidOperation as wrong:
        raise FileRefused(f"{text[:40]!r} is not a number.", "bad_table") from wrong
    try:
        cents = found.quantize(_CENT)
    except InvalidOperation as wrong:
        raise FileRefused(f"{text[:40]!r} is no amount of this world.", "bad_table") from wrong
    return cents if cents == found else found.normalize()


@lru_cache(maxsize=4096)
def whole(text: str) -> str:
    """A closing's number as its shortest text: 17 for 017 and 17,0, 1234 for 1.234; anything else stays as it is."""
    typed = text.strip()
    head = re.split("[.,]", typed.replace(".", "") if _GROUPED.fullmatch(typed) else typed, maxsplit=1)[0]
    return str(int(head)) if head.isascii() and head.isdecimal() and len(head) < 19 else typed


def moment(text: str) -> datetime | None:
    """An ISO time; without a zone it is German time. None where nothing can be read."""
    typed = text.strip()
    try:
        found = datetime.fromisoformat(typed)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=_BERLIN)


def key_of(*parts: str) -> str:
    """An id of several parts, such as KASSE-01/17/B-000102; a slash inside a part stays apart."""
    if "/" in "".join(parts):
        parts = tuple(part.replace("%", "%25").replace("/", "%2F") for part in parts)
    return "/".join(parts)
