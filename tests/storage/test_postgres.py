"""What only a store on PostgreSQL does: its own schema, explicit migration, writes that lost a race, calls."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from omnichannel_core import errors
from omnichannel_core.storage import engine, migrations
from omnichannel_core.storage.grants import Grants, StoredToken
from omnichannel_core.storage.numbers import next_number
from omnichannel_core.storage.processes import Processes
from omnichannel_core.storage.schema import number as numbers
from omnichannel_core.storage.schema import store as facts
from omnichannel_core.storage.store import Store, Tx
from omnichannel_core.storage.vault import Vault
from omnichannel_core.testing import postgres

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MIGRATE = """
import sys
from pathlib import Path
from omnichannel_core.storage import migrations
from omnichannel_core.storage.store import Store
store = Store(sys.argv[1], Path(sys.argv[2]))
store.open()
migrations.migrate(store)
migrations.ensure(store)
store.close()
"""
CALLS = "SELECT args ->> 'process' FROM {}.procrastinate_jobs ORDER BY id"


@pytest.fixture
def empty(postgres_server: postgres.Server) -> Any:
    """A database with nothing in it."""
    url = postgres_server.database()
    yield url
    postgres_server.drop(url)


def at(url: sa.URL, folder: Path, **query: str) -> Store:
    """An opened store there."""
    store = Store(url.update_query_dict(query).render_as_string(hide_password=False), folder)
    store.open()
    return store


def submit(tx: Tx, run_at: datetime | None = None) -> int:
    """A process of no kind in particular."""
    process, _ = Processes(tx, "a").submit(
        connection=1, kind="x", key="", payload={}, now=NOW, run_at=run_at
    )  # fmt: skip
    return process.id


def called(store: Store) -> list[str]:
    """Processes that workers were called for."""
    schema = store.schema or "omni_engine"
    return store.read_now(lambda tx: [row[0] for row in tx.exec_driver_sql(CALLS.format(schema))])


def test_a_start_only_verifies(empty: sa.URL, tmp_path: Path) -> None:
    """Opening never migrates: it names the command; and again when Procrastinate's tables are of another version."""
    store = at(empty, tmp_path)
    with pytest.raises(errors.StoreOutdated, match="omnichannel migrate"):
        migrations.ensure(store)
    assert store.read_now(migrations.current) is None
    migrations.migrate(store)
    migrations.ensure(store)
    store.write_now(lambda tx: tx.execute(facts.update().where(facts.c.key == engine.LEVEL).values(value="00")))
    with pytest.raises(errors.StoreOutdated, match="Procrastinate's tables are at 00"):
        migrations.ensure(store)
    store.close()


def test_six_migrate_at_once(empty: sa.URL, tmp_path: Path) -> None:
    """Six processes that migrate at the same time all succeed, and the tables are made once."""
    command = [sys.executable, "-c", MIGRATE, empty.render_as_string(hide_password=False), str(tmp_path)]
    started = [subprocess.Popen(command) for _ in range(6)]
    assert [one.wait(60) for one in started] == [0] * 6


@pytest.mark.parametrize("schema", ["", "shop"])
def test_beside_the_host(empty: sa.URL, tmp_path: Path, schema: str) -> None:
    """A host's tables, its own Alembic version and its own Procrastinate stay as they are, with a schema or without."""
    query = {"schema": schema} if schema else {}
    store = at(empty, tmp_path, **query)

    def host(tx: Tx) -> None:
        tx.exec_driver_sql("CREATE TABLE public.alembic_version (version_num TEXT)")
        tx.exec_driver_sql("INSERT INTO public.alembic_version VALUES ('theirs')")
        tx.exec_driver_sql("CREATE TABLE public.procrastinate_jobs (id BIGINT)")

    store.write_now(host)
    migrations.migrate(store)
    one = store.write_now(submit)
    assert called(store) == [str(one)]

    def look(tx: Tx) -> tuple[Any, ...]:
        version = tx.exec_driver_sql("SELECT version_num FROM public.alembic_version").scalar()
        theirs = tx.exec_driver_sql("SELECT count(*) FROM public.procrastinate_jobs").scalar()
        found = tx.exec_driver_sql(
            "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename LIKE 'omni!_%%' ESCAPE '!'"
        )
        return version, theirs, [row[0] for row in found]

    assert store.read_now(look) == ("theirs", 0, [schema or "public"])
    assert [migrations.include_name(name, "table") for name in ("alembic_version", "omni_process")] == [True, False]
    store.close()


def test_two_stores_in_one_database(empty: sa.URL, tmp_path: Path) -> None:
    """Stores of two schemas do not see each other."""
    one, two = (at(empty, tmp_path / name, schema=name) for name in ("one", "two"))
    for store in (one, two):
        migrations.migrate(store)
    one.write_now(submit)
    assert (len(called(one)), called(two)) == (1, [])
    assert two.read_now(lambda tx: Processes(tx, "a").page()) == []
    for store in (one, two):
        store.close()


