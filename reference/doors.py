"""Pages of the doors: every public name with its fields, its methods and its words."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from omnichannel_core.testing import DriverConformance, Remote
from omnichannel_core.testing.conformance.rules import all_rules
from reference import signatures

SECTION = re.compile(r"(Args|Attributes|Raises|Returns|Yields):")
ENTRY = re.compile(r"    (?P<names>\w[\w, ]*): (?P<words>.*)")


def driver() -> str:
    """What authors of drivers use."""
    head = (
        "Everything a driver imports from `omnichannel_core.driver`. [How it fits together](../tutorials/driver.md). "
        "A field with `=` has a default."
    )
    return _page("The driver's door, from the code", head, _names("omnichannel_core.driver"))


def records() -> str:
    """What all drivers exchange."""
    head = (
        "Everything that goes in and out, from `omnichannel_core.records`. A field that may be `UNSET` and is left out "
        "of a *partial* record keeps what is stored."
    )
    return _page("Records, from the code", head, _names("omnichannel_core.records"))


def kit() -> str:
    """The rules of the conformance kit, and what it takes."""
    head = (
        "The facts a test class says: `from omnichannel_core.testing import DriverConformance, Remote`, "
        "[in use](../tutorials/driver.md)."
    )
    page = _page("Conformance kit, from the code", head, [("DriverConformance", DriverConformance), ("Remote", Remote)])
    rows = ["| rule | what must hold | why it matters |", "|---|---|---|"]
    for one in all_rules().values():
        said = " ".join((inspect.getdoc(one.check) or "").split())
        rows.append(f"| `{one.name}` | {said} | {one.why} |")
    return f"{page}\n\n## Rules\n\n" + "\n".join(rows)


def house() -> str:
    """What a host uses: the house and its services, method by method."""
    app = import_module(signatures.HOUSE)
    parts = ["# The house, from the code", f"## Omnichannel\n\n{words(app.Omnichannel)}"]
    parts += list(_methods(app.Omnichannel, "house"))
    for name, kind in app.Omnichannel.__annotations__.items():
        found = getattr(app, kind, None)
        if inspect.isclass(found):
            parts.append(f"## house.{name}\n\n{words(found)}")
            for cls in reversed(found.__mro__[:-1]):
                parts += list(_methods(cls, f"house.{name}"))
            parts += [_method(f"house.{name}.{method}", one) for method, one in signatures.handed_on(found)]
    return "\n\n".join(parts)


def _page(title: str, head: str, named: list[tuple[str, Any]]) -> str:
    parts = [f"# {title}", head]
    for name, value in named:
        lines = plain("\n".join(dict.fromkeys(signatures.named(name, value))))
        parts.append(f"## {name}")
        if inspect.isclass(value) or inspect.isfunction(value):
            parts += [words(value)] if inspect.getdoc(value) else []
        parts.append(f"```text\n{lines}\n```")
        if inspect.isclass(value):
            parts += list(_methods(value, name, level=3, signed=False))
    return "\n\n".join(parts)


def _names(door: str) -> list[tuple[str, Any]]:
    module = import_module(door)
    return [(name, getattr(module, name)) for name in sorted(module.__all__)]


def _methods(cls: type, path: str, *, level: int = 3, signed: bool = True) -> Iterator[str]:
    for name, one in vars(cls).items():
        function = one.fget if isinstance(one, property) else getattr(one, "__func__", one)
        if inspect.isfunction(function) and not name.startswith("_") and inspect.getdoc(function):
            yield _method(f"{path}.{name}", function, level=level, signed=signed)


def _method(path: str, function: Any, *, level: int = 3, signed: bool = True) -> str:
    form = "async def" if inspect.iscoroutinefunction(function) else "def"
    name = path.rpartition(".")[2]
    code = f"\n\n```python\n{form} {name}{plain(str(inspect.signature(function)))}\n```" if signed else ""
    return f"{'#' * level} {path}{code}\n\n{words(function)}"


def plain(text: str) -> str:
    """A signature without the quotes around its annotations."""
    return re.sub(r"(: |-> )'([^']+)'", r"\1\2", text)


def words(thing: object) -> str:
    """A docstring as Markdown: paragraphs, and lists of what is named in it."""
    out, listed = list[str](), False
    for line in (inspect.getdoc(thing) or "").splitlines():
        if SECTION.fullmatch(line):
            out += ["", f"**{line[:-1]}**", ""]
            listed = True
        elif listed and (entry := ENTRY.fullmatch(line)):
            out.append(f"- `{entry['names']}`: {entry['words']}")
        elif listed and line.startswith("    ") and not out[-1]:
            out.append(f"- {line.strip()}")
        elif line.startswith("    "):
            out[-1] += " " + line.strip()
        else:
            listed = listed and not line
            out.append(line)
    parts = "\n".join(out).strip().split("`")
    return "`".join(part if at % 2 else part.replace("<", "&lt;") for at, part in enumerate(parts))
