"""Canary secrets pushed through every path of a house with a careless driver: found nowhere outside the vault."""

from __future__ import annotations

import base64
import gc
import json
import logging
import os
import pickle
import sqlite3
import subprocess
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import attrs

from campaigns import echoing, leaky
from campaigns.figures import Figure, control
from campaigns.ground import ACCOUNT, Ground, forked, prepared
from campaigns.search import Search, canary
from omnichannel_core import errors
from omnichannel_core.app import Omnichannel
from omnichannel_core.connections import exporting
from omnichannel_core.driver import Call
from omnichannel_core.records import Shipment, StockLevel
from omnichannel_core.storage.hub import Found
from omnichannel_core.storage.keys import KeyRing

REPOSITORY = Path(__file__).parents[1]
BACKENDS = ("asyncio", "trio")
TURN = 0.8  # seconds for a process to come to its end, or to wait
PROOFS = ("license",)  # a license's text is a proof that anyone may read: it is stored and handed out as it is
Step = Callable[[], Awaitable[Any]]


def canaries() -> dict[str, str]:
    """By what they are."""
    kinds = {"key": "", "edited": "", "refused": "refuse-", "rejected": "reject-", "down": "down-", "raised": "raise-",
             "application": "", "code": "", "code denied": "refuse-", "code raised": "raise-", "callback": "",
             "forged": "", "arrived": "", "command line": "", "command line refused": "refuse-"}  # fmt: skip
    return {what: canary(prefix) for what, prefix in kinds.items()}


@attrs.define
class TurnedClock:
    """The machine's, and so much later."""

    later: timedelta = timedelta()

    def now(self) -> datetime:
        """Aware, UTC."""
        return datetime.now(UTC) + self.later

    async def sleep(self, seconds: float) -> None:
        """Really."""
        await anyio.sleep(seconds)


class Heard(logging.Handler):
    """Every line of every logger, as a host's plain handler would write it."""

    def __init__(self, search: Search) -> None:
        super().__init__(logging.DEBUG)
        self._search = search
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """One line, with its traceback."""
        self._search.look(f"log: {record.name}", self.format(record))


