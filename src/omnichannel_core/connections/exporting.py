"""Exporting: records as JSON lines, and as CSV that a spreadsheet does not run. Text in chunks, flat memory."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs
import msgspec
from msgspec import UNSET

from omnichannel_core import errors
from omnichannel_core.connections.hub import Hub
from omnichannel_core.records import Address, Attribute, AttributeSet, Money, Order, Record, Return
from omnichannel_core.storage.hub import Entry, Found

PAGE = 250
Cell = str | int | Decimal | None
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")  # OWASP ASVS 5 1.2.10, guide web-cli-hosts-packaging S10
_encode = msgspec.json.Encoder(decimal_format="string").encode


async def json_lines(hub: Hub, account: str, found: Found) -> AsyncIterator[str]:
    """One record a line: {"connection": 1, "kind": "Order", "record": {...}}; a page a chunk.

    Raises:
        UsageError, NotFound.
    """
    async for page in _pages(hub, account, found):
        said = [{"connection": one.connection, "kind": one.kind, "record": one.record} for one in page]
        yield "".join(_encode(one).decode() + "\n" for one in said)


async def spreadsheet(hub: Hub, account: str, found: Found) -> AsyncIterator[str]:
    """CSV with a header (RFC 4180); a page a chunk. Text that a program would run begins with an apostrophe.

    Raises:
        UsageError: no columns are known for this kind. NotFound.
    """
    columns = COLUMNS.get(found.kind)
    if columns is None:
        raise errors.UsageError(f"{found.kind} has no columns; these have: {', '.join(COLUMNS)}. Use JSON lines.")
    yield _rows([["connection", "id", *columns]])
    async for page in _pages(hub, account, found):
        yield _rows([[one.connection, one.id, *(column(one.record) for column in columns.values())] for one in page])


def cell(value: Cell) -> str:
    """A cell's text. Numbers stay numbers; text is made safe: no NUL, an apostrophe before what would be run."""
    if value is None:
        return ""
    if isinstance(value, int | Decimal):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    text = value.replace("\0", "")
    return f"'{text}" if text.startswith(_RISKY) else text


def _rows(rows: Iterable[Sequence[Cell]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([[cell(value) for value in row] for row in rows])
    return out.getvalue()


async def _pages(hub: Hub, account: str, found: Found) -> AsyncIterator[Sequence[Entry]]:
    wanted, cursor = attrs.evolve(found, full=True), ""
    while True:
        page = await hub.find(account, wanted, cursor=cursor, limit=PAGE)
        if page.items:
            yield page.items
        cursor = page.next
        if not cursor:
            return


# --- columns
Column = Callable[[Any], Cell]


def _field(name: str) -> Column:
    def value(record: Record) -> Cell:
        found = getattr(record, name)
        if found is UNSET or found is None:
            return ""
        if isinstance(found, bool):
            return str(found).lower()
        if isinstance(found, datetime):
            return found.isoformat()
        if isinstance(found, Money):
            return found.amount
        if isinstance(found, str | int | Decimal):
            return found
        return len(found)

    return value


def _currency(name: str) -> Column:
    def value(record: Record) -> Cell:
        found = getattr(record, name)
        return found.currency if isinstance(found, Money) else ""

    return value


def _billed(name: str) -> Column:
    return lambda order: "" if order.bill_to is UNSET else str(getattr(order.bill_to, name))


def _shipped(name: str) -> Column:
    def value(order: Order) -> Cell:
        first: Address | None = next(iter(order.addresses.values()), None) if order.addresses is not UNSET else None
        return "" if first is None else str(getattr(first, name))

    return value


def _joined(record: Any) -> Cell:
    return " ".join(record.attributes)


_ADDRESS = ("first_name", "last_name", "company", "street1", "street2", "city", "region", "postal_code", "country")
_ORDER = ("number", "channel", "placed_at", "status", "state", "customer", "email", "currency", "net", "tax", "gross")
_ATTRIBUTE = ("label", "type", "level", "unit", "required", "writable", "multiple", "max_length")
COLUMNS: Mapping[str, Mapping[str, Column]] = {
    Order.__name__: {
        **{name: _field(name) for name in (*_ORDER, "lines", "payments", "archived", "note")},
        **{f"bill_to_{name}": _billed(name) for name in _ADDRESS},
        **{f"ship_to_{name}": _shipped(name) for name in _ADDRESS},
    },
    Return.__name__: {
        **{name: _field(name) for name in ("number", "order_id", "at", "status", "reason", "amount")},
        "currency": _currency("amount"),
        **{name: _field(name) for name in ("tax", "lines")},
    },
    Attribute.__name__: {name: _field(name) for name in (*_ATTRIBUTE, "choices")},
    AttributeSet.__name__: {"label": _field("label"), "attributes": _joined},
}
