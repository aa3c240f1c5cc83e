"""Sentences of the house and of drivers in the reader's language, by their catalogs.

Errors and reasons are English text by the time they are shown: some stood in the store for days. So a catalog's
`{name}` stands for whatever was put there; what was put there is kept, and translated where it is a sentence itself.
A text without a translation is shown as it is.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import attrs

LONGEST = 2_000  # characters; longer texts are no sentences
DEPTH = 3  # a reason within a sentence within a sentence
_PLACE = re.compile(r"\{(\w{1,40})\}")
Say = Callable[[str], str]


@attrs.frozen
class Template:
    """A sentence with places. It is found from left to right without going back: no text makes that slow."""

    parts: Sequence[str]
    names: Sequence[str]
    words: str

    @classmethod
    def of(cls, english: str, words: str) -> Template:
        """From a catalog's entry."""
        found = _PLACE.split(english)
        return cls(found[::2], found[1::2], words)

    def places(self, text: str) -> dict[str, str] | None:
        """What was put at each place; None where the text is another sentence."""
        first, *middle, last = self.parts
        if not text.startswith(first) or not text.endswith(last):
            return None
        values, at, end = list[str](), len(first), len(text) - len(last)
        for part in middle:
            to = text.find(part, at, end)
            if to < 0:
                return None
            values.append(text[at:to])
            at = to + len(part)
        return dict(zip(self.names, [*values, text[at:end]], strict=True)) if at <= end else None


@attrs.frozen
class Catalog:
    """One catalog; the most telling templates first."""

    words: Mapping[str, str] = attrs.field(factory=dict)
    templates: Sequence[Template] = ()

    @classmethod
    def read(cls, folder: Path, domain: str, language: str) -> Catalog:
        """The compiled catalog of a language; an empty one where there is none."""
        try:
            found = gettext.translation(domain, folder, [language])
        except OSError:
            return cls()
        entries: Mapping[Any, str] = getattr(found, "_catalog", {})  # gettext gives no list of them
        words = {key: said for key, said in entries.items() if isinstance(key, str) and key and said}
        places = [key for key in words if _PLACE.search(key)]
        places.sort(key=lambda key: -len(_PLACE.sub("", key)))
        return cls(words, tuple(Template.of(key, words[key]) for key in places))

    def find(self, text: str, inner: Say) -> str | None:
        """The text as it is said here, None when it is not known."""
        if text in self.words:
            return self.words[text]
        for one in self.templates:
            found = one.places(text)
            if found is not None:
                return _PLACE.sub(lambda place: inner(found[place[1]]) if place[1] in found else place[0], one.words)  # noqa: B023 - called at once
        return None


@lru_cache(256)
def catalog(folder: str, domain: str, language: str) -> Catalog:
    """Read once per process."""
    return Catalog.read(Path(folder), domain, language)


def said(text: str, catalogs: Sequence[Catalog], depth: int = DEPTH) -> str:
    """The text by the first catalog that knows it; else as it is."""
    if depth == 0 or len(text) > LONGEST:
        return text
    for one in catalogs:
        found = one.find(text, lambda part: said(part, catalogs, depth - 1))
        if found is not None:
            return found
    return text


def worded(schema: Any, say: Say) -> Any:
    """A JSON Schema with what people read in it said by `say`."""
    if isinstance(schema, Mapping):
        return {
            name: {key: worded(inner, say) for key, inner in one.items()} if name in ("properties", "$defs")
            else say(one) if name in ("title", "description", "group") and isinstance(one, str)
            else worded(one, say)
            for name, one in schema.items()
        }  # fmt: skip
    return [worded(one, say) for one in schema] if isinstance(schema, list) else schema
