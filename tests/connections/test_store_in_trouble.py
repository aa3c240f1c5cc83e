"""The disk is full, the database read-only or locked for a while: said clearly, and nothing is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import anyio
import pytest

from omnichannel_core import errors
from omnichannel_core.driver import Page
from omnichannel_core.model.process import State
from omnichannel_core.records import Order
from omnichannel_core.storage.store import Store
from tests.connections.lab import count, made, opened

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("backing", ["sqlite"], indirect=True)]
PAGES, EACH = 6, 20
WORDS = {"full": "database or disk is full", "read-only": "readonly database", "locked": "database is locked"}


def pragma(store: Store, *texts: str) -> Any:
    """On the one connection that writes; the answer to the last."""
    with store._writer.connect() as tx:
        raw: Any = tx.connection.driver_connection
        return [raw.execute(f"PRAGMA {one}").fetchone() for one in texts][-1]


def broken(store: Store, how: str) -> Callable[[], None]:
    """Break it as said; what mends it."""
    if how == "full":
        (pages,) = pragma(store, "page_count")
        pragma(store, f"max_page_count={pages}")
        return lambda: pragma(store, "max_page_count=1000000")
    if how == "read-only":
        pragma(store, "query_only=ON")
        return lambda: pragma(store, "query_only=OFF")
    pragma(store, "busy_timeout=50")
    other = sqlite3.connect(store.path or "", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    return other.close


@pytest.mark.parametrize("how", WORDS)
async def test_a_sync_goes_on_when_the_store_can(open_house: Any, how: str) -> None:
    """What was not committed is pulled again: every order once, the process succeeds, and nobody had to do anything."""
    async with opened(open_house, work=False) as (house, bench), anyio.create_task_group() as group:
        store, breaks = house._store, [True]

        async def mended(mend: Callable[[], None]) -> None:
            await anyio.sleep(0.3)  # some tries of whoever writes
            await store.compute(mend)

        def pull(session: Any, cursor: Any) -> Any:
            if cursor.page == 3 and breaks:
                breaks.clear()
                group.start_soon(mended, broken(store, how))
            ids = range(cursor.page * EACH, (cursor.page + 1) * EACH)
            return Page(
                cursor=type(cursor)(cursor.page + 1),
                records=[Order(id=str(one), note="x" * 2000) for one in ids], more=cursor.page + 1 < PAGES,
            )  # fmt: skip

        bench.scripts["orders"] = pull
        lab = await made(house)
        (process,) = await house.processes.list("acme")
        ended = await house.processes.run_to_end("acme", process.id)
        assert (ended.state, breaks) == (State.SUCCEEDED, [])
        assert await count(house, lab) == PAGES * EACH
        with closing(sqlite3.connect(store.path or "")) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("how", WORDS)
async def test_a_person_is_told(open_house: Any, how: str) -> None:
    """SAVE and DELETE say what the store cannot do, without a statement or value, change nothing, and work later."""
    async with opened(open_house, work=False) as (house, _):
        lab = await made(house)
        mend = broken(house._store, how)
        with pytest.raises(errors.StorageUnavailable, match=WORDS[how]) as caught:
            await house.connections.edit("acme", lab, name="n" * 255, credentials={"shop": "a", "secret": "s" * 30_000})
        assert "Nothing was changed" in str(caught.value)
        assert "sss" not in str(caught.value)
        assert (await house.connections.get("acme", lab)).name == "Lab"
        assert (await house.connections.credentials("acme", lab))["secret"] == {"set": True}
        mend()
        assert (await house.connections.rename("acme", lab, "Later")).name == "Later"


async def test_no_key_is_made_for_a_store_that_cannot_be_written(open_house: Any, backing: Any, tmp_path: Any) -> None:
    """Where the store cannot be made, a typed error says so, and no key file is left behind."""
    (tmp_path / "file").write_text("not a folder")
    backing.url, backing.data = str(tmp_path / "file" / "s.db"), tmp_path / "elsewhere"
    with pytest.raises(errors.StorageError, match=r"cannot be opened: .*file: "):
        async with open_house():
            pass
    assert list(tmp_path.rglob("*.key")) == []


async def test_a_file_that_is_no_database(open_house: Any, backing: Any, tmp_path: Any) -> None:
    """A file of something else is refused by name, and stays as it is."""
    file = tmp_path / "letter.db"
    file.write_bytes(b"Dear Anna, " * 1000)
    backing.url = str(file)
    with pytest.raises(errors.StorageError):
        async with open_house():
            pass
    assert file.read_bytes() == b"Dear Anna, " * 1000
