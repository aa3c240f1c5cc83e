"""Product type definitions: fetched, checked, cached by checksum, read as attributes, validated (guide amazon 9)."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from hashlib import md5
from pathlib import Path
from typing import Any

import msgspec
from jsonschema import Draft201909Validator, ValidationError  # type: ignore[import-untyped]
from jsonschema.validators import extend  # type: ignore[import-untyped]
from referencing.jsonschema import EMPTY_REGISTRY

from omnichannel_amazon import wire
from omnichannel_amazon.client import Client
from omnichannel_amazon.documents import UNSAFE
from omnichannel_core import errors
from omnichannel_core.records import Attribute, AttributeSet, Choice

Json = Mapping[str, Any]
TYPES = {"string": "text", "integer": "integer", "number": "decimal", "boolean": "boolean"}
IMPLIED = frozenset({"marketplace_id", "language_tag"})
LONGEST = 250
MOST_CHOICES = 2000


async def schema(client: Client, definition: wire.Definition) -> Json:
    """The JSON Schema of a definition, from scratch where this very version was fetched before.

    Raises:
        RemoteUnavailable: what was downloaded is not what its checksum says, or no JSON.
    """
    said, session = definition.schema, client.session
    file = session.scratch / f"schema-{UNSAFE.sub('_', said.checksum or definition.product_type)}.json"
    if not await session.compute(file.exists):
        part = file.with_suffix(".part")
        await client.download("schemaFile", said.link.resource, part)
        await session.compute(partial(_verified, part, file, said.checksum))
    found: Json = await session.compute(lambda: msgspec.json.decode(file.read_bytes()))
    return found


def _verified(part: Path, file: Path, checksum: str) -> None:
    body = part.read_bytes()
    if checksum and base64.b64encode(md5(body, usedforsecurity=False).digest()).decode() != checksum:
        raise errors.RemoteUnavailable("schemaFile: the product type's schema does not have the checksum Amazon says")
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
        raise errors.RemoteUnavailable("schemaFile: the product type's schema is no JSON") from cause
    part.replace(file)


# --- as the data model
def identity(product_type: str, name: str) -> str:
    """An attribute's id: properties of one name differ from product type to product type."""
    return f"{product_type}.{name}"


def attribute_set(definition: wire.Definition, attributes: Sequence[Attribute]) -> AttributeSet:
    """A product type with its attributes."""
    return AttributeSet(
        id=definition.product_type,
        revision=definition.product_type_version.version,
        label=definition.display_name or definition.product_type,
        attributes=tuple(one.id for one in attributes),
        extra={"checksum": definition.schema.checksum, "version": definition.product_type_version.version},
    )


def attributes(definition: wire.Definition, found: Json) -> list[Attribute]:
    """Every property that people may see; those without conditions that are required say so."""
    groups = {
        name: str(group.get("title", key))
        for key, group in definition.property_groups.items()
        if isinstance(group, Mapping)
        for name in group.get("propertyNames") or ()
    }
    required = set(found.get("required") or ())
    rows = [(name, one) for name, one in (found.get("properties") or {}).items() if isinstance(one, Mapping)]
    return [
        _attribute(definition.product_type, name, one, required=name in required, group=groups.get(name, ""))
        for name, one in rows
        if not _marked(one, "hidden", is_=True)
    ]


def _attribute(product_type: str, name: str, said: Json, *, required: bool, group: str) -> Attribute:
    """A property is a list of objects; one with nothing but `value` (and what is implied) is a plain field."""
    inner = parts(said)
    value = inner.get("value")
    plain = isinstance(value, Mapping) and set(inner) <= IMPLIED | {"value"}
    leaf: Json = value if plain and isinstance(value, Mapping) else {}
    choices = dict(_choices(leaf))
    kind = "enum" if choices else TYPES.get(str(leaf.get("type", "")), "object")
    longest = leaf.get("maxLength")
    return Attribute(
        id=identity(product_type, name),
        label=str(said.get("title") or name),
        type=kind,
        required=required,
        writable=not _marked(said, "editable", is_=False),
        multiple=_most(said) != 1,
        localized="language_tag" in inner,
        max_length=longest if isinstance(longest, int) else None,
        choices=choices,
        open=bool(choices) and not leaf.get("enum"),
        extra={"name": name, **({"group": group} if group else {})},
    )


