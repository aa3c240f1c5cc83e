"""Connections of one account."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import attrs
import sqlalchemy as sa

from omnichannel_core import errors
from omnichannel_core.model.connection import Connection
from omnichannel_core.model.lifecycle import Health, Status
from omnichannel_core.storage.schema import connection
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.times import maybe_moment, micros, moment

C = connection.c
AHEAD = timedelta(days=2)  # nobody asks to wait that long for the next subscription: the clock was set back
_SQL = "SELECT status, health FROM omni_connection WHERE account_id = ? AND id = ?"
_SWITCHES = {"qmark": _SQL, "pyformat": _SQL.replace("?", "%s"), "format": _SQL.replace("?", "%s")}


@attrs.frozen(kw_only=True)
class Kept:
    """A connection with what only the house sees. `credentials` is the form without its secrets."""

    seen: Connection
    credentials: Mapping[str, Any]
    grant: int
    subject: str  # of what it was made for: kind and canonical JSON, '' for nothing
    callback_key: str
    fence: int
    arrived_at: datetime | None


class Connections:
    """In one transaction, of one account."""

    def __init__(self, tx: Tx, account: str) -> None:
        self._tx, self._account = tx, account

    def add(self, kept: Kept) -> None:
        """A new row; its id comes from `next_number`."""
        self._tx.execute(connection.insert().values(**_row(kept), account_id=self._account))

    def get(self, connection_id: int) -> Kept:
        """One.

        Raises:
            NotFound: not in this account.
        """
        row = self._tx.execute(
            sa.select(connection).where(C.account_id == self._account, C.id == connection_id)
        ).one_or_none()
        if row is None:
            raise errors.NotFound(f"Account {self._account!r} has no connection {connection_id}.")
        return kept_of(row._mapping)

    def switches(self, connection_id: int) -> tuple[Status, Health]:
        """The user's and the world's, cheaply.

        Raises:
            NotFound: not in this account.
        """
        row = self._tx.exec_driver_sql(
            _SWITCHES[self._tx.dialect.paramstyle], (self._account, connection_id)
        ).one_or_none()
        if row is None:
            raise errors.NotFound(f"Account {self._account!r} has no connection {connection_id}.")
        return Status(row[0]), Health(row[1])

    def many(self, ids: Iterable[int]) -> list[Kept]:
        """Those of these ids that are there."""
        rows = self._tx.execute(sa.select(connection).where(C.account_id == self._account, C.id.in_(list(ids))))
        return [kept_of(row._mapping) for row in rows]

    def all(self, *, driver: str | None = None) -> list[Kept]:
        """All of the account, by id."""
        query = sa.select(connection).where(C.account_id == self._account).order_by(C.id)
        rows = self._tx.execute(query if driver is None else query.where(C.driver == driver))
        return [kept_of(row._mapping) for row in rows]

    def sharing(self, grant: int) -> list[Kept]:
        """Those that share a grant."""
        rows = self._tx.execute(
            sa.select(connection).where(C.account_id == self._account, C.grant_id == grant).order_by(C.id)
        )
        return [kept_of(row._mapping) for row in rows]

    def replace(self, kept: Kept, *, was: int | None = None) -> None:
        """Write a changed one; `was` is the version it was read at.

        Raises:
            Conflict: somebody changed it meanwhile.
        """
        change = sa.update(connection).where(C.account_id == self._account, C.id == kept.seen.id)
        if was is not None:
            change = change.where(C.version == was)
        if self._tx.execute(change.values(**_row(kept))).rowcount != 1:
            raise errors.Conflict(f"Connection {kept.seen.id} has changed meanwhile: load it again.")

    def note(
        self, connection_id: int, *, health: Health | None = None, reason: str = "", synced_at: datetime | None = None
    ) -> None:
        """What the world says about it; not a change of the user's (the version stays).

        While the gate is closed its word stays, whatever a remote says: see `let_in`.
        """
        values: dict[str, Any] = {}
        if health is not None:
            closed = C.health == (Health.SUSPENDED.value if health is not Health.SUSPENDED else "")
            values |= {
                "health": sa.case((closed, C.health), else_=health.value),
                "health_reason": sa.case((closed, C.health_reason), else_=reason),
            }
        if synced_at is not None:
            values["last_synced_at"] = micros(synced_at)
        self._tx.execute(
            sa.update(connection).where(C.account_id == self._account, C.id == connection_id).values(**values)
        )

    def let_in(self, connection_id: int, health: Health, reason: str) -> None:
        """The gate is open again."""
        self._tx.execute(
            sa.update(connection)
            .where(C.account_id == self._account, C.id == connection_id)
            .values(health=health.value, health_reason=reason)
        )

    def calls(self, connection_id: int, trouble: str) -> None:
        """Why the marketplace could not be asked to call; '' when it was, or nobody wants it to."""
        self._tx.execute(
            sa.update(connection)
            .where(C.account_id == self._account, C.id == connection_id)
            .values(calls_trouble=trouble)
        )

    def subscribe_again(self, connection_id: int, at: datetime) -> None:
        """When its callbacks are asked for again."""
        self._tx.execute(
            sa.update(connection)
            .where(C.account_id == self._account, C.id == connection_id)
            .values(subscribe_at=micros(at))
        )

    def remove(self, connection_id: int) -> None:
        """The row is gone; its id is never given again."""
        self._tx.execute(connection.delete().where(C.account_id == self._account, C.id == connection_id))

    def count(self, driver: str) -> int:
        """How many the account has with a driver."""
        query = sa.select(sa.func.count()).select_from(connection)
        return int(self._tx.execute(query.where(C.account_id == self._account, C.driver == driver)).scalar() or 0)


def by_callback(tx: Tx, driver: str, key: str) -> tuple[str, int] | None:
    """The worker's door: account and id of the connection that is called back under this key."""
    row = tx.execute(sa.select(C.account_id, C.id).where(C.callback_key == key, C.driver == driver)).one_or_none()
    return None if row is None else (row[0], row[1])


