"""Reads what a contender left and says what it holds: the same numbers for all, or the figure is void.

Every reader yields orders in one shape: the values of `FIELDS` and, per line, of `LINES`, as the contender stored them.
Here they are brought into one canonical form (exact decimals, UTC microseconds, text) and digested; digests are added
up, so the order of rows does not matter and only the ids are held in memory. Runs under the interpreter whose
packages can read the result: `python -m benchmarks.checker READER PATH`; `truth N` is what the generator itself says.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b
from importlib import import_module
from typing import Any

Kind = Callable[[Any], str]


def text(value: Any) -> str:
    """Text; nothing is the empty text."""
    return "" if value is None else str(value)


def exact(value: Any) -> str:
    """A decimal without trailing zeros; a float is refused: it is not what the server said."""
    if isinstance(value, float):
        raise TypeError(f"{value!r} is a float where an exact amount belongs")
    return f"{Decimal(value).normalize():f}"


def moment(value: Any) -> str:
    """A time as UTC microseconds: from RFC 3339 text, a datetime with zone, or microseconds."""
    if isinstance(value, int):
        return str(value)
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return str(round((at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000))


FIELDS: Mapping[str, Kind] = {
    "id": text, "number": text, "status": text, "currency": text, "total": exact, "tax": exact, "email": text,
    "customer": text, "placed_at": moment, "changed_at": moment, "first_name": text, "last_name": text, "street": text,
    "postal_code": text, "city": text, "country": text, "ship_street": text, "ship_city": text, "ship_country": text,
}  # fmt: skip
LINES: Mapping[str, Kind] = {"id": text, "sku": text, "name": text, "quantity": exact, "price": exact, "total": exact}

Row = tuple[Any, ...]  # the values of FIELDS, in their order
Read = Iterable[tuple[Row, Iterable[Row]]]  # with the values of LINES of each of its lines
READERS = {
    "truth": "benchmarks.readers.truth", "sqlite": "benchmarks.readers.sqlite", "duckdb": "benchmarks.readers.duckdb",
    "jsonlines": "benchmarks.readers.jsonlines", "hub": "benchmarks.readers.hub",
}  # fmt: skip


@dataclass(frozen=True)
class Holding:
    """What a result holds. Totals are exact decimals as text, the checksum is hexadecimal."""

    orders: int
    distinct: int
    lines: int
    total: str
    line_total: str
    checksum: str


def check(read: Read) -> Holding:
    """Counts, adds up and digests. Rows of one order must come once: `distinct` tells when they do not."""
    orders = lines = digest = 0
    total = line_total = Decimal(0)
    seen: set[int] = set()
    money, price = list(FIELDS).index("total"), list(LINES).index("price")
    for fields, parts in read:
        said = [kind(value) for kind, value in zip(FIELDS.values(), fields, strict=True)]
        orders += 1
        seen.add(int(said[0]))
        total += Decimal(said[money])
        digest += _digest(said)
        for part in parts:
            line = [kind(value) for kind, value in zip(LINES.values(), part, strict=True)]
            lines += 1
            line_total += Decimal(line[price])
            digest += _digest([said[0], *line])
    checksum = f"{digest % (1 << 64):016x}"
    return Holding(orders, len(seen), lines, f"{total:f}", f"{line_total:f}", checksum)


def _digest(values: list[str]) -> int:
    return int.from_bytes(blake2b("\x1f".join(values).encode(), digest_size=8).digest())


def main() -> None:
    """Prints the holding as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reader", choices=READERS)
    parser.add_argument("what")
    asked = parser.parse_args()
    reader = import_module(READERS[asked.reader])
    print(json.dumps(asdict(check(reader.read(asked.what)))))


if __name__ == "__main__":
    main()
