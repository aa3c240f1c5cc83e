"""What a worker costs while nothing is due: statements a second on the server, and memory for 10,000 connections."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from benchmarks import orders
from benchmarks.figures import Figure, say
from benchmarks.machines import Machines
from benchmarks.serving import serving
from omnichannel_core.testing import postgres

CONNECTIONS, SECONDS, SLOTS = 10_000, 66.0, 64  # seconds: one look after the house and more
MOST_STATEMENTS, MOST_MB = 2.0, 20.0
STATEMENT = re.compile(rb"LOG:  (?:statement|execute [^:]*): ")  # BEGIN, COMMIT and pings too
COLUMNS = (
    "SELECT string_agg(quote_ident(column_name), ',' ORDER BY ordinal_position) FROM information_schema.columns "
    "WHERE table_schema = 'public' AND table_name = 'omni_{table}'"
)
COPIES = (
    "INSERT INTO omni_{table} ({columns}) SELECT {values} FROM omni_{table} AS t "
    "CROSS JOIN generate_series(1, {count}) AS n WHERE t.{key} = {first}"
)


def figures(connections: int = CONNECTIONS, seconds: float = SECONDS, named: str = "") -> Iterable[Figure]:
    """An idle worker's statements a second, and how much more memory it has with the connections than with one."""
    with (
        postgres.running(postgres.DURABLE, named) as server,
        serving(orders.PAGE, 0.0) as shop,
        tempfile.TemporaryDirectory(prefix="bench-idle-") as folder,
    ):
        machines = Machines(server, Path(folder), shop.url)
        machines.settle(1)
        with machines.working(SLOTS):
            machines.until_all_ended()
        machines.run("UPDATE omni_schedule SET next_at = next_at + 86400000000")
        alone, _ = _idle(machines, server, seconds)
        multiply(machines, connections)
        many, statements = _idle(machines, server, seconds)
    note = f"{connections} connections, {seconds:.0f} s, {statements} statements"
    yield Figure("idle worker", statements / seconds, "statements/s", limit=MOST_STATEMENTS, side="most", note=note)
    note = f"peak {many:.1f} MB, with one connection {alone:.1f} MB"
    yield Figure("idle connections", many - alone, "MB", limit=MOST_MB, side="most", note=note)


def multiply(machines: Machines, connections: int) -> None:
    """The one connection so many times, with all that belongs to it."""
    first = machines.ask("SELECT id FROM omni_connection")
    for table, key in (("connection", "id"), ("schedule", "connection_id"), ("stream", "connection_id")):
        columns = machines.ask(COLUMNS.format(table=table)).split(",")
        values = {one: f"t.{one}" for one in columns} | {key: f"{first} + n"}
        if table == "connection":
            values |= {"remote_account": "n::text", "name": "'Shop ' || n"}
        machines.run(
            COPIES.format(table=table, columns=",".join(columns), values=",".join(values.values()), key=key,
                          first=first, count=connections - 1)
        )  # fmt: skip
    say(f"  {machines.ask('SELECT count(*) FROM omni_schedule')} schedules")


def _idle(machines: Machines, server: postgres.Server, seconds: float) -> tuple[float, int]:
    """Peak resident MB of a worker, and the statements that the server was asked meanwhile."""
    with machines.working(SLOTS) as worker:
        time.sleep(5.0)  # it has begun
        for statement in ("ALTER SYSTEM SET log_statement = 'all'", "SELECT pg_reload_conf()"):
            server.run(statement)
        time.sleep(0.5)
        before = _count(server)
        time.sleep(seconds)
        found = _count(server) - before
        for statement in ("ALTER SYSTEM RESET log_statement", "SELECT pg_reload_conf()"):
            server.run(statement)
        peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{worker}/status").read_text())
        assert peak is not None
        return int(peak[1]) / 1024, found


def _count(server: postgres.Server) -> int:
    return len(STATEMENT.findall(server.log.read_bytes()))
