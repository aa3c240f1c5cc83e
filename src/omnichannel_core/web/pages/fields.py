"""A driver's form for eyes: fields from its JSON Schema, in their order. Nothing is drawn by drivers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

Schema = Mapping[str, Any]
SPARE = 1  # empty rows at the end, for browsers without JavaScript


@attrs.frozen
class Option:
    """One possible value. `missing`: stored, and no longer in its list; `group`: what a drop-down puts it under."""

    value: str
    label: str
    missing: bool = False
    group: str = ""


@attrs.frozen(kw_only=True)
class Field:
    """What a template draws. `kind` names the drawing; `name` is the input's, dotted.

    Attributes:
        state: of a secret: whether one is stored.
        parts: fields of a section; of a choice, one section each; of rows, one section a row, the last one empty.
        when: name of the switch that this field depends on.
        hollow: the list it chooses from has not been pulled yet; the options are what is chosen already.
    """

    name: str
    kind: str
    label: str
    help: str = ""
    value: Any = ""
    error: str = ""
    required: bool = False
    locked: bool = False
    fixed: bool = False
    stored: bool = False
    options: Sequence[Option] = ()
    parts: Sequence[Field] = ()
    when: str = ""
    origin: str = ""
    hollow: bool = False

    @property
    def id(self) -> str:
        """For labels and anchors."""
        return "f-" + self.name.replace(".", "-").replace(" ", "_")

    @property
    def groups(self) -> list[tuple[str, list[Option]]]:
        """The options by their group, in the order of its first one; '' is none."""
        found = dict[str, list[Option]]()
        for option in self.options:
            found.setdefault(option.group, []).append(option)
        return list(found.items())

    @property
    def worded(self) -> Any:
        """The value as its option calls it."""
        return next((option.label for option in self.options if option.value == self.value), self.value)


@attrs.frozen(kw_only=True)
class Drawing:
    """What a whole form is drawn with.

    Attributes:
        options: by dotted place, as the house tells them for a settings page.
        editing: fixed fields cannot be typed any more.
        authorized: a token was brought, and stands behind the locked fields.
    """

    root: Schema
    prefix: str
    errors: Mapping[str, str] = attrs.field(factory=dict)
    options: Mapping[str, Sequence[Mapping[str, Any]]] = attrs.field(factory=dict)
    origin: Mapping[str, str] = attrs.field(factory=dict)
    editing: bool = False
    authorized: bool = False

    # --- schema
    def solid(self, schema: Schema) -> Schema:
        """Without references and *or nothing*."""
        while True:
            if "$ref" in schema:
                found: Any = self.root
                for part in schema["$ref"].removeprefix("#/").split("/"):
                    found = found[part]
                schema = {**found, **{name: one for name, one in schema.items() if name != "$ref"}}
            elif len(inner := [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]) == 1:
                schema = {**{name: one for name, one in schema.items() if name != "anyOf"}, **inner[0],
                          **{name: schema[name] for name in ("title", "description") if name in schema}}  # fmt: skip
            elif len(schema.get("allOf", ())) == 1:
                schema = {**schema["allOf"][0], **{name: one for name, one in schema.items() if name != "allOf"}}
            else:
                return schema

    def variants(self, schema: Schema) -> dict[str, Schema]:
        """Of a choice between sections: tag's value -> its section."""
        found = {}
        for one in schema.get("oneOf", schema.get("anyOf", ())):
            section = self.solid(one)
            tag = tag_of(section)
            if tag:
                found[str(section["properties"][tag]["const"])] = section
        return found

    # --- fields
    def fields(self, schema: Schema, values: Mapping[str, Any], path: str = "", place: str = "") -> list[Field]:
        """Of a section. `path` is for names, `place` for options (a row is `*` there)."""
        wanted = schema.get("required", ())
        return [
            self.field(name, one, values.get(name, _ABSENT), path, place, required=name in wanted)
            for name, one in schema.get("properties", {}).items()
            if "const" not in one
        ]

    def field(self, name: str, raw: Schema, value: Any, path: str, place: str, *, required: bool = False) -> Field:
        """One."""
        schema, ui = self.solid(raw), raw.get("x-ui", {}) | self.solid(raw).get("x-ui", {})
        value = schema.get("default", raw.get("default")) if value is _ABSENT else value
        here, there = f"{path}{name}", f"{place}{name}"
        options = self.choices_of(schema, there)
        base = Field(
            name=f"{self.prefix}.{here}", kind=kind_of(schema, choices=options is not None, whole=self),
            label=str(schema.get("title") or name.replace("_", " ").capitalize()),
            help=str(schema.get("description", "")), error=self.errors.get(here, ""), required=required,
            locked=bool(ui.get("locked")), stored=bool(ui.get("locked")) and self.authorized,
            fixed=bool(ui.get("fixed")) and self.editing, options=options or (),
            when=f"{self.prefix}.{path}{ui['when']}" if ui.get("when") else "", origin=self.origin.get(here, ""),
        )  # fmt: skip
        return self._filled(base, schema, value, here, there)

    def _filled(self, base: Field, schema: Schema, value: Any, here: str, there: str) -> Field:
        match base.kind:
            case "secret":
                return attrs.evolve(base, stored=isinstance(value, Mapping) and bool(value.get("set")))
            case "section":
                inner = value if isinstance(value, Mapping) else {}
                return attrs.evolve(base, parts=self.fields(schema, inner, f"{here}.", f"{there}."))
            case "variant":
                return self._variant(base, schema, value, here, there)
            case "rows":
                return self._rows(base, self.solid(schema["items"]), value or [], here, there)
            case "mapping":
                return self._mapping(base, self.solid(schema["additionalProperties"]), value or {}, here, there)
            case "choices":
                chosen = [str(one) for one in value or ()]
                known = [one for one in base.options if not one.missing]
                listed = {one.value for one in known}
                more = [Option(one, one if known else wording(one), bool(known)) for one in chosen if one not in listed]
                return attrs.evolve(base, value=chosen, options=(*known, *more), hollow=not known)
            case "texts":
                return attrs.evolve(base, value="\n".join(map(str, value or ())))
            case _:
                return attrs.evolve(base, value=shown(base.kind, value))

    def _variant(self, base: Field, schema: Schema, value: Any, here: str, there: str) -> Field:
        sections, inner = self.variants(schema), value if isinstance(value, Mapping) else {}
        chosen = next((str(inner[tag]) for one in sections.values() if (tag := tag_of(one)) in inner), "")
        parts = [
            Field(name=f"{base.name}.{tag}", kind="section", label=str(one.get("title", tag)), value=tag,
                  parts=attrs.evolve(self, prefix=f"{base.name}.{tag}", errors=_below(self.errors, here)).fields(
                      one, inner if tag == chosen else {}, place=f"{there}."))
            for tag, one in sections.items()
        ]  # fmt: skip
        options = [Option(tag, str(one.get("title", tag))) for tag, one in sections.items()]
        return attrs.evolve(base, value=chosen, options=options, parts=parts)

    def _rows(self, base: Field, item: Schema, value: Sequence[Any], here: str, there: str) -> Field:
        filled = [*value, *[{}] * SPARE]
        parts = [
            Field(name=f"{base.name}.{at}", kind="section", label=str(at + 1),
                  parts=self.fields(item, one, f"{here}.{at}.", f"{there}.*."))
            for at, one in enumerate(filled)
        ]  # fmt: skip
        parts[len(value) :] = [attrs.evolve(one, parts=emptied(one.parts)) for one in parts[len(value) :]]
        return attrs.evolve(base, parts=parts)

    def _mapping(self, base: Field, item: Schema, value: Mapping[str, Any], here: str, there: str) -> Field:
        """A row for every key that there may be."""
        known = {one.value: one for one in base.options}
        keys = [*base.options, *(Option(one, one, True) for one in value if one not in known)]
        parts = []
        for at, key in enumerate(keys):
            inside = value.get(key.value, _ABSENT)
            if item.get("type") == "object":
                section = self.fields(item, inside if isinstance(inside, Mapping) else {}, f"{here}.{at}.",
                                      f"{there}.*.")  # fmt: skip
                fields = section if inside is not _ABSENT else emptied(section)
            else:
                fields = [self.field("value", item, inside if inside is not _ABSENT else "", f"{here}.{at}.", there)]
            parts.append(Field(name=f"{base.name}.{at}", kind="section", label=key.label, value=key.value,
                               parts=fields, error=self.errors.get(f"{here}.{key.value}", "")))  # fmt: skip
        return attrs.evolve(base, parts=parts)

    def choices_of(self, schema: Schema, place: str) -> list[Option] | None:
        """None where anything may be typed."""
        if place in self.options:
            return [_told(one) for one in self.options[place]]
        inner = self.solid(schema.get("items", {})) if schema.get("type") == "array" else schema
        inner_place = f"{place}.*"
        if schema.get("type") == "array" and inner_place in self.options:
            return [_told(one) for one in self.options[inner_place]]
        labeled = [one for one in inner.get("oneOf", ()) if "const" in one and "properties" not in one]
        if labeled:
            return [_labeled(one) for one in labeled]
        if "enum" in inner:
            return [Option(str(one), wording(str(one))) for one in inner["enum"]]
        return None


