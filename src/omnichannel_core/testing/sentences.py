"""What a package says to people, read from its forms and sources, for tests of its catalogs.

A driver's own catalogs lie beside its module: `locale/<language>/LC_MESSAGES/omnichannel.mo`, with the `.po` it is made
of. `untranslated("omnichannel_mine", "de")` names what they lack and what nobody says any more. A sentence with values
in it stands there with their names in braces.
"""

from __future__ import annotations

import ast
import gettext
import importlib
import importlib.util
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

_CLASS = re.compile(r"([A-Z][a-z]+){2,}")  # a form's class that has no title of its own
REASONS = frozenset({"missing", "found", "wrong"})  # names of mappings that keep reasons
LOGS = frozenset({"log", "_log", "warnings"})
LABELS = frozenset({"title", "description", "group", "missing", "reason"})  # keywords whose texts people read


def untranslated(package: str, language: str, *, leave: Collection[str] = ("ContractBroken",)) -> list[str]:
    """What a driver says and its catalog does not, and the other way round; places that are not the same.

    Args:
        package: with the driver's module `driver` in it, whose hooks are asked for its forms.
        leave: names of errors whose sentences only programmers read.
    """
    root = _root(package)
    catalog = gettext.translation("omnichannel", root / "locale", [language])
    words = {key: text for key, text in getattr(catalog, "_catalog", {}).items() if key}
    shown = {*labels_of(package), *said_by(package, leave=leave)}
    wrong = [f"lacks: {text}" for text in sorted(shown - set(words))]
    wrong += [f"nobody says: {text}" for text in sorted(set(words) - shown)]
    return wrong + [f"other places: {key}" for key, text in words.items() if not _places(text) <= _places(key)]


def labels_of(package: str) -> set[str]:
    """Titles, helps and groups in a driver's forms and of its pages, and what it says it cannot do."""
    driver = importlib.import_module(f"{package}.driver")
    pages = driver.settings_pages()
    found = {page.title for page in pages}
    for form in (driver.credential_schema(), *(page.form for page in pages)):
        schema = form.model_json_schema()
        root = {name: one for name, one in schema.items() if name not in ("title", "description")}
        found |= set(_labels(root))
    return {text for text in found if not _CLASS.fullmatch(text)}


def _labels(schema: Any, *, names: bool = False) -> Iterator[str]:
    if isinstance(schema, dict):
        for name, one in schema.items():
            if not names and name in ("title", "description", "group") and isinstance(one, str):
                yield one
            else:
                yield from _labels(one, names=not names and name in ("properties", "$defs"))
    elif isinstance(schema, list):
        for one in schema:
            yield from _labels(one)


def _places(text: str) -> set[str]:
    return set(re.findall(r"\{\w+\}", text))


def _root(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    assert spec is not None and spec.submodule_search_locations is not None, package  # noqa: S101, PT018 - a test's tool
    return Path(spec.submodule_search_locations[0])


def said_by(package: str, *, leave: Collection[str] = ()) -> dict[str, str]:
    """Text -> module where it stands, for every text that the sources say as it is.

    Args:
        package: importable; its sub-packages are read, too.
        leave: names of errors whose sentences only programmers read.
    """
    root, found = _root(package), dict[str, str]()
    for file in sorted(root.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        names, silent = _constants(tree), _silent(tree, leave)
        for node in ast.walk(tree):
            if id(node) in silent:
                continue
            for part in _spoken(node, leave):
                for text in _texts(part, names):
                    if _is_sentence(text):
                        found.setdefault(text, file.relative_to(root).as_posix())
    return found


def _silent(tree: ast.Module, leave: Collection[str]) -> set[int]:
    """Nodes that nobody is shown: docstrings, what errors for programmers say, asserts, lines of the log."""
    found = set[int]()
    for node in ast.walk(tree):
        quiet = isinstance(node, ast.Assert) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = getattr(node.func.value, "id", getattr(node.func.value, "attr", ""))
            quiet = (name == "errors" and node.func.attr in leave) or name in LOGS
        if isinstance(node, ast.JoinedStr):  # its parts are not sentences of their own
            found |= {id(part) for part in node.values}
        if quiet:
            found |= {id(part) for part in ast.walk(node)}
    return found


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    """Texts with a name, at the top of the module."""
    return {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant | ast.JoinedStr)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _spoken(node: ast.AST, leave: Collection[str]) -> Iterator[ast.expr]:
    """What people read: an error's words, labels of a field, reasons by name, and whatever is a whole sentence."""
    match node:
        case ast.Constant() | ast.JoinedStr():
            if any(_is_whole(text) for text in _texts(node, {})):
                yield node
        case ast.Return(value=(ast.Dict() | ast.IfExp()) as reasons):
            yield reasons
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name))]) if name in REASONS:
            yield node.value
        case ast.Call(func=ast.Attribute(value=ast.Name(id="errors"), attr=name)) if name not in leave:
            yield from node.args[:2]
    if isinstance(node, ast.Call):
        yield from (word.value for word in node.keywords if word.arg in LABELS)


def _texts(node: ast.expr, names: dict[str, ast.expr]) -> Iterator[str]:
    """What an expression may say."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr():
            yield _template(node, names)
        case ast.Name(id=name) if name in names:
            yield from _texts(names[name], {})
        case ast.IfExp(body=one, orelse=other):
            yield from _texts(one, names)
            yield from _texts(other, names)
        case ast.Dict(values=values):
            for value in values:
                yield from _texts(value, names)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield from (f"{one}{other}" for one in _texts(left, names) for other in _texts(right, names))


def _template(node: ast.JoinedStr, names: dict[str, ast.expr]) -> str:
    said = ""
    for at, part in enumerate(node.values):
        if isinstance(part, ast.Constant):
            said += str(part.value)
        elif isinstance(part, ast.FormattedValue):
            inner = part.value
            if isinstance(inner, ast.Name) and isinstance(known := names.get(inner.id), ast.Constant):
                said += str(known.value)
            else:
                name = inner.id if isinstance(inner, ast.Name) else getattr(inner, "attr", "")
                said += "{" + (name if name and f"{{{name}}}" not in said else f"v{at}") + "}"
    return said


def _is_whole(text: str) -> bool:
    """A sentence wherever it stands."""
    return text[:1].isupper() and text.endswith((".", ".)")) and " " in text and "\n" not in text


def _is_sentence(text: str) -> bool:
    """Words; no code, no name of a field, not only values."""
    words = re.findall("[a-zA-Z]{2,}", re.sub(r"\{\w+\}", "", text))
    if not words or "\n" in text or "/" in text.split()[0]:
        return False
    if "{" in text:
        return " " in text and (len(words) > 1 or ": " in text)
    return " " in text or (text[:1].isupper() and not text.isupper())
