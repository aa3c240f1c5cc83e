"""`omnichannel doctor`: each line both ways."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import psycopg
import pytest
from click.testing import CliRunner

from omnichannel_core.cli import findings
from omnichannel_core.cli.commands import cli
from omnichannel_core.cli.findings import GB, Finding
from omnichannel_core.storage.condition import Condition, Server

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = "k1:" + "A" * 43 + "="
QUIET = Condition(
    connections={("active", "ok"): 3}, due=0, due_since=None, others=1, bad=0, rejected=0, unknown=0, settling=0,
    server=None,
)  # fmt: skip
GOOD = {
    "server_version": "16.4 (Debian)", "server_encoding": "UTF8", "fsync": "on", "full_page_writes": "on",
    "synchronous_commit": "on", "autovacuum": "on", "statement_timeout": "0", "max_connections": "100",
    "idle_in_transaction_session_timeout": "5s", "default_transaction_read_only": "off",
}  # fmt: skip
SERVER = Server(settings=GOOD, standby=False, sessions=5, ahead=timedelta())


def states(found: list[Finding]) -> dict[str, str]:
    """What -> state; every line that is not ok says what to do."""
    assert all(bool(one.now) == (one.state != "ok") for one in found)
    return {one.what: one.state for one in found}


def diagnosed(line: Any, *options: str | Path, code: int = 0) -> dict[str, dict[str, str]]:
    """Its lines by what they are about; the worst one of several."""
    order = ["ok", "warn", "fail"]
    found = sorted(line.json(*options, "doctor", code=code), key=lambda one: order.index(one["state"]))
    assert all(one.keys() == {"what", "state", "detail", "now"} for one in found)
    return {one["what"]: one for one in found}


def change(line: Any, *statements: str) -> None:
    """Past the house, as trouble comes."""
    with closing(sqlite3.connect(line.folder / "s.db")) as raw, raw:
        for statement in statements:
            raw.execute(statement)


@pytest.mark.parametrize(
    ("change", "line", "state"),
    [
        ({}, "waiting", "ok"),
        ({"due": 2, "due_since": NOW - timedelta(minutes=4)}, "waiting", "ok"),
        ({"due": 2, "due_since": NOW - timedelta(minutes=6)}, "waiting", "warn"),
        ({"due": 2, "due_since": NOW - timedelta(hours=2)}, "waiting", "fail"),
        ({"due": 2, "due_since": NOW - timedelta(minutes=4)}, "workers", "ok"),
        ({"due": 2, "due_since": NOW - timedelta(minutes=4), "others": 0}, "workers", "warn"),
        ({"others": 0}, "workers", "ok"),
        ({"settling": 4}, "failures", "ok"),
        ({"bad": 1}, "failures", "warn"),
        ({"rejected": 1}, "failures", "warn"),
        ({"unknown": 1}, "failures", "warn"),
        ({"connections": {}}, "connections", "ok"),
        ({"connections": {("active", "waiting"): 1, ("inactive", "attention"): 2}}, "connections", "ok"),
        ({"connections": {("active", "attention"): 1}}, "connections", "warn"),
        ({"connections": {("active", "suspended"): 1}}, "connections", "warn"),
    ],
)
def test_condition(change: Mapping[str, Any], line: str, state: str) -> None:
    """What waits too long, what nobody works, what failed and who needs somebody is told; the rest is ok."""
    found = states([*findings.condition(attrs.evolve(QUIET, **change), NOW, server=False)])
    assert found.pop(line) == state
    if not change:
        assert set(found.values()) == {"ok"}


@pytest.mark.parametrize(
    ("said", "more", "line", "state"),
    [
        ({}, {}, "server settings", "ok"),
        ({"fsync": "off"}, {}, "server settings", "fail"),
        ({"full_page_writes": "off"}, {}, "server settings", "fail"),
        ({"synchronous_commit": "off"}, {}, "server settings", "warn"),
        ({"autovacuum": "off"}, {}, "server settings", "warn"),
        ({"statement_timeout": "10s"}, {}, "server settings", "warn"),
        ({"server_encoding": "LATIN1"}, {}, "server settings", "fail"),
        ({"idle_in_transaction_session_timeout": "0"}, {}, "server settings", "fail"),
        ({"default_transaction_read_only": "on"}, {}, "server settings", "fail"),
        ({}, {"standby": True}, "server settings", "fail"),
        ({"server_version": "15.1"}, {}, "postgresql", "ok"),
        ({"server_version": "14.9"}, {}, "postgresql", "fail"),
        ({"server_version": "19devel"}, {}, "postgresql", "ok"),
        ({}, {"sessions": 74}, "server sessions", "ok"),
        ({}, {"sessions": 75}, "server sessions", "warn"),
        ({}, {"ahead": timedelta(seconds=-1.9)}, "server clock", "ok"),
        ({}, {"ahead": timedelta(seconds=-2.1)}, "server clock", "warn"),
    ],
)
def test_server(said: Mapping[str, str], more: Mapping[str, Any], line: str, state: str) -> None:
    """A server that is too old, loses commits, only reads, is full or has another time is told."""
    version = {"server_version": "19"} if said.get("server_version") == "19devel" else {}
    server = attrs.evolve(SERVER, settings={**GOOD, **said, **version}, **more)
    found = states([*findings.condition(attrs.evolve(QUIET, server=server), NOW, server=True)])
    assert found.pop(line) == state
    if not said and not more:
        assert set(found.values()) == {"ok"}


@pytest.mark.parametrize(
    ("free", "total", "state"),
    [(50, 100, "ok"), (0.9, 2, "warn"), (4, 100, "warn"), (0.05, 100, "fail")],
)
def test_disk(free: float, total: float, state: str) -> None:
    """Little room is told before there is none."""
    assert findings.disk(Path("data"), int(free * GB), int(total * GB)).state == state


@pytest.mark.parametrize(
    ("found", "server", "state"),
    [("2", True, "ok"), ("1", True, "fail"), ("", True, "fail"), ("3", True, "fail"), ("1", False, "warn"),
     ("3", False, "fail")],
)  # fmt: skip
def test_tables(found: str, server: bool, state: str) -> None:
    """Tables of another version are told, and what to run."""
    assert findings.tables(found, "2", server=server).state == state


@pytest.mark.parametrize(("behind", "state"), [(0, "ok"), (1, "warn"), (25, "fail")])
def test_clock(behind: float, state: str) -> None:
    """A clock that was set back is told, and when no license counts by it."""
    assert findings.clock(NOW + timedelta(hours=behind), NOW).state == state
    assert findings.clock(None, NOW).state == "ok"


def test_all_is_well(echo: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    """With a key of its own place and a connection that works, every line is ok and nothing is to do."""
    apart = tmp_path_factory.mktemp("apart") / "keys"
    echo.json("vault", "keygen", apart)
    kept = ("--db", echo.folder / "kept.db", "--key-file", apart)
    echo(*kept, "accounts", "add", "acme")
    echo(*kept, "licenses", "add", echo.folder / "echo.license")
    echo(*kept, "drivers", "install", "echo")
    found = diagnosed(echo, *kept)
    room = found.pop("disk")
    assert room["state"] in ("ok", "warn", "fail")
    assert {one["state"] for one in found.values()} == {"ok"}, found
    assert {"store", "tables", "vault", "key", "clock", "license echo for acme", "driver echo", "workers", "waiting",
            "failures", "connections"} <= set(found)  # fmt: skip
    assert "available in 1" in found["driver echo"]["detail"]
    assert "WHAT" in echo(*kept, "doctor").stdout


def test_troubles_of_a_store(echo: Any) -> None:
    """A key beside the store, processes nobody takes, failures and a suspended connection warn, and fail nothing."""
    number = echo.create()
    old = (time.time_ns() // 1000) - 150_000_000
    change(
        echo,
        f"UPDATE omni_connection SET health = 'suspended' WHERE id = {number}",
        "INSERT INTO omni_process (account_id, connection_id, kind, state, run_at) "
        f"VALUES ('acme', {number}, 'synchronize', 'queued', {old})",
        f"INSERT INTO omni_trouble (account_id, connection_id, remote_id) VALUES ('acme', {number}, '7')",
        "INSERT INTO omni_outbox (account_id, connection_id, stream, key, body, state) "
        f"VALUES ('acme', {number}, 'stock', 'k', '', 'rejected')",
        "INSERT INTO omni_outbox (account_id, connection_id, stream, key, body, state, due_at) "
        f"VALUES ('acme', {number}, 'stock', 'l', '', 'unknown', 0)",
    )
    found = diagnosed(echo, "--endpoint", "echo=http://127.0.0.1:9", "--allow", "127.0.0.1")
    warned = {what for what, one in found.items() if one["state"] == "warn"} - {"disk"}
    assert warned == {"endpoint", "address guard", "key", "workers", "failures", "connections"}
    assert "1 records not taken in, 1 pushes rejected, 0 pushes unknown, 1 being" in found["failures"]["detail"]
    assert "1 due" in found["waiting"]["detail"]
    assert "1 active suspended" in found["connections"]["detail"]
    change(echo, f"UPDATE omni_process SET run_at = {old - 4_000_000_000}")
    assert diagnosed(echo, code=1)["waiting"]["state"] == "fail"


def test_whoever_has_it_open_is_counted(echo: Any) -> None:
    """A worker in another process shows as one that has the store open, and no longer when it has ended."""
    with echo.child("worker", stderr=subprocess.STDOUT) as worker:
        assert b"Working" in worker.stdout.readline()
        assert diagnosed(echo)["workers"]["detail"].startswith("1 other")
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=30)
    assert diagnosed(echo)["workers"]["detail"].startswith("0 other")


@pytest.mark.parametrize(("days", "state"), [("31", "ok"), ("29", "warn")])
def test_license_that_lapses(line: Any, shop: Any, days: str, state: str) -> None:
    """A license that ends within thirty days is told before it does."""
    line("licenses", "add", line.license(days=days))
    line("drivers", "install", "echo")
    assert diagnosed(line)["license echo for acme"]["state"] == state


def test_gate_that_closed(echo: Any) -> None:
    """Without the vendor's keys, and with a clock behind its mark, licenses and drivers fail with the reason."""
    nobody = echo.folder / "empty.json"
    nobody.write_text('{"keys": []}')
    found = diagnosed(echo, "--trust", nobody, code=1)
    assert found["license echo for acme"]["state"] == found["driver echo"]["state"] == "fail"
    assert "acme" in found["driver echo"]["detail"]
    ahead = (time.time_ns() // 1000) + 100 * 3_600_000_000
    change(echo, f"UPDATE omni_store SET value = '{ahead}' WHERE key = 'clock_mark'")
    assert diagnosed(echo, code=1)["clock"]["state"] == "fail"


def test_driver_that_cannot_be_imported(line: Any, plug: Any) -> None:
    """A licensed driver whose import raises is a line that fails, with what it raised."""
    broken = {"omnichannel_rotten/__init__.py": "", "omnichannel_rotten/driver.py": "raise ValueError('spoiled')\n"}
    plug.distribution("omnichannel-rotten", {"rotten": "omnichannel_rotten.driver"}, code=broken)
    line("licenses", "add", line.license("rotten"))
    with closing(sqlite3.connect(line.folder / "s.db")) as raw, raw:
        raw.execute("INSERT INTO omni_installation (account_id, driver, installed_at) VALUES ('acme', 'rotten', 1)")
    found = diagnosed(line, code=1)["driver rotten"]
    assert found["state"] == "fail"
    assert "ValueError" in found["detail"]


def test_store_that_does_not_open(echo: Any) -> None:
    """A missing key, tables of a later version and a file that is no store fail with what to do; nothing is changed."""
    change(echo, "UPDATE omni_alembic_version SET version_num = '9999'")
    assert diagnosed(echo, code=1)["tables"]["state"] == "fail"
    change(echo, "UPDATE omni_alembic_version SET version_num = '0001'")
    (echo.folder / "s.db.key").rename(echo.folder / "gone")
    assert "Restore" in diagnosed(echo, code=1)["key"]["detail"]
    (echo.folder / "text.db").write_text("not a database, and longer than a header of one has to be " * 9)
    assert diagnosed(echo, "--db", echo.folder / "text.db", code=1)["store"]["state"] == "fail"
    with closing(sqlite3.connect(echo.folder / "theirs.db")) as raw, raw:
        raw.execute("CREATE TABLE theirs (id INTEGER)")
    assert diagnosed(echo, "--db", echo.folder / "theirs.db")["tables"]["state"] == "warn"
    with closing(sqlite3.connect(echo.folder / "theirs.db")) as raw:
        assert raw.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]


