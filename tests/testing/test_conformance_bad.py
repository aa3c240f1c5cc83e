"""Drivers that do wrong run the conformance kit: each is caught."""

from __future__ import annotations

import contextlib
import importlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import pytest

from omnichannel_core import errors
from omnichannel_core.testing.conformance import DriverConformance, Expected, Level, Remote, Verdict, certify, standing
from tests.conftest import DRIVERS

sys.path.insert(0, str(DRIVERS / "hostile"))
WAYS = importlib.import_module("omnichannel_hostile.driver")
CAUGHT = sorted(set(WAYS.WAYS) - WAYS.HEAVY - WAYS.DEADLY)


class InMemory(DriverConformance):
    """No address."""

    loops = ("asyncio",)
    patience = 1.0

    @contextmanager
    def open_remote(self) -> Iterator[Remote]:
        """Nothing."""
        yield Remote()

    def expected(self, remote: Remote) -> Expected:
        """Anything."""
        return {"orders": None}


@pytest.mark.parametrize("name", ["silent", "misspelt", "broken"])
def test_one_that_declares_nothing_has_no_level(plug: Any, name: str) -> None:
    """A driver that cannot be gathered fails the first rule, with what is wrong."""
    plug.ready(name)
    facts = type("Facts", (InMemory,), {"driver": name})()
    found = certify(facts, stop=True, catalog=plug.catalog())
    assert found.level is Level.NONE
    assert found.tried["bronze-declares"].verdict is Verdict.FAILS
    assert "is broken" in found.tried["bronze-declares"].reason


@pytest.mark.parametrize("way", CAUGHT)
def test_every_lie_is_found(plug: Any, way: str) -> None:
    """Whatever a hostile driver does in a pull, a rule of silver fails."""
    plug.ready("hostile")
    facts = type("Facts", (InMemory,), {"driver": "hostile", "credentials": {"way": way}})()
    rules = ["silver-pulls-bring-everything", "silver-records-are-well-formed"]
    found = certify(facts, only=rules, stop=True, catalog=plug.catalog())
    assert Verdict.FAILS in {one.verdict for one in found.tried.values()}
    assert found.level is Level.NONE


def test_rules_left_out_hold_the_level(plug: Any) -> None:
    """A certificate of some rules only says which were not run, and gives no level."""
    plug.ready("hostile")
    facts = type("Facts", (InMemory,), {"driver": "hostile", "credentials": {"way": "nothing"}})()
    found = certify(facts, only=["bronze-declares"], catalog=plug.catalog())
    assert found.level is Level.NONE
    assert any("not run: bronze-checks" in line for line in found.lines())


def test_a_rule_that_does_not_exist_cannot_lack(plug: Any) -> None:
    """A misspelt name in `lacking` is refused instead of ignored."""
    plug.ready("hostile")
    facts = type("Facts", (InMemory,), {"driver": "hostile", "lacking": {"bronze-chekcs": "why"}})()
    with pytest.raises(errors.UsageError, match="bronze-chekcs"):
        certify(facts, only=["bronze-declares"], catalog=plug.catalog())


def test_a_check_without_a_token_says_where_one_comes_from(plug: Any) -> None:
    """A check that is refused although nothing typed is wrong names the part of the flow that brings tokens."""
    plug.ready("echo")
    typed = {"shop": "nowhere", "secret": "x"}
    facts = type("Facts", (InMemory,), {"driver": "echo", "credentials": typed})()
    found = certify(facts, only=["bronze-checks"], catalog=plug.catalog())
    assert "The flow has no `renew`" in found.tried["bronze-checks"].reason


@pytest.mark.parametrize(("without", "wrong"), [({"fech": "why"}, "fech"), ({"fetch": " "}, "no reason for fetch")])
def test_what_a_marketplace_has_no_way_for_is_said_well(plug: Any, without: dict[str, str], wrong: str) -> None:
    """A misspelt capability in `without`, or one without a reason, is refused."""
    plug.ready("hostile")
    facts = type("Facts", (InMemory,), {"driver": "hostile", "without": without})()
    with pytest.raises(errors.UsageError, match=wrong):
        certify(facts, only=["bronze-declares"], catalog=plug.catalog())


