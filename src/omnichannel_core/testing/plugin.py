"""The pytest plugin: gives every subclass of DriverConformance its rules, and prints its level.

pytest finds it by its entry point. Nothing but this file is imported until a test file uses the kit.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from omnichannel_core.testing.conformance.certifying import Tried

PROPERTY = "omnichannel-rule"
LAST_RESORT = 600  # seconds for one rule
_KIT = "omnichannel_core.testing.conformance"


def _is_kit(cls: Any) -> bool:
    kit = sys.modules.get(f"{_KIT}.facts")
    return kit is not None and isinstance(cls, type) and issubclass(cls, kit.DriverConformance)


def pytest_addoption(parser: pytest.Parser) -> None:
    """How much the conformance kit tries."""
    group = parser.getgroup("conformance", "conformance kit of omnichannel-core")
    group.addoption("--conformance", choices=("quick", "thorough"), default="quick", help="how much is tried")
    group.addoption("--conformance-seed", type=int, default=None, help="seed of what is drawn; 0 unless the facts say")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Rules have a patience of their own; where pytest-timeout is there, it is only the last resort."""
    if not _is_kit(getattr(item, "cls", None)) or not item.config.pluginmanager.hasplugin("timeout"):
        return
    if item.get_closest_marker("timeout") is None:
        thorough = item.config.getoption("--conformance") == "thorough"
        item.add_marker(pytest.mark.timeout(0 if thorough else LAST_RESORT))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """What was asked for becomes a fact."""
    if _is_kit(getattr(item, "cls", None)):
        facts: dict[str, Any] = item.instance.__dict__  # type: ignore[attr-defined]
        if item.config.getoption("--conformance") == "thorough":
            facts["thorough"] = True
        if (seed := item.config.getoption("--conformance-seed")) is not None:
            facts["seed"] = seed


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each rule."""
    if metafunc.function.__name__ == "test_rule" and _is_kit(metafunc.cls):
        from omnichannel_core.testing.conformance.rules import all_rules

        metafunc.parametrize("rule", list(all_rules()))


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """The verdict goes with the report, also from another process."""
    found: Tried | None = vars(getattr(item, "instance", None) or item).get("tried")
    if found is not None and _is_kit(getattr(item, "cls", None)):
        cls: Any = item.cls  # type: ignore[attr-defined]
        item.user_properties.append(
            (PROPERTY, [cls.__name__, cls.driver, found.rule, str(found.verdict), found.reason])
        )


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Each driver's level."""
    told = dict[tuple[str, str], dict[str, list[str]]]()
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == PROPERTY:
                    told.setdefault((value[0], value[1]), {})[value[2]] = value[3:]
    if not told:
        return
    from omnichannel_core.testing.conformance.certifying import Certificate, Tried, Verdict

    terminalreporter.section("conformance")
    for (_, driver), rules in told.items():
        tried = {rule: Tried(rule, Verdict(verdict), why) for rule, (verdict, why) in rules.items()}
        for line in Certificate(driver, tried).lines():
            terminalreporter.write_line(line)
