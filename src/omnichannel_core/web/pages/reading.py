"""What a browser's form sent, as the values that a driver's form takes. Nothing is validated here: the form does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import FormData

from omnichannel_core.web.pages.fields import Drawing, Option, Schema, kind_of, tag_of

_MOMENT = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?: (\d{1,2}):(\d{2}))?", re.ASCII)
ROWS_MAX = 10_000  # as many as four digits number
_ABSENT: Any = object()


def read(drawing: Drawing, schema: Schema, sent: FormData) -> dict[str, Any]:
    """All fields of a section that the browser sent."""
    return _section(drawing, schema, sent, f"{drawing.prefix}.", "")


def _section(drawing: Drawing, schema: Schema, sent: FormData, name: str, place: str) -> dict[str, Any]:
    found = {}
    for key, raw in schema.get("properties", {}).items():
        one = drawing.solid(raw)
        ui = raw.get("x-ui", {}) | one.get("x-ui", {})
        if "const" in one or ui.get("locked") or (ui.get("fixed") and drawing.editing):
            continue
        value = _value(drawing, one, sent, f"{name}{key}", f"{place}{key}")
        if value is not _ABSENT:
            found[key] = value
    return found


def _value(drawing: Drawing, schema: Schema, sent: FormData, name: str, place: str) -> Any:
    options = drawing.choices_of(schema, place)
    kind = kind_of(schema, choices=options is not None, whole=drawing)
    match kind:
        case "switch":
            return name in sent
        case "choices":
            return [str(one) for one in sent.getlist(name)]
        case "texts":
            return [one.strip() for one in _text(sent, name).splitlines() if one.strip()] if name in sent else _ABSENT
        case "section":
            return _section(drawing, schema, sent, f"{name}.", f"{place}.")
        case "variant":
            return _variant(drawing, schema, sent, name, place)
        case "rows":
            return _rows(drawing, drawing.solid(schema["items"]), sent, name, place)
        case "mapping":
            return _mapping(drawing, drawing.solid(schema["additionalProperties"]), sent, name, place, options or [])
        case "secret":
            return _text(sent, name) or _ABSENT  # an empty one keeps what is stored, or what a trip brought
        case "moment":
            return _moment(_text(sent, name)) if name in sent else _ABSENT
        case _:
            return _text(sent, name) if name in sent else _ABSENT


def _variant(drawing: Drawing, schema: Schema, sent: FormData, name: str, place: str) -> Any:
    chosen, sections = _text(sent, name), drawing.variants(schema)
    if chosen not in sections:
        return _ABSENT
    inner = _section(drawing, sections[chosen], sent, f"{name}.{chosen}.", f"{place}.")
    return {tag_of(sections[chosen]): chosen, **inner}


def _rows(drawing: Drawing, item: Schema, sent: FormData, name: str, place: str) -> list[Any]:
    """Rows in their order; those where nothing was typed are none."""
    numbers = sorted({int(found[1]) for key in sent if (found := re.match(rf"{re.escape(name)}\.(\d{{1,4}})\.", key))})
    rows = [_section(drawing, item, sent, f"{name}.{at}.", f"{place}.*.") for at in numbers]
    return [one for one in rows if _typed(one)]


def _mapping(
    drawing: Drawing, item: Schema, sent: FormData, name: str, place: str, options: list[Option]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for at in range(ROWS_MAX):
        key = _text(sent, f"{name}.{at}")
        if not key:
            break
        if item.get("type") == "object":
            one: Any = _section(drawing, item, sent, f"{name}.{at}.", f"{place}.*.")
            if _typed(one):
                found[key] = {field: value for field, value in one.items() if value != ""}
        elif _text(sent, f"{name}.{at}.value"):
            found[key] = _text(sent, f"{name}.{at}.value")
    return found


def _typed(value: Any) -> bool:
    """Whether anything was."""
    if isinstance(value, Mapping):
        return any(_typed(one) for one in value.values())
    return value not in ("", None, False, [])


def _text(sent: FormData, name: str) -> str:
    found = sent.get(name, "")
    return found if isinstance(found, str) else ""


def _moment(typed: str) -> str:
    """21.11.2026 10:30 as ISO 8601, UTC."""
    found = _MOMENT.fullmatch(typed.strip())
    if found is None:
        return typed
    day, month, year, hour, minute = found.groups()
    return f"{year}-{int(month):02}-{int(day):02}T{int(hour or 0):02}:{minute or '00'}:00+00:00"


def iso_date(typed: str) -> str:
    """21.11.2026 as 2026-11-21; anything else as it is."""
    found = _MOMENT.fullmatch(typed.strip())
    return typed if found is None or found[4] else f"{found[3]}-{int(found[2]):02}-{int(found[1]):02}"


def plain(drawing: Drawing, schema: Schema, value: Any) -> Any:
    """What was typed, without the secrets: those are typed again."""
    found = _plain(drawing, schema, value)
    return {} if found is _ABSENT else found


def _plain(drawing: Drawing, raw: Schema, value: Any) -> Any:
    schema = drawing.solid(raw)
    if schema.get("writeOnly"):
        return _ABSENT
    if isinstance(value, list):
        item = schema.get("items", {})
        return [one for one in (_plain(drawing, item, inner) for inner in value) if one is not _ABSENT]
    if not isinstance(value, Mapping):
        return value
    known: Schema = schema.get("properties", {})
    sections = drawing.variants(schema)
    for tag, section in sections.items():
        known = section["properties"] if value.get(tag_of(section)) == tag else known
    other = schema.get("additionalProperties")
    found = {
        name: _plain(drawing, known.get(name, other if isinstance(other, Mapping) else {}), one)
        for name, one in value.items()
    }
    return {name: one for name, one in found.items() if one is not _ABSENT}