@pytest.mark.parametrize("name", ["a-b", "x;drop", "Upper", "1st", "ä"])
def test_schemas_are_plain_words(tmp_path: Path, name: str) -> None:
    """What is not one plain lower-case word is refused before anything is opened."""
    with pytest.raises(errors.UsageError, match="Schema"):
        Store(sa.URL.create("postgresql+psycopg", host="h", query={"schema": name}).render_as_string(), tmp_path)


@pytest.mark.parametrize("backing", ["postgresql"], indirect=True)
def test_calls_commit_with_what_they_are_about(store: Store) -> None:
    """What is due now calls, what is due later does not, and what is undone has not called."""

    def undone(tx: Tx) -> None:
        submit(tx)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.write_now(undone)
    first, _ = store.write_now(lambda tx: (submit(tx), submit(tx, NOW + timedelta(minutes=1))))
    assert called(store) == [str(first)]
    store.write_now(lambda tx: engine.forget(tx, hours=1))
    assert called(store) == [str(first)]
    store.write_now(lambda tx: engine.forget(tx, hours=0))
    assert called(store) == []


@pytest.mark.parametrize("backing", ["postgresql"], indirect=True)
def test_a_lost_race_is_run_again(store: Store) -> None:
    """Two that make the same first number at the same time get one each: the later one begins anew."""
    together, found = threading.Barrier(2), list[int]()
    runs: list[int] = []

    def take(tx: Tx) -> int:
        runs.append(1)
        if len(runs) > 2:
            return next_number(tx, "race")
        assert tx.execute(numbers.select().where(numbers.c.name == "race")).first() is None
        together.wait(10)
        tx.execute(numbers.insert().values(name="race", next=2))
        return 1

    threads = [threading.Thread(target=lambda: found.append(store.write_now(take))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(found) == [1, 2]
    assert len(runs) == 3


@pytest.mark.parametrize("backing", ["postgresql"], indirect=True)
def test_a_reader_sees_one_state(store: Store) -> None:
    """What others commit between two questions of a read is not seen by it, and a read cannot write."""
    counts: list[int] = []

    def read(tx: Tx) -> None:
        for _ in range(2):
            counts.append(len(tx.execute(facts.select().where(facts.c.key == "t")).all()))
            if len(counts) == 1:
                store.write_now(lambda tx: tx.execute(facts.insert().values(key="t", value="")))

    store.read_now(read)
    assert counts == [0, 0]
    with pytest.raises(errors.StorageError, match=r"refused|cannot do"):
        store.read_now(lambda tx: tx.execute(facts.insert().values(key="u", value="")))


def test_a_server_that_restarts(tmp_path: Path) -> None:
    """While it is away the store says so in a typed error, and afterwards goes on by itself."""
    with postgres.running() as server:
        store = at(server.database(), tmp_path)
        migrations.migrate(store)
        server.stop()
        with pytest.raises(errors.StorageUnavailable):
            store.write_now(submit)
        server.start()
        assert store.write_now(submit) == 1
        store.close()


@pytest.mark.parametrize("backing", ["postgresql"], indirect=True)
def test_a_session_that_is_lost_in_the_middle(store: Store) -> None:
    """Whatever SQLAlchemy says of a session that ended under a unit of work, it is the store that was away."""
    ended = sa.text("SELECT pg_terminate_backend(pg_backend_pid())")

    def goes_on(tx: Tx) -> None:
        with pytest.raises(sa.exc.OperationalError):
            tx.execute(ended)
        tx.execute(facts.select())

    for work in (lambda tx: tx.execute(ended), goes_on):
        with pytest.raises(errors.StorageUnavailable):
            store.write_now(work)
        with pytest.raises(errors.StorageUnavailable):
            store.read_now(work)
    store.write_now(lambda tx: tx.execute(facts.insert().values(key="t", value="")))


@pytest.mark.parametrize("backing", ["postgresql"], indirect=True)
@pytest.mark.parametrize("known", [True, False], ids=["a token", "no token yet"])
def test_one_of_many_may_renew(store: Store, backing: Any, known: bool) -> None:
    """Of those that ask for the right to renew before any has committed, exactly one gets it, and all learn who."""
    vault = Vault(backing.keys)
    grant = store.write_now(lambda tx: Grants(tx, "a", vault).ensure("shop", "seller", ""))
    if known:
        store.write_now(lambda tx: Grants(tx, "a", vault).put(grant, "access", StoredToken(value=SecretStr("x"))))
    together = threading.Barrier(4)
    found: dict[str, str] = {}

    def ask(who: str) -> None:
        def lease(tx: Tx) -> str:
            answer = Grants(tx, "a", vault).lease(grant, "access", who, NOW, NOW + timedelta(minutes=3))
            tx.execute(sa.text("SELECT pg_sleep(0.2)"))  # the others ask before this is committed
            return answer

        together.wait(10)
        found[who] = store.write_now(lease)

    threads = [threading.Thread(target=ask, args=(f"worker-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(found) == 4
    assert len(set(found.values())) == 1
    assert next(iter(found.values())) in found