_ABSENT: Any = object()


def _told(one: Mapping[str, Any]) -> Option:
    """Of a list that was pulled or that the host keeps."""
    group = str(one.get("extra", {}).get("group", ""))
    return Option(str(one["value"]), str(one["label"]), bool(one.get("missing")), group)


def _labeled(one: Schema) -> Option:
    """Of the schema itself: `{"const", "title", "group"}`."""
    return Option(str(one["const"]), str(one.get("title", one["const"])), group=str(one.get("group", "")))


def kind_of(schema: Schema, *, choices: bool, whole: Drawing) -> str:
    """The drawing's name."""
    said = schema.get("type")
    if schema.get("writeOnly") or schema.get("format") == "password":
        return "secret"
    if said == "array":
        item = whole.solid(schema.get("items", {}))
        return "choices" if choices else "rows" if item.get("type") == "object" else "texts"
    if said == "object":
        return "mapping" if isinstance(schema.get("additionalProperties"), Mapping) else "section"
    if choices:
        return "select"
    if whole.variants(schema):
        return "variant"
    if said == "null" or said is None:
        return "text"
    if said == "string" and schema.get("format") in ("date", "date-time"):
        return "date" if schema["format"] == "date" else "moment"
    return {"boolean": "switch", "integer": "number", "number": "number"}.get(str(said), "text")


