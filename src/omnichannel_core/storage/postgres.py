"""PostgreSQL: one pool, a schema of our own when the URL names one, and writes that lost a race begun anew."""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from omnichannel_core import errors

T = TypeVar("T")
WRITERS, READERS = 4, 4  # threads of a house; each needs one connection
ATTEMPTS = 5
SESSIONS = frozenset({"08", "25", "40", "53", "57"})  # classes of SQLSTATE
STOPPED = 5  # seconds; a worker that is stopped inside a transaction must not keep its rows locked for ever
# serialization failure, deadlock, and a key that somebody else has just made: what others did is seen the next time
RACES = frozenset({"40001", "40P01", "23505"})
OPTION = "omni_engine_apart"  # of a connection: the engine's tables are in ENGINE_SCHEMA, ours are not
ENGINE_SCHEMA = "omni_engine"  # of the engine's tables, where ours have no schema of their own: a host may have its own


def split(url: sa.URL) -> tuple[sa.URL, str]:
    """The URL without `schema`, and that; '' is the user's default schema, where our tables begin with `omni_`.

    Raises:
        UsageError: the name is not a plain one.
    """
    named = url.query.get("schema", "")
    if not isinstance(named, str) or (named and not named.replace("_", "a").isalnum()):
        raise errors.UsageError(f"Schema {named!r} in the store's URL is not one word of letters, digits and _.")
    if named != named.lower() or named[:1].isdigit() or not named.isascii():
        raise errors.UsageError(f"Schema {named!r} in the store's URL: lower-case letters first, please.")
    driver = "postgresql+psycopg" if url.drivername == "postgresql" else url.drivername
    return url.difference_update_query(["schema"]).set(drivername=driver), named


def make_engine(url: sa.URL, schema: str) -> sa.Engine:
    """An engine whose every connection sees our schema, and that one only when it has a name."""
    try:
        engine = sa.create_engine(
            url, pool_size=WRITERS + READERS, max_overflow=2, pool_use_lifo=True,
            execution_options={OPTION: not schema},
        )  # fmt: skip
    except ModuleNotFoundError as cause:
        raise errors.UsageError(
            "A store on PostgreSQL needs the extra `postgres`: pip install 'omnichannel-core[postgres]'."
        ) from cause

    def prepare(raw: Any, _: object) -> None:
        raw.autocommit = True
        raw.execute(f"SET idle_in_transaction_session_timeout = '{STOPPED}s'")
        if schema:
            raw.execute(f"SET search_path TO {schema}")
        raw.autocommit = False

    def look(raw: Any, *_: object) -> None:
        """A server that hung up has left something to read: no round trip is needed to know of one that has not."""
        waiting = select.poll()
        waiting.register(raw.fileno(), select.POLLIN)
        if waiting.poll(0):
            try:
                engine.dialect.do_ping(raw)
            except Exception as cause:
                raise sa.exc.InvalidatePoolError("The server hung up.") from cause

    sa.event.listen(engine, "connect", prepare)
    sa.event.listen(engine, "checkout", look)
    return engine


def for_readers(engine: sa.Engine) -> sa.Engine:
    """The same connections; a transaction sees one state of the store from its first to its last question."""
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def for_askers(engine: sa.Engine) -> sa.Engine:
    """The same connections; one statement is a transaction already, and BEGIN and COMMIT would be two round trips."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def again(once: Callable[[], T]) -> T:
    """Run a write; when it lost a race against another one, run it again: now it sees what that one did."""
    for _ in range(ATTEMPTS - 1):
        try:
            return once()
        except Exception as cause:
            if _state(cause) not in RACES:
                raise
    return once()


def passing(error: object) -> bool:
    """Whether it is about the session, not about what was asked: ended for idling inside a transaction, for one."""
    return str(getattr(error, "sqlstate", None) or "")[:2] in SESSIONS


def _state(error: Exception) -> str | None:
    """SQLSTATE, from SQLAlchemy or past it."""
    told = error.orig if isinstance(error, DBAPIError) else error
    return getattr(told, "sqlstate", None)
