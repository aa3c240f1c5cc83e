"""Real worker processes on one store: they share, die, pause and are taken over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from omnichannel_core.model.process import Process, State
from omnichannel_core.storage.processes import Processes
from omnichannel_core.storage.store import Store

WORKER = Path(__file__).with_name("worker.py")
PAGES = 40
Start = Callable[[str], subprocess.Popen[str]]


@pytest.fixture
def start(store: Store, backing: Any) -> Iterator[Start]:
    """Start a worker process on the store; all are gone at the end."""
    store.write_now(
        lambda tx: tx.exec_driver_sql(
            "CREATE TABLE page (process INTEGER, number INTEGER, worker TEXT, PRIMARY KEY (process, number))"
        )
    )
    started: list[subprocess.Popen[str]] = []

    def one(backend: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(WORKER), backing.url, str(backing.data), str(PAGES), backend]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield one
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def submit(store: Store, connections: int) -> None:
    """One import of each."""

    def work(tx: Any) -> None:
        for connection in range(1, connections + 1):
            Processes(tx, "a").submit(
                connection=connection, kind="import", key=f"import:{connection}", payload={}, now=datetime.now(UTC)
            )

    store.write_now(work)


def rows(store: Store) -> list[Process]:
    """All, oldest first."""
    return store.read_now(lambda tx: Processes(tx, "a").page(limit=1000))[::-1]


def pages(store: Store) -> list[tuple[int, int, str]]:
    """(process, number, worker) of every page."""
    query = "SELECT process, number, worker FROM page ORDER BY process, number"
    return store.read_now(lambda tx: [(row[0], row[1], row[2]) for row in tx.exec_driver_sql(query)])


def until(store: Store, what: Callable[[], bool], seconds: float = 30.0) -> float:
    """Poll until it is so; the seconds it took."""
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < seconds, rows(store)
        time.sleep(0.01)
    return time.monotonic() - began


def ended(store: Store) -> bool:
    """All have succeeded."""
    return all(one.state == State.SUCCEEDED for one in rows(store))


def complete(store: Store, connections: int) -> bool:
    """Every page of every process is there, once."""
    expected = [(one, number) for one in range(1, connections + 1) for number in range(1, PAGES + 1)]
    return [(process, number) for process, number, _ in pages(store)] == expected


def test_two_processes_share_the_work(store: Store, start: Start):
    """An asyncio and a trio worker both take processes, and every page is stored once."""
    start("asyncio")
    start("trio")
    submit(store, 16)
    until(store, lambda: ended(store))
    assert complete(store, 16)
    assert len({worker for _, _, worker in pages(store)}) == 2


def test_a_killed_worker_is_taken_over_at_once(store: Store, start: Start):
    """After kill -9 the other goes on from the last committed page; a file lock tells before the lease is over."""
    first = start("asyncio")
    submit(store, 3)
    until(store, lambda: len(pages(store)) > 10)
    second = start("asyncio")
    fences = {one.id: one.fence for one in rows(store)}
    first.kill()
    first.wait()
    took = until(store, lambda: all(one.fence > fences[one.id] or not one.open for one in rows(store)))
    until(store, lambda: ended(store))
    assert complete(store, 3)
    assert took < (1.4 if store.is_sqlite else 3.5)
    assert second.poll() is None


def test_a_paused_worker_commits_nothing_after_takeover(store: Store, start: Start):
    """SIGSTOP, takeover by lease, SIGCONT: no page is doubled, and no page of the old fence comes later."""
    zombie = start("asyncio")
    submit(store, 2)
    until(store, lambda: len(pages(store)) > 5)
    (store.data / "pause").touch()
    assert os.WIFSTOPPED(os.waitpid(zombie.pid, os.WUNTRACED)[1])
    name = pages(store)[0][2]
    before = [one for one in pages(store) if one[2] == name]
    fences = {one.id: one.fence for one in rows(store) if one.open}
    start("trio")
    until(store, lambda: all(one.fence > fences.get(one.id, -1) for one in rows(store)))
    zombie.send_signal(signal.SIGCONT)
    until(store, lambda: ended(store))
    assert complete(store, 2)
    assert [one for one in pages(store) if one[2] == name][: len(before)] == before
    assert zombie.poll() is None