def test_a_rule_does_not_apply_where_the_facts_say_so_truly(plug: Any) -> None:
    """A capability that is lacking is told with its reason; one that the driver has nevertheless fails its rule."""
    plug.ready("stall")
    rules = ["silver-fetch-brings-the-same", "platinum-agrees-with-the-definition"]
    stall = importlib.import_module("omnichannel_stall.facts").StallFacts
    without = {"fetch": "no single orders", "definition": "a stall has none"}
    facts = type("Facts", (stall,), {"loops": ("asyncio",), "without": without})()
    found = certify(facts, only=rules, catalog=plug.catalog())
    assert [one.verdict for one in found.tried.values()] == [Verdict.FAILS] * 2
    assert "orders brings 10" in found.tried[rules[0]].reason
    assert "`agrees` compares" in found.tried[rules[1]].reason
    facts = type("Facts", (InMemory,), {"driver": "stall", "without": without})()
    found = certify(facts, only=rules[1:], catalog=plug.catalog())
    assert found.tried[rules[1]].verdict is Verdict.OUT_OF_PLACE
    assert "  cannot apply: platinum-agrees-with-the-definition: a stall has none" in found.lines()


def test_a_rule_that_does_not_exist_cannot_be_tried(plug: Any) -> None:
    """A misspelt rule is refused instead of left out."""
    plug.ready("hostile")
    facts = type("Facts", (InMemory,), {"driver": "hostile"})()
    with pytest.raises(errors.UsageError, match="silver-pulls-bring-everythign"):
        certify(facts, only=["silver-pulls-bring-everythign"], catalog=plug.catalog())


def sleeps() -> None:
    """For a moment."""
    time.sleep(0.001)


def looks_up() -> None:
    """A name that every machine knows."""
    socket.gethostbyname("localhost")


def connects() -> None:
    """Waits for nobody."""
    with socket.socket() as one, contextlib.suppress(OSError):
        one.settimeout(1)
        one.connect(("127.0.0.1", 9))


def runs() -> None:
    """A process."""
    subprocess.run([sys.executable, "-c", ""], check=True)


@pytest.mark.parametrize("wait", [sleeps, looks_up, connects, runs])
def test_what_blocks_is_named(wait: Callable[[], None]) -> None:
    """Whatever waits in the thread of the loop is seen with its place, however short it is."""
    with standing.watching() as seen:
        wait()
    assert seen
    assert " at /" in seen[0]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_loop_at_work_blocks_nothing(backend: str) -> None:
    """Sleeping, sockets, names and threads by way of the loop are no waiting; a sleep in another thread is none."""

    async def talk(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            await stream.send(await stream.receive())

    async def work() -> list[str]:
        with standing.watching() as seen:
            async with anyio.create_task_group() as group:
                listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
                group.start_soon(listener.serve, talk)
                port = listener.extra(anyio.abc.SocketAttribute.local_port)
                async with await anyio.connect_tcp("localhost", port) as stream:
                    await stream.send(b"hello")
                    assert await stream.receive() == b"hello"
                await anyio.sleep(0.01)
                await anyio.to_thread.run_sync(time.sleep, 0.01)
                group.cancel_scope.cancel()
            await listener.aclose()
        return seen

    assert anyio.run(work, backend=backend) == []


def test_a_driver_that_blocks_is_not_silver(plug: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver whose check sleeps fails the rule, which says where and what to do instead."""
    plug.ready("stall")
    stall = importlib.import_module("omnichannel_stall.facts").StallFacts
    facts = type("Facts", (stall,), {"loops": ("asyncio",)})()
    rules = ["silver-nothing-blocks"]
    assert certify(facts, only=rules, catalog=plug.catalog()).tried[rules[0]].verdict is Verdict.HOLDS
    client = importlib.import_module("omnichannel_stall.driver")
    check = client.check

    async def slow(session: Any) -> Any:
        time.sleep(0.001)  # noqa: ASYNC251 - that is the mistake
        return await check(session)

    monkeypatch.setattr(client, "check", slow)
    found = certify(facts, only=rules, catalog=plug.catalog()).tried[rules[0]]
    assert found.verdict is Verdict.FAILS
    assert "sleep at" in found.reason
    assert "session.compute" in found.reason
