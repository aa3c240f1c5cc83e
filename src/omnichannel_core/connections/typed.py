"""What a person typed, made ready for a form: hidden fields left out, empty secrets kept, blanks understood.

Values arrive as JSON or as a browser's text. Nothing in here validates: the form does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import attrs
import pydantic

from omnichannel_core import driver

_ABSENT: Any = object()
_GERMAN_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?")
DATE = "Write a date like 21.11.2026."
_OFF = frozenset({"", "0", "off", "f", "false", "n", "no"})


def ui_of(field: pydantic.fields.FieldInfo) -> driver.Ui:
    """The field's `x-ui`."""
    return next((one for one in field.metadata if isinstance(one, driver.Ui)), driver.Ui())


def kinds(annotation: Any) -> list[Any]:
    """The members of a union, what is Annotated being unwrapped; anything else is alone."""
    if get_origin(annotation) is Annotated:
        return kinds(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [kind for one in get_args(annotation) for kind in kinds(one)]
    return [annotation]


def tags(model: type[pydantic.BaseModel]) -> dict[str, Any]:
    """Fields with one possible value: what tells the variants of a choice apart."""
    found = {}
    for name, field in model.model_fields.items():
        if get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1:
            found[name] = get_args(field.annotation)[0]
    return found


def section_of(annotation: Any, typed: Mapping[str, Any]) -> type[pydantic.BaseModel] | None:
    """The model that a typed section is meant for; of several, the one whose tags fit."""
    models = [kind for kind in kinds(annotation) if isinstance(kind, type) and issubclass(kind, pydantic.BaseModel)]
    if len(models) < 2:
        return models[0] if models else None
    for model in models:
        marks = tags(model)
        if marks and all(typed.get(name, _ABSENT) == value for name, value in marks.items()):
            return model
    return None


def element_of(annotation: Any, container: type) -> Any:
    """What a list's or mapping's elements are; Any when it is not one."""
    for kind in kinds(annotation):
        origin, inner = get_origin(kind), get_args(kind)
        if isinstance(origin, type) and inner and issubclass(origin, container):
            return inner[-1] if container is Mapping else inner[0]
    return Any


@attrs.define
class Reader:
    """One reading of one form. `wrong` and `secrets` are filled on the way."""

    wrong: dict[str, str] = attrs.field(factory=dict)
    secrets: list[str] = attrs.field(factory=list, repr=False)
    editing: bool = False
    brought: Mapping[str, Any] = attrs.field(factory=dict, repr=False)

    def section(
        self,
        model: type[pydantic.BaseModel],
        typed: Mapping[str, Any],
        stored: pydantic.BaseModel | None,
        path: str = "",
    ) -> dict[str, Any]:
        """The values to validate. `stored` is of the same model, or None."""
        values = dict(typed)
        if path and model.model_config.get("extra") in (None, "ignore"):
            for name in typed.keys() - model.model_fields.keys():
                self.wrong[f"{path}.{name}"] = "There is no such field."
        for name, field in model.model_fields.items():
            was = getattr(stored, name) if stored is not None and name in stored.model_fields_set else _ABSENT
            value = self._field(model, name, field, values, was, f"{path}.{name}" if path else name)
            values.pop(name, None)
            if value is not _ABSENT:
                values[name] = value
        return values

    def _field(
        self,
        model: type[pydantic.BaseModel],
        name: str,
        field: pydantic.fields.FieldInfo,
        values: Mapping[str, Any],
        was: Any,
        path: str,
    ) -> Any:
        ui, value = ui_of(field), values.get(name, _ABSENT)
        if ui.when and not is_on(model, ui.when, values):
            return _ABSENT
        if ui.locked:
            if not _blank(value) and not _mark(value):
                if value == self._was_brought(path):
                    return value
                self.wrong[path] = "This field is filled by AUTHORIZE and cannot be typed."
            return was
        if ui.fixed and self.editing and value is _ABSENT:
            return was
        return self._value(field.annotation, value, was, path, required=field.is_required())

    def _was_brought(self, path: str) -> Any:
        found: Any = self.brought
        for part in path.split("."):
            found = found.get(part, _ABSENT) if isinstance(found, Mapping) else _ABSENT
        return found

    def _value(self, annotation: Any, value: Any, was: Any, path: str, *, required: bool = False) -> Any:
        among = kinds(annotation)
        if pydantic.SecretStr in among:
            return self._secret(among, value, was)
        if _counted(among, value):
            self.wrong[path] = DATE
            return _ABSENT
        if isinstance(value, str):
            return _text(among, value, required=required)
        if isinstance(value, Mapping):
            model = section_of(annotation, value)
            if model is not None:
                return self.section(model, value, was if type(was) is model else None, path)
            inner, kept = element_of(annotation, Mapping), was if isinstance(was, Mapping) else {}
            found = {
                key: self._value(inner, one, kept.get(key, _ABSENT), f"{path}.{key}") for key, one in value.items()
            }
            return {key: one for key, one in found.items() if one is not _ABSENT}
        if isinstance(value, Sequence):
            return self._list(annotation, value, list(was) if isinstance(was, list | tuple) else [], path)
        if (
            value is _ABSENT
            and isinstance(was, list | tuple)
            and pydantic.SecretStr in kinds(element_of(annotation, Sequence))
        ):
            return was
        return value

    def _secret(self, among: list[Any], value: Any, was: Any) -> Any:
        """Empty, absent or `{"set": true}` keeps the stored one; `{"set": false}` forgets it."""
        if _mark(value) and not value["set"]:
            return None if NoneType in among else _ABSENT
        if _blank(value) or _mark(value):
            return was if isinstance(was, pydantic.SecretStr) else _ABSENT
        self.secrets += leaves(value, 1)
        return value

    def _list(self, annotation: Any, value: Sequence[Any], was: list[Any], path: str) -> list[Any]:
        """Elements have no names: a section is known by its other fields, a bare secret by its place."""
        inner, found = element_of(annotation, Sequence), []
        for at, one in enumerate(value):
            kept = was[at] if len(was) == len(value) and isinstance(was[at], pydantic.SecretStr) else _ABSENT
            if isinstance(one, Mapping) and not _mark(one):
                kept = next((old for old in was if isinstance(old, pydantic.BaseModel) and _same(old, one)), _ABSENT)
            found.append(self._value(inner, one, kept, f"{path}.{at}"))
        return [one for one in found if one is not _ABSENT]


def is_on(model: type[pydantic.BaseModel], name: str, values: Mapping[str, Any]) -> bool:
    """Whether the field that others depend on is used itself, and on."""
    field = model.model_fields[name]
    ui = ui_of(field)
    if ui.when and not is_on(model, ui.when, values):
        return False
    value = values.get(name, field.get_default(call_default_factory=True, validated_data={}))
    return value.strip().lower() not in _OFF if isinstance(value, str) else bool(value)


def leaves(value: Any, least: int) -> Iterator[str]:
    """Every text of at least that length in what was typed, and every secret."""
    if isinstance(value, pydantic.SecretStr):
        yield from filter(None, [value.get_secret_value()])
    elif isinstance(value, str):
        yield from [value] if len(value) >= least else []
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from leaves(one, least)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from leaves(one, least)


def _blank(value: Any) -> bool:
    return value is _ABSENT or value is None or (isinstance(value, str) and not value.strip())


def _mark(value: Any) -> bool:
    """How a secret is shown, sent back."""
    return isinstance(value, Mapping) and set(value) == {"set"} and isinstance(value["set"], bool)


def _counted(among: list[Any], value: Any) -> bool:
    """A bare number where a date is wanted: pydantic takes it for seconds since 1970, which nobody means."""
    if not {date, datetime} & set(among) or {str, int, float} & set(among) or isinstance(value, bool):
        return False
    return isinstance(value, int | float) or (isinstance(value, str) and _NUMBER.fullmatch(value.strip()) is not None)


def _text(among: list[Any], value: str, *, required: bool) -> Any:
    """A blank is nothing where text is not wanted, or something must be; a date may be written 21.11.2026."""
    if not value.strip():
        if str in among and not required:
            return value
        return None if NoneType in among and not required else _ABSENT
    found = _GERMAN_DATE.fullmatch(value.strip())
    if found and str not in among and (date in among or datetime in among):
        day, month, year = found.groups()
        return f"{year}-{int(month):02}-{int(day):02}"
    return value


def _same(old: pydantic.BaseModel, typed: Mapping[str, Any]) -> bool:
    """Whether a typed element is that stored one: all that is no secret is alike."""
    plain = old.model_dump(mode="json")
    return all(
        typed.get(name) == plain[name]
        for name, field in type(old).model_fields.items()
        if pydantic.SecretStr not in kinds(field.annotation) and name in typed
    )
