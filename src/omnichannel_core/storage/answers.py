"""Answers that were given to requests with an idempotency key."""

from __future__ import annotations

from datetime import datetime, timedelta

import attrs
import sqlalchemy as sa

from omnichannel_core.storage.schema import answer
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.times import micros

KEPT_FOR = timedelta(hours=24)


@attrs.frozen(kw_only=True)
class Stored:
    """`request` is a digest of what was asked; `status` 0 while nobody has answered yet."""

    request: str
    status: int
    body: str = attrs.field(repr=False)


class Answers:
    """In one transaction, of one actor in one account."""

    def __init__(self, tx: Tx, account: str, actor: str) -> None:
        self._tx, self._mine = tx, {"account_id": account, "actor": actor}

    def get(self, key: str) -> Stored | None:
        """What is kept under a key."""
        columns = sa.select(answer.c.request, answer.c.status, answer.c.body)
        row = self._tx.execute(columns.filter_by(**self._mine, key=key)).one_or_none()
        return None if row is None else Stored(request=row.request, status=row.status, body=row.body)

    def begin(self, key: str, request: str, now: datetime) -> None:
        """Somebody is at it; what is older than a day is forgotten on the way, whosever it is."""
        self._tx.execute(answer.delete().where(answer.c.at < micros(now - KEPT_FOR)))
        self._tx.execute(answer.insert().values(**self._mine, key=key, request=request, status=0, at=micros(now)))

    def end(self, key: str, status: int, body: str) -> None:
        """What was answered."""
        self._tx.execute(answer.update().filter_by(**self._mine, key=key).values(status=status, body=body))

    def drop(self, key: str) -> None:
        """Nothing was done: the key may be used again."""
        self._tx.execute(answer.delete().filter_by(**self._mine, key=key))
