"""The engine's own tables: orders as canonical JSON in `omni_record`, lines in `omni_line`."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

from benchmarks.checker import Read, Row
from benchmarks.readers.sqlite import paired

ORDERS = "SELECT revision, body FROM omni_record WHERE kind = 'Order' ORDER BY connection_id, remote_id"
LINES = "SELECT order_id, line_id, sku, name, quantity, price, gross FROM omni_line ORDER BY connection_id, order_id"


def row(revision: str, body: bytes) -> Row:
    """The checked fields of a stored order."""
    order = json.loads(body)
    home, ship = order["bill_to"], next(iter(order["addresses"].values()))
    return (
        order["id"], order["number"], order["status"], order["currency"], order["gross"]["amount"],
        order["tax"]["amount"], order["email"], order["customer"], order["placed_at"], revision, home["first_name"],
        home["last_name"], home["street1"], home["postal_code"], home["city"], home["country"], ship["street1"],
        ship["city"], ship["country"],
    )  # fmt: skip


def read(what: str) -> Read:
    """Both tables in the order of their keys, side by side."""
    with closing(sqlite3.connect(f"file:{what}?mode=ro", uri=True)) as store:
        orders = (row(*found) for found in store.execute(ORDERS))
        yield from paired(orders, store.execute(LINES))
