"""Every word that pages show has a German one; the compiled catalog is the written one."""

from __future__ import annotations

import gettext
import io
import re
from typing import Any

import attrs
import msgspec
from babel.messages.extract import extract
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from omnichannel_core import records
from omnichannel_core.web.problems import TITLES
from omnichannel_core.web.rendering import HERE, translations
from omnichannel_core.web.words import WORDS

FOLDER = HERE / "locale" / "de" / "LC_MESSAGES"
VARIABLE = re.compile(r"%\(\w+\)s")


def shown() -> dict[Any, str]:
    """What templates and data say -> where."""
    found: dict[Any, str] = dict.fromkeys([*WORDS.values(), *TITLES.values()], "data")
    options = {"trimmed": "true", "newstyle_gettext": "true"}
    for file in sorted((HERE / "templates").glob("*.html")):
        with file.open("rb") as opened:
            for _, message, _, _ in extract("jinja2", opened, {"_": None, "ngettext": (1, 2)}, options=options):
                found[message] = file.name
    return found


def test_complete() -> None:
    """Nothing that is shown lacks a translation, nothing that is translated is not shown, variables are the same."""
    with (FOLDER / "omnichannel.po").open("rb") as opened:
        written = {one.id: one.string for one in read_po(opened) if one.id}
    assert set(written) == set(shown())
    for key, text in written.items():
        keys, texts = (key, text) if isinstance(key, tuple) else ((key,), (text,))
        for one, other in zip(keys, texts, strict=True):
            assert other, one
            assert VARIABLE.findall(str(one)) == VARIABLE.findall(str(other)), one


def test_compiled() -> None:
    """The compiled catalog that is shipped says what the written one says."""
    with (FOLDER / "omnichannel.po").open("rb") as opened:
        written = {one.id: one.string for one in read_po(opened) if one.id}
    found = [one for one in read_mo(io.BytesIO((FOLDER / "omnichannel.mo").read_bytes())) if one.id]
    compiled = {one.id if isinstance(one.id, str) else tuple(one.id): one.string for one in found}
    assert {key: list(one) for key, one in compiled.items()} == {key: list(one) for key, one in written.items()}


def fields() -> set[str]:
    """Names of whatever the hub can show of a record."""
    kinds = [one for one in vars(records).values() if isinstance(one, type)]
    found = {name for one in kinds if issubclass(one, msgspec.Struct) for name in one.__struct_fields__}
    return found | {one.name for kind in kinds if attrs.has(kind) for one in attrs.fields(kind)}


def test_fields() -> None:
    """Every field of a record is shown in words of ours, so that it is translated."""
    assert len(fields()) > 80
    assert fields() - set(WORDS) == set()


def test_loaded() -> None:
    """German is there, English is what the sources say."""
    assert translations("de").gettext("Connections") == "Verbindungen"
    assert type(translations("en")) is gettext.NullTranslations
