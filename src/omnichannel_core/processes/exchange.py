"""What a worker writes between turns, in one transaction: how some ended, which it takes, whom it calls."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import attrs

from omnichannel_core.model.process import Process, State
from omnichannel_core.storage import engine, turns
from omnichannel_core.storage.fairness import NEAR, Busy, Who
from omnichannel_core.storage.processes import in_hand
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.turns import Ended, Held


@attrs.frozen(kw_only=True)
class Wanted:
    """What a worker wants written.

    Attributes:
        ended: how turns of its ended.
        free: so many it can take.
        busy: see `turns.take_due`.
        lease_until: of what it takes.
        rescues: what the dead left is made due first.
        passes: all calls are answered, and others are called for what is left.
    """

    who: Who
    now: datetime
    ended: Sequence[Ended]
    free: int
    busy: Busy
    lease_until: datetime
    rescues: bool
    passes: bool


@attrs.frozen(kw_only=True)
class Exchanged:
    """What one transaction changed.

    Attributes:
        ended: those that reached an end, here or over too many dead workers.
        lost: those that somebody else has.
        left: due ones that nobody has, counted up to a cap; 0 when nobody looked.
    """

    ended: list[Process]
    lost: list[Held]
    taken: list[Process]
    left: int


def exchange(tx: Tx, wanted: Wanted) -> Exchanged:
    """Write it. On PostgreSQL six round trips at most when nobody is called, however many turns ended."""
    who, now, ended = wanted.who, wanted.now, wanted.ended
    states = turns.finish_all(tx, ended)
    if wanted.passes:
        engine.answer(tx)
    given_up = turns.rescue(tx, who, now) if wanted.rescues else []
    taken: list[Held] = []
    left = 0
    if wanted.free > 0:
        taken, left = turns.take_due(tx, who, now, wanted.lease_until, wanted.free, wanted.busy)
    else:
        engine.call(tx, (one.held.id for one in ended if one.run_at is not None and one.run_at <= now))
        left = turns.look(tx, who, now, NEAR).due if wanted.passes else 0
    if wanted.passes and left:
        engine.call(tx, [0])
    over = given_up + [
        one.held for one in ended if states.get(key(one.held)) not in {None, State.QUEUED, State.WAITING}
    ]
    rows = in_hand(tx, [(one.account, one.id) for one in (*over, *taken)])
    mine = {one.id for one in taken}
    return Exchanged(
        ended=[row for row in rows if row.id not in mine],
        lost=[one.held for one in ended if key(one.held) not in states],
        taken=[row for row in rows if row.id in mine],
        left=left,
    )


def key(held: Held) -> tuple[int, int]:
    """Its id and fence."""
    return held.id, held.fence
