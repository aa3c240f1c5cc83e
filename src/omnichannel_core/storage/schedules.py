"""When each stream of each connection runs by itself."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import attrs
import sqlalchemy as sa

from omnichannel_core import errors
from omnichannel_core.storage.schema import schedule
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.times import micros, moment

S = schedule.c
INTERVALS = (0, 2, 5, 10, 15, 20, 30, 60)
JITTER = 0.1


@attrs.frozen
class Schedule:
    """One stream's. `minutes` 0 is never; `resting`: the connection is switched off."""

    connection: int
    stream: str
    minutes: int
    next_at: datetime
    resting: bool


class Schedules:
    """In one transaction, of one account."""

    def __init__(self, tx: Tx, account: str) -> None:
        self._tx, self._account = tx, account

    def set(self, connection: int, stream: str, minutes: int, now: datetime) -> None:
        """An interval for a stream.

        Raises:
            UsageError: not one of the intervals.
        """
        if minutes not in INTERVALS:
            allowed = ", ".join(str(one) for one in INTERVALS[1:])
            raise errors.UsageError(f"A schedule of {minutes} minutes is not possible: 0 (never) or {allowed}.")
        values = {"minutes": minutes, "next_at": micros(now + _spread(minutes))}
        mine = {"connection_id": connection, "stream": stream, "account_id": self._account}
        if self._tx.execute(sa.update(schedule).filter_by(**mine).values(**values)).rowcount == 0:
            self._tx.execute(schedule.insert().values(**mine, **values))

    def list(self, connection: int) -> list[Schedule]:
        """All of a connection."""
        rows = self._tx.execute(
            sa.select(schedule).filter_by(account_id=self._account, connection_id=connection).order_by(S.stream)
        )
        return [
            Schedule(row.connection_id, row.stream, row.minutes, moment(row.next_at), bool(row.resting)) for row in rows
        ]

    def rest(self, connection: int) -> None:
        """They do not tick."""
        mine = {"account_id": self._account, "connection_id": connection}
        self._tx.execute(sa.update(schedule).filter_by(**mine).values(resting=1))

    def wake(self, connection: int, now: datetime) -> None:
        """They tick again, each spread over one interval."""
        for one in self.list(connection):
            self._tx.execute(
                sa.update(schedule).filter_by(account_id=self._account, connection_id=connection, stream=one.stream)
                .values(resting=0, next_at=micros(now + _spread(one.minutes)))
            )  # fmt: skip


def claim_due(tx: Tx, now: datetime, limit: int) -> list[tuple[str, int, str]]:
    """The worker's door: (account, connection, stream) that are due; each is due again one interval from now."""
    rows = tx.execute(
        sa.select(schedule)
        .where(S.minutes > 0, S.resting == 0, S.next_at <= micros(now))
        .order_by(S.next_at)
        .limit(limit)
    ).all()
    for row in rows:
        again = timedelta(minutes=row.minutes) * random.uniform(1 - JITTER, 1 + JITTER)
        tx.execute(
            sa.update(schedule)
            .filter_by(connection_id=row.connection_id, stream=row.stream)
            .values(next_at=micros(now + again))
        )
    return [(row.account_id, row.connection_id, row.stream) for row in rows]


def _spread(minutes: int) -> timedelta:
    return timedelta(minutes=minutes) * random.random()


def any_due(tx: Tx, now: datetime) -> bool:
    """Whether a claim would find something: cheap, without a write."""
    query = sa.select(S.connection_id).where(S.minutes > 0, S.resting == 0, S.next_at <= micros(now)).limit(1)
    return tx.execute(query).first() is not None
