"""Which of the due ones are next: of the account with the least in hand, of its least busy connection, the oldest."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import attrs
import sqlalchemy as sa

from omnichannel_core.storage.schema import process
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.times import micros

C = process.c
NEAR = 256  # so many of those that wait longest are looked at first
FAR = 1_000_000


@attrs.frozen(kw_only=True)
class Who:
    """Which worker asks, and what it can run. `only` narrows to these ids; `alive` is None where nobody can know."""

    worker: str
    kinds: Collection[str]
    only: Collection[int] | None = None
    alive: Callable[[str], bool] | None = None


Due = tuple[int, int, str]  # process, connection (0: none), account
Busy = Mapping[tuple[str, int], int]


def fairest(tx: Tx, who: Who, now: datetime, limit: int, busy: Busy) -> tuple[list[int], int]:
    """Ids of up to `limit` due ones, in order, and how many are due in all (capped)."""
    picked: list[tuple[int, int]] = []
    due = 0
    for depth in (NEAR, FAR):
        rows, due = _among(tx, who, now, limit, depth, len(busy))
        picked = _pick(rows, limit, busy)
        if due < depth or (all(had == 0 for _, had in picked) and len(picked) == limit):
            break  # all were seen, or no connection is served twice, so none can have been passed over
    return [one for one, _ in picked], due


def _among(tx: Tx, who: Who, now: datetime, limit: int, depth: int, busy: int) -> tuple[list[Due], int]:
    """Due ones of at least `limit` accounts, where there are as many: behind a crowd of one, others are looked for.

    Shape: (them, how many are due in all, or `depth` when more).
    """
    found: list[Due] = []
    due = 0
    accounts: set[str] = set()
    while True:
        known = facts(who, now, depth) | {"most": limit + 2 * busy + 1, "seen": sorted(accounts)}
        rows = tx.execute(_line(alone=who.only is not None), known).all()
        due = max(due, rows[0][3] if rows else 0)
        found += [(row[0], row[1], row[2]) for row in rows]
        accounts |= {row[2] for row in rows}
        if not rows or rows[0][3] < depth or len(accounts) >= limit:
            return found, due


@cache
def _line(*, alone: bool) -> sa.Select[Any]:
    """Due ones, the first of each connection before the second of any."""
    due = (
        sa.select(C.id, C.run_at, C.connection_id, C.account_id)
        .where(idle(alone), C.run_at <= sa.bindparam("now"), C.account_id.not_in(sa.bindparam("seen", expanding=True)))
        .order_by(C.run_at, C.id)
        .limit(sa.bindparam("depth"))
        .subquery()
    )
    place = sa.func.row_number().over(
        partition_by=(due.c.account_id, due.c.connection_id), order_by=(due.c.run_at, due.c.id)
    )
    all_due = sa.func.count().over()
    placed = sa.select(due, place.label("place"), all_due.label("all_due")).subquery()
    its = sa.func.row_number().over(
        partition_by=placed.c.account_id, order_by=(placed.c.place, placed.c.run_at, placed.c.id)
    )
    turns = sa.select(placed, its.label("its")).subquery()
    owner = sa.func.coalesce(turns.c.connection_id, 0)
    return (
        sa.select(turns.c.id, owner, turns.c.account_id, turns.c.all_due)
        .order_by(turns.c.its, turns.c.place, turns.c.run_at, turns.c.id)
        .limit(sa.bindparam("most"))
    )


def _pick(rows: Sequence[Due], limit: int, busy: Busy) -> list[tuple[int, int]]:
    """(id, turns its connection has before it): from the account with the least in hand, its least busy connection.

    `rows` are in order of place and due time within each account.
    """
    had: Counter[tuple[str, int]] = Counter(busy)
    in_hand: Counter[str] = Counter()
    for (account, _), many in busy.items():
        in_hand[account] += many
    lines: dict[str, list[tuple[int, int]]] = {}
    for one, connection, account in rows:
        lines.setdefault(account, []).append((had[account, connection], one))
        had[account, connection] += 1
    heads = [(in_hand[account], order, sorted(line, key=_turns)) for order, (account, line) in enumerate(lines.items())]
    picked: list[tuple[int, int]] = []
    heapq.heapify(heads)
    while heads and len(picked) < limit:
        many, order, line = heads[0]
        turns, one = line.pop(0)
        picked.append((one, turns))
        if line:
            heapq.heapreplace(heads, (many + 1, order, line))
        else:
            heapq.heappop(heads)
    return picked


def _turns(weighed: tuple[int, int]) -> int:
    return weighed[0]


def facts(who: Who, now: datetime, depth: int) -> dict[str, Any]:
    """The values of a statement with `idle` in it."""
    known = {"kinds": sorted(who.kinds), "now": micros(now), "depth": depth}
    return known if who.only is None else known | {"only": sorted(who.only)}


def idle(alone: bool) -> sa.ColumnElement[bool]:
    """Those that nobody runs, of the kinds, and perhaps the ids, that the worker asks for."""
    these = sa.and_(sa.text("state IN ('queued','waiting')"), C.kind.in_(sa.bindparam("kinds", expanding=True)))
    return sa.and_(these, C.id.in_(sa.bindparam("only", expanding=True))) if alone else these
