"""JSON lines as airbyte-cdk's read prints them. They hold every version: the newest of each order counts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.checker import Read, Row, moment


def row(order: dict[str, Any]) -> Row:
    """The checked fields of an order as the server says it."""
    person, home, ship = order["customer"], order["billing_address"], order["shipping_addresses"][0]
    return (
        order["id"], order["number"], order["status"], order["currency"], order["total"], order["tax_total"],
        person["email"], person["id"], order["created_at"], order["updated_at"], home["first_name"], home["last_name"],
        home["street1"], home["postal_code"], home["city"], home["country"],
        ship["street1"], ship["city"], ship["country"],
    )  # fmt: skip


def lines(order: dict[str, Any]) -> Iterable[Row]:
    """The checked fields of its lines."""
    for line in order["lines"]:
        yield line["id"], line["sku"], line["name"], line["quantity"], line["price"], line["total"]


def read(what: str) -> Read:
    """First notes where the newest version of each order is, then reads those."""
    newest: dict[int, tuple[int, int]] = {}
    with Path(what).open("rb") as file:
        at = 0
        for line in file:
            if line.startswith(b'{"type":"RECORD"'):
                order = json.loads(line)["record"]["data"]
                newest[order["id"]] = max(newest.get(order["id"], (0, 0)), (int(moment(order["updated_at"])), at))
            at += len(line)
        for _, offset in newest.values():
            file.seek(offset)
            order = json.loads(file.readline())["record"]["data"]
            yield row(order), lines(order)
