"""What the gate keeps: licenses and applications of main accounts, installations of each account, the house's facts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from omnichannel_core import errors
from omnichannel_core.model.license import Installation, License
from omnichannel_core.storage.schema import application, installation, license_, store
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.times import micros, moment
from omnichannel_core.storage.vault import Vault

_FIELD = "values"


def _asked_often(text: str) -> dict[str, str]:
    """Asked at every admission: the text itself, in both drivers' ways to say where a value goes."""
    return {"qmark": text, "format": text.replace("?", "%s"), "pyformat": text.replace("?", "%s")}


_ALL = _asked_often("SELECT id, driver, text, added_at FROM omni_license WHERE account_id = ? ORDER BY added_at, id")
_OF_DRIVER = _asked_often(
    "SELECT id, driver, text, added_at FROM omni_license WHERE account_id = ? AND driver = ? ORDER BY added_at, id"
)
MARK, NEWEST, REVOKED = "clock_mark", "license_newest", "revocations_by_key"
_FACTS = f"SELECT key, value FROM omni_store WHERE key IN ('{MARK}', '{NEWEST}', '{REVOKED}')"  # noqa: S608
_ON = _asked_often("SELECT installed_at FROM omni_installation WHERE account_id = ? AND driver = ?")


@attrs.frozen(kw_only=True)
class KeptLicense:
    """A row: what is proved stands in `text` alone, the rest is for finding it."""

    id: str
    account: str
    driver: str
    text: str = attrs.field(repr=False)
    added_at: datetime


@attrs.frozen(kw_only=True)
class KeptApplication:
    """What may be told of an application document; its values are in the vault."""

    account: str
    name: str
    driver: str
    version: int
    added_at: datetime


class Licenses:
    """In one transaction, of one main account."""

    def __init__(self, tx: Tx, account: str) -> None:
        self._tx, self._account = tx, account

    def add(self, proved: License, now: datetime) -> bool:
        """Store it; False when this very text is there already.

        Raises:
            Conflict: another license has the same id.
        """
        row = self._tx.execute(sa.select(license_.c.account_id, license_.c.text).filter_by(id=proved.id)).one_or_none()
        if row is not None and tuple(row) == (self._account, proved.text):
            return False
        try:
            self._tx.execute(
                license_.insert().values(
                    id=proved.id, account_id=self._account, driver=proved.driver, text=proved.text,
                    added_at=micros(now), issued_at=micros(proved.issued_at),
                )
            )  # fmt: skip
        except IntegrityError as cause:
            raise errors.Conflict(
                f"Another license with id {proved.id!r} is there already; ask for a new one."
            ) from cause
        return True

    def every(self, driver: str | None = None) -> list[KeptLicense]:
        """Those of the account, or of one driver, oldest first."""
        statement, values = (_ALL, (self._account,)) if driver is None else (_OF_DRIVER, (self._account, driver))
        return [
            KeptLicense(id=row[0], account=self._account, driver=row[1], text=row[2], added_at=moment(row[3]))
            for row in self._tx.exec_driver_sql(statement[self._tx.dialect.paramstyle], values)
        ]

    def remove(self, license_id: str) -> None:
        """Forget one.

        Raises:
            NotFound: the account has no such license.
        """
        gone = self._tx.execute(license_.delete().filter_by(account_id=self._account, id=license_id))
        if gone.rowcount != 1:
            raise errors.NotFound(f"Account {self._account!r} has no license {license_id!r}.")


class Installations:
    """In one transaction, of one account."""

    def __init__(self, tx: Tx, account: str) -> None:
        self._tx, self._account = tx, account

    def get(self, driver: str) -> Installation | None:
        """The installation, None when the driver is not switched on here."""
        row = self._tx.exec_driver_sql(_ON[self._tx.dialect.paramstyle], (self._account, driver)).one_or_none()
        return None if row is None else Installation(account=self._account, driver=driver, installed_at=moment(row[0]))

    def every(self) -> list[Installation]:
        """All of the account, by driver."""
        query = sa.select(installation).filter_by(account_id=self._account).order_by(installation.c.driver)
        return [_installation(row) for row in self._tx.execute(query)]

    def add(self, driver: str, now: datetime) -> Installation:
        """Switch it on; an installation that is there already is answered."""
        found = self.get(driver)
        if found is not None:
            return found
        new = Installation(account=self._account, driver=driver, installed_at=now)
        self._tx.execute(
            installation.insert().values(account_id=self._account, driver=driver, installed_at=micros(now))
        )
        return new

    def remove(self, driver: str) -> bool:
        """Switch it off; False when it was not on."""
        gone = self._tx.execute(installation.delete().filter_by(account_id=self._account, driver=driver))
        return gone.rowcount == 1


