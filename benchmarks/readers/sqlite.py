"""The tables of the hand-written loop: `orders` and `order_lines`, columns named as the checker names fields."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from itertools import groupby
from operator import itemgetter

from benchmarks.checker import FIELDS, LINES, Read, Row


def read(what: str) -> Read:
    """Both tables in the order of their keys, side by side."""
    columns = ", ".join(f"l.{name}" for name in LINES)
    with closing(sqlite3.connect(f"file:{what}?mode=ro", uri=True)) as store:
        lines = store.execute(f"SELECT l.order_id, {columns} FROM order_lines l ORDER BY l.order_id, l.id")
        yield from paired(store.execute(f"SELECT {', '.join(FIELDS)} FROM orders ORDER BY id"), lines)


def paired(orders: Iterable[Row], lines: Iterable[Row]) -> Read:
    """Each order with its lines, both sorted by the order's id.

    Raises:
        ValueError: lines whose order is not there.
    """
    groups = groupby(lines, itemgetter(0))
    owner, parts = next(groups, (None, iter(())))
    for order in orders:
        if owner != order[0]:
            yield order, []
            continue
        yield order, [part[1:] for part in parts]
        owner, parts = next(groups, (None, iter(())))
    if owner is not None:
        raise ValueError(f"lines of order {owner} have no order")
