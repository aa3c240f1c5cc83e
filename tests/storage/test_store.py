"""The store: all of a write or nothing, one writer at a time, whatever process it is in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
import sqlalchemy as sa

from omnichannel_core import errors
from omnichannel_core.storage.numbers import next_number
from omnichannel_core.storage.pages import Raw
from omnichannel_core.storage.presence import Presence
from omnichannel_core.storage.schema import store as facts
from omnichannel_core.storage.store import Store

pytestmark = pytest.mark.anyio
WRITE = """
import sys
from pathlib import Path
from omnichannel_core.storage.numbers import next_number
from omnichannel_core.storage.store import Store
store = Store(sys.argv[1], Path(sys.argv[2]))
store.open()
print(",".join(str(store.write_now(lambda tx: next_number(tx, "connection"))) for _ in range(60)))
store.close()
"""


def put(tx: Any, key: str) -> None:
    """A row."""
    tx.execute(facts.insert().values(key=key, value="x"))


def keys(tx: Any) -> list[str]:
    """Rows there are."""
    return [row[0] for row in tx.execute(sa.select(facts.c.key).where(facts.c.key.like("t-%")).order_by(facts.c.key))]


async def test_all_or_nothing(store: Store) -> None:
    """What raises in a write undoes all of it, and the next one goes on."""

    def fails(tx: Any) -> None:
        put(tx, "t-1")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.write(fails)
    await store.write(lambda tx: put(tx, "t-2"))
    assert await store.read(keys) == ["t-2"]


async def test_reader_beside_a_writer(store: Store) -> None:
    """A reader sees the state before a write that is under way, and does not wait for it."""
    seen: list[list[str]] = []

    def write(tx: Any) -> None:
        put(tx, "t-1")
        seen.append(store.read_now(keys))

    await store.write(write)
    seen.append(await store.read(keys))
    assert seen == [[], ["t-1"]]


async def test_writers_of_one_house(store: Store) -> None:
    """Many tasks that write at the same time each get their own number."""
    found: list[int] = []

    async def take() -> None:
        found.append(await store.write(lambda tx: next_number(tx, "connection")))

    async with anyio.create_task_group() as group:
        for _ in range(30):
            group.start_soon(take)
    assert sorted(found) == list(range(1, 31))


def test_two_processes(store: Store, backing: Any) -> None:
    """Two processes that write at the same time take every number once, and neither starves."""
    command = [sys.executable, "-c", WRITE, backing.url, str(backing.data)]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    found = [[int(one) for one in worker.communicate(timeout=60)[0].split(",")] for worker in workers]
    assert sorted(found[0] + found[1]) == list(range(1, 121))


@pytest.mark.parametrize("past", [True, False])
def test_troubles_are_ours(store: Store, past: bool) -> None:
    """The database's errors are StorageError, also those that went past SQLAlchemy, and repeat no value."""

    def refused(tx: Any) -> None:
        if past:
            Raw(tx).one("INSERT INTO omni_record (body) VALUES (?)", ("hush",))
        else:
            tx.execute(sa.text("INSERT INTO omni_record (body) VALUES ('hush')"))

    def down(tx: Any) -> None:
        if past:
            raise tx.dialect.loaded_dbapi.OperationalError("database or disk is full")  # type: ignore[union-attr]
        if store.is_sqlite:
            tx.execute(sa.text("SELECT * FROM omni_nothing"))
        tx.execute(sa.text("SET LOCAL statement_timeout = 5"))
        tx.execute(sa.text("SELECT pg_sleep(5)"))

    for work, said in ((refused, "refused a statement"), (down, "Nothing was changed")):
        with pytest.raises(errors.StorageError, match=said) as caught:
            store.write_now(work)
        assert "hush" not in str(caught.value)


def test_places() -> None:
    """A store in memory, or on a server without a data directory, is refused before anything is opened."""
    for url in ("sqlite://", "sqlite:///:memory:", "postgresql+psycopg://h/db"):
        with pytest.raises(errors.UsageError):
            Store(url)


def test_presence(tmp_path: Path) -> None:
    """Who lives is alive to others; who is gone or was never there is not, and leaves no file."""
    one, two = Presence(tmp_path), Presence(tmp_path)
    assert one.alive(one.name)
    assert one.alive(two.name)
    two.close()
    assert not one.alive(two.name)
    (tmp_path / "1-dead.lock").touch()
    assert not one.alive("1-dead")
    one.close()
    assert list(tmp_path.iterdir()) == []
