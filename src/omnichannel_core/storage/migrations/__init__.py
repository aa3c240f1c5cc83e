"""Migrations from code: Alembic without an ini file, with our own version table beside the host's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from omnichannel_core import errors
from omnichannel_core.storage import engine
from omnichannel_core.storage.schema import VERSION_TABLE

if TYPE_CHECKING:
    from omnichannel_core.storage.store import Store

HEAD = "0001"


def current(tx: sa.Connection) -> str | None:
    """The store's version, None when it has no tables of ours."""
    if not sa.inspect(tx).has_table(VERSION_TABLE):
        return None
    found: str | None = tx.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalar()  # noqa: S608
    return found


def ensure(store: Store) -> None:
    """Blocking. SQLite is migrated on open; a server is only verified.

    Raises:
        StoreOutdated: the tables are of another version, and what to do.
    """
    found = store.read_now(current)
    if found == HEAD:
        if not store.is_sqlite:
            _verify_engine(store)
        return
    if found is not None and found > HEAD:
        raise errors.StoreOutdated(f"The store is of version {found}, newer than this program's {HEAD}: upgrade it.")
    if not store.is_sqlite:
        raise errors.StoreOutdated(f"The store is of version {found}, not {HEAD}: run `omnichannel migrate` first.")
    migrate(store)


def migrate(store: Store) -> None:
    """Blocking. To the newest version, whoever else starts at the same time."""
    if store.is_sqlite:
        store.write_now(_upgrade)
    else:
        store.write_now(lambda tx: _upgrade_server(tx, store.schema))


def include_name(name: str | None, kind: str, _: object = None) -> bool:
    """For a host's own Alembic (`context.configure(include_name=...)`): everything but our tables."""
    return kind != "table" or not (name or "").startswith("omni_")


def _verify_engine(store: Store) -> None:
    found = store.read_now(engine.level)
    if found != engine.newest_level():
        raise errors.StoreOutdated(
            f"Procrastinate's tables are at {found}, not at {engine.newest_level()}: run `omnichannel migrate` first."
        )


def _upgrade_server(tx: sa.Connection, schema: str) -> None:
    """One at a time, however many start together; the others find everything done."""
    tx.exec_driver_sql("SELECT pg_advisory_xact_lock(7274891)")
    if schema:
        tx.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    _upgrade(tx)
    engine.install(tx)


def _upgrade(tx: sa.Connection) -> None:
    if current(tx) == HEAD:
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = tx
    command.upgrade(config, "head")
