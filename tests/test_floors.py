"""What import-linter and ruff cannot see."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CORE = ROOT / "src" / "omnichannel_core"
SOURCES = sorted(CORE.rglob("*.py"))
PLUGINS = sorted((ROOT / "plugins").glob("*/src/**/*.py"))
FORBIDDEN_NAMES = {"utils", "helpers", "common", "base"}


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """(module, name) of every import, name '' for plain ones."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)


@pytest.mark.parametrize("path", [*SOURCES, *PLUGINS], ids=lambda path: str(path.relative_to(ROOT)))
def test_no_nameless_rooms(path: Path) -> None:
    """No module is called utils, helpers, common or base."""
    assert path.stem not in FORBIDDEN_NAMES


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nobody_inside_uses_the_hosts_door(path: Path) -> None:
    """Inside the house nothing comes through the hosts' door but errors, records, telemetry and the authors' door."""
    if path == CORE / "__init__.py":
        return
    through = {name for module, name in imports(path) if module == "omnichannel_core"}
    assert through <= {"errors", "records", "driver", "telemetry"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_environment_only_at_the_edges(path: Path) -> None:
    """The environment and the arguments are read in `cli/` and by the vault's key sources only."""
    if path.is_relative_to(CORE / "cli") or path == CORE / "storage" / "keys.py":
        return
    tree = ast.parse(path.read_text())
    read = [
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) in {("os", "environ"), ("os", "getenv"), ("sys", "argv")}
    ]
    assert not read


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pluggy_in_three_rooms(path: Path) -> None:
    """pluggy is used by the hook specs, the loader and the relay of host events only."""
    allowed = {CORE / "driver" / "hookspecs.py", CORE / "gate" / "gathering.py", CORE / "connections" / "events.py"}
    if any(module.split(".")[0] == "pluggy" for module, _ in imports(path)):
        assert path in allowed


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_http_in_one_room(path: Path) -> None:
    """No HTTP library outside `remote/`."""
    networks = {"httpx", "httpx2", "httpcore2", "aiohttp", "requests", "urllib3"}
    if any(module.split(".")[0] in networks for module, _ in imports(path)):
        assert path.is_relative_to(CORE / "remote")


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_plugin_knows_the_authors_door_only(path: Path) -> None:
    """A driver imports nothing of core but its door, the records and the errors, and opens no socket."""
    if "_simulator" in str(path):
        return
    for module, name in imports(path):
        if module.split(".")[0] == "omnichannel_core":
            whole = f"{module}.{name}" if module == "omnichannel_core" else module
            assert whole in {"omnichannel_core.driver", "omnichannel_core.records", "omnichannel_core.errors"}
        assert module.split(".")[0] not in {"socket", "ssl", "httpx", "httpx2", "requests", "urllib3", "aiohttp"}


def test_no_sql_outside_storage() -> None:
    """No statement is written outside `storage/`."""
    statement = re.compile(r"\b(SELECT .+ FROM|INSERT INTO|UPDATE \w+ SET|DELETE FROM)\b")
    found = [
        path
        for path in SOURCES
        if not path.is_relative_to(CORE / "storage")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and statement.search(node.value)
    ]
    assert not found


def test_no_registry_host_is_committed() -> None:
    """No tracked file names a package registry's host."""
    hosts = r"pythonho[s]ted|py[p]i\.org/|registry\.npm[j]s|deb\.debi[a]n"
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    assert not [name for name in tracked if (ROOT / name).is_file() and _names(ROOT / name, hosts)]


def _names(path: Path, hosts: str) -> bool:
    if path == Path(__file__):
        return False
    try:
        return re.search(hosts, path.read_text()) is not None
    except UnicodeDecodeError:
        return False
