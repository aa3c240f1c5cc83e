"""What simulators are made of, over a real socket."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from omnichannel_core.testing import served
from omnichannel_core.testing.simulated import controls
from omnichannel_core.testing.simulated.clock import Clock
from omnichannel_core.testing.simulated.exchange import Answer, Application, Dropped, Exchange, Receive, Scope, Send
from omnichannel_core.testing.simulated.faults import BREAKING, Fault, Faults, ordered
from omnichannel_core.testing.simulated.routing import Router, Routes


class Shop:
    """Counts what was done."""

    def __init__(self) -> None:
        self.faults = Faults(Fault)
        self.done = 0
        self.noted: list[int] = []


class ShopExchange(Exchange[Fault]):
    """Answers everything with ten numbers."""

    def __init__(self, shop: Shop, scope: Scope, receive: Receive, send: Send, dropped: Dropped) -> None:
        super().__init__(scope, receive, send, dropped)
        self.shop, self.path = shop, scope["path"]

    async def run(self) -> object:
        """One thing done."""
        await self.body()
        fault = await self.drawn(self.shop.faults, "me", "GET", self.path, frozenset({"ask"}))
        if fault is not None and fault.kind in BREAKING:
            return await self.end(fault)
        if fault is not None:
            return await self.finish(Answer(fault.status, b"{}", headers=fault.headers))
        self.shop.done += 1
        return await self.finish(Answer(200, json.dumps(list(range(10))).encode()))

    def note(self, status: int) -> None:
        """What became of it."""
        self.shop.noted.append(status)


class ShopApplication(Application[Shop]):
    """The shop, served."""

    def exchange(self, scope: Scope, receive: Receive, send: Send) -> ShopExchange:
        """One request to come."""
        return ShopExchange(self.world, scope, receive, send, self.dropped)


@pytest.fixture
def shop() -> Iterator[tuple[Shop, str]]:
    """A shop and where it listens."""
    made = Shop()
    with served(ShopApplication(made)) as address:
        yield made, address.removeprefix("http://")


def ask(address: str) -> tuple[int, bytes]:
    """One request on a socket of its own, with half a second of patience."""
    connection = http.client.HTTPConnection(address, timeout=0.5)
    try:
        connection.request("GET", "/numbers")
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_a_refusal_is_answered_without_being_done(shop: tuple[Shop, str]) -> None:
    """A fault of kind status is answered once, then the shop answers again."""
    world, address = shop
    world.faults.order({"kind": "status", "status": 503})
    assert ask(address) == (503, b"{}")
    assert world.done == 0
    assert ask(address)[0] == 200
    assert world.noted == [503, 200]


@pytest.mark.parametrize(("kind", "done"), [("drop_before", 0), ("hang_before", 0), ("drop_after", 1),
                                            ("hang_after", 1), ("truncate", 1)])  # fmt: skip
def test_a_broken_answer(shop: tuple[Shop, str], kind: str, done: int) -> None:
    """The client hears no whole answer, and the request was done or not as the fault says."""
    world, address = shop
    world.faults.order({"kind": kind})
    with pytest.raises((OSError, http.client.HTTPException)):
        ask(address)
    assert world.done == done
    assert ask(address)[0] == 200


def test_half_a_document_sent_as_if_whole(shop: tuple[Shop, str]) -> None:
    """A malformed answer has a right length and is no JSON."""
    world, address = shop
    world.faults.order({"kind": "malformed"})
    status, body = ask(address)
    assert status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


def test_which_requests_a_fault_hits() -> None:
    """Account, method, path and operation must fit; skipped ones pass; each order strikes as often as it says."""
    faults = Faults(Fault)
    faults.order([{"kind": "status", "method": "PUT"}, {"kind": "status", "path": "^/other"},
                  {"kind": "status", "operation": "buy"}, {"kind": "latency", "times": -1},
                  {"kind": "html", "skip": 1, "times": 2}])  # fmt: skip
    drawn = [[one.kind for one in faults.draw("me", "GET", "/x", frozenset({"ask"}))] for _ in range(4)]
    assert drawn == [["latency"], ["latency", "html"], ["latency", "html"], ["latency"]]
    assert [one["hits"] for one in controls.listed(faults.orders)["faults"]] == [0, 0, 0, 4, 2]


@pytest.mark.parametrize(
    "order", [{"kind": "flood"}, {}, {"kind": "status", "unknown": 1}, {"kind": "html", "path": "("}]
)
def test_an_order_that_makes_no_sense(order: dict[str, Any]) -> None:
    """It is refused by a sentence."""
    with pytest.raises(ValueError, match="fault: "):
        ordered(Fault, order)


def test_the_clock_stands_and_goes() -> None:
    """A manual clock moves only when it is turned; made real it goes on from there."""
    clock = Clock("manual", 1000.0)
    controls.turn(clock, {"advance": 5})
    assert clock.now() == 1005.0
    controls.turn(clock, {"now": 50, "advance": 1})
    assert clock.shown()["now"] == 51.0
    controls.turn(clock, {"mode": "real", "speed": 1000})
    assert clock.now() >= 51.0
    with pytest.raises(ValueError, match="clock: 'odd'"):
        controls.turn(clock, {"mode": "odd"})


def test_routes_of_digits_and_words() -> None:
    """Exact texts come first, a number is digits, a word is one segment, and other methods of a path are known."""
    routes: Routes[Any] = Routes()
    for template in ("/a/{id}", "/a/new", "/b/{name:w}"):
        routes.get(template)(lambda: None)
    router = Router(routes.all)
    found = {path: router.find("GET", path) for path in ("/a/7", "/a/new", "/a/x", "/b/x.y", "/b/x/y")}
    assert {path: one and (one[0].operation, one[1]) for path, one in found.items()} == {
        "/a/7": ("GET /a/{id}", {"id": "7"}), "/a/new": ("GET /a/new", {}), "/a/x": None,
        "/b/x.y": ("GET /b/{name:w}", {"name": "x.y"}), "/b/x/y": None,
    }  # fmt: skip
    assert router.methods("/a/7") == ["GET"]


def test_the_log_is_asked_by_what_its_entries_hold() -> None:
    """Any field chooses, the last ones only when so many are asked for."""
    from dataclasses import make_dataclass

    entry = make_dataclass("entry", ["operation", "store"])
    log = [entry("a", "x"), entry("b", "x"), entry("a", "y")]
    assert controls.requests(log, {"operation": "a"})["requests"] == [
        {"operation": "a", "store": "x"}, {"operation": "a", "store": "y"}]  # fmt: skip
    assert controls.requests(log, {"last": "1"})["requests"] == [{"operation": "a", "store": "y"}]
    assert controls.requests([SimpleNamespace(operation="a")], {"nothing": "a"})["requests"] == []
