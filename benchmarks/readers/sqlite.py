"""The tables of the hand-written loops: `orders` and `order_lines`, columns named as the checker names fields."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import groupby
from operator import itemgetter

from benchmarks.checker import FIELDS, LINES, Read


def read(what: str) -> Read:
    """Both tables in the order of their keys, side by side."""
    columns = ", ".join(f"l.{name}" for name in LINES)
    with closing(sqlite3.connect(f"file:{what}?mode=ro", uri=True)) as store:
        rows = store.execute(f"SELECT l.order_id, {columns} FROM order_lines l ORDER BY l.order_id, l.id")
        groups = groupby(rows, itemgetter(0))
        owner, parts = next(groups, (None, iter(())))
        for order in store.execute(f"SELECT {', '.join(FIELDS)} FROM orders ORDER BY id"):
            mine = [part[1:] for part in parts] if owner == order[0] else []
            yield order, mine
            if owner == order[0]:
                owner, parts = next(groups, (None, iter(())))
        if owner is not None:
            raise ValueError(f"lines of order {owner} have no order")
