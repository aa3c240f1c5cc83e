"""The store: one engine, one lane for writers, a few for readers. A unit of work is a function of a transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import anyio.to_thread
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError, PendingRollbackError, ResourceClosedError, StatementError

from omnichannel_core import errors
from omnichannel_core.storage import postgres, sqlite
from omnichannel_core.storage.presence import Presence

T = TypeVar("T")
_CLOSED = (PendingRollbackError, ResourceClosedError)  # what SQLAlchemy says once the session was lost under it
_UNSTORABLE = "A number or a text in this is none that a store can hold."
Tx = sa.Connection
Work = Callable[[Tx], T]


class Store:
    """Opens nothing before `open`. All public methods but `open` and `close` are safe on asyncio and trio.

    Attributes:
        url: SQLAlchemy's; a plain path is a SQLite file.
        schema: of our tables on a server (`?schema=` of the URL); '' is the user's default one.
        brand_new: the SQLite file did not exist before `open`.
        data: the directory for files beside the database (locks, scratch, exchange).
    """

    def __init__(self, url: str, data: Path | None = None) -> None:
        self.url = sa.make_url(url if "://" in url else f"sqlite:///{url}")
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.schema = ""
        if not self.is_sqlite:
            self.url, self.schema = postgres.split(self.url)
        if self.is_sqlite and self.url.database in (None, "", ":memory:"):
            raise errors.UsageError("A store in memory cannot be shared by threads; give a file's path.")
        self.path = Path(self.url.database or "").resolve() if self.is_sqlite else None
        if data is None and self.path is None:
            raise errors.UsageError("A store on a server needs a data directory of its own; give data=...")
        self.data = data if data is not None else Path(f"{self.path}-data")
        self.brand_new = False
        self.presence: Presence
        self._engine: sa.Engine
        self._asked: sa.Engine
        self._writer: sa.Engine
        self._lock: sqlite.WriteLock | None = None
        self._writers: anyio.CapacityLimiter | None = None
        self._readers: anyio.CapacityLimiter | None = None

    @property
    def shown(self) -> str:
        """Where it is, for eyes: without password and options."""
        return str(self.path) if self.path is not None else self.url.set(query={}).render_as_string()

    @property
    def engine(self) -> sa.Engine:
        """The opened engine (for migrations)."""
        return self._engine

    def open(self) -> None:
        """Blocking. Migrations are the caller's (see `migrations.ensure`).

        Raises:
            StorageError: the files cannot be made or opened.
        """
        try:
            self._open()
        except OSError as cause:
            where = cause.filename or self.path or self.data
            raise errors.StorageError(
                f"The store cannot be opened: {where}: {cause.strerror}. Check the path, the rights and the disk."
            ) from cause

    def _open(self) -> None:
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.brand_new = not self.path.exists() or self.path.stat().st_size == 0
            if self.brand_new:
                self.path.touch(mode=0o600)
            self._engine = self._asked = sqlite.make_engine(self.path, connections=6)
            self._writer = sqlite.make_engine(self.path, connections=1)
            self._lock = sqlite.WriteLock(self.path)
        else:
            self._writer = postgres.make_engine(self.url, self.schema)
            self._engine, self._asked = postgres.for_readers(self._writer), postgres.for_askers(self._writer)
        self._writers = self._readers = None  # they belong to the event loop that uses them first
        self.presence = Presence(self._workers)

    @property
    def _workers(self) -> Path:
        """Beside the database, whatever data directory each process has: they must see each other."""
        return self.data / "workers" if self.path is None else self.path.with_name(f"{self.path.name}-workers")

    def close(self) -> None:
        """Blocking."""
        self.presence.close()
        self._engine.dispose()
        self._writer.dispose()
        if self._lock is not None:
            self._lock.close()

    # --- on the loop
    async def read(self, work: Work[T]) -> T:
        """Run `work` in a read transaction, off the loop.

        Raises:
            StorageError: the store cannot do it now.
        """
        return await self._reading(lambda: self._read(work, self._engine))

    async def ask(self, question: Work[T]) -> T:
        """`read` of what is one statement on a server: no transaction around it there. For what is asked all the time.

        Raises:
            StorageError: the store cannot do it now.
        """
        return await self._reading(lambda: self._read(question, self._asked))

    async def write(self, work: Work[T]) -> T:
        """Run `work` in a write transaction, off the loop; all of it or nothing.

        One at a time on SQLite. On a server `work` may run again when another write was faster.

        Raises:
            StorageError: the store cannot do it now.
        """
        return await self.compute(lambda: self.write_now(work))

    async def compute(self, work: Callable[[], T]) -> T:
        """Run a pure function in the writers' lane, off the loop: one thread's worth of work at a time."""
        if self._writers is None:
            self._writers = anyio.CapacityLimiter(1 if self.is_sqlite else postgres.WRITERS)
        return await anyio.to_thread.run_sync(work, limiter=self._writers)

    # --- in a thread
    def read_now(self, work: Work[T]) -> T:
        """Blocking `read`."""
        return self._read(work, self._engine)

    def _read(self, work: Work[T], engine: sa.Engine) -> T:
        with self._typed(), engine.connect().execution_options(readonly=True) as tx, tx.begin():
            return work(tx)

    async def _reading(self, work: Callable[[], T]) -> T:
        if self._readers is None:
            self._readers = anyio.CapacityLimiter(postgres.READERS)
        return await anyio.to_thread.run_sync(work, limiter=self._readers)

    def write_now(self, work: Work[T]) -> T:
        """Blocking `write`."""
        with self._typed():
            if self._lock is None:
                return postgres.again(lambda: self._written(work))
            with self._lock.held():
                return self._written(work)

    def _written(self, work: Work[T]) -> T:
        with self._writer.begin() as tx:
            return work(tx)

    @contextmanager
    def _typed(self) -> Iterator[None]:
        """The database's troubles as ours, from SQLAlchemy or past it; the message has no statement and no value."""
        raw = self._engine.dialect.loaded_dbapi
        try:
            yield
        except (OperationalError, raw.OperationalError) as cause:
            told = cause.orig if isinstance(cause, DBAPIError) else cause
            raise errors.StorageUnavailable(f"The store cannot do this now: {told}. Nothing was changed.") from cause
        except (DBAPIError, raw.Error) as cause:
            told = cause.orig if isinstance(cause, DBAPIError) else cause
            if isinstance(told, raw.DataError):
                raise errors.UsageError(_UNSTORABLE) from cause
            if postgres.passing(told):
                raise errors.StorageUnavailable("The store cannot do this now: its session was ended.") from cause
            raise errors.StorageError(f"The store refused a statement: {type(told).__name__}.") from cause
        except (OverflowError, UnicodeEncodeError) as cause:
            if not isinstance(cause, UnicodeEncodeError) and "SQLite" not in str(cause):
                raise  # nothing that was asked of the database
            raise errors.UsageError(_UNSTORABLE) from cause
        except (StatementError, *_CLOSED) as cause:
            if not isinstance(getattr(cause, "orig", cause), _CLOSED):
                raise  # nobody's weather: a statement of ours is wrong
            raise errors.StorageUnavailable("The store cannot do this now: its session has ended.") from cause