# --- on a server
@pytest.fixture
def server(postgres_server: Any, tmp_path: Path) -> Iterator[Any]:
    """Runs commands on an empty database; its URL has a password."""
    made = postgres_server.database()
    url = made.set(drivername="postgresql", password="sesame-77").render_as_string(hide_password=False)

    def run(*arguments: str, url: str = url) -> tuple[int, Any, str]:
        given = ["--json", "--db", url, "--data", str(tmp_path), *arguments]
        done = CliRunner().invoke(cli, given, env={"OMNICHANNEL_KEYS": KEYS, "OMNICHANNEL_TRUST": None})
        return done.exit_code, json.loads(done.stdout) if done.stdout else None, done.output

    run.url, run.name = url, made.database  # type: ignore[attr-defined]
    yield run
    postgres_server.drop(made)


def told(said: tuple[int, Any, str]) -> dict[str, str]:
    """Its lines' states."""
    assert "sesame-77" not in said[2]
    return {one["what"]: one["state"] for one in said[1]}


def test_server_lines(server: Any, tmp_path: Path) -> None:
    """Before `migrate` the tables fail; after it lines are ok, a setting that hurts is told, a worker is counted."""
    before = server("doctor")
    assert before[0] == 1
    assert told(before)["tables"] == "fail"
    assert server("migrate")[0] == 0
    found = told(server("doctor"))
    assert found["tables"] == found["postgresql"] == found["server clock"] == found["key"] == "ok"
    assert found["server settings"] in ("ok", "warn", "fail")  # whatever the machine's has
    with psycopg.connect(server.url, autocommit=True) as raw:
        raw.execute(f"ALTER DATABASE {server.name} SET statement_timeout = '60s'")
        raw.execute(f"ALTER DATABASE {server.name} SET default_transaction_read_only = on")
    code, lines, _ = server("doctor")
    hurt = {one["detail"] for one in lines if one["what"] == "server settings"}
    assert {"statement_timeout = 1min", "it only reads (a standby?)"} <= hurt
    assert code == 1
    with psycopg.connect(server.url, autocommit=True) as raw:
        raw.execute("SET default_transaction_read_only = off")
        raw.execute(f"ALTER DATABASE {server.name} RESET ALL")
    command = [sys.executable, "-m", "omnichannel_core.cli", "--db", server.url, "--data", str(tmp_path), "worker"]
    environment = {**os.environ, "OMNICHANNEL_KEYS": KEYS}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment) as worker:
        assert worker.stdout is not None
        assert b"Working" in worker.stdout.readline()
        workers = next(one for one in server("doctor")[1] if one["what"] == "workers")
        assert workers["detail"] == "1 workers alive"
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=30)


def test_server_that_is_not_there(server: Any) -> None:
    """A server that cannot be reached is a line that fails."""
    code, lines, _ = server("doctor", url="postgresql://app:sesame-77@127.0.0.1:9/shop")
    assert code == 1
    assert told((code, lines, json.dumps(lines)))["store"] == "fail"