@attrs.define
class Day:
    """One house, and everything that can be done with a secret in it."""

    ground: Ground
    house: Omnichannel
    clock: TurnedClock
    search: Search
    shop: str
    steps: int = 0
    raised: list[str] = attrs.field(factory=list)

    async def step(self, name: str, move: Step, *, fails: bool = False) -> Any:
        """Do it; what it answers or raises is searched. `fails`: it is meant to raise."""
        self.steps += 1
        answer: Any = None
        try:
            with anyio.fail_after(20):
                answer = await move()
        except Exception as trouble:  # noqa: BLE001 - it is looked at, whatever it is
            self.raised.append(f"{name}: {type(trouble).__name__}")
            self.trouble(name, trouble)
            if not fails:
                self.search.found[f"step that failed: {name}, {type(trouble).__name__}"] = 1
        else:
            self.shown(name, answer)
        return answer

    def trouble(self, name: str, trouble: BaseException) -> None:
        self.search.look(f"error: {name}", "".join(traceback.format_exception(trouble)))
        seen: set[int] = set()
        one: BaseException | None = trouble
        while one is not None and id(one) not in seen:
            seen.add(id(one))
            if isinstance(one, errors.OmnichannelError):
                self.search.look(f"error: {name}", f"{one!r} {one} {one.args} {vars(one)}")
                self.search.look(f"pickle: {name}", pickle.dumps(one))
            one = one.__cause__ or one.__context__

    def shown(self, name: str, answer: Any) -> None:
        """An answer of the house."""
        self.search.look(f"repr: {name}", f"{answer!r} {answer}")
        try:
            self.search.look(f"pickle: {name}", pickle.dumps(answer), but=PROOFS)
        except (pickle.PicklingError, TypeError, AttributeError):
            return

    def snapshot(self) -> None:
        """Everything of the house that is alive now."""
        for one in gc.get_objects():
            if str(type(one).__module__).partition(".")[0] in ("omnichannel_core", "campaigns") and not isinstance(
                one, Search | Day | Heard
            ):
                try:
                    self.search.look(f"repr: {type(one).__qualname__}", f"{one!r} {one}")
                except Exception:  # noqa: BLE001 - half-made objects have no repr
                    continue

    # --- moves
    async def all(self, given: Mapping[str, str]) -> None:
        """Every path."""
        leaky.SNAPSHOT[:] = [self.snapshot]
        await self.made(given)
        one = await self.created(given)
        await self.synchronized(one)
        await self.pushed(one)
        await self.authorized(one, given)
        await self.called(given)
        await self.told()
        leaky.SNAPSHOT.clear()

    async def made(self, given: Mapping[str, str]) -> None:
        """Account, license, application."""
        house = self.house
        await self.step("account", lambda: house.accounts.add(ACCOUNT))
        await self.step("license", lambda: house.licenses.add(ACCOUNT, given["license"]))
        await self.step("license, cut", lambda: house.licenses.add(ACCOUNT, given["license"][:-2]), fails=True)
        document = {"name": "app", "driver": "leaky", "version": 1,
                    "values": {"client_id": "app-1", "client_secret": given["application"]}}  # fmt: skip
        await self.step("application", lambda: house.licenses.add_application(ACCOUNT, document))
        other = {**document, "version": 2, "values": [given["application"]]}
        await self.step("application, malformed", lambda: house.licenses.add_application(ACCOUNT, other), fails=True)
        await self.step("install", lambda: house.drivers.install(ACCOUNT, "leaky"))
        await self.step("licenses", lambda: house.licenses.list(ACCOUNT))

    async def created(self, given: Mapping[str, str]) -> int:
        """Creates that fail in each way, and one that does not; a check and edits."""
        house, door = self.house, self.house.connections
        for kind in ("refused", "rejected", "down", "raised"):
            form: dict[str, Any] = {"shop": self.shop, "key": given[kind]}
            await self.step(f"create {kind}", lambda f=form: door.create(ACCOUNT, "leaky", "No", f), fails=True)  # type: ignore[misc]
        wrong: tuple[dict[str, Any], ...] = (
            {"shop": self.shop, "key": given["key"], "other": given["key"]},
            {"shop": 1, "key": [given["key"]]},
        )
        for form in wrong:
            await self.step("create wrong", lambda f=form: door.create(ACCOUNT, "leaky", "No", f), fails=True)  # type: ignore[misc]
        right = {"shop": self.shop, "key": given["key"]}
        saved = await self.step("create", lambda: door.create(ACCOUNT, "leaky", "Yes", right))
        one = int(saved.connection.id)
        await self.step("credentials", lambda: door.credentials(ACCOUNT, one))
        await self.step("check", lambda: door.check(ACCOUNT, one))
        await self.step(
            "edit", lambda: door.edit(ACCOUNT, one, credentials={"shop": self.shop, "key": given["edited"]})
        )
        for kind in ("refused", "down", "raised"):
            bad = {"shop": self.shop, "key": given[kind]}
            await self.step(f"edit {kind}", lambda f=bad: door.edit(ACCOUNT, one, credentials=f), fails=True)  # type: ignore[misc]
        await self.step("house", lambda: _answer(house))
        return one

    async def synchronized(self, one: int) -> None:
        """Runs that succeed, wait and fail."""
        for what in ("200", "401", "422", "503", "driver", "attention", "raise"):
            leaky.PULLS[:] = [what] * 4
            await self.run(f"sync {what}", one)
        leaky.PULLS.clear()
        await self.run("sync", one)

    async def run(self, name: str, one: int) -> None:
        """SYNCHRONIZE, as far as it comes in a moment."""
        process = await self.step(name, lambda: self.house.connections.synchronize(ACCOUNT, one))
        await self.drive(name, process)
        await self.step(name, lambda: self.house.connections.get(ACCOUNT, one))

    async def drive(self, name: str, process: Any) -> None:
        """One process, a moment."""

        async def ended() -> Any:
            with anyio.move_on_after(TURN):
                return await self.house.processes.run_to_end(ACCOUNT, process.id)
            return None

        if process is not None:
            await self.step(name, ended)
            await self.step(name, lambda: self.house.processes.cancel(ACCOUNT, process.id))

    async def pushed(self, one: int) -> None:
        """Refused, and unknown."""
        for stream, record in (("stock", StockLevel(id="s", sku="s", quantity=1)),  # type: ignore[arg-type]
                               ("shipments", Shipment(id="p", order_id="1"))):  # fmt: skip
            await self.step(f"push {stream}", lambda s=stream, r=record: self.house.hub.push(ACCOUNT, one, s, [r]))  # type: ignore[misc]
        for process in await self.house.processes.list(ACCOUNT, kind="deliver"):
            await self.drive("push", process)
        await self.step("pushes", lambda: self.house.hub.pushes(ACCOUNT, connection=one))
        await self.step("errors", lambda: self.house.hub.errors(ACCOUNT))

    async def authorized(self, one: int, given: Mapping[str, str]) -> None:
        """Out and back in each way; then a token in use, renewed, and not renewed."""
        door = self.house.connections
        for kind in ("code denied", "code raised", "code"):
            form = {"shop": self.shop, "key": given["edited"]}
            begun = await self.step(f"authorize {kind}", lambda f=form: door.authorize(  # type: ignore[misc]
                ACCOUNT, "leaky", f, return_url="https://host.example/back", connection=one))  # fmt: skip
            state = begun.url.partition("state=")[2]
            call = Call(method="GET", path="/back", query={"state": state, "code": given[kind]})
            await self.step(f"returned {kind}", lambda c=call: door.returned(c, account=ACCOUNT))  # type: ignore[misc]
            await self.step(f"draft {kind}", lambda b=begun: door.draft(ACCOUNT, b.draft))  # type: ignore[misc]
        await self.step("forged state", lambda: door.returned(call, account=ACCOUNT), fails=True)
        await self.step("edit with a token", lambda: door.edit(ACCOUNT, one, draft=begun.draft))
        for what in ("200", "401", "driver", "attention"):
            leaky.PULLS[:] = [what] * 4
            await self.run(f"sync with a token {what}", one)
        leaky.PULLS.clear()
        self.clock.later += timedelta(hours=2)
        await self.run("sync that renews", one)
        self.clock.later += timedelta(hours=2)
        leaky.RENEW_FAILS.append(True)
        await self.run("sync that cannot renew", one)
        leaky.RENEW_FAILS.clear()

    async def called(self, given: Mapping[str, str]) -> None:
        """Calls from outside."""
        for path, kind in (("forged", "forged"), ("raise", "forged"), ("arrive", "arrived"), ("changed", "callback")):
            call = Call(method="POST", path=path, headers={"x-hook": given["callback"]}, body=given[kind].encode())
            fails = path in ("forged", "raise")
            await self.step(f"call {path}", lambda c=call: self.house.connections.receive("leaky", c), fails=fails)  # type: ignore[misc]

    async def told(self) -> None:
        """Whatever is asked."""
        house = self.house
        for name, ask in {
            "connections": lambda: house.connections.list(ACCOUNT), "processes": lambda: house.processes.list(ACCOUNT),
            "found": lambda: house.hub.find(ACCOUNT, Found(kind="Order")), "census": house.vault_census,
            "listing": lambda: house.drivers.list(ACCOUNT), "schema": lambda: house.drivers.schema(ACCOUNT, "leaky"),
            "applications": lambda: house.licenses.applications(ACCOUNT),
            "export": self.exported,
            "rotate": house.rotate_vault,
        }.items():  # fmt: skip
            await self.step(name, ask)
        self.snapshot()

    async def exported(self) -> list[str]:
        """Both ways."""
        found = Found(kind="Order")
        lines = [one async for one in exporting.json_lines(self.house.hub, ACCOUNT, found)]
        return lines + [one async for one in exporting.spreadsheet(self.house.hub, ACCOUNT, found)]


