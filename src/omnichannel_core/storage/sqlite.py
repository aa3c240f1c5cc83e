"""SQLite: pragmas, immediate writers, and one fair lock beside the database around every write transaction."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

BUSY_MS = 60_000
PATIENCE = 10.0  # seconds for the lock beside the database


def make_engine(path: Path, connections: int) -> sa.Engine:
    """An engine whose transactions begin when we say so: IMMEDIATE for writers, plain for readers.

    SQLite drops a connection's page cache whenever another connection has written. So writers have an engine of one
    connection (commits cost half of what they cost on connections in turn), and readers take the one used last.
    """
    engine = sa.create_engine(
        f"sqlite:///{path}",
        poolclass=QueuePool,
        pool_size=connections,
        pool_use_lifo=True,
        max_overflow=10,
        connect_args={"check_same_thread": False, "isolation_level": None, "timeout": BUSY_MS / 1000},
    )
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _prepare(raw: sqlite3.Connection, _: object) -> None:
    """The page size counts for a new file only: of an order's size, two thirds of the system's time of 4 KB pages.

    `secure_delete=ON`: what was deleted or blanked leaves no trace in free pages either (FAST would leave some).
    """
    for pragma in (
        "page_size=8192", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_MS}",
        "temp_store=MEMORY", "cache_size=-16000", "secure_delete=ON", "wal_autocheckpoint=1000",
    ):  # fmt: skip
        raw.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    readonly = connection.get_execution_options().get("readonly", False)
    connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")


class WriteLock:
    """A fair lock among processes: SQLite's own wait is not (one writer in eight got one turn in five seconds).

    Two files: who waits holds `queue`, who writes holds `turn` and has left the queue. A writer that comes back at
    once finds the queue taken by whoever waits, so nobody starves. Waiting is bounded: behind a process that was
    stopped with the lock in hand, SQLite's own lock decides.
    """

    def __init__(self, database: Path) -> None:
        self._threads = threading.Lock()
        self._queue = self._open(database.with_name(database.name + ".queue"))
        self._turn = self._open(database.with_name(database.name + ".turn"))

    @staticmethod
    def _open(path: Path) -> int:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for the turn, give it back at the end. Blocking: never on an event loop."""
        with self._threads:
            until = time.monotonic() + PATIENCE
            queued = _lock(self._queue, until)
            mine = _lock(self._turn, until)
            if queued:
                fcntl.flock(self._queue, fcntl.LOCK_UN)
            try:
                yield
            finally:
                if mine:
                    fcntl.flock(self._turn, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give the files back."""
        os.close(self._queue)
        os.close(self._turn)


def _lock(file: int, until: float) -> bool:
    """Whether it could be had in time."""
    pause = 0.0002
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(pause)
            pause = min(pause * 1.5, 0.002)
        else:
            return True
