"""No command imports a module of a driver that was not admitted."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from omnichannel_core.cli.commands import cli

NEVER_ENDS = {("worker",): "runs until stopped", ("demo",): "a store and a simulator of its own"}
CODES = {0, 1, 2, 3, 4, 5}


def _leaves(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        if isinstance(found, click.Group):
            yield from _leaves(found, (*path, name))
        else:
            yield (*path, name), found


def _arguments(command: click.Command, file: Path) -> list[str]:
    given = {
        **dict.fromkeys(("driver", "driver_or_connection"), "trap"),
        **dict.fromkeys(("connection", "connections", "view_id", "process", "order_id", "license_ids"), "1"),
        **dict.fromkeys(("file", "private", "public", "receipt"), str(file)),
        "stream": "orders",
        "kind": "orders",
        "page": "import",
        "minutes": "5",
        "account_id": "x",
        "name": "none",
        "who": "someone@example.com",
        "keep": "orders=90",
        "store": "1",
    }
    args = [given[one.name or ""] for one in command.params if isinstance(one, click.Argument)]
    flags = {"yes": ["--yes"], "draft": [], "seq": ["--seq", "1"], "account": ["--for", "acme"],
             "driver": ["--driver", "trap"], "distribution": ["--distribution", "omnichannel-trap"]}  # fmt: skip
    options = {one.name or "" for one in command.params if isinstance(one, click.Option)}
    return args + [part for name, parts in flags.items() if name in options for part in parts]


@pytest.fixture
def trap(plug: Any, tmp_path: Path) -> Path:
    """A distribution that leaves a mark when any of its modules is imported."""
    mark = tmp_path / "imported"
    springs = f"import pathlib\npathlib.Path({str(mark)!r}).write_text(__name__)\n"
    code = {f"omnichannel_trap/{name}.py": springs for name in ("__init__", "driver")}
    plug.distribution("omnichannel-trap", {"trap": "omnichannel_trap.driver"}, summary="Trap", code=code)
    return mark


def test_no_command_imports_it(line: Any, trap: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command of the tree is run beside a driver without a license, and none of its code is imported."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "given.txt"
    walked = []
    for path, command in _leaves(cli):
        if path in NEVER_ENDS:
            continue
        file.write_text("{}")
        result = line("--json", *path, *_arguments(command, file), code=None)
        assert result.exit_code in CODES, (path, result.output)
        assert not trap.exists(), path
        walked.append(path)
    assert len(walked) > 45
    assert not [name for name in sys.modules if name.startswith("omnichannel_trap")]
    assert "trap" in {one["name"] for one in line.json("drivers", "list")}


def test_a_worker_imports_it_not_either(line: Any, trap: Path) -> None:
    """A working house beside it imports nothing of it."""
    with line.child("worker") as child:
        child.stderr.readline()
        child.terminate()
        child.communicate(timeout=60)
    assert child.returncode == 0
    assert not trap.exists()


def test_the_trap_springs_once_it_is_admitted(line: Any, trap: Path) -> None:
    """The control: with a license and an installation the same command imports it."""
    line("licenses", "add", line.license("trap"))
    line("drivers", "install", "trap")
    assert not trap.exists()
    assert line.error("drivers", "schema", "trap", code=1) == "driver_broken"
    assert trap.exists()


def test_a_broken_driver_breaks_neither_help_nor_the_list(line: Any, plug: Any) -> None:
    """A driver with unreadable code and one with a false entry point are listed, and --help does not care."""
    plug.distribution("omnichannel-broken", {"broken": "omnichannel_broken.driver"},
                      code={"omnichannel_broken/__init__.py": "this is no Python"})  # fmt: skip
    plug.distribution("omnichannel-false", {"false": "not an entry point !"})
    assert {"broken", "false"} <= {one["name"] for one in line.json("drivers", "list")}
    assert "connections" in line("--help").stdout
