"""What the house gives, as JSON, and the JSON Schema of it: derived from the same types."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs
import msgspec

HIDDEN = frozenset({"text"})  # the license's own text is not told


def told(value: Any) -> Any:
    """Times in ISO 8601, amounts as text, spans in seconds."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, msgspec.Struct):
        return json.loads(msgspec.json.encode(value))
    if attrs.has(type(value)):
        return {one.name: told(getattr(value, one.name)) for one in attrs.fields(type(value)) if _shown(one)}
    if isinstance(value, Mapping):
        return {str(name): told(one) for name, one in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(told(one) for one in value)
    if isinstance(value, list | tuple):
        return [told(one) for one in value]
    return value


def _shown(field: Any) -> bool:
    return field.name not in HIDDEN and not field.name.startswith("_")


@cache
def schema_of(kind: Any) -> dict[str, Any]:
    """JSON Schema of what `told` makes of a value of that type; what it does not know is anything."""
    if kind in _PLAIN:
        return dict(_PLAIN[kind])
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return {"anyOf": [schema_of(one) for one in inner]}
    if origin is Literal:
        return {"enum": list(inner)}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": schema_of(inner[1])}
    if isinstance(origin, type) and issubclass(origin, Sequence | set | frozenset):
        return {"type": "array", "items": schema_of(inner[0])}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"type": "string", "enum": [one.value for one in kind]}
    if isinstance(origin, type) and attrs.has(origin):
        return _object(origin, inner[0])
    if isinstance(kind, type) and attrs.has(kind):
        return _object(kind)
    return {}


def _object(kind: type[Any], of: Any = Any) -> dict[str, Any]:
    """`of` is what a generic one holds."""
    hints = get_type_hints(kind)
    names = [one.name for one in attrs.fields(kind) if _shown(one)]
    known = {name: hints[name][of] if getattr(hints[name], "__parameters__", ()) else hints[name] for name in names}
    return {"type": "object", "title": kind.__name__, "required": names,
            "properties": {name: schema_of(one) for name, one in known.items()}}  # fmt: skip


_PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"}, int: {"type": "integer"}, bool: {"type": "boolean"}, float: {"type": "number"},
    NoneType: {"type": "null"}, datetime: {"type": "string", "format": "date-time"}, Decimal: {"type": "string"},
    timedelta: {"type": "number"}, object: {}, Any: {},
}  # fmt: skip
