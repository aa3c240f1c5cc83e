"""Rows of accounts. Only the host lists across accounts; everything else asks by id."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from omnichannel_core import errors
from omnichannel_core.model.account import Account
from omnichannel_core.storage.schema import account
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.times import micros, moment

A = account.c
_ASKED = "SELECT name, main, created_at FROM omni_account WHERE id = "  # at every admission
_GET = {"qmark": _ASKED + "?", "format": _ASKED + "%s", "pyformat": _ASKED + "%s"}


def insert(tx: Tx, new: Account) -> None:
    """Store a new one.

    Raises:
        Conflict: the id is taken.
    """
    try:
        tx.execute(account.insert().values(id=new.id, name=new.name, main=new.main, created_at=micros(new.created_at)))
    except IntegrityError as cause:
        raise errors.Conflict(f"Account {new.id!r} is there already; give another id.") from cause


def get(tx: Tx, account_id: str) -> Account:
    """The account of that id.

    Raises:
        NotFound: there is none.
    """
    row = tx.exec_driver_sql(_GET[tx.dialect.paramstyle], (account_id,)).one_or_none()
    if row is None:
        raise errors.NotFound(f"There is no account {account_id!r}; add it first.")
    return Account(id=account_id, name=row[0], main=row[1], created_at=moment(row[2]))


def every(tx: Tx, main: str | None = None) -> list[Account]:
    """All accounts by id, or only the sandboxes below a main account."""
    query = sa.select(account).order_by(A.id)
    return [_account(row) for row in tx.execute(query if main is None else query.where(A.main == main))]


def family(tx: Tx, main: str) -> list[str]:
    """The worker's door: ids of a main account and of its sandboxes; what its licenses decide about."""
    rows = tx.execute(sa.select(A.id).where(sa.or_(A.id == main, A.main == main)).order_by(A.id))
    return [row[0] for row in rows]


def rename(tx: Tx, account_id: str, name: str) -> None:
    """Another name; the id stays."""
    tx.execute(sa.update(account).where(A.id == account_id).values(name=name))


def _account(row: sa.Row[tuple[object, ...]]) -> Account:
    return Account(id=row.id, name=row.name, main=row.main, created_at=moment(row.created_at))
