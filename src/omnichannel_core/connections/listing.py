"""The list of connections: a look's filters understood by the kind of their column, pages by cursor.

How a filter's text is read:

- text (name, driver, status, health, ...): upper and lower case are the same. `like` means *contains*; with a `%` typed
  it is the pattern itself, `\\%` is a percent sign. `_` is an ordinary character.
- numbers (id, other_errors): whole numbers; `like` looks at their digits.
- yes or no (order_return_errors): yes, no, true, false, 1, 0, ja, nein; no comes before yes.
- times (created_at, last_synced_at): `2026-11-21` or `21.11.2026`, with `10:30`, `10:30:59` or an offset behind if
  wanted; without an offset it is UTC. What is typed is as long as it is exact: a day, a minute, a second. `=` is within
  it, `>` after its end, `<=` up to its end. `like` also takes `2026`, `2026-11` and `11.2026`. An empty value with `=`
  or `!=` is *never*.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from omnichannel_core import errors
from omnichannel_core.model.connection import Connection
from omnichannel_core.model.view import COLUMNS, OPERATORS, Filter, Look
from omnichannel_core.storage.listing import TEXTS, Condition, ConnectionList, Key, Sort
from omnichannel_core.storage.store import Store
from omnichannel_core.storage.times import micros

LIMIT_MAX = 500
COUNT_MAX = 10_000
VALUE_MAX = 255
TIMES = frozenset({"created_at", "last_synced_at"})
YES_NO = frozenset({"order_return_errors"})
_BIGGEST = 2**63 - 1
_YES, _NO = frozenset({"yes", "true", "1", "ja", "on"}), frozenset({"no", "false", "0", "nein", "off"})


@attrs.frozen(kw_only=True)
class ListPage:
    """Some rows in order. `next` is the cursor of the page behind this one, None on the last page."""

    rows: tuple[Connection, ...]
    next: str | None


@attrs.frozen(kw_only=True)
class Count:
    """How many fit; `more`: at least so many, counting stopped there."""

    number: int
    more: bool


@attrs.frozen
class Listing:
    """Reads the list of connections of an account."""

    store: Store

    async def page(self, account: str, look: Look, *, cursor: str | None = None, limit: int = 50) -> ListPage:
        """A page of at most `limit` (1 to 500) rows.

        Raises:
            FormInvalid: the look has a column, operator or value that cannot be; fields are named by place.
            UsageError: the cursor is not of this list, or the limit is out of range.
        """
        if not 1 <= limit <= LIMIT_MAX:
            raise errors.UsageError(f"A page has 1 to {LIMIT_MAX} rows, not {limit}.")
        conditions, sort = understand(look)
        after = None if cursor is None else _read_cursor(cursor, sort)
        found = await self.store.read(lambda tx: ConnectionList(tx, account).page(conditions, sort, after, limit + 1))
        shown, more = found[:limit], len(found) > limit
        return ListPage(rows=tuple(row for row, _ in shown), next=_cursor(sort, shown[-1][1]) if more else None)

    async def ids(self, account: str, look: Look) -> list[int]:
        """Everything in the list, further pages included: what *select all* means.

        Raises:
            FormInvalid: as for a page.
        """
        conditions, _ = understand(look)
        return await self.store.read(lambda tx: ConnectionList(tx, account).ids(conditions))

    async def count(self, account: str, look: Look, *, at_most: int = COUNT_MAX) -> Count:
        """How many connections the list has, counted up to `at_most`.

        Raises:
            FormInvalid: as for a page.
        """
        conditions, _ = understand(look)
        found = await self.store.read(lambda tx: ConnectionList(tx, account).count(conditions, at_most + 1))
        return Count(number=min(found, at_most), more=found > at_most)


def understand(look: Look) -> tuple[list[Condition], list[Sort]]:
    """A look as the database is asked for it. The sort ends with the id, so that no two rows are alike.

    Raises:
        FormInvalid: names every part of the look that cannot be (`columns`, `sort`, `filters.0.value`).
    """
    wrong: dict[str, str] = {}
    if not look.columns:
        wrong["columns"] = "Choose at least one column."
    if len(set(look.columns)) != len(look.columns) or not set(look.columns) <= set(COLUMNS):
        wrong["columns"] = "Each column can be shown once, and only those that exist."
    sort = [(name.removeprefix("-"), name.startswith("-")) for name in look.sort]
    names = [name for name, _ in sort]
    if len(set(names)) != len(names) or not set(names) <= set(COLUMNS):
        wrong["sort"] = "Each column can be sorted by once, and only those that exist."
    conditions = [
        found for at, one in enumerate(look.filters) if (found := _condition(one, f"filters.{at}", wrong)) is not None
    ]
    if wrong:
        raise errors.FormInvalid(f"The list cannot be shown like this: check {', '.join(wrong)}.", wrong)
    return conditions, sort if "id" in names else [*sort, ("id", sort[0][1] if sort else False)]


def _condition(one: Filter, place: str, wrong: dict[str, str]) -> Condition | None:
    """None for a paused filter and for one that is wrong."""
    if one.column not in COLUMNS:
        wrong[f"{place}.column"] = "There is no such column."
    elif one.operator not in OPERATORS:
        wrong[f"{place}.operator"] = f"Choose one of {', '.join(OPERATORS)}."
    else:
        kind = _texts if one.column in TEXTS else _times if one.column in TIMES else _numbers
        kind = _yes_no if one.column in YES_NO else kind
        try:
            found = kind(one)
        except _Unreadable as cause:
            wrong[f"{place}.{cause.field}"] = str(cause)
        else:
            return None if one.paused else found
    return None


class _Unreadable(Exception):
    """A filter's value is not of its column's kind."""

    def __init__(self, message: str, field: str = "value") -> None:
        super().__init__(message)
        self.field = field


def _values(one: Filter, read: Callable[[str], Any]) -> list[Any]:
    """One value, or both of `between`."""
    typed = {"value": one.value, "value2": one.value2} if one.operator == "between" else {"value": one.value}
    values = []
    for field, text in typed.items():
        if len(text) > VALUE_MAX or "\0" in text:
            raise _Unreadable(f"At most {VALUE_MAX} characters.", field)
        try:
            values.append(read(text.strip()))
        except (ValueError, OverflowError) as cause:
            raise _Unreadable(str(cause), field) from None
    return values


def _compared(one: Filter, low: Any, high: Any, last: Any) -> Condition:
    """A comparison with what begins at `low` and ends at `high`; the second of `between` ends at `last`."""
    column = one.column
    match one.operator:
        case "<":
            return Condition(column=column, high=low, high_in=False)
        case "<=":
            return Condition(column=column, high=high)
        case ">":
            return Condition(column=column, low=high, low_in=False)
        case ">=":
            return Condition(column=column, low=low)
        case "between":
            return Condition(column=column, low=low, high=last)
        case _:
            return Condition(column=column, low=low, high=high, outside=one.operator == "!=")


# --- text
def _texts(one: Filter) -> Condition:
    values = _values(one, str)
    if one.operator == "like":
        return Condition(column=one.column, pattern=pattern(values[0]))
    return _compared(one, values[0], values[0], values[-1])


def pattern(typed: str) -> str:
    """What was typed after `like` as SQL's pattern, escaped by a backslash."""
    parts = re.findall(r"\\[\\%_]|.", typed, re.DOTALL)
    wild = "%" in parts
    said = "".join(_escaped(part) for part in parts)
    return said if wild else f"%{said}%"