def _marked(said: Json, word: str, *, is_: bool) -> bool:
    """Amazon writes its marks on the property or on its value."""
    value = parts(said).get("value")
    return said.get(word) is is_ or (isinstance(value, Mapping) and value.get(word) is is_)


def fixed(said: Json) -> bool:
    """Whether it cannot be changed once the listing exists."""
    return _marked(said, "editable", is_=False)


def parts(said: Json) -> dict[str, Json]:
    """The fields of a property's entries."""
    items = said.get("items")
    found = items.get("properties") if isinstance(items, Mapping) else None
    return dict(found) if isinstance(found, Mapping) else {}


def _most(said: Json) -> int | None:
    for name in ("maxUniqueItems", "maxItems"):
        if isinstance(said.get(name), int):
            return int(said[name])
    return None


def _choices(leaf: Json) -> Iterator[tuple[str, Choice]]:
    """Allowed values with their labels; also where they are one of several alternatives."""
    for source in (leaf, *(one for one in leaf.get("anyOf") or () if isinstance(one, Mapping))):
        names = source.get("enumNames") or source.get("enum") or ()
        for value, label in list(zip(source.get("enum") or (), names, strict=False))[:MOST_CHOICES]:
            yield str(value), Choice(value=str(value), label=str(label))


# --- validation: the words of Amazon's vocabulary that a plain validator does not know
Found = Iterator[ValidationError]


def _unique(limit: int, said: Any, *, least: bool) -> Found:
    selectors, rows = said
    counts = dict[str, int]()
    for row in rows:
        key = msgspec.json.encode([row.get(name) if isinstance(row, Mapping) else row for name in selectors]).decode()
        counts[key] = counts.get(key, 0) + 1
    if least and len(rows) < limit:
        yield ValidationError(f"needs at least {limit} entries")
    if not least and any(count > limit for count in counts.values()):
        yield ValidationError(f"takes at most {limit} entries for the same {', '.join(selectors) or 'value'}")


def _max_unique(validator: Any, limit: int, rows: Any, said: Json) -> Found:
    if isinstance(rows, list):
        yield from _unique(limit, (said.get("selectors") or [], rows), least=False)


def _min_unique(validator: Any, limit: int, rows: Any, said: Json) -> Found:
    if isinstance(rows, list):
        yield from _unique(limit, (said.get("selectors") or [], rows), least=True)


def _max_bytes(validator: Any, limit: int, text: Any, said: Json) -> Found:
    if isinstance(text, str) and len(text.encode()) > limit:
        yield ValidationError(f"is longer than {limit} bytes")


def _min_bytes(validator: Any, limit: int, text: Any, said: Json) -> Found:
    if isinstance(text, str) and len(text.encode()) < limit:
        yield ValidationError(f"is shorter than {limit} bytes")


def _selectors(validator: Any, names: Any, rows: Any, said: Json) -> Found:
    """Two entries with the same selectors are one too many, where nothing else says how many there may be."""
    if isinstance(rows, list) and "maxUniqueItems" not in said and names:
        yield from _unique(1, (names, rows), least=False)


Validator = extend(
    Draft201909Validator,
    {
        "selectors": _selectors,
        "maxUniqueItems": _max_unique,
        "minUniqueItems": _min_unique,
        "maxUtf8ByteLength": _max_bytes,
        "minUtf8ByteLength": _min_bytes,
    },
)


def wrong(found: Json, said: Json, *, partly: bool) -> list[str]:
    """What Amazon would refuse, in words.

    Args:
        partly: only these attributes are sent, so nothing is missing and conditions cannot be judged.

    Raises:
        Unresolvable: the schema refers to something that is not in it; nothing is fetched for it.
    """
    used: Json = found
    if partly:
        kept = {name: one for name, one in (found.get("properties") or {}).items() if name in said}
        used = {"$defs": found.get("$defs") or {}, "type": "object", "properties": kept}
    found_wrong = Validator(dict(used), registry=EMPTY_REGISTRY).iter_errors(said)
    problems = sorted(found_wrong, key=lambda one: list(map(str, one.absolute_path)))
    return [f"{'.'.join(map(str, one.absolute_path)) or 'offer'}: {one.message[:LONGEST]}" for one in problems[:10]]
