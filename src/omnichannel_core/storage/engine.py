"""The engine beside a store on PostgreSQL: Procrastinate's tables, and calls put into its queue in our transactions.

A call says that something is due, not what: the rows of our processes are the truth, and whoever answers takes the
fairest of them, as many as it has slots for, and passes the call on when more are due. So one call a transaction is
enough, one too many is harmless, and one that was lost is made up for by whoever looks at the rows. Sharp edges that
shaped this: guide engine-and-storage 1.5.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from omnichannel_core.storage.postgres import ENGINE_SCHEMA, OPTION
from omnichannel_core.storage.schema import store as facts
from omnichannel_core.storage.store import Store, Tx

if TYPE_CHECKING:
    from procrastinate import App

TASK, QUEUE = "omnichannel.turn", "omnichannel"
LEVEL = "engine"  # key in omni_store: the newest of Procrastinate's own migrations that was applied
_PATH = sa.text(  # once in a transaction, however many calls it makes
    "SELECT set_config('search_path', :schema || ', ' || current_setting('search_path'), true) "
    "WHERE NOT starts_with(current_setting('search_path'), :schema)"
)

_ANSWER = sa.text(
    "DELETE FROM procrastinate_jobs WHERE id IN (SELECT id FROM procrastinate_jobs "
    "WHERE queue_name = :queue AND status = 'todo' FOR UPDATE SKIP LOCKED)"
)
_CALLED = "omni_called"  # of a connection: the transaction that has called


def call(tx: Tx, ids: Iterable[int]) -> None:
    """These processes are due: a worker is called when this transaction commits. On SQLite runners look themselves."""
    first = next(iter(ids), None)
    if first is None or tx.dialect.name != "postgresql":
        return
    within = tx.get_nested_transaction() or tx.get_transaction()
    if tx.info.get(_CALLED) is within:
        return
    _enter(tx)
    raw: Any = tx.connection.driver_connection
    _caller().configure_task(TASK, queue=QUEUE, connection=raw).defer(process=first)
    tx.info[_CALLED] = within


def answer(tx: Tx) -> None:
    """Whoever is about to look at the rows answers all calls that nobody has in hand."""
    _enter(tx)
    tx.execute(_ANSWER, {"queue": QUEUE})


def install(tx: Tx) -> None:
    """Procrastinate's tables at the version that is installed here; the caller has locked out all others."""
    known, newest = level(tx), newest_level()
    if known == newest:
        return
    apart = _enter(tx)
    raw: Any = tx.connection.driver_connection
    if known is None:
        if apart:
            raw.execute(f"CREATE SCHEMA IF NOT EXISTS {ENGINE_SCHEMA}")
        raw.execute(_text("schema.sql"), prepare=False)
    for name in () if known is None else _migrations():
        if name > known:  # type: ignore[operator]
            raw.execute(_text(f"migrations/{name}"), prepare=False)
    tx.execute(facts.delete().where(facts.c.key == LEVEL))
    tx.execute(facts.insert().values(key=LEVEL, value=newest))


def level(tx: Tx) -> str | None:
    """The newest of Procrastinate's migrations in this store; None when it was never installed."""
    found: str | None = tx.execute(sa.select(facts.c.value).where(facts.c.key == LEVEL)).scalar()
    return found


@cache
def newest_level() -> str:
    """The newest of Procrastinate's migrations that the installed version brings."""
    return _migrations()[-1]


def _migrations() -> list[str]:
    folder = resources.files("procrastinate.sql") / "migrations"
    return sorted(one.name for one in folder.iterdir() if one.name.endswith(".sql"))


def _text(name: str) -> str:
    return (resources.files("procrastinate.sql") / name).read_text(encoding="utf-8")


def _enter(tx: Tx) -> bool:
    """Until the end of the transaction the engine's names are known; whether it has a schema apart from ours."""
    apart = bool(tx.get_execution_options().get(OPTION))
    if apart:
        tx.execute(_PATH, {"schema": ENGINE_SCHEMA})
    return apart


@cache
def _caller() -> App:
    """Opens nothing: it writes through the connection it is given."""
    from procrastinate import App, SyncPsycopgConnector

    return App(connector=SyncPsycopgConnector())


def connect_options(store: Store) -> dict[str, Any]:
    """Arguments for the pool of Procrastinate's own connector: the store's database, the engine's names."""
    path = store.schema or ENGINE_SCHEMA
    url = store.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return {"conninfo": url, "kwargs": {"options": f"-c search_path={path}"}}


def workers(tx: Tx, seconds: int = 30) -> int:
    """Workers on asyncio that have shown a sign of life within so many seconds."""
    _enter(tx)
    alive = "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => :seconds)"
    return int(tx.scalar(sa.text(alive), {"seconds": seconds}) or 0)


def forget(tx: Tx, hours: int = 1) -> None:
    """Calls that nobody answered for long: a house on trio has no ears for them, and the rows told it all."""
    if tx.dialect.name == "postgresql":
        _enter(tx)
        tx.execute(
            sa.text(
                "DELETE FROM procrastinate_jobs WHERE queue_name = :queue AND status = 'todo' AND id IN (SELECT job_id "
                "FROM procrastinate_events WHERE type = 'deferred' AND at < now() - make_interval(hours => :hours))"
            ),
            {"queue": QUEUE, "hours": hours},
        )
