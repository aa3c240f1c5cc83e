"""Drafts: unfinished creates and re-authorizations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from omnichannel_core import errors
from omnichannel_core.model.grant import Draft
from omnichannel_core.storage.schema import draft, secret
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.times import micros, moment

C = draft.c
AHEAD = timedelta(days=1)  # no draft lives that long: the clock was set back


def put(tx: Tx, one: Draft, state_hash: str = "") -> None:
    """Store or overwrite."""
    tx.execute(draft.delete().where(C.id == one.id))
    tx.execute(
        draft.insert().values(
            id=one.id, account_id=one.account, driver=one.driver, actor=one.actor, connection_id=one.connection,
            name=one.name, typed=json.dumps(dict(one.typed)), context=json.dumps(dict(one.context)),
            remote_account=one.remote_account, state_hash=state_hash,
            created_at=micros(one.created_at), expires_at=micros(one.expires_at),
        )
    )  # fmt: skip


def get(tx: Tx, account: str, draft_id: int, now: datetime) -> Draft:
    """One of the account, not expired.

    Raises:
        NotFound: no such draft here, or it is over.
    """
    row = tx.execute(sa.select(draft).where(C.id == draft_id, C.account_id == account)).one_or_none()
    if row is None or _over(row.expires_at, now):
        raise errors.NotFound(f"There is no draft {draft_id} any more: begin again.")
    return _draft_of(row._mapping)


def unfinished(tx: Tx, account: str, actor: str, now: datetime) -> list[Draft]:
    """Those of one user that are not over, the newest first; at most 20."""
    mine = sa.select(draft).where(C.account_id == account, C.actor == actor, C.expires_at > micros(now))
    return [_draft_of(row._mapping) for row in tx.execute(mine.order_by(C.created_at.desc()).limit(20))]


def unconfirmed(tx: Tx, draft_id: int, claim_hash: str, now: datetime) -> Draft:
    """One that the marketplace began and nobody has confirmed.

    Raises:
        NotFound: none such.
    """
    row = tx.execute(
        sa.select(draft).where(C.id == draft_id, C.account_id.is_(None), C.state_hash == claim_hash)
    ).one_or_none()
    if row is None or _over(row.expires_at, now):
        raise errors.NotFound(f"There is no draft {draft_id} to confirm any more: start again at the marketplace.")
    return _draft_of(row._mapping)


def there(tx: Tx, one: Draft) -> bool:
    """Whether it was neither saved nor discarded."""
    return tx.execute(sa.select(C.id).where(C.id == one.id, C.account_id == one.account)).scalar() is not None


def take_state(tx: Tx, state_hash: str, now: datetime) -> Draft | None:
    """The draft of a state, which is used up by asking; None when unknown, used or late."""
    row = tx.execute(sa.select(draft).where(C.state_hash == state_hash, C.state_hash != "")).one_or_none()
    if row is None:
        return None
    used = tx.execute(sa.update(draft).where(C.id == row.id, C.state_hash == state_hash).values(state_hash=""))
    if used.rowcount != 1 or _over(row.expires_at, now):
        return None
    return _draft_of(row._mapping)


def remove(tx: Tx, one: Draft) -> bool:
    """The draft and its secrets; False when it was gone already."""
    return _forget(tx, [one.id]) == 1


def remove_of(tx: Tx, account: str, connection_id: int) -> None:
    """All re-authorizations of a connection that is going."""
    rows = tx.execute(sa.select(C.id).where(C.account_id == account, C.connection_id == connection_id))
    _forget(tx, [row[0] for row in rows])


def sweep(tx: Tx, now: datetime) -> int:
    """Remove what is over; how many."""
    gone = sa.or_(C.expires_at <= micros(now), C.expires_at > micros(now + AHEAD))
    over = [row[0] for row in tx.execute(sa.select(C.id).where(gone))]
    _forget(tx, over)
    return len(over)


def _over(expires_at: int, now: datetime) -> bool:
    return not micros(now) < expires_at <= micros(now + AHEAD)


def _forget(tx: Tx, ids: list[int]) -> int:
    if not ids:
        return 0
    owners = [str(one) for one in ids]
    tx.execute(secret.delete().where(secret.c.owner_kind == "draft", secret.c.owner_id.in_(owners)))
    return tx.execute(draft.delete().where(C.id.in_(ids))).rowcount


def _draft_of(row: Mapping[Any, Any]) -> Draft:
    return Draft(
        id=row["id"], account=row["account_id"], driver=row["driver"], actor=row["actor"],
        connection=row["connection_id"], name=row["name"], typed=json.loads(row["typed"]),
        context=json.loads(row["context"]), remote_account=row["remote_account"],
        created_at=moment(row["created_at"]), expires_at=moment(row["expires_at"]),
    )  # fmt: skip
