"""What all tests share: both loops, both databases, a clock that tests turn, an opened store."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

import anyio.lowlevel
import attrs
import pytest
import sqlalchemy as sa

from omnichannel_core.app import Omnichannel
from omnichannel_core.gate import loader, vendor
from omnichannel_core.gate.catalog import Catalog
from omnichannel_core.storage import migrations
from omnichannel_core.storage.keys import KeyRing
from omnichannel_core.storage.store import Store
from omnichannel_core.testing import postgres

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's job in the background, whose children would ignore it
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """Every async test runs on both."""
    return request.param


@attrs.define
class FakeClock:
    """Stands still until somebody sleeps on it or turns it."""

    time: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """Aware, UTC."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """The time is over at once."""
        self.turn(seconds)
        await anyio.lowlevel.checkpoint()

    def turn(self, seconds: float) -> None:
        """So many seconds later."""
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> FakeClock:
    """At the beginning of 2026."""
    return FakeClock()


# --- stores: every test runs on both databases; what is about one of them says which (indirect)
RING = KeyRing({"test": bytes(32)})


@attrs.define
class Backing:
    """Where stores are: `url` and `data` for a Store, `keys` besides for a house."""

    url: str
    data: Path
    keys: KeyRing | None = None

    def store(self) -> Store:
        """Not opened yet."""
        return Store(self.url, self.data)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """One for all tests. Where there is none, tests fail: `OMNI_PG_OPTIONAL=1` skips them instead, and says so."""
    try:
        with postgres.running(named=os.environ.get("OMNI_TEST_PG", "")) as server:
            yield server
    except postgres.Unavailable as why:
        if os.environ.get("OMNI_PG_OPTIONAL") != "1":
            raise
        warnings.warn(f"NOTHING WAS TESTED ON POSTGRESQL: {why}", pytest.PytestWarning, stacklevel=1)
        pytest.skip(str(why))


@pytest.fixture(scope="session")
def postgres_template(postgres_server: postgres.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a database with all tables, which others are copied from."""
    url = postgres_server.database()
    made = Store(url.render_as_string(hide_password=False), tmp_path_factory.mktemp("template"))
    made.open()
    migrations.migrate(made)
    made.close()
    yield str(url.database)
    postgres_server.drop(url)


@pytest.fixture
def postgres_url(postgres_server: postgres.Server, postgres_template: str) -> Iterator[sa.URL]:
    """A database of this test alone, with all tables."""
    url = postgres_server.database(postgres_template)
    yield url
    postgres_server.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def backing(request: pytest.FixtureRequest, tmp_path: Path) -> Backing:
    """A SQLite file, or a database on a PostgreSQL."""
    if request.param == "sqlite":
        return Backing(str(tmp_path / "store.db"), tmp_path / "data")
    url: sa.URL = request.getfixturevalue("postgres_url")
    return Backing(url.render_as_string(hide_password=False), tmp_path / "data", RING)


@pytest.fixture
def store(backing: Backing) -> Iterator[Store]:
    """A brand-new store with all tables."""
    made = backing.store()
    made.open()
    migrations.ensure(made)
    yield made
    made.close()


# --- drivers on the path: real dist-info folders, real modules
DRIVERS = Path(__file__).parent / "drivers"


@attrs.define
class Plug:
    """Puts distributions of drivers on `sys.path`, as an installer would."""

    site: Path

    def distribution(
        self,
        distribution: str,
        drivers: Mapping[str, str],
        *,
        version: str = "1.0",
        summary: str = "",
        requires: Sequence[str] = ("omnichannel-core>=0.1",),
        keywords: str = "",
        site: Path | None = None,
        code: Mapping[str, str] = {},
    ) -> Path:
        """A distribution with an entry point per driver, and files of code below its folder; answers its metadata."""
        folder = site or self.site
        info = folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        head = ["Metadata-Version: 2.4", f"Name: {distribution}", f"Version: {version}", f"Summary: {summary}"]
        head += [f"Keywords: {keywords}"] if keywords else []
        head += [f"Requires-Dist: {want}" for want in requires]
        (info / "METADATA").write_text("\n".join(head) + "\n\n")
        lines = [f"{name} = {module}" for name, module in drivers.items()]
        (info / "entry_points.txt").write_text("\n".join(["[omnichannel_core.drivers]", *lines]) + "\n")
        for path, text in code.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        importlib.invalidate_caches()
        return info

    def ready(self, name: str) -> None:
        """One of the drivers in `tests/drivers`."""
        if not list(self.site.glob(f"omnichannel_{name}-*.dist-info")):
            self.distribution(f"omnichannel-{name}", {name: f"omnichannel_{name}.driver"}, summary=name.title())
        if str(DRIVERS / name) not in sys.path:
            sys.path.insert(0, str(DRIVERS / name))

    def catalog(self) -> Catalog:
        """What is plugged here, and nothing else."""
        return Catalog(lambda: metadata.distributions(path=[str(self.site)]))


@pytest.fixture
def plug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plug]:
    """An empty folder on the path; its modules are forgotten afterwards."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.setattr(sys, "path", [str(site), *sys.path])
    monkeypatch.setattr(loader, "_LOADED", {})
    yield Plug(site)
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(site)):
            del sys.modules[name]


# --- a whole house, with the echo driver licensed and installed in account acme
@attrs.define
class Opener:
    """Opens houses on one store: `async with open_house() as house`."""

    plug: Plug
    clock: FakeClock
    backing: Backing
    keys: tuple[dict[str, Any], dict[str, Any]] = attrs.field(factory=vendor.keygen, repr=False)

    def __call__(self, **more: Any) -> Omnichannel:
        """Not opened yet."""
        given = {
            "trust": vendor.key_set(self.keys[1]),
            "catalog": self.plug.catalog(),
            "clock": self.clock,
            "work": False,
            "data": self.backing.data,
            "keys": self.backing.keys,
        }
        return Omnichannel(self.backing.url, **(given | more))

    async def buy(self, house: Omnichannel, account: str = "acme", driver: str = "echo", days: int = 3650) -> str:
        """A license for a main account; its text."""
        text = vendor.issue(
            self.keys[0], account=account, driver=driver, distribution=f"omnichannel-{driver}", now=self.clock.now(),
            days=days,
        )  # fmt: skip
        await house.licenses.add(account, text)
        return text

    async def settle(self, house: Omnichannel) -> None:
        """Account acme with the driver in it."""
        self.plug.ready("echo")
        await house.accounts.add("acme")
        await self.buy(house)
        await house.drivers.install("acme", "echo")


@pytest.fixture
def open_house(plug: Plug, clock: FakeClock, backing: Backing) -> Opener:
    """Houses on one store."""
    return Opener(plug, clock, backing)


@pytest.fixture
async def house(open_house: Opener) -> AsyncIterator[Omnichannel]:
    """An opened house that works only when told to."""
    async with open_house() as opened:
        await open_house.settle(opened)
        yield opened


@pytest.fixture
def shop(plug: Plug) -> Iterator[Any]:
    """The echo driver's remote shop `a`, empty; its secret is hush-echo."""
    plug.ready("echo")
    remote = importlib.import_module("omnichannel_echo.remote")
    remote.SHOPS["a"] = made = remote.Remote()
    yield made
    remote.SHOPS.clear()
