"""When each stream of a connection is pulled by itself."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import attrs
import sqlalchemy as sa

from omnichannel_core import errors
from omnichannel_core.storage.schema import schedule
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.times import micros, moment

C = schedule.c
INTERVALS = (0, 2, 5, 10, 15, 20, 30, 60)  # 0 is never
AHEAD = timedelta(hours=2)  # no interval is that long: the clock was set back
Chance = Callable[[], float]  # 0 to 1


@attrs.frozen(kw_only=True)
class Schedule:
    """One stream's schedule. `own`: set by somebody, not the stream's default. Resting ones are not due."""

    connection: int
    stream: str
    minutes: int
    own: bool
    resting: bool
    next_at: datetime | None


class Schedules:
    """In one transaction, of one account."""

    def __init__(self, tx: Tx, account: str, chance: Chance = random.random) -> None:
        self._tx, self._account, self._chance = tx, account, chance

    def set(self, connection: int, stream: str, minutes: int, now: datetime, *, own: bool = True) -> None:
        """From now on every so many minutes; 0 is never. A resting connection's goes on resting.

        Raises:
            UsageError: no such interval.
        """
        if minutes not in INTERVALS:
            raise errors.UsageError(
                f"Every {minutes} minutes is not offered: take one of {', '.join(map(str, INTERVALS))}."
            )
        next_at = micros(now + _around(minutes, self._chance))
        values = {"minutes": minutes, "own": int(own), "next_at": next_at}
        done = self._tx.execute(sa.update(schedule).where(self._of(connection), C.stream == stream).values(**values))
        if done.rowcount == 0:
            rests = self._tx.execute(sa.select(sa.func.max(C.resting)).where(self._of(connection))).scalar()
            self._tx.execute(
                schedule.insert().values(
                    account_id=self._account, connection_id=connection, stream=stream, resting=rests or 0, **values
                )
            )

    def list(self, connection: int) -> Sequence[Schedule]:
        """All of a connection, by stream."""
        rows = self._tx.execute(sa.select(schedule).where(self._of(connection)).order_by(C.stream))
        return [
            Schedule(
                connection=row.connection_id, stream=row.stream, minutes=row.minutes, own=bool(row.own),
                resting=bool(row.resting), next_at=moment(row.next_at) if row.minutes and not row.resting else None,
            )
            for row in rows
        ]  # fmt: skip

    def rest(self, connection: int) -> None:
        """None of them is due (disabled, suspended, being deleted)."""
        self._tx.execute(sa.update(schedule).where(self._of(connection)).values(resting=1))

    def wake(self, connection: int, now: datetime) -> None:
        """They go on, spread over one interval, so that many that return together do not all come at once."""
        for one in self.list(connection):
            if one.resting:
                next_at = now + timedelta(minutes=one.minutes) * self._chance()
                self._tx.execute(
                    sa.update(schedule)
                    .where(self._of(connection), C.stream == one.stream)
                    .values(resting=0, next_at=micros(next_at))
                )

    def remove(self, connection: int, stream: str | None = None) -> None:
        """Forget one stream's, or all of a connection."""
        which = self._of(connection)
        self._tx.execute(schedule.delete().where(which if stream is None else sa.and_(which, C.stream == stream)))

    def _of(self, connection: int) -> sa.ColumnElement[bool]:
        return sa.and_(C.account_id == self._account, C.connection_id == connection)


def any_due(tx: Tx, now: datetime) -> bool:
    """The worker's door: whether `claim_due` would find something."""
    return tx.execute(_DUE.where(_is_due(now)).limit(1)).first() is not None


def claim_due(tx: Tx, now: datetime, limit: int = 200, chance: Chance = random.random) -> list[tuple[str, int, str]]:
    """The worker's door: (account, connection, stream) of what is due, once; each moved on by its interval.

    What was missed while nobody ran is not made up for: one turn, then the rhythm goes on from now. What a clock that
    ran ahead put off is due at once.
    """
    rows = tx.execute(_DUE.where(_is_due(now)).order_by(C.next_at).limit(limit)).all()
    claimed = []
    for row in rows:
        next_at = next_after(min(moment(row.next_at), now), row.minutes, now, chance)
        moved = tx.execute(
            sa.update(schedule)
            .where(C.connection_id == row.connection_id, C.stream == row.stream, C.next_at == row.next_at)
            .values(next_at=micros(next_at))
        )
        if moved.rowcount == 1:  # else another worker was first
            claimed.append((row.account_id, row.connection_id, row.stream))
    return claimed


def next_after(due: datetime, minutes: int, now: datetime, chance: Chance = random.random) -> datetime:
    """An interval after it was due, or after now when that is over too: neither drift nor a pile."""
    next_at = due + _around(minutes, chance)
    return next_at if next_at > now else now + _around(minutes, chance)


def _around(minutes: int, chance: Chance) -> timedelta:
    """The interval, up to a tenth shorter or longer."""
    return timedelta(minutes=minutes) * (0.9 + 0.2 * chance())


def _is_due(now: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(C.next_at <= micros(now), C.next_at > micros(now + AHEAD))


_DUE = sa.select(C.account_id, C.connection_id, C.stream, C.minutes, C.next_at).where(
    sa.text("minutes > 0 AND resting = 0")
)
