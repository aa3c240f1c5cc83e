"""Every public signature as text, one a line: what a change of it changes is seen in a review."""

from __future__ import annotations

import ast
import dataclasses
import enum
import inspect
import re
import textwrap
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import attrs

from omnichannel_core.connections.events import HostHooks
from omnichannel_core.driver import DriverHooks, MoreHooks

FILE = Path(__file__).parent.parent / "tests/docs/public_api.txt"
DOORS = ("omnichannel_core", "omnichannel_core.driver", "omnichannel_core.records", "omnichannel_core.errors")
HOUSE = "omnichannel_core.app"


def text() -> str:
    """All of it; sorted, without addresses of this process."""
    lines = [line for door in DOORS for line in sorted(_door(door))]
    for protocol in (DriverHooks, MoreHooks, HostHooks):
        lines += [
            f"hook {line.removeprefix(f'{protocol.__name__}.')}" for line in _members(protocol.__name__, protocol)
        ]
    lines += sorted(_services())
    return re.sub(r" at 0x[0-9a-f]+", "", "\n".join(dict.fromkeys(lines)) + "\n")


def _door(door: str) -> Iterator[str]:
    module = import_module(door)
    names = getattr(module, "__all__", None) or [
        name for name, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == door and not name.startswith("_")
    ]  # fmt: skip
    for name in names:
        yield from named(f"{door}.{name}", getattr(module, name))


def named(path: str, value: Any) -> Iterator[str]:
    """A public name: what it is, its fields and its methods."""
    if inspect.isclass(value):
        bases = ", ".join(base.__name__ for base in value.__bases__ if base is not object)
        yield f"{path} class({bases})"
        yield from (f"{path}{line}" for line in _fields(value))
        yield from (f"{path}.{one.name} = {one.value}" for one in value) if issubclass(value, enum.Enum) else ()
        yield from _members(path, value)
    elif inspect.isfunction(value):
        yield f"{path}{inspect.signature(value)}"
    elif inspect.ismodule(value):
        yield f"{path} module"
    else:
        yield f"{path} = {value if isinstance(value, str | int) else type(value).__name__}"


def _fields(value: type) -> Iterator[str]:
    """Own fields of attrs, msgspec and pydantic classes, with what they are when not said."""
    known: dict[str, Any] = {}
    if attrs.has(value):
        known = {one.name: one for one in attrs.fields(value)}
    elif dataclasses.is_dataclass(value):
        known = {one.name: one for one in dataclasses.fields(value)}
    for name, kind in vars(value).get("__annotations__", {}).items():
        if name.startswith("_"):
            continue
        default = known[name].default if name in known else None
        must = "" if name in known and default in (attrs.NOTHING, dataclasses.MISSING) else " ="
        yield f".{name}: {kind if isinstance(kind, str) else getattr(kind, '__name__', kind)}{must if known else ''}"


def _members(path: str, value: type) -> Iterator[str]:
    for name, one in sorted(vars(value).items()):
        if name.startswith("_") and name != "__init__":
            continue
        function = one.fget if isinstance(one, property) else getattr(one, "__func__", one)
        if not inspect.isfunction(function) or (name == "__init__" and _made(value)):
            continue
        form = "property " if isinstance(one, property) else "async " if inspect.iscoroutinefunction(function) else ""
        yield f"{path}.{name} {form}{inspect.signature(function)}"


def _made(value: type) -> bool:
    return attrs.has(value) or hasattr(value, "__struct_fields__") or hasattr(value, "model_fields")


def _services() -> Iterator[str]:
    """What an opened house has: `house.connections.create(...)`."""
    module = import_module(HOUSE)
    for name, kind in module.Omnichannel.__annotations__.items():
        found = getattr(module, kind, None)
        if inspect.isclass(found):
            for cls in reversed(found.__mro__[:-1]):
                yield from (line for line in _members(f"house.{name}", cls) if ".__init__" not in line)
                for method, function in handed_on(cls):
                    form = "async " if inspect.iscoroutinefunction(function) else ""
                    yield f"house.{name}.{method} {form}{inspect.signature(function)}"


def handed_on(cls: type) -> Iterator[tuple[str, Any]]:
    """Methods of parts that a door's `__init__` hands on: `self.create = managing.create`."""
    made = vars(cls).get("__init__")
    if not inspect.isfunction(made):
        return
    parts = {name: made.__globals__.get(kind) for name, kind in made.__annotations__.items() if isinstance(kind, str)}
    for assigned in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(made)))):
        if isinstance(assigned, ast.Assign):
            for target, value in _pairs(assigned):
                if isinstance(target, ast.Attribute) and not target.attr.startswith("_"):
                    function = _part(parts, value)
                    if inspect.isfunction(function):
                        yield target.attr, function


def _pairs(assigned: ast.Assign) -> list[tuple[ast.expr, ast.expr]]:
    (target,), value = assigned.targets, assigned.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        return list(zip(target.elts, value.elts, strict=True))
    return [(target, value)]


def _part(parts: dict[str, Any], value: ast.expr) -> Any:
    if isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name):
        return getattr(parts.get(value.value.id), value.attr, None)
    return None
