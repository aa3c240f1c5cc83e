"""The control API around tills and their back offices (documented in the package docstring)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from omnichannel_pos_simulator.live import pushed
from omnichannel_pos_simulator.office import Office
from omnichannel_pos_simulator.till import Day, Habits, Till, Truth
from omnichannel_pos_simulator.writing import Liberties, as_zip, drop, files

Handler = Callable[["World", dict[str, str], dict[str, Any]], Any]


@dataclass
class Counter:
    """A till with its store's exchange directory, and the truth of all its closed days."""

    till: Till
    exchange: Path
    office: Office
    truth: Truth = field(default_factory=Truth)
    days: list[Day] = field(default_factory=list)


@dataclass
class World:
    """All tills, by name."""

    counters: dict[str, Counter] = field(default_factory=dict)

    def open_till(self, exchange: str, name: str = "KASSE-01", seed: int = 1, habits: dict[str, Any] | None = None,
                  refuse: dict[str, str] | None = None, at: str = "") -> Counter:  # fmt: skip
        """A new till at a store's directory; `at` is when it begins."""
        folder = Path(exchange)
        if not (folder / "in").is_dir():
            raise ValueError(f"{exchange} is no exchange directory: it has no folder in.")
        till = Till(name, seed, Habits(**(habits or {})))
        if at:
            till.now = datetime.fromisoformat(at)
        made = self.counters[name] = Counter(till, folder, Office(folder, refuse))
        return made


def build(world: World) -> Starlette:
    """The ASGI application; `state.world` is its world."""
    app = Starlette(routes=[Route(path, _endpoint(handler), methods=[method]) for method, path, handler in _ROUTES])
    app.state.world = world
    return app


def _endpoint(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        body = await request.body()
        try:
            words = json.loads(body) if body else {}
            if not isinstance(words, dict):
                return JSONResponse({"error": "an object is wanted"}, 400)
            found = await run_in_threadpool(handler, request.app.state.world, dict(request.path_params), words)
        except KeyError as error:
            return JSONResponse({"error": f"there is no {error}"}, 404)
        except (ValueError, TypeError) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)
        return JSONResponse(found)

    return answer


def _state(world: World, _: dict[str, str], __: dict[str, Any]) -> Any:
    return {"tills": {name: _summary(one) for name, one in world.counters.items()}}


def _summary(one: Counter) -> dict[str, Any]:
    return {"closing": one.till.closing, "receipts": len(one.till.receipts), "now": one.till.now.isoformat(),
            "closed": len(one.days), "exchange": str(one.exchange)}  # fmt: skip


def _reset(world: World, _: dict[str, str], __: dict[str, Any]) -> Any:
    world.counters.clear()
    return {}


def _open(world: World, _: dict[str, str], words: dict[str, Any]) -> Any:
    return _summary(world.open_till(**words))


def _work(world: World, path: dict[str, str], words: dict[str, Any]) -> Any:
    one = world.counters[path["till"]]
    before = len(one.till.receipts)
    one.till.work(int(words.get("receipts", 10)))
    new = one.till.receipts[before:]
    if words.get("live"):
        for receipt in new:
            drop(pushed(one.till, receipt), one.exchange / "in", f"live-{one.till.name}-{receipt.id}.json")
    return {"receipts": len(new)}


def _close(world: World, path: dict[str, str], words: dict[str, Any]) -> Any:
    one = world.counters[path["till"]]
    said = dict(words.get("liberties", {}))
    if "without" in said:
        said["without"] = frozenset(said["without"])
    day, free = one.till.close(), Liberties(**said)
    one.truth.add(day.truth)
    one.days.append(day)
    name = f"{one.till.name}-{day.number}"
    whole = words.get("as", "zip") == "zip"
    file = drop(as_zip([day], free) if whole else files([day], free), one.exchange / "in", name + ".zip" * whole)
    return {"closing": day.number, "receipts": len(day.receipts), "file": str(file)}


def _truth(world: World, path: dict[str, str], _: dict[str, Any]) -> Any:
    return asdict(world.counters[path["till"]].truth)


def _office(world: World, path: dict[str, str], words: dict[str, Any]) -> Any:
    one = world.counters[path["till"]]
    one.office.refuse |= words.get("refuse", {})
    if words.get("ask_for"):
        one.office.ask_for(*words["ask_for"])
    taken = one.office.work()
    return {"taken": taken, "seen": one.office.seen, "held": one.office.held}


_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/_control/state", _state),
    ("POST", "/_control/reset", _reset),
    ("POST", "/_control/tills", _open),
    ("POST", "/_control/tills/{till}/work", _work),
    ("POST", "/_control/tills/{till}/close", _close),
    ("GET", "/_control/tills/{till}/truth", _truth),
    ("POST", "/_control/tills/{till}/office", _office),
)
