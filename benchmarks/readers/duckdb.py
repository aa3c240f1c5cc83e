"""The tables that dlt makes in DuckDB out of nested orders."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import duckdb

from benchmarks.checker import Read, Row

ORDERS = """
SELECT o._dlt_id, o.id, o.number, o.status, o.currency, o.total, o.tax_total, o.customer__email, o.customer__id,
  epoch_us(o.created_at), epoch_us(o.updated_at), o.billing_address__first_name, o.billing_address__last_name,
  o.billing_address__street1, o.billing_address__postal_code, o.billing_address__city, o.billing_address__country,
  s.street1, s.city, s.country
FROM bench.orders o LEFT JOIN bench.orders__shipping_addresses s ON s._dlt_parent_id = o._dlt_id AND s._dlt_list_idx = 0
"""
LINES = "SELECT _dlt_parent_id, id, sku, name, quantity, price, total FROM bench.orders__lines"


def read(what: str) -> Read:
    """Orders with the lines that name them; a line that names none is refused."""
    with duckdb.connect(what, read_only=True) as store:
        parts: dict[Any, list[Row]] = defaultdict(list)
        for line in store.execute(LINES).fetchall():
            parts[line[0]].append(line[1:])
        for order in store.execute(ORDERS).fetchall():
            yield order[1:], parts.pop(order[0], [])
    if parts:
        raise ValueError(f"{len(parts)} lists of lines have no order")
