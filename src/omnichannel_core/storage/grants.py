"""Grants and their tokens: one refresh, however many ask."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import attrs
import pydantic
import sqlalchemy as sa

from omnichannel_core import errors
from omnichannel_core.storage.schema import connection, grant, token
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.times import maybe_micros, maybe_moment, micros
from omnichannel_core.storage.vault import Vault

AHEAD = timedelta(days=1)  # no lease is that long: the clock was set back


@attrs.frozen(kw_only=True)
class StoredToken:
    """A token as kept; `version` rises with every change."""

    value: pydantic.SecretStr
    refresh: pydantic.SecretStr | None = None
    previous: pydantic.SecretStr | None = None
    expires: datetime | None = None
    granted: datetime | None = None
    renewed: datetime | None = None
    scopes: frozenset[str] = frozenset()
    version: int = 0


class Grants:
    """In one transaction, of one account."""

    def __init__(self, tx: Tx, account: str, vault: Vault) -> None:
        self._tx, self._account, self._vault = tx, account, vault

    def ensure(self, driver: str, remote_account: str, proof: str) -> int:
        """The grant of that remote account and those typed secrets; made when there is none."""
        key = {"account_id": self._account, "driver": driver, "remote_account": remote_account, "proof": proof}
        found = self._tx.execute(sa.select(grant.c.id).filter_by(**key)).scalar()
        if found is None:
            found = self._tx.execute(grant.insert().values(**key).returning(grant.c.id)).scalar_one()
        return int(found)

    def token(self, grant_id: int, name: str) -> StoredToken | None:
        """The stored one."""
        self._mine(grant_id)
        row = self._tx.execute(sa.select(token).filter_by(grant_id=grant_id, name=name)).one_or_none()
        if row is None:
            return None
        sealed = self._vault.get(self._tx, self._account, "grant", grant_id)
        if f"{name}.value" not in sealed:
            return None
        return StoredToken(
            value=sealed[f"{name}.value"], refresh=sealed.get(f"{name}.refresh"),
            previous=sealed.get(f"{name}.previous"), expires=maybe_moment(row.expires_at),
            granted=maybe_moment(row.granted_at), renewed=maybe_moment(row.renewed_at),
            scopes=frozenset(json.loads(row.scopes)), version=row.version,
        )  # fmt: skip

    def names(self, grant_id: int) -> list[tuple[str, datetime | None, str]]:
        """Names of the tokens, when they end, and what is wrong with them."""
        self._mine(grant_id)
        rows = self._tx.execute(
            sa.select(token.c.name, token.c.expires_at, token.c.trouble).filter_by(grant_id=grant_id)
        )
        return [(row[0], maybe_moment(row[1]), row[2]) for row in rows]

    def put(self, grant_id: int, name: str, new: StoredToken) -> None:
        """Over what is there: the version rises, a refresh token is never blanked, the lease ends."""
        old = self.token(grant_id, name)
        refresh = new.refresh or (old.refresh if old else None)
        fields = {f"{name}.value": new.value, f"{name}.refresh": refresh,
                  f"{name}.previous": old.refresh if old and new.refresh else new.previous}  # fmt: skip
        self._vault.put(
            self._tx, self._account, "grant", grant_id,
            {field: text.get_secret_value() for field, text in fields.items() if text is not None},
        )  # fmt: skip
        values = {
            "expires_at": maybe_micros(new.expires), "scopes": json.dumps(sorted(new.scopes)), "lease": "",
            "lease_until": 0, "trouble": "", "renewed_at": maybe_micros(new.renewed),
            "granted_at": maybe_micros(new.granted or (old.granted if old else None)),
        }  # fmt: skip
        changed = self._tx.execute(
            sa.update(token).filter_by(grant_id=grant_id, name=name).values(**values, version=token.c.version + 1)
        )
        if changed.rowcount == 0:
            self._tx.execute(token.insert().values(grant_id=grant_id, name=name, version=1, **values))

    def lease(self, grant_id: int, name: str, who: str, now: datetime, until: datetime) -> str:
        """Try to be the one who renews; answers who is, '' when just now nobody. Of many that try at once, one is."""
        self._mine(grant_id)
        its = sa.and_(token.c.grant_id == grant_id, token.c.name == name)
        free = sa.or_(
            token.c.lease.in_(["", who]), token.c.lease_until <= micros(now), token.c.lease_until > micros(now + AHEAD)
        )  # seen anew once the row is ours
        mine = {"lease": who, "lease_until": micros(until)}
        if self._tx.execute(sa.update(token).where(its, free).values(**mine)).rowcount:
            return who
        owner = self._tx.execute(sa.select(token.c.lease).where(its)).scalar()
        if owner is None:  # the key of the table decides between those that come first
            self._tx.execute(token.insert().values(grant_id=grant_id, name=name, **mine))
        return who if owner is None else str(owner)

    def release(self, grant_id: int, name: str, who: str, trouble: str = "") -> None:
        """Not renewed after all."""
        self._mine(grant_id)
        self._tx.execute(
            sa.update(token).filter_by(grant_id=grant_id, name=name, lease=who)
            .values(lease="", lease_until=0, trouble=trouble)
        )  # fmt: skip

    def sweep(self, grant_id: int) -> bool:
        """Remove a grant that no connection uses any more."""
        used = self._tx.execute(
            sa.select(connection.c.id).where(
                connection.c.account_id == self._account, connection.c.grant_id == grant_id
            ).limit(1)
        ).scalar()  # fmt: skip
        if used is not None or grant_id == 0:
            return False
        self._mine(grant_id)
        self._tx.execute(token.delete().filter_by(grant_id=grant_id))
        self._vault.drop(self._tx, self._account, "grant", grant_id)
        self._tx.execute(grant.delete().filter_by(id=grant_id, account_id=self._account))
        return True

    def _mine(self, grant_id: int) -> None:
        if self._tx.execute(sa.select(grant.c.id).filter_by(id=grant_id, account_id=self._account)).scalar() is None:
            raise errors.NotFound(f"Account {self._account!r} has no grant {grant_id}.")


def ending(tx: Tx, before: datetime) -> list[tuple[str, int, str]]:
    """The worker's door: (account, grant, token name) of tokens with a refresh that end before then."""
    rows = tx.execute(
        sa.select(grant.c.account_id, grant.c.id, token.c.name)
        .join_from(token, grant, token.c.grant_id == grant.c.id)
        .where(token.c.expires_at.is_not(None), token.c.expires_at < micros(before), token.c.trouble == "")
    )
    return [(row[0], row[1], row[2]) for row in rows]
