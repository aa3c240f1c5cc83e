"""Budgets over a store: whoever shares the store shares them, in one process or in several, alive or dead."""

from __future__ import annotations

import fcntl
import logging
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from pydantic import SecretStr

from omnichannel_core import errors
from omnichannel_core.app import Omnichannel
from omnichannel_core.connections import budgets, sessions
from omnichannel_core.connections.budgets import FileBudgets, StoredBudgets
from omnichannel_core.driver import Application, Reading
from omnichannel_core.remote.buckets import NOW, Buckets, Plan
from omnichannel_core.storage.limit_files import LimitFiles
from omnichannel_core.storage.store import Store

pytestmark = pytest.mark.anyio
DRIP = Plan(rate=2.0, burst=10.0, window=None)
WINDOW = Plan(rate=float("inf"), burst=150.0, window=30.0)
SPENDER = Path(__file__).with_name("spender.py")
STEPS = some.lists(
    some.tuples(some.floats(0, 20), some.integers(1, 4), some.integers(0, 2), some.booleans()), min_size=1, max_size=60
)


@pytest.fixture(params=["files", "table"])
def instance(request: pytest.FixtureRequest, store: Store, clock: Any) -> Iterator[Callable[[], Any]]:
    """Makes instances on one store, as several processes would."""
    made: list[Any] = []

    def make() -> Any:
        made.append(budgets.shared(store, clock) if request.param == "files" else StoredBudgets(store, clock))
        return made[-1]

    yield make
    for one in made:
        one.close()


async def test_places_are_shared(instance: Callable[[], Buckets]) -> None:
    """So many requests are under way at once, whoever sends them; a place that is given back is another's."""
    one, other = instance(), instance()
    held = [(each, await each.occupy("a", 3, 5.0)) for each in (one, other, one)]
    assert all(place for _, place in held)
    assert (await one.occupy("a", 3, 5.0), await other.occupy("a", 3, 5.0)) == ("", "")
    elsewhere = await other.occupy("b", 1, 5.0)
    assert elsewhere
    await held[1][0].vacate("a", held[1][1])
    last = await one.occupy("a", 3, 5.0)
    assert last
    assert await other.occupy("a", 3, 5.0) == ""
    for each, place in (held[0], held[2], (one, last)):
        await each.vacate("a", place)
    await other.vacate("b", elsewhere)


async def test_a_place_ends_with_its_holder(store: Store, clock: Any, tmp_path: Path) -> None:
    """A process that is killed leaves its place; on a server, where nobody can tell, after ten minutes."""
    code = (
        "import sys; from pathlib import Path; from omnichannel_core.storage.limit_files import LimitFiles\n"
        "assert LimitFiles(Path(sys.argv[1])).occupy('a', 1); print('held', flush=True); sys.stdin.read()"
    )
    shared = FileBudgets(LimitFiles(tmp_path / "limits"))
    child = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", code, str(shared.files.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdin is not None
    assert child.stdout.readline() == "held\n"
    assert await shared.occupy("a", 1, 0.0) == ""
    child.kill()
    child.wait()
    child.stdout.close()
    child.stdin.close()
    place = await shared.occupy("a", 1, 0.0)
    assert place
    await shared.vacate("a", place)
    shared.close()
    table = StoredBudgets(store, clock)
    assert await table.occupy("a", 1, 0.0)
    assert await table.occupy("a", 1, 599.0) == ""
    assert await table.occupy("a", 1, 601.0)


async def test_spent_by_one_is_spent_for_all(instance: Callable[[], Buckets]) -> None:
    """Units one instance took are gone for the other, given ones are back, other keys are untouched."""
    one, other = instance(), instance()
    for number in range(10):
        assert (await (one, other)[number % 2].take("a", DRIP, 1.0, 5.0))[0] == NOW
    assert (await other.take("a", DRIP, 1.0, 5.0))[0] == pytest.approx(0.5)
    assert (await other.take("a", DRIP, 1.0, 5.0, ahead=3.0))[0] == pytest.approx(2.0)
    assert (await other.take("b", DRIP, 1.0, 5.0))[0] == NOW
    await one.give("a", DRIP, 1.0)
    assert (await other.take("a", DRIP, 1.0, 5.0))[0] == NOW


async def test_told_to_one_is_told_to_all(instance: Callable[[], Buckets]) -> None:
    """What an answer tells one instance, and a wait the remote asks for, hold for the other."""
    one, other = instance(), instance()
    _, turn = await one.take("a", WINDOW, 1.0, 5.0)
    await one.settle("a", WINDOW, 1.0, turn, Reading(left=1, full_in=10), 5.0)
    assert (await other.take("a", WINDOW, 1.0, 5.0))[0] == NOW
    assert (await other.take("a", WINDOW, 1.0, 5.0))[0] == pytest.approx(10.01)
    await one.wait("a", WINDOW, 60.0, 5.0)
    assert (await other.take("a", WINDOW, 1.0, 20.0))[0] == pytest.approx(45.0)
    assert (await other.take("a", WINDOW, 1.0, 65.0))[0] == NOW


