"""Drivers that do wrong run the conformance kit: each is caught."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import pytest

from omnichannel_core import errors
from omnichannel_core.testing.conformance import DriverConformance, Expected, Level, Remote, Verdict, certify, driving
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


SEND = """        answer = await session.http.send(
            "ship", "POST", f"{ORIGIN}/orders/{item.record.order_id}/parcels", json={"tracking": item.record.tracking}
        )
"""
AGAIN = """        import anyio

        async def send():
            return await session.http.send(
                "ship", "POST", f"{ORIGIN}/orders/{item.record.order_id}/parcels",
                json={"tracking": item.record.tracking},
            )

        try:
            answer = await send()
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True):
                await send()
            raise
"""
LEVELS = "    levels = {item.record.sku: int(item.record.quantity) for item in batch.items}\n"
PAGE = "    newest = max([cursor.newest,"
HIGHEST = f"""{LEVELS}    levels = {{k: max(n, TOLD.get(k, 0)) for k, n in levels.items()}}
    TOLD.update(levels)
"""
ACCEPTED = '        said[item.key] = Accepted(remote={"parcel": str(answer'
NO_NOTES = f"""        if item.record.note:
            from omnichannel_core.driver import Rejected

            return {{item.key: Rejected("no notes")}}
{ACCEPTED}"""
AFTER = "after=page.orders[-1].id, newest"
WOBBLES = [
    ("silver-pulls-bring-everything", "a second time in one run", AFTER, AFTER.replace(", newest", " - 1, newest")),
    ("gold-cancelled-pushes-are-once", "ends otherwise than a healthy one", SEND, AGAIN),
    ("gold-whatever-is-pushed-is-there-once", r"does not win .* Smallest case: .*sku-1", LEVELS, HIGHEST),
    ("gold-whatever-is-pushed-is-there-once", "rejects the sample", ACCEPTED, NO_NOTES),
    (
        "platinum-memory-is-flat",
        r"keeps \d+ kB more",
        PAGE,
        f"    KEPT.append(list(map(order_of, page.orders)))\n{PAGE}",
    ),
]


@pytest.mark.parametrize(("rule", "says", "old", "new"), WOBBLES)
def test_a_good_driver_with_one_thing_wrong_is_caught(
    plug: Any, monkeypatch: pytest.MonkeyPatch, rule: str, says: str, old: str, new: str
) -> None:
    """Whatever is made wrong in the stall's driver, the rule that is there for it fails and says what."""
    monkeypatch.setattr(driving, "QUICK", attrs.evolve(driving.QUICK, seconds=100.0))  # on a busy machine, too
    text = (DRIVERS / "stall/omnichannel_stall/driver.py").read_text()
    assert text.count(old) == 1
    text = text.replace(old, new).replace("ORIGIN = ", "KEPT, TOLD = [], {}\nORIGIN = ")
    code = {"omnichannel_wobbly/__init__.py": "", "omnichannel_wobbly/driver.py": text}
    plug.distribution("omnichannel-wobbly", {"wobbly": "omnichannel_wobbly.driver"}, summary="Wobbly", code=code)
    plug.ready("stall")
    stall = importlib.import_module("omnichannel_stall.facts").StallFacts
    facts = type("Facts", (stall,), {"driver": "wobbly", "loops": ("asyncio",), "records": 400})()
    found = certify(facts, only=[rule], catalog=plug.catalog()).tried[rule]
    assert found.verdict is Verdict.FAILS
    assert re.search(says, found.reason), found.reason


def test_a_rule_that_does_not_exist_cannot_be_tried(plug: Any) -> None:
    """A misspelt rule is refused instead of left out."""
    plug.ready("hostile")
    facts = type("Facts", (InMemory,), {"driver": "hostile"})()
    with pytest.raises(errors.UsageError, match="silver-pulls-bring-everythign"):
        certify(facts, only=["silver-pulls-bring-everythign"], catalog=plug.catalog())