def _escaped(part: str) -> str:
    if len(part) == 2 or part == "%":
        return part
    return f"\\{part}" if part in "\\_" else part


# --- numbers, yes or no
def _numbers(one: Filter) -> Condition:
    if one.operator == "like":
        return _texts(one)
    values = _values(one, _number)
    return _compared(one, values[0], values[0], values[-1])


def _number(typed: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,30}", typed):
        raise ValueError("Enter a whole number.")
    return max(-_BIGGEST, min(_BIGGEST, int(typed)))


def _yes_no(one: Filter) -> Condition:
    """Which of no (0) and yes (1) fit, as a range."""
    if one.operator == "like":
        wanted = _values(one, str.lower)[0].strip("%")
        fit = [at for at, word in enumerate(("no", "yes")) if wanted in word]
    else:
        values = _values(one, _truth)
        test = _TESTS[one.operator]
        fit = [at for at in (0, 1) if test(at, values)]
    if not fit:
        return Condition(column=one.column, low=0, outside=True)
    return Condition(column=one.column, low=fit[0], high=None if 1 in fit else 0)


_TESTS: Mapping[str, Callable[[int, list[int]], bool]] = {
    "=": lambda at, said: at == said[0],
    "!=": lambda at, said: at != said[0],
    "<": lambda at, said: at < said[0],
    "<=": lambda at, said: at <= said[0],
    ">": lambda at, said: at > said[0],
    ">=": lambda at, said: at >= said[0],
    "between": lambda at, said: said[0] <= at <= said[1],
}


