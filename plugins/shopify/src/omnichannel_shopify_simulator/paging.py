"""Pages of connections: slices, opaque cursors, pageInfo."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

Row = dict[str, Any]
MOST = 250
"""What `first` may ask for (guide 2.5)."""


class BadCursor(ValueError):
    """A cursor that is not of this connection."""


def sealed(key: Any) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode()


def opened(cursor: str) -> Any:
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cursor))
    except ValueError as error:
        raise BadCursor(f"Invalid cursor {cursor[:40]!r}") from error


class Slice:
    """A page of rows; `keys` are what their cursors hold."""

    __slots__ = ("after", "before", "keys", "rows")

    def __init__(self, rows: Sequence[Row], keys: Sequence[Any], *, before: bool, after: bool) -> None:
        self.rows, self.keys, self.before, self.after = rows, keys, before, after

    def cursor(self, n: int) -> str:
        return sealed(self.keys[n])

    def info(self) -> Row:
        return {
            "hasNextPage": self.after,
            "hasPreviousPage": self.before,
            "startCursor": self.cursor(0) if self.rows else None,
            "endCursor": self.cursor(len(self.rows) - 1) if self.rows else None,
        }


def sliced(rows: Sequence[Row], args: Mapping[str, Any]) -> Slice:
    """A page of a list that is short enough to be had whole; cursors hold the row's id, or its place."""
    if args.get("reverse"):
        rows = rows[::-1]
    keys = [row.get("id") or n for n, row in enumerate(rows)]
    start, end = 0, len(rows)
    if args.get("after"):
        start = _place(keys, args["after"]) + 1
    if args.get("before"):
        end = _place(keys, args["before"])
    first, last = args.get("first"), args.get("last")
    if first is not None:
        end = min(end, start + first)
    elif last is not None:
        start = max(start, end - last)
    return Slice(rows[start:end], keys[start:end], before=start > 0, after=end < len(rows))


def _place(keys: Sequence[Any], cursor: str) -> int:
    key = opened(cursor)
    try:
        return keys.index(key)
    except ValueError as error:
        raise BadCursor(f"Invalid cursor {cursor[:40]!r}") from error
