"""What is written about the hooks is what they are."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from omnichannel_core.connections.events import HostHooks
from omnichannel_core.driver.hookspecs import DriverHooks, MoreHooks

HOOKS = (Path(__file__).parent.parent / "docs" / "hooks.md").read_text()
SPECS = {
    name: function
    for protocol in (DriverHooks, MoreHooks, HostHooks)
    for name, function in vars(protocol).items()
    if inspect.isfunction(function) and not name.startswith("_")
}


@pytest.mark.parametrize("name", sorted(SPECS))
def test_hooks_are_documented(name: str) -> None:
    """Every hook stands in the documentation with its exact signature, and has a docstring."""
    signature = inspect.signature(SPECS[name])
    given = [str(one) for one in signature.parameters.values() if one.name != "self"]
    text = f"`{name}({', '.join(given)}) -> {signature.return_annotation}`".replace("'", "")
    assert text in HOOKS
    assert SPECS[name].__doc__


def test_nothing_else_is_documented() -> None:
    """The documentation names no hook that is not there."""
    assert set(re.findall(r"^\| `(\w+)\(", HOOKS, re.MULTILINE)) == set(SPECS)
