"""Ground for a campaign: a folder with a store, the vendor's keys, and drivers plugged in for nobody else."""

from __future__ import annotations

import json
import os
import select
import signal
import sqlite3
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import attrs
import psycopg
import sqlalchemy as sa

from omnichannel_core.app import Omnichannel
from omnichannel_core.gate import vendor
from omnichannel_core.gate.catalog import Catalog
from omnichannel_core.storage import migrations
from omnichannel_core.storage.keys import KeyRing
from omnichannel_core.storage.opening import open_store
from omnichannel_core.storage.store import Store
from omnichannel_core.storage.vault import Vault
from omnichannel_core.testing import postgres

ACCOUNT = "acme"
KEYS = KeyRing({"campaign": bytes(32)})
STORES = ("sqlite", "postgresql")
DRIVERS = Path(__file__).parents[1] / "tests" / "drivers"


@attrs.define
class Ground:
    """`with prepared(counted="campaigns.counted") as ground` lays one; it is gone afterwards."""

    folder: Path
    drivers: Mapping[str, str]  # name -> module
    private: Mapping[str, Any] = attrs.field(repr=False)
    trust: Mapping[str, Any]
    url: str = ""  # of a database on a server; '' is a SQLite file

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.folder / "shop.db"

    @property
    def site(self) -> Path:
        """Where the drivers' metadata lies."""
        return self.folder / "site"

    def house(self, store: str | Path | None = None, **more: Any) -> Omnichannel:
        """Not opened yet."""
        catalog = Catalog(lambda: metadata.distributions(path=[str(self.site)]))
        given: dict[str, Any] = {"trust": self.trust, "catalog": catalog, **self._apart(store), **more}
        return Omnichannel(store or self.url or self.database, **given)

    def opened(self) -> tuple[Store, Vault]:
        """The store itself, opened in this process."""
        apart = self._apart(None)
        store = Store(self.url or str(self.database), apart.get("data"))
        return store, open_store(store, apart.get("keys"))

    def migrate(self) -> None:
        """A server's tables; a file gets them when it is opened."""
        if self.url:
            store = Store(self.url, self.folder / "data")
            store.open()
            migrations.migrate(store)
            store.close()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Asked of the database's own client."""
        if self.url:
            with psycopg.connect(postgres.dsn(sa.make_url(self.url)), autocommit=True) as server:
                found = server.execute(sql.encode())
                return found.fetchall() if found.description else []
        with closing(sqlite3.connect(self.database)) as file, file:
            return file.execute(sql).fetchall()

    def _apart(self, store: object) -> dict[str, Any]:
        """What each process of a server's users has of its own, as if it were a machine of its own."""
        if store is not None or not self.url:
            return {}
        return {"data": self.folder / f"data-{os.getpid()}", "keys": KEYS}

    def license(self, driver: str, application: str = "") -> str:
        """A key for the main account."""
        return vendor.issue(
            self.private, account=ACCOUNT, driver=driver, distribution=f"omnichannel-{driver}",
            now=datetime.now(UTC), application=application,
        )  # fmt: skip

    async def settle(self, house: Omnichannel) -> None:
        """The account, with every driver in it."""
        await house.accounts.add(ACCOUNT)
        for driver in self.drivers:
            await house.licenses.add(ACCOUNT, self.license(driver))
            await house.drivers.install(ACCOUNT, driver)


@contextmanager
def prepared(store: str = "sqlite", **drivers: str) -> Iterator[Ground]:
    """New ground; drivers by name, each with the module of its hooks."""
    for one in sorted(DRIVERS.iterdir()):
        if str(one) not in sys.path:
            sys.path.append(str(one))
    private, public = vendor.keygen()
    with ExitStack() as stack:
        folder = tempfile.TemporaryDirectory(prefix="omnichannel-campaign-", ignore_cleanup_errors=True)
        ground = Ground(Path(stack.enter_context(folder)), drivers, private, vendor.key_set(public))
        if store == "postgresql":
            server = stack.enter_context(postgres.running(postgres.DURABLE, os.environ.get("OMNI_TEST_PG", "")))
            ground.url = server.database().render_as_string(hide_password=False)
        for name, module in drivers.items():
            _plug(ground.site, name, module)
        yield ground


def _plug(site: Path, name: str, module: str) -> None:
    """A distribution's metadata, as an installer would leave it."""
    info = site / f"omnichannel_{name}-1.0.dist-info"
    info.mkdir(parents=True)
    head = ["Metadata-Version: 2.4", f"Name: omnichannel-{name}", "Version: 1.0", f"Summary: {name.title()}",
            "Requires-Dist: omnichannel-core>=0.1"]  # fmt: skip
    (info / "METADATA").write_text("\n".join(head) + "\n\n")
    (info / "entry_points.txt").write_text(f"[omnichannel_core.drivers]\n{name} = {module}\n")


def spawn(work: Callable[[], Any]) -> int:
    """Run `work` in a forked process and end it there; its id. The caller has no threads and no open store."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    except BaseException:  # noqa: BLE001 - a forked child must never return into its parent's stack
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def forked(work: Callable[[], Any], seconds: float = 900.0) -> Any:
    """Run `work` in a forked process; what it answered, by way of JSON.

    Raises:
        RuntimeError: it failed (its traceback is on stderr), or took longer than so many seconds and was killed.
    """
    reading, writing = os.pipe()

    def told() -> None:
        with os.fdopen(writing, "w") as out:
            json.dump(work(), out)

    child = spawn(told)
    os.close(writing)
    with os.fdopen(reading) as source:
        if not select.select([source], [], [], seconds)[0]:
            os.kill(child, signal.SIGKILL)
        said = source.read()
    if os.waitpid(child, 0)[1] != 0:
        raise RuntimeError("a forked part of the campaign failed")
    return json.loads(said)