def _truth(typed: str) -> int:
    word = typed.lower()
    if word not in _YES | _NO:
        raise ValueError("Enter yes or no.")
    return int(word in _YES)


# --- times
_HINT = "Enter a date such as 2026-11-21 or 21.11.2026, with a time such as 10:30 behind it if wanted (UTC)."
_DATE = re.compile(
    r"(?:(?P<y>\d{4})(?:-(?P<m>\d{2})(?:-(?P<d>\d{2}))?)?|(?:(?:(?P<d2>\d{1,2})\.)?(?P<m2>\d{1,2})\.)(?P<y2>\d{4}))"
    r"(?:[T ](?P<H>\d{2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?P<F>\.\d{1,6})?)?(?P<zone>Z|[+-]\d{2}:\d{2})?)?",
    re.ASCII,
)


def _times(one: Filter) -> Condition:
    if one.operator in ("=", "!=") and not one.value.strip():
        return Condition(column=one.column, outside=one.operator == "!=")
    spans = _values(one, lambda typed: span(typed, whole=one.operator == "like"))
    return _compared(one, spans[0][0], spans[0][1], spans[-1][1])


def span(typed: str, *, whole: bool = False) -> tuple[int, int]:
    """First and last microsecond of what was typed; `whole`: also of a year or a month.

    Raises:
        ValueError: not a date.
    """
    found = _DATE.fullmatch(typed.replace("%", "") if whole else typed)
    if found is None:
        raise ValueError(_HINT)
    said = found.groupdict()
    year, month, day = (said[name] or said[f"{name}2"] for name in "ymd")
    if day is None and (not whole or said["H"]):
        raise ValueError(_HINT)
    clock = f"{said['H'] or '00'}:{said['M'] or '00'}:{said['S'] or '00'}{(said['F'] or '').ljust(7, '0')[:7]}"
    clock = clock if said["F"] else clock[:8]
    zone = (said["zone"] or "Z").replace("Z", "+00:00")
    try:
        begin = datetime.fromisoformat(f"{year}-{int(month or 1):02}-{int(day or 1):02}T{clock}{zone}").astimezone(UTC)
        return micros(begin), micros(_end(begin, said, month, day)) - 1
    except (ValueError, OverflowError):
        raise ValueError(_HINT) from None


def _end(begin: datetime, said: Mapping[str, str | None], month: str | None, day: str | None) -> datetime:
    """The first moment behind it."""
    if month is None:
        return begin.replace(year=begin.year + 1)
    if day is None:
        return (begin + timedelta(days=32)).replace(day=1)
    if not said["H"]:
        return begin + timedelta(days=1)
    if not said["S"]:
        return begin + timedelta(minutes=1)
    return begin + (timedelta(microseconds=10 ** (7 - len(said["F"]))) if said["F"] else timedelta(seconds=1))


# --- cursors
def _cursor(sort: list[Sort], key: Key) -> str:
    text = json.dumps([[f"-{name}" if down else name for name, down in sort], *key], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str, sort: list[Sort]) -> Key:
    try:
        said = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        names, *key = said
        if names != [f"-{name}" if down else name for name, down in sort] or len(key) != len(sort):
            raise ValueError("another sort")
        for (name, _), value in zip(sort, key, strict=True):
            if not _fits(name, value):
                raise ValueError("another kind")
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise errors.UsageError("The cursor is not of this list: begin with the first page.") from None
    return tuple(key)


def _fits(name: str, value: object) -> bool:
    if name in TEXTS:
        return isinstance(value, str)
    if value is None:
        return name == "last_synced_at"
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _BIGGEST