async def _answer(value: Any) -> Any:
    return value


# --- beside the house
def files(ground: Ground, search: Search) -> None:
    """Every file of the ground but the keys and what was typed into files here."""
    for path in sorted(ground.folder.rglob("*")):
        if path.is_file() and path.suffix not in (".key", ".typed"):
            search.look(f"file: {path.name}", path.read_bytes(), but=PROOFS)


def command_line(ground: Ground, search: Search, given: Mapping[str, str], shop: str, *, twice: bool) -> int:
    """The commands, for eyes and for machines, talking as much as they can; how many ran."""
    trust, license_file, count = ground.folder / "trust.json", ground.folder / "license.typed", 0
    trust.write_text(json.dumps(ground.trust))
    license_file.write_text(given["license"][:-2])
    keys = {"key": given["command line"]}, {"key": given["command line refused"]}
    create = ["connections", "create", "leaky", "Typed", "--set", f"shop={shop}", "--secrets-stdin"]
    for words, typed in (
        (create, keys[0]), (create, keys[1]), (create, {"key": [given["command line"]]}), (["connections", "list"], {}),
        (["connections", "edit", "1", "--secrets-stdin"], keys[1]), (["connections", "check", "1"], {}),
        (["connections", "sync", "1"], {}), (["connections", "show", "1"], {}),
        (["connections", "delete", "99", "--yes"], {}),
        (["licenses", "list"], {}), (["licenses", "add", str(license_file)], {}), (["processes", "list"], {}),
        (["hub", "errors"], {}), (["drivers", "list"], {}), (["doctor"], {}),
        (["connections", "create", "leaky", "X", "--set", f"key={given['command line']}"], {}),
    ):  # fmt: skip
        for machine in ([], ["--json"]) if twice else ([["--json"], []][count % 2],):
            before = [sys.executable, "-m", "omnichannel_core.cli", "-vv", *machine, "--db", str(ground.database)]
            before += ["--trust", str(trust), "--account", ACCOUNT, "--allow", "127.0.0.0/8"]
            path = os.pathsep.join([str(ground.site), str(REPOSITORY)])
            said = subprocess.run([*before, *words], input=json.dumps(typed).encode(), capture_output=True, timeout=60,
                                  check=False, cwd=ground.folder, env={**os.environ, "PYTHONPATH": path})  # fmt: skip
            count += 1
            name = " ".join(words[:2])
            if b"No such command" in said.stderr or b"Traceback" in said.stderr:
                search.found[f"command that broke: {name}"] = 1
            search.look(f"stdout: {name}", said.stdout)
            search.look(f"stderr: {name}", said.stderr)
    return count


