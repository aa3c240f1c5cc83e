"""Drivers that do wrong run the conformance kit: each is caught."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from omnichannel_core import errors
from omnichannel_core.testing.conformance import DriverConformance, Expected, Level, Remote, Verdict, certify
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
