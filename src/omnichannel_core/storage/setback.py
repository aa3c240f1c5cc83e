"""A clock that ran ahead and was set back leaves times nobody will live to see: what they put off is due now.

Schedules, callbacks and leases of tokens mend themselves where they are read; here are the others.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from omnichannel_core import errors
from omnichannel_core.model.outbox import NEVER
from omnichannel_core.storage import engine
from omnichannel_core.storage.schema import outbox, process
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.times import micros

AHEAD = timedelta(seconds=errors.WAIT_MAX) * 1.1  # nothing waits longer
LEASE = timedelta(days=1)  # no lease is that long
P, C = process.c, outbox.c


def found(tx: Tx, now: datetime) -> bool:
    """The worker's door: whether `mend` would find something."""
    questions = (
        sa.select(P.id).where(_asleep(now)),
        sa.select(P.id).where(_held(now)),
        sa.select(C.id).where(_off(now)),
    )
    return any(tx.execute(one.limit(1)).first() is not None for one in questions)


def mend(tx: Tx, now: datetime) -> int:
    """The worker's door: processes and pushes that wait for a time too far ahead are due now, such leases are over."""
    at = micros(now)
    woken = tx.execute(sa.update(process).where(_asleep(now)).values(run_at=at).returning(P.id)).scalars().all()
    engine.call(tx, woken)
    held = tx.execute(sa.update(process).where(_held(now)).values(lease_until=at)).rowcount
    return len(woken) + held + tx.execute(sa.update(outbox).where(_off(now)).values(due_at=at)).rowcount


def _asleep(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(sa.text("omni_process.state IN ('queued','waiting')"), P.run_at > micros(now + AHEAD))


def _held(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(sa.text("omni_process.state = 'running'"), P.lease_until > micros(now + LEASE))


def _off(now: datetime) -> sa.ColumnElement[bool]:
    waits = sa.text("omni_outbox.state IN ('queued','pending','unknown')")
    return sa.and_(waits, C.due_at > micros(now + AHEAD), C.due_at < micros(NEVER))
