"""The list of connections: p95 of a filtered, sorted page of 50 out of 100,000, over every column and operator."""

from __future__ import annotations

import math
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from omnichannel_core.connections.listing import understand
from omnichannel_core.model.view import COLUMNS, OPERATORS, Filter, Look
from omnichannel_core.storage import migrations
from omnichannel_core.storage.listing import ConnectionList
from omnichannel_core.storage.store import Store, Tx

ACCOUNT = "bench"
PAGE = 50
BUDGET_MS = 50.0
START = 1_700_000_000_000_000
MINUTE = 60_000_000
_INSERT = (
    "INSERT INTO omni_connection (id, account_id, driver, name, status, health, health_reason, order_return_errors,"
    " other_errors, remote_account, remote_title, created_at, last_synced_at, works, credentials)"
    " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
)
VALUES: dict[str, tuple[tuple[str, str], ...]] = {
    # column: (value, value2 of between); common, rare, and nothing at all
    "name": (("Shop c", "Shop d"), ("Shop a000", "Shop a001"), ("zz", "zzz")),
    "status": (("active", "active"), ("inactive", "inactive"), ("gone", "gone")),
    "driver": (("shopify", "tradebyte"), ("amazon", "amazon"), ("nothing", "nothing")),
    "health": (("ok", "ok"), ("attention", "attention"), ("never", "never")),
    "health_reason": (("", "z"), ("reason 7", "reason 8"), ("zz", "zzz")),
    "order_return_errors": (("no", "yes"), ("yes", "yes")),
    "other_errors": (("0", "1"), ("3", "9"), ("99", "100")),
    "id": (("50000", "90000"), ("77777", "77780"), ("999999", "1000000")),
    "created_at": (("2023-12-20", "2024-01-15"), ("2024-01-20 10:00", "2024-01-20 10:05"), ("1.1.2031", "2.1.2031")),
    "last_synced_at": (("2025-10-10", "2025-11-30"), ("9.11.2025 10:00", "9.11.2025 10:09"), ("1.1.2031", "2.1.2031")),
    "remote_account": (("store-5", "store-6"), ("store-123", "store-1234"), ("zz", "zzz")),
    "remote_title": (("Title 2", "Title 3"), ("Title 4321", "Title 4321"), ("zz", "zzz")),
}  # fmt: skip


def fill(tx: Tx, rows: int) -> None:
    """One account with so many connections; ids and creation go together, as they do in life."""
    tx.exec_driver_sql("INSERT INTO omni_account (id, name, created_at) VALUES (?, ?, 0)", (ACCOUNT, ACCOUNT))
    dice = random.Random(7)
    raw: Any = tx.connection.driver_connection
    raw.executemany(_INSERT, (_row(number, dice) for number in range(1, rows + 1)))


def _row(number: int, dice: random.Random) -> tuple[object, ...]:
    return (
        number, ACCOUNT, dice.choice(("amazon", "bigcommerce", "pos", "shopify", "shopware6")),
        f"Shop {dice.choice('abcdefgh')}{dice.randrange(1000):03} {number}",
        "active" if dice.random() < 0.8 else "inactive", dice.choice(("ok",) * 8 + ("attention", "waiting")),
        "" if dice.random() < 0.8 else f"reason {dice.randrange(50)}", int(dice.random() < 0.02),
        dice.randrange(1, 4) if dice.random() < 0.05 else 0, f"store-{dice.randrange(10**6)}",
        f"Title {dice.randrange(5000)}", START + number * MINUTE,
        None if dice.random() < 0.2 else 1_760_000_000_000_000 + dice.randrange(10**13),
        '["offers","orders","returns"]', '{"store_hash":"abcdefgh","access_token":{"$secret":"access_token"}}',
    )  # fmt: skip


def looks() -> Iterator[tuple[str, str, Look]]:
    """Column, operator and look: every column by every operator by each value, sorted by each of all columns."""
    for column in COLUMNS:
        for operator in OPERATORS:
            for value, value2 in VALUES[column]:
                for at, sort in enumerate(COLUMNS):
                    one = Filter(column=column, operator=operator, value=value, value2=value2)  # type: ignore[arg-type]
                    yield column, operator, Look(filters=(one,), sort=(f"-{sort}" if at % 2 else sort,))


def measure(store: Store) -> tuple[dict[tuple[str, str], list[float]], list[tuple[float, Look]]]:
    """Milliseconds of each look's first page by column and operator, and the slowest looks."""
    taken: dict[tuple[str, str], list[float]] = {}
    slow: list[tuple[float, Look]] = []
    for column, operator, look in looks():
        begin = time.perf_counter()
        conditions, sort = understand(look)
        store.read_now(lambda tx, asked=(conditions, sort): ConnectionList(tx, ACCOUNT).page(*asked, None, PAGE + 1))
        took = (time.perf_counter() - begin) * 1000
        taken.setdefault((column, operator), []).append(took)
        slow.append((took, look))
    return taken, sorted(slow, key=lambda one: -one[0])[:5]


def p95(values: list[float]) -> float:
    """The smallest value that at least 95 of 100 do not exceed."""
    return sorted(values)[math.ceil(len(values) * 0.95) - 1]


def run(rows: int = 100_000) -> list[dict[str, Any]]:
    """Figures: p95 over all, p95 of the worst column and operator, and all ids of a list."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(str(Path(folder) / "list.db"))
        store.open()
        try:
            migrations.ensure(store)
            store.write_now(lambda tx: fill(tx, rows))
            taken, slow = measure(store)
            begin = time.perf_counter()
            everything = store.read_now(lambda tx: ConnectionList(tx, ACCOUNT).ids([]))
            all_ids = (time.perf_counter() - begin) * 1000
        finally:
            store.close()
    return _figures(rows, taken, slow, len(everything), all_ids)


def _figures(
    rows: int, taken: dict[tuple[str, str], list[float]], slow: list[tuple[float, Look]], ids: int, all_ids: float
) -> list[dict[str, Any]]:
    every = [one for values in taken.values() for one in values]
    worst = max(taken, key=lambda pair: p95(taken[pair]))
    told = [f"{look.filters[0].column} {look.filters[0].operator} by {look.sort[0]}: {took:.1f}" for took, look in slow]
    return [
        {"figure": "list_page_p95_ms", "value": round(p95(every), 2), "budget": BUDGET_MS, "ok": p95(every) < BUDGET_MS,
         "rows": rows, "page": PAGE, "queries": len(every), "slowest": told},
        {"figure": "list_page_worst_pair_p95_ms", "value": round(p95(taken[worst]), 2),
         "column": worst[0], "operator": worst[1]},
        {"figure": "list_all_ids_ms", "value": round(all_ids, 2), "rows": ids, "ok": ids == rows},
    ]  # fmt: skip