def tag_of(section: Schema) -> str:
    """The field with one possible value; '' where there is none."""
    return next((name for name, one in section.get("properties", {}).items() if "const" in one), "")


def shown(kind: str, value: Any) -> Any:
    """A value as its input shows it."""
    if value is None or value == "":
        return False if kind == "switch" else ""
    if kind in ("date", "moment") and isinstance(value, str):
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            return value
        return f"{at:%d.%m.%Y}" if kind == "date" else f"{at:%d.%m.%Y %H:%M}"
    if kind == "switch":
        return value in (True, "true", "on", "1")
    return str(value)


def wording(value: str) -> str:
    """A bare value as words."""
    code = value.isupper() and len(value) > 3  # PARTIALLY_PAID, but EUR
    return value.replace("_", " ").capitalize() if value.islower() or code else value


def emptied(found: Sequence[Field]) -> list[Field]:
    """Without defaults: what nobody filled in must not look as if somebody had."""
    return [
        attrs.evolve(one, value=one.value if one.kind == "section" else "", parts=emptied(one.parts)) for one in found
    ]


def flat(found: Sequence[Field]) -> Iterator[Field]:
    """All of them, those inside too."""
    for one in found:
        yield one
        yield from flat(one.parts)


def _below(errors: Mapping[str, str], path: str) -> dict[str, str]:
    return {name.removeprefix(f"{path}."): one for name, one in errors.items() if name.startswith(f"{path}.")}