async def test_unused_budgets_are_forgotten(instance: Callable[[], Any]) -> None:
    """A budget nobody has used for a month goes, also under the hands of who has it open; a used one stays."""
    one = instance()
    await one.take("a", DRIP, 10.0, 5.0)
    real = datetime.now(UTC)
    assert await one.sweep(min(real, datetime(2026, 1, 1, tzinfo=UTC)) - timedelta(days=1)) == 0
    assert (await one.take("a", DRIP, 1.0, 5.0))[0] == pytest.approx(0.5)
    assert await one.sweep(max(real, datetime(2026, 1, 1, tzinfo=UTC)) + timedelta(days=31)) == 1
    assert (await one.take("a", DRIP, 1.0, 5.0))[0] == NOW


def _steps(plan: Plan, steps: list[tuple[float, int, int, bool]]) -> list[tuple[float, float]]:
    """(when, units) let through by three instances on one folder; `True` kills the one that asked, and starts anew."""

    async def work(folder: Path) -> list[tuple[float, float]]:
        made, now, spent = [FileBudgets(LimitFiles(folder)) for _ in range(3)], 1_000_000.0, []
        for pause, cost, who, dies in steps:
            now += pause
            wait, _ = await made[who].take("a", plan, float(cost), now)
            if wait == NOW:
                spent.append((now, float(cost)))
            if dies:
                made[who].close()
                made[who] = FileBudgets(LimitFiles(folder))
        for one in made:
            one.close()
        return spent

    with tempfile.TemporaryDirectory() as folder:
        return anyio.run(work, Path(folder) / "limits")


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_drip_never_above_budget(steps: list[tuple[float, int, int, bool]]) -> None:
    """In any stretch all instances together let through the burst and what dripped, also when some die."""
    spent = _steps(DRIP, steps)
    for first in range(len(spent)):
        total = 0.0
        for at, units in spent[first:]:
            total += units
            assert total <= DRIP.burst + (at - spent[first][0]) * DRIP.rate + 1e-3


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_window_never_above_budget(steps: list[tuple[float, int, int, bool]]) -> None:
    """In no stretch of a window's length do all instances together let through more than the window holds."""
    plan = Plan(rate=float("inf"), burst=12.0, window=30.0)
    spent = _steps(plan, steps)
    for at, _ in spent:
        assert sum(units for other, units in spent if at <= other < at + 30.0) <= 12 + 1e-6


@pytest.mark.parametrize("damage", ["torn", "another boot"])
async def test_a_lost_state_counts_as_spent(tmp_path: Path, damage: str) -> None:
    """After a power cut, or with a torn file, nothing is let through before the budget has filled again."""
    one = FileBudgets(LimitFiles(tmp_path / "limits"))
    await one.take("drip", DRIP, 1.0, 100.0)
    await one.take("window", WINDOW, 1.0, 100.0)
    for path in (tmp_path / "limits").iterdir():
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] if damage == "torn" else whole)
    other = FileBudgets(LimitFiles(tmp_path / "limits"))
    if damage == "another boot":
        other.files._boot = b"later"
    assert (await other.take("drip", DRIP, 1.0, 101.0))[0] == pytest.approx(0.5)
    assert 29 < (await other.take("window", WINDOW, 1.0, 101.0))[0] < 34
    await other.settle("window", WINDOW, 1.0, 0, Reading(left=100, full_in=3), 101.0)
    assert (await other.take("window", WINDOW, 1.0, 101.0))[0] == NOW
    one.close()
    other.close()


async def test_a_budget_that_cannot_be_kept_stops_requests(tmp_path: Path) -> None:
    """Where the folder cannot be used, a typed error comes instead of a request without a budget."""
    (tmp_path / "limits").write_text("not a folder")
    one = FileBudgets(LimitFiles(tmp_path / "limits"))
    with pytest.raises(errors.StorageError, match="Nothing was sent"):
        await one.take("a", DRIP, 1.0, 5.0)


