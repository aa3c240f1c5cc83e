"""Settings pages as stored: own values of a connection, the account's defaults of a driver (connection 0)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

import attrs
import pydantic
import sqlalchemy as sa

from omnichannel_core import errors
from omnichannel_core.records import Choice, Choices
from omnichannel_core.storage.bodies import decode
from omnichannel_core.storage.schema import connection, record, secret, settings
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.vault import Vault

C = settings.c
DEFAULTS = 0
OWNER = "settings"
LISTS_OF = 20  # connections whose pulled lists are put together for the account's defaults


@attrs.frozen(kw_only=True)
class StoredPage:
    """One page of one connection, or of the defaults. `own`: what was set, without its secrets."""

    own: Mapping[str, Any] = attrs.field(factory=dict)
    secrets: Mapping[str, pydantic.SecretStr] = attrs.field(factory=dict, repr=False)
    inherits: bool = False
    version: int = 0


@attrs.frozen
class Layers:
    """What is stored of a page: the connection's row and the account's default, None where there is none."""

    own: StoredPage | None = None
    default: StoredPage | None = None


def stored_pages(
    tx: Tx, account: str, driver: str, connection_id: int, vault: Vault | None = None
) -> dict[str, Layers]:
    """All pages of a connection by name, with the defaults below them. Without a vault, secrets are left out."""
    wanted = {connection_id, DEFAULTS}
    rows = tx.execute(
        sa.select(settings).where(C.account_id == account, C.driver == driver, C.connection_id.in_(wanted))
    )
    found: dict[str, Layers] = {}
    for row in rows.all():
        layers = found.get(row.page, Layers())
        stored = _stored(tx, vault, row)
        if row.connection_id == connection_id:
            layers = attrs.evolve(layers, own=stored)
        if row.connection_id == DEFAULTS:
            layers = attrs.evolve(layers, default=stored)
        found[row.page] = layers
    return found


def put_page(tx: Tx, vault: Vault, account: str, driver: str, connection_id: int, page: str, new: StoredPage) -> None:
    """Write a page over its version before (`new.version` minus 1).

    Raises:
        Conflict: it was written meanwhile.
    """
    place = {"account_id": account, "driver": driver, "connection_id": connection_id, "page": page}
    values = {"own": json.dumps(dict(new.own)), "inherits": int(new.inherits), "version": new.version}
    if new.version == 1:
        there = tx.execute(sa.select(C.version).filter_by(**place)).scalar()
        written = 1 if there is None else 0
        if written:
            tx.execute(settings.insert().values(**place, **values))
    else:
        change = sa.update(settings).filter_by(**place).where(C.version == new.version - 1)
        written = tx.execute(change.values(**values)).rowcount
    if written != 1:
        raise errors.Conflict(f"The settings page {page} has been saved meanwhile: load it again.")
    owner = _owner(connection_id, driver, page)
    vault.drop(tx, account, OWNER, owner)
    vault.put(tx, account, OWNER, owner, {path: text.get_secret_value() for path, text in new.secrets.items()})


def forget(tx: Tx, account: str, connection_id: int) -> None:
    """A connection's pages go, secrets included."""
    rows = tx.execute(sa.select(C.driver, C.page).where(C.account_id == account, C.connection_id == connection_id))
    owners = [_owner(connection_id, row.driver, row.page) for row in rows]
    tx.execute(
        secret.delete().where(
            secret.c.account_id == account, secret.c.owner_kind == OWNER, secret.c.owner_id.in_(owners)
        )
    )
    tx.execute(settings.delete().where(C.account_id == account, C.connection_id == connection_id))


def heirs(tx: Tx, account: str, driver: str, page: str) -> list[int]:
    """Connections of the driver that apply the page from the default: no row of their own, or one that says so."""
    own = sa.select(C.connection_id).where(
        C.account_id == account, C.driver == driver, C.page == page, C.connection_id != DEFAULTS, C.inherits == 0
    )
    found = sa.select(connection.c.id).where(
        connection.c.account_id == account, connection.c.driver == driver, connection.c.id.not_in(own)
    )
    return list(tx.execute(found.order_by(connection.c.id)).scalars())


def check_connection(tx: Tx, account: str, driver: str, connection_id: int) -> None:
    """Whether the account has such a connection of that driver.

    Raises:
        NotFound: it has not.
    """
    found = sa.select(connection.c.id).filter_by(account_id=account, driver=driver, id=connection_id)
    if tx.execute(found).scalar() is None:
        raise errors.NotFound(f"Account {account!r} has no connection {connection_id} of {driver}.")


def pulled_lists(
    tx: Tx, account: str, driver: str, connection_id: int, names: Collection[str]
) -> dict[str, dict[str, Choice]]:
    """Lists as last pulled, by name; a list that is no longer pulled is still the last one.

    For the defaults, those of the driver's newest connections are put together.
    """
    mine = sa.select(connection.c.id).filter_by(account_id=account, driver=driver)
    mine = mine.where(connection.c.id == connection_id) if connection_id != DEFAULTS else mine
    ids = tx.execute(mine.order_by(connection.c.id.desc()).limit(LISTS_OF)).scalars().all()
    rows = tx.execute(
        sa.select(record.c.remote_id, record.c.body)
        .where(record.c.connection_id.in_(ids), record.c.kind == "Choices", record.c.remote_id.in_(list(names)))
        .order_by(record.c.connection_id)
    )
    found: dict[str, dict[str, Choice]] = {}
    for name, body in rows:
        read = decode("Choices", bytes(body))
        if isinstance(read, Choices):
            found[name] = {**found.get(name, {}), **read.items}
    return found


def _owner(connection_id: int, driver: str, page: str) -> str:
    return f"{connection_id}/{driver}/{page}"


def _stored(tx: Tx, vault: Vault | None, row: Any) -> StoredPage:
    hidden: Mapping[str, pydantic.SecretStr] = {}
    if vault is not None and '"$secret"' in row.own:
        hidden = vault.get(tx, row.account_id, OWNER, _owner(row.connection_id, row.driver, row.page))
    return StoredPage(own=json.loads(row.own), secrets=hidden, inherits=bool(row.inherits), version=row.version)
