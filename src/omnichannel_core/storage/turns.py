"""The worker's door to processes: who may run now, who runs, and how a turn ended. Ids, fences and times only."""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import attrs
import sqlalchemy as sa

from omnichannel_core import errors
from omnichannel_core.model.process import State
from omnichannel_core.storage import engine
from omnichannel_core.storage.schema import process
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.times import maybe_moment, micros

C = process.c
NEAR = 256  # so many of those that wait longest are looked at first
FAR = 1_000_000
CRASHES = 20  # so many workers in a row may die over a process without a page between


@attrs.frozen(kw_only=True)
class Who:
    """Which worker asks, and what it can run. `only` narrows to these ids; `alive` is None where nobody can know."""

    worker: str
    kinds: Collection[str]
    only: Collection[int] | None = None
    alive: Callable[[str], bool] | None = None


Due = tuple[int, int, str]  # process, connection (0: none), account
Busy = Mapping[tuple[str, int], int]


@attrs.frozen(kw_only=True)
class Held:
    """A process in a worker's hands."""

    account: str
    id: int
    fence: int


@attrs.frozen(kw_only=True)
class Look:
    """What waits: how many are due (counted up to a cap), when the next will be, whether a dead worker left some."""

    due: int
    next_at: datetime | None
    orphans: bool


@attrs.frozen(kw_only=True)
class Ended:
    """How a turn ended. None leaves a thing as it is; an open state needs `run_at`."""

    held: Held
    state: State
    now: datetime
    run_at: datetime | None = None
    message: str | None = None
    payload: Mapping[str, Any] | None = None
    attempts: int | None = None
    error_key: str | None = None
    error: str | None = None


def look(tx: Tx, who: Who, now: datetime, cap: int) -> Look:
    """Ask, change nothing."""
    facts = _facts(who, now, cap) | {"me": who.worker}
    count, next_at, late = tx.execute(_look(alone=who.only is not None), facts).one()
    orphans = bool(late) or (who.alive is not None and bool(_orphaned(tx, who, now)))
    return Look(due=count, next_at=None if count else maybe_moment(next_at), orphans=orphans)


def take(tx: Tx, who: Who, now: datetime, lease_until: datetime, limit: int, busy: Busy | None = None) -> list[Held]:
    """Take up to `limit` due ones: fence raised, worker and lease written. What the dead and the late left comes first.

    Fair: of all due ones those of the accounts that have the least in hand; of these those of such connections; of
    these the longest due.

    Args:
        busy: by account and connection, the turns it has now or had lately here.
    """
    if orphans := _unlocked(tx, _orphaned(tx, who, now)):
        _give_up(tx, orphans, now)
        tx.execute(
            sa.update(process)
            .where(C.id.in_(orphans), C.state == State.RUNNING.value)
            .values(state=State.QUEUED.value, worker="", lease_until=0, crashes=C.crashes + 1)
        )
        engine.call(tx, orphans)
    ids = _unlocked(tx, _fairest(tx, who, now, limit, busy or {}))[:limit]
    if not ids:
        return []
    rows = tx.execute(
        _TAKE,
        {"ids": ids, "taker": who.worker, "lease": micros(lease_until), "now": micros(now)},
    )
    taken = {row[0]: Held(id=row[0], account=row[1], fence=row[2]) for row in rows}
    return [taken[one] for one in ids if one in taken]


def _give_up(tx: Tx, orphans: Collection[int], now: datetime) -> None:
    """Those that every worker dies over fail, instead of taking the next one down too."""
    crash = errors.WorkerLost(
        f"{CRASHES} workers in a row ended while they ran this, without getting a page further. Look into their last "
        "words (memory, signals, native code of the driver), then start it again."
    )
    tx.execute(
        sa.update(process)
        .where(C.id.in_(orphans), C.state == State.RUNNING.value, C.crashes >= CRASHES - 1)
        .values(
            state=State.FAILED.value, worker="", lease_until=0, crashes=CRASHES, finished_at=micros(now),
            error_key=crash.key, error=str(crash),
        )
    )  # fmt: skip


