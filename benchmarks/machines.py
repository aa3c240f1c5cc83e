"""Machines that share one PostgreSQL and one shop: each a process of its own, in one folder."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import psycopg
import sqlalchemy as sa

from benchmarks.peers import ROOT
from benchmarks.running import ALLOCATOR, ContenderFailed
from omnichannel_core.testing import postgres

OPEN = "SELECT count(*) FROM omni_process WHERE finished_at IS NULL"
PATIENCE = 900.0  # seconds


@attrs.define
class Machines:
    """On a database of its own.

    Args:
        shop: URL of the server that answers for the marketplace.
    """

    server: postgres.Server
    folder: Path
    shop: str
    url: sa.URL = attrs.field(init=False)
    _dsn: str = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.url = self.server.database()
        self._dsn = postgres.dsn(self.url)

    def settle(self, connections: int) -> None:
        """Tables and connections.

        Raises:
            ContenderFailed: they could not be made.
        """
        with self._process("settle", connections) as child:
            said, _ = child.communicate(timeout=PATIENCE)
        if child.returncode:
            raise ContenderFailed(said.decode(errors="replace")[-3000:])

    @contextlib.contextmanager
    def working(self, slots: int) -> Iterator[int]:
        """A worker at work; its process id."""
        with self._process("work", slots) as child:
            assert child.stdout is not None
            try:
                if child.stdout.readline() != b"working\n":
                    raise ContenderFailed("a worker did not begin")
                yield child.pid
            finally:
                child.terminate()
                child.communicate(timeout=60)

    def ask(self, question: str) -> Any:
        """The first value of the first row, by the database's own client."""
        with psycopg.connect(self._dsn, autocommit=True) as raw:
            row = raw.execute(question.encode()).fetchone()
            return None if row is None else row[0]

    def run(self, statement: str) -> None:
        """The same, without an answer."""
        with psycopg.connect(self._dsn, autocommit=True) as raw:
            raw.execute(statement.encode())

    def until_all_ended(self) -> None:
        """Wait for the processes.

        Raises:
            ContenderFailed: it took too long.
        """
        until = time.monotonic() + PATIENCE
        while self.ask(OPEN):
            if time.monotonic() > until:
                raise ContenderFailed("processes do not end")
            time.sleep(0.1)

    def _process(self, role: str, number: int) -> subprocess.Popen[bytes]:
        store = self.url.render_as_string(hide_password=False)
        command = [sys.executable, "-m", "benchmarks.contenders.machine", role, store, self.shop, str(number)]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8",
                       "PYTHONPATH": str(ROOT), **ALLOCATOR}  # fmt: skip
        return subprocess.Popen(
            command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if role == "settle" else None,
        )  # fmt: skip
