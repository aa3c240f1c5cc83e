"""What was done, by whom: lines that outlive what they are about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from omnichannel_core.storage.schema import audit
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.times import micros, moment


def note(
    tx: Tx, account: str, at: datetime, action: str, subject: str, *, actor: str = "", detail: Mapping[str, object] = {}
) -> None:
    """One line; no secret and no personal data in it."""
    tx.execute(
        audit.insert().values(
            account_id=account,
            at=micros(at),
            actor=actor,
            action=action,
            subject=subject,
            detail=json.dumps(dict(detail)),
        )
    )


def lines(tx: Tx, account: str, limit: int = 200) -> list[dict[str, object]]:
    """The account's newest."""
    rows = tx.execute(sa.select(audit).where(audit.c.account_id == account).order_by(audit.c.id.desc()).limit(limit))
    return [
        {"at": moment(row.at), "actor": row.actor, "action": row.action, "subject": row.subject,
         "detail": json.loads(row.detail)}
        for row in rows
    ]  # fmt: skip