def finish(tx: Tx, ended: Ended) -> State | None:
    """Write how a turn ended; the state it is in now (cancelled, when that was asked and it did not succeed).

    None: somebody else has it, and nothing was written.
    """
    over = ended.state in {State.SUCCEEDED, State.FAILED, State.CANCELLED}
    row = tx.execute(
        _FINISH,
        {
            "one": ended.held.id, "account": ended.held.account, "its_fence": ended.held.fence,
            "to": ended.state.value, "ended_at": micros(ended.now) if over else None, "at": micros(ended.now),
            "due": None if ended.run_at is None else micros(ended.run_at), "said": ended.message,
            "left": None if ended.payload is None else json.dumps(dict(ended.payload)),
            "tries": ended.attempts, "wrong": ended.error_key, "why": ended.error,
        },
    ).one_or_none()  # fmt: skip
    return None if row is None else State(row[0])


def prolong(tx: Tx, worker: str, lease_until: datetime) -> dict[tuple[int, int], bool]:
    """Prolong all leases of a worker: (id, fence) of what it holds -> whether that is asked to end."""
    rows = tx.execute(
        sa.update(process)
        .where(C.worker == worker, C.state == State.RUNNING.value)
        .values(lease_until=micros(lease_until))
        .returning(C.id, C.fence, C.cancel)
    )
    return {(row[0], row[1]): bool(row[2]) for row in rows}


def holding(tx: Tx, worker: str) -> dict[tuple[int, int], bool]:
    """What `prolong` answers, and nothing is prolonged."""
    rows = tx.execute(sa.select(C.id, C.fence, C.cancel).where(C.worker == worker, C.state == State.RUNNING.value))
    return {(row[0], row[1]): bool(row[2]) for row in rows}


def leave(tx: Tx, worker: str, now: datetime) -> int:
    """A worker goes: whatever it still holds is queued again (or cancelled, when asked); how many."""
    asked = C.cancel == 1
    done = tx.execute(
        sa.update(process)
        .where(C.worker == worker, C.state == State.RUNNING.value)
        .values(
            state=sa.case((asked, State.CANCELLED.value), else_=State.QUEUED.value), worker="", lease_until=0,
            run_at=micros(now), finished_at=sa.case((asked, micros(now)), else_=None),
        )
        .returning(C.id, C.state)
    ).all()  # fmt: skip
    engine.call(tx, (row[0] for row in done if row[1] == State.QUEUED.value))
    return len(done)


def _facts(who: Who, now: datetime, depth: int) -> dict[str, Any]:
    facts = {"kinds": sorted(who.kinds), "now": micros(now), "depth": depth}
    return facts if who.only is None else facts | {"only": sorted(who.only)}


def _idle(alone: bool) -> sa.ColumnElement[bool]:
    idle = sa.and_(sa.text("state IN ('queued','waiting')"), C.kind.in_(sa.bindparam("kinds", expanding=True)))
    return sa.and_(idle, C.id.in_(sa.bindparam("only", expanding=True))) if alone else idle


# Statements are built once: building one costs as much as running it.
@cache
def _look(*, alone: bool) -> sa.Select[Any]:
    """One question for all: how many are due, when the next is, and whether a lease is over."""
    due = sa.select(C.id).where(_idle(alone), C.run_at <= sa.bindparam("now")).limit(sa.bindparam("depth"))
    late = sa.select(C.id).where(
        sa.text("state = 'running'"), C.worker != sa.bindparam("me"), C.lease_until <= sa.bindparam("now")
    )
    return sa.select(
        sa.select(sa.func.count()).select_from(due.subquery()).scalar_subquery(),
        sa.select(sa.func.min(C.run_at)).where(_idle(alone)).scalar_subquery(),
        sa.exists(late),
    )


def _orphaned(tx: Tx, who: Who, now: datetime) -> list[int]:
    """Ids of what runs nowhere: the worker is dead, or its lease is over."""
    others = tx.execute(_OTHERS, {"me": who.worker}).all()
    dead = {one for one in {row[1] for row in others} if who.alive is not None and not who.alive(one)}
    return [row[0] for row in others if row[1] in dead or row[2] <= micros(now)]


