"""The doors: what importing costs, and that every name behind them is there."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import pytest

import omnichannel_core

HEAVY = ("pydantic", "sqlalchemy", "anyio", "httpx2", "msgspec", "attrs", "attr", "pluggy", "cryptography", "click")
LOADED = (
    "import sys; before = set(sys.modules); import omnichannel_core; "
    "print(' '.join(sorted(one for one in set(sys.modules) - before)))"
)


def test_import_costs_names_and_errors() -> None:
    """Importing the package loads its names and its errors, and nothing that is installed beside it."""
    told = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, timeout=60)
    loaded = told.stdout.split()
    assert {one for one in loaded if one.startswith("omnichannel_core")} == {
        "omnichannel_core", "omnichannel_core.errors",
    }  # fmt: skip
    assert not {one.partition(".")[0] for one in loaded} & set(HEAVY)


@pytest.mark.parametrize("door", ["omnichannel_core", "omnichannel_core.driver", "omnichannel_core.records"])
def test_names(door: str) -> None:
    """Every name of a door's `__all__` is there, once."""
    module = importlib.import_module(door)
    assert len(set(module.__all__)) == len(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is not None
    assert set(module.__all__) <= set(dir(module))


def test_no_module_takes_the_place_of_a_name() -> None:
    """Whatever is imported first, a name of the hosts' door is what it says, and no module of the same name."""
    modules = {one.name for one in pkgutil.iter_modules(omnichannel_core.__path__)}
    assert modules & set(omnichannel_core.__all__) == {"errors"}


def test_unknown_name() -> None:
    """A name that is not behind the door is an AttributeError that says so."""
    with pytest.raises(AttributeError, match="'omnichannel_core' has no attribute 'Nothing'"):
        omnichannel_core.Nothing  # noqa: B018


def test_the_house_is_imported_without_what_it_opens_later() -> None:
    """`Omnichannel` itself comes without forms, the HTTP client, migrations and native cryptography."""
    code = "import sys; from omnichannel_core import Omnichannel; print(' '.join(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    late = {"pydantic.main", "pydantic.types", "httpx2", "httpcore2", "alembic", "joserfc", "click", "cryptography"}
    assert not late & set(told.stdout.split())