async def test_a_step_under_way_elsewhere_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process is in the middle of a step nothing is let through; when it never ends, an error says so."""
    one, other = LimitFiles(tmp_path / "limits"), FileBudgets(LimitFiles(tmp_path / "limits"))
    file = one._locked("a")
    with anyio.move_on_after(0.05) as waiting:
        await other.take("a", DRIP, 1.0, 5.0)
    assert waiting.cancelled_caught
    monkeypatch.setattr(budgets, "_PATIENCE", 0.0)
    with pytest.raises(errors.StorageError, match="does not go on"):
        await other.take("a", DRIP, 1.0, 5.0)
    fcntl.flock(file, fcntl.LOCK_UN)
    assert (await other.take("a", DRIP, 10.0, 5.0))[0] == NOW
    one.close()
    other.close()


async def test_more_budgets_than_open_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any number of budgets is kept, with a bounded number of open files."""
    monkeypatch.setattr("omnichannel_core.storage.limit_files.OPEN_FILES", 3)
    one = FileBudgets(LimitFiles(tmp_path / "limits"))
    for _ in range(2):
        for number in range(8):
            assert (await one.take(f"{number}", DRIP, 5.0, 5.0))[0] == NOW
    assert len(one.files._files) == 3
    assert (await one.take("0", DRIP, 1.0, 5.0))[0] == pytest.approx(0.5)
    one.close()


# --- real processes
@pytest.fixture
def arrivals() -> Iterator[tuple[int, list[float]]]:
    """A server on loopback: its port, and when the units of each request were taken."""
    came: list[float] = []

    class Counter(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            came.append(float(self.path[1:]))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Counter)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1], came
    server.shutdown()
    thread.join()
    server.server_close()


def _start(backing: Any, port: int, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, str(SPENDER), backing.url, str(backing.data), str(port), str(seconds)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def test_processes_share_a_budget_and_one_is_killed(
    store: Store, backing: Any, arrivals: tuple[int, list[float]]
) -> None:
    """Two processes spend one budget, one is killed, another takes its place: the server never sees more than it."""
    port, came = arrivals
    children = [_start(backing, port, 2.5), _start(backing, port, 2.5)]
    began = time.time()
    while len(came) < 40:
        assert time.time() < began + 20
        time.sleep(0.01)
    children[0].kill()
    children.append(_start(backing, port, 1.0))
    for child in children:
        child.wait(30)
        assert child.stdout is not None
        child.stdout.close()
    came.sort()
    for first in range(len(came)):
        for last in range(first, len(came)):
            assert last - first + 1 <= 20 + 40 * (came[last] - came[first]) + 1e-3, "more than one budget was spent"
    assert len(came) > 60, "after the kill nobody spent what was left"
    assert [child.returncode for child in children[1:]] == [0, 0]


# --- the house
class ShopApplication(Application):
    """What a vendor registered."""

    secret: SecretStr


async def test_an_application_has_one_budget() -> None:
    """Two accounts with the same application are one to the marketplace; without one they are two."""
    same = [sessions._application_id(who, ShopApplication(secret=SecretStr("one")), b"p") for who in ("acme", "other")]
    assert same[0] == same[1]
    assert same[0] != sessions._application_id("acme", ShopApplication(secret=SecretStr("two")), b"p")
    assert sessions._application_id("acme", None, b"p") != sessions._application_id("other", None, b"p")


async def test_houses_share_budgets(open_house: Any) -> None:
    """Two houses on one store spend one budget."""
    async with open_house() as one, open_house() as other:
        limiters = [house._parts.limiter for house in (one, other)]
        for number in range(10):
            assert (await limiters[number % 2].buckets.take("a", DRIP, 1.0, 5.0))[0] == NOW
        for limiter in limiters:
            assert (await limiter.buckets.take("a", DRIP, 1.0, 5.0))[0] == pytest.approx(0.5)


async def test_a_driver_cannot_log_a_secret(open_house: Any, shop: Any, caplog: pytest.LogCaptureFixture) -> None:
    """What a driver writes to its log comes out without the connection's secret."""
    caplog.set_level(logging.INFO, "omnichannel_core.drivers.echo")
    async with open_house() as house:
        await open_house.settle(house)
        logging.getLogger("omnichannel_core.drivers.echo").filters.clear()
        await _log_it(house)
    assert "signed in with" in caplog.text
    assert "hush-echo" not in caplog.text


async def test_opening_a_house_cleans_its_own_lines(open_house: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Once a house is open, lines of its own modules come out without what looks like a secret."""
    own = logging.getLogger("omnichannel_core.gate.loader")
    own.filters.clear()
    async with open_house():
        own.warning("access_token=0123456789abcdef")
    assert "access_token" in caplog.text
    assert "0123456789abcdef" not in caplog.text


async def _log_it(house: Omnichannel) -> None:
    saved = await house.connections.create("acme", "echo", "My shop", {"shop": "a", "secret": "hush-echo"})
    async with house._sessions.open("acme", saved.connection.id) as work:
        work.session.log.info("signed in with %s", "hush-echo")