def _unlocked(tx: Tx, ids: list[int]) -> list[int]:
    """PostgreSQL only: those that no other worker is just taking, so that workers neither wait nor deadlock."""
    if not ids or tx.dialect.name != "postgresql":
        return ids
    free = set(
        tx.execute(sa.select(C.id).where(C.id.in_(ids)).order_by(C.id).with_for_update(skip_locked=True)).scalars()
    )
    return [one for one in ids if one in free]


def _fairest(tx: Tx, who: Who, now: datetime, limit: int, busy: Busy) -> list[int]:
    picked: list[tuple[int, int]] = []
    for depth in (NEAR, FAR):
        picked = _pick(_among(tx, who, now, limit, depth, len(busy)), limit, busy)
        if all(had == 0 for _, had in picked) and len(picked) == limit:
            break  # no connection is served twice, so none can have been passed over
    return [one for one, _ in picked]


def _among(tx: Tx, who: Who, now: datetime, limit: int, depth: int, busy: int) -> list[Due]:
    """Due ones of at least `limit` accounts, where there are as many: behind a crowd of one, others are looked for."""
    found: list[Due] = []
    accounts: set[str] = set()
    while True:
        facts = _facts(who, now, depth) | {"most": limit + 2 * busy + 1, "seen": sorted(accounts)}
        rows = tx.execute(_line(alone=who.only is not None), facts).all()
        found += [(row[0], row[1], row[2]) for row in rows]
        accounts |= {row[2] for row in rows}
        if not rows or rows[0][3] < depth or len(accounts) >= limit:
            return found


@cache
def _line(*, alone: bool) -> sa.Select[Any]:
    """Due ones, the first of each connection before the second of any."""
    due = (
        sa.select(C.id, C.run_at, C.connection_id, C.account_id)
        .where(_idle(alone), C.run_at <= sa.bindparam("now"), C.account_id.not_in(sa.bindparam("seen", expanding=True)))
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


def held_by_account(held: Iterable[Held]) -> dict[str, list[Held]]:
    """The same, grouped by account: rows are read through the account's own repository."""
    groups: dict[str, list[Held]] = {}
    for one in held:
        groups.setdefault(one.account, []).append(one)
    return groups


_OTHERS = sa.select(C.id, C.worker, C.lease_until).where(sa.text("state = 'running'"), C.worker != sa.bindparam("me"))
_TAKE = (
    sa.update(process)
    .where(C.id.in_(sa.bindparam("ids", expanding=True)), sa.text("state IN ('queued','waiting')"))
    .values(
        state=State.RUNNING.value, fence=C.fence + 1, worker=sa.bindparam("taker"),
        lease_until=sa.bindparam("lease"), started_at=sa.func.coalesce(C.started_at, sa.bindparam("now")),
    )
    .returning(C.id, C.account_id, C.fence)
)  # fmt: skip
_CANCELLED = sa.and_(C.cancel == 1, sa.bindparam("to", type_=sa.Text) != State.SUCCEEDED.value)
_FINISH = (
    sa.update(process)
    .where(
        C.id == sa.bindparam("one"), C.account_id == sa.bindparam("account"), C.fence == sa.bindparam("its_fence"),
        C.state == State.RUNNING.value,
    )
    .values(
        state=sa.case((_CANCELLED, State.CANCELLED.value), else_=sa.bindparam("to", type_=sa.Text)),
        finished_at=sa.case(
            (_CANCELLED, sa.bindparam("at", type_=sa.BigInteger)), else_=sa.bindparam("ended_at", type_=sa.BigInteger)
        ),
        run_at=sa.func.coalesce(sa.bindparam("due", type_=sa.BigInteger), C.run_at),
        message=sa.func.coalesce(sa.bindparam("said", type_=sa.Text), C.message),
        payload=sa.func.coalesce(sa.bindparam("left", type_=sa.Text), C.payload),
        attempts=sa.func.coalesce(sa.bindparam("tries", type_=sa.BigInteger), C.attempts),
        error_key=sa.func.coalesce(sa.bindparam("wrong", type_=sa.Text), C.error_key),
        error=sa.func.coalesce(sa.bindparam("why", type_=sa.Text), C.error),
        worker="", lease_until=0,
    )
    .returning(C.state)
)  # fmt: skip