def by_remote_account(tx: Tx, driver: str, remote_account: str) -> list[tuple[str, int]]:
    """The worker's door: accounts and ids of the connections to a remote account."""
    rows = tx.execute(
        sa.select(C.account_id, C.id).where(C.driver == driver, C.remote_account == remote_account).order_by(C.id)
    )
    return [(row[0], row[1]) for row in rows]


def to_subscribe(tx: Tx, now: datetime, limit: int) -> list[tuple[str, int]]:
    """The worker's door: accounts and ids of active connections whose callbacks are due to be asked for again."""
    due = sa.select(C.account_id, C.id).where(
        C.status == Status.ACTIVE.value, C.health != Health.SUSPENDED.value,
        sa.or_(C.subscribe_at <= micros(now), C.subscribe_at > micros(now + AHEAD)),
    )  # fmt: skip
    return [(row[0], row[1]) for row in tx.execute(due.order_by(C.subscribe_at, C.id).limit(limit))]


def all_ids(tx: Tx) -> list[tuple[str, int, str, str, str]]:
    """The worker's door: (account, id, driver, status, health) of all."""
    rows = tx.execute(sa.select(C.account_id, C.id, C.driver, C.status, C.health).order_by(C.id))
    return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]


def kept_of(row: Mapping[Any, Any]) -> Kept:
    """A row as values."""
    return Kept(
        seen=Connection(
            id=row["id"], account=row["account_id"], driver=row["driver"], name=row["name"],
            status=Status(row["status"]), health=Health(row["health"]), health_reason=row["health_reason"],
            order_return_errors=bool(row["order_return_errors"]), other_errors=row["other_errors"],
            remote_account=row["remote_account"], remote_title=row["remote_title"], channel=row["channel"],
            works=frozenset(json.loads(row["works"])), missing=json.loads(row["missing"]),
            expires={what: datetime.fromisoformat(at) for what, at in json.loads(row["expires"]).items()},
            created_at=moment(row["created_at"]), last_synced_at=maybe_moment(row["last_synced_at"]),
            calls_trouble=row["calls_trouble"], version=row["version"],
        ),
        credentials=json.loads(row["credentials"]), grant=row["grant_id"], subject=row["subject"],
        callback_key=row["callback_key"], fence=row["fence"], arrived_at=maybe_moment(row["arrived_at"]),
    )  # fmt: skip


def _row(kept: Kept) -> dict[str, Any]:
    seen = kept.seen
    return {
        "id": seen.id, "driver": seen.driver, "name": seen.name, "status": seen.status.value,
        "health": seen.health.value, "health_reason": seen.health_reason,
        "remote_account": seen.remote_account, "remote_title": seen.remote_title, "channel": seen.channel,
        "works": json.dumps(sorted(seen.works)), "missing": json.dumps(seen.missing),
        "expires": json.dumps({what: at.isoformat() for what, at in seen.expires.items()}),
        "created_at": micros(seen.created_at), "version": seen.version,
        "credentials": json.dumps(dict(kept.credentials)), "grant_id": kept.grant, "subject": kept.subject,
        "callback_key": kept.callback_key, "fence": kept.fence,
        "arrived_at": None if kept.arrived_at is None else micros(kept.arrived_at),
    }  # fmt: skip