def planted(ground: Ground, search: Search, given: Mapping[str, str]) -> int:
    """The control: the same secrets leaked on purpose, one way a place; how many of the leaks are found."""
    handler = Heard(search)
    handler.handle(logging.makeLogRecord({"name": "planted", "msg": f"key {given['key']}"}))
    handler.handle(
        logging.makeLogRecord({"name": "encoded", "msg": base64.b64encode(f"u:{given['key']}".encode()).decode()})
    )
    day = Day(ground, None, TurnedClock(), search, "")  # type: ignore[arg-type]
    try:
        raise ValueError(given["edited"])
    except ValueError as cause:
        trouble = errors.UsageError("planted")
        trouble.__cause__ = cause
        day.trouble("planted", trouble)
    day.shown("planted", {"form": given["refused"]})
    with sqlite3.connect(ground.folder / "planted.db") as raw:
        raw.execute("PRAGMA journal_mode=WAL")
        raw.execute("CREATE TABLE one (it TEXT)")
        raw.execute("INSERT INTO one VALUES (?)", (given["application"],))
        raw.commit()
        files(ground, search)
    said = subprocess.run([sys.executable, "-c", "print(input())"], input=given["command line"].encode(),
                          capture_output=True, check=True)  # fmt: skip
    search.look("stdout: planted", said.stdout)
    places = ("log: planted", "log: encoded", "error: planted", "repr: planted", "pickle: planted", "file: planted",
              "stdout: planted")  # fmt: skip
    return sum(any(one.startswith(place) for one in search.found) for place in places)


def _day(ground: Ground, backend: str, *, commands: int) -> dict[str, Any]:
    ring = KeyRing({"k1": os.urandom(32)})
    given = {**canaries(), "license": ground.license("leaky", "app")}
    vault = base64.b64encode(ring.keys["k1"]).decode()
    search = Search({**given, "vault key": vault})
    logging.getLogger().setLevel(logging.DEBUG)
    logging.getLogger().addHandler(Heard(search))
    server = echoing.serve()
    shop, clock = f"http://127.0.0.1:{server.server_address[1]}", TurnedClock()
    key_file = ground.database.with_name(ground.database.name + ".key")
    key_file.write_text(f"k1:{vault}\n")
    key_file.chmod(0o600)

    async def main() -> Day:
        house = ground.house(work=False, keys=ring, clock=clock, allow=["127.0.0.0/8"])
        async with house:
            day = Day(ground, house, clock, search, shop)
            await day.all(given)
            files(ground, search)
        return day

    day = anyio.run(main, backend=backend)
    ran = command_line(ground, search, given, shop, twice=commands > 1) if commands else 0
    server.shutdown()
    files(ground, search)
    found = dict(search.found)
    return {"steps": day.steps, "raised": len(day.raised), "commands": ran, "found": found, "looked": search.looked,
            "secrets": len(search.secrets), "planted": planted(ground, Search(search.secrets), given)}  # fmt: skip


def run(size: float = 1.0) -> Iterable[Figure]:
    """On each loop once; the command line once, at full size for eyes and for machines."""
    for backend in BACKENDS:
        with prepared(leaky="campaigns.leaky") as ground:
            seen = forked(partial(_day, ground, backend, commands=(2 if size >= 1 else 1) * (backend == BACKENDS[0])))
        details = {key: seen[key] for key in ("secrets", "steps", "raised", "commands", "looked")}
        yield Figure(f"canaries_found_{backend}", len(seen["found"]), 0, details={**details, "where": seen["found"]})
        yield control(f"canaries_found_{backend}", seen["planted"], least=7, what="leaks planted on purpose, 7 places")


if __name__ == "__main__":
    for figure in run(float(sys.argv[1]) if len(sys.argv) > 1 else 0.05):
        print(figure.line(), flush=True)
