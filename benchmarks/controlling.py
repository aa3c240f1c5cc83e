"""Shows that the checker can fail: it reads results that were spoiled on purpose, each in one small way."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import orders
from benchmarks.checker import Holding, check
from benchmarks.contenders import handwritten
from benchmarks.figures import Figure
from benchmarks.readers import sqlite, truth

SIZE = 1000
SPOILS = {
    "nothing (a sound result)": "",
    "an order is missing, with its lines": "DELETE FROM order_lines WHERE order_id = 1000003; "
    "DELETE FROM orders WHERE id = 1000003",
    "a line is missing": "DELETE FROM order_lines WHERE (order_id, id) = (1000004, 40)",
    "a line was left behind": "INSERT INTO order_lines VALUES (1000004, 49, 'SKU', 'left behind', 1, '0', '0')",
    "a total is a cent off": "UPDATE orders SET total = printf('%.2f', total + 0.01) WHERE id = 1000005",
    "two totals are swapped": "UPDATE orders SET total = (SELECT o.total FROM orders o "
    "WHERE o.id = 2000013 - orders.id) WHERE id IN (1000006, 1000007)",
    "a price became another": "UPDATE order_lines SET price = '1' WHERE (order_id, id) = (1000008, 80)",
    "a time is a microsecond off": "UPDATE orders SET changed_at = changed_at + 1 WHERE id = 1000009",
    "an hour was lost to a time zone": "UPDATE orders SET placed_at = placed_at - 3600000000 WHERE id = 1000010",
    "an older state won": "UPDATE orders SET status = 'pending' WHERE status = 'completed'",
    "a name lost its accents": "UPDATE orders SET city = 'Wurzburg' WHERE city = 'Würzburg'",
    "two lines changed owners": "UPDATE order_lines SET order_id = 1000012 WHERE (order_id, id) = (1000011, 110)",
}


def control() -> Iterable[Figure]:
    """Every spoiled result must be told from the truth, and the sound one must not."""
    with TemporaryDirectory(prefix="bench-control-") as folder:
        sound = Path(folder) / "sound.db"
        fill(sound)
        right = check(truth.read(str(SIZE)))
        missed = [name for name, spoil in SPOILS.items() if (seen(sound, spoil) == right) is bool(spoil)]
    told = len(SPOILS) - len(missed)
    yield Figure("checker: results judged right", told, "results", limit=len(SPOILS), note="; ".join(missed))


def fill(path: Path) -> None:
    """A sound result, by the hand-written loop's own storing."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript(handwritten.SCHEMA)
        pages = SIZE // orders.PAGE
        for number in range(pages):
            data = json.loads(orders.render(number * orders.PAGE, (number + 1) * orders.PAGE))
            meta = {"pagination": {"current_page": number + 1, "total_pages": pages}}
            handwritten.store(db, handwritten.each({"data": data, "meta": meta}))


def seen(sound: Path, spoil: str) -> Holding | None:
    """What the checker makes of a copy spoiled by this statement; None: it refused to read it.

    Raises:
        ValueError: the statement changed nothing, so it proves nothing.
    """
    copy = sound.with_name("spoiled.db")
    shutil.copy(sound, copy)
    with closing(sqlite3.connect(copy)) as db:
        for statement in filter(None, map(str.strip, spoil.split(";"))):
            if db.execute(statement).rowcount < 1:
                raise ValueError(f"nothing to spoil: {statement}")
        db.commit()
    try:
        return check(sqlite.read(str(copy)))
    except ValueError:
        return None