class Applications:
    """In one transaction, of one main account. The values are sealed as one text, whichever of them are secret."""

    def __init__(self, tx: Tx, account: str, vault: Vault) -> None:
        self._tx, self._account, self._vault = tx, account, vault

    def get(self, name: str) -> KeptApplication | None:
        """What may be told of it."""
        row = self._tx.execute(sa.select(application).filter_by(account_id=self._account, name=name)).one_or_none()
        return None if row is None else _application(row)

    def every(self) -> list[KeptApplication]:
        """All of the account, by name."""
        query = sa.select(application).filter_by(account_id=self._account).order_by(application.c.name)
        return [_application(row) for row in self._tx.execute(query)]

    def values(self, name: str) -> dict[str, Any]:
        """The unsealed values; never to be stored, logged or shown.

        Raises:
            VaultSealed: they do not open, or are not there.
        """
        sealed = self._vault.get(self._tx, self._account, "application", name).get(_FIELD)
        if sealed is None:
            raise errors.VaultSealed(f"The values of application {name!r} are not in the vault; add it again.")
        values: dict[str, Any] = json.loads(sealed.get_secret_value())
        return values

    def put(self, name: str, driver: str, version: int, values: Mapping[str, Any], now: datetime) -> None:
        """Seal it, over what is there."""
        self._tx.execute(application.delete().filter_by(account_id=self._account, name=name))
        self._tx.execute(
            application.insert().values(
                account_id=self._account, name=name, driver=driver, version=version, added_at=micros(now)
            )
        )
        self._vault.put(self._tx, self._account, "application", name, {_FIELD: json.dumps(dict(values))})

    def remove(self, name: str) -> None:
        """Forget it, secrets included."""
        self._tx.execute(application.delete().filter_by(account_id=self._account, name=name))
        self._vault.drop(self._tx, self._account, "application", name)


def fact(tx: Tx, key: str) -> str:
    """A fact of the whole store, '' when it is not there."""
    return str(tx.execute(sa.select(store.c.value).filter_by(key=key)).scalar() or "")


def facts(tx: Tx) -> dict[str, str]:
    """The gate's facts of the whole store; what else stands in its table is as much as there are connections."""
    return {row[0]: row[1] for row in tx.exec_driver_sql(_FACTS)}


def set_fact(tx: Tx, key: str, value: str) -> None:
    """Write a fact of the whole store, over what is there."""
    changed = tx.execute(sa.update(store).where(store.c.key == key).values(value=value))
    if changed.rowcount == 0:
        tx.execute(store.insert().values(key=key, value=value))


def _installation(row: sa.Row[tuple[object, ...]]) -> Installation:
    return Installation(account=row.account_id, driver=row.driver, installed_at=moment(row.installed_at))


def _application(row: sa.Row[tuple[object, ...]]) -> KeptApplication:
    return KeptApplication(
        account=row.account_id, name=row.name, driver=row.driver, version=row.version, added_at=moment(row.added_at)
    )


def installed_in(tx: Tx, driver: str) -> list[str]:
    """The worker's door: accounts in which a driver is installed, by id."""
    rows = tx.execute(
        sa.select(installation.c.account_id).where(installation.c.driver == driver).order_by(installation.c.account_id)
    )
    return [row[0] for row in rows]


def state_of(tx: Tx, driver: str) -> tuple[object, ...]:
    """The worker's door: another one whenever installations, licenses or applications of a driver have changed."""
    found: list[object] = [fact(tx, REVOKED)]
    for table, at in ((installation, "installed_at"), (license_, "added_at"), (application, "added_at")):
        when = table.c[at]
        asked = sa.select(sa.func.count(), sa.func.max(when), sa.func.sum(when // 1_000_000)).where(
            table.c.driver == driver
        )
        found += tx.execute(asked).one()
    return tuple(found)
