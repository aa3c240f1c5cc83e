"""How attributes are patched, and what is wrong with them (guide 8.2)."""

from __future__ import annotations

import copy
from typing import Any

from omnichannel_amazon_simulator import product_schemas
from omnichannel_amazon_simulator.answers import Row
from omnichannel_amazon_simulator.errors import invalid
from omnichannel_amazon_simulator.marketplaces import MARKETPLACES

Attributes = dict[str, list[Row]]
OPS = frozenset({"add", "replace", "merge", "delete"})
KINDS: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "object": dict,
    "array": list,
}


def issue(code: str, message: str, names: list[str], severity: str = "ERROR") -> Row:
    row = {"code": code, "message": message, "severity": severity, "attributeNames": names}
    return row | {"categories": ["INVALID_ATTRIBUTE"], "marketplaceIds": []}


def patched(attributes: Attributes, patches: Any, selectors: Row) -> Attributes:
    """The attributes after the patches. Items are matched by their selectors: a replacement with other selectors
    leaves the old item in place.

    Raises:
        Refused: 400, a patch that is none.
    """
    if not isinstance(patches, list) or not patches:
        raise invalid("patches must be a list of at least one operation.")
    result = copy.deepcopy(attributes)
    for patch in patches:
        name = _target(patch)
        value: list[Row] = patch.get("value") or []
        if patch["op"] == "delete" and not value:
            result.pop(name, None)
            continue
        keys = selectors.get(name, {}).get("selectors", ["marketplace_id", "language_tag"])
        result[name] = _items(result.get(name, []), patch["op"], value, keys)
        if not result[name]:
            del result[name]
    return result


def _target(patch: Any) -> str:
    if not isinstance(patch, dict) or patch.get("op") not in OPS:
        raise invalid(f"op must be one of {', '.join(sorted(OPS))}.")
    parts = str(patch.get("path", "")).split("/")
    if len(parts) != 3 or parts[:2] != ["", "attributes"] or not parts[2]:
        raise invalid("path must name a top-level attribute: /attributes/{name}.")
    value = patch.get("value")
    if value is not None and not (isinstance(value, list) and all(isinstance(item, dict) for item in value)):
        raise invalid("value must be a list of objects.")
    if value is None and patch["op"] != "delete":
        raise invalid("value is required.")
    return parts[2]


def _items(old: list[Row], op: str, value: list[Row], keys: list[str]) -> list[Row]:
    result = list(old)
    for item in value:
        same = [each for each in result if all(_key(each, key) == _key(item, key) for key in keys)]
        if op == "delete":
            given = [key for key in keys if key in item]
            result = [each for each in result if any(_key(each, key) != _key(item, key) for key in given)]
        elif same:
            place = result.index(same[0])
            result[place] = (same[0] | item) if op == "merge" else item
        else:
            result.append(item)
    return result


def _key(item: Row, key: str) -> Any:
    return item.get(key, "ALL" if key == "audience" else None)


def problems(
    name: str, edition: product_schemas.Edition, attributes: Attributes, requirements: str, marketplaces: list[str]
) -> list[Row]:
    """Issues of a submission: unknown attributes, wrong values, and what is missing where `requirements` is set."""
    known = product_schemas.attributes(name, edition)
    found: list[Row] = []
    for attribute, items in attributes.items():
        if attribute not in known:
            found.append(issue("90000900", f"The field '{attribute}' is not valid for this product type.", [attribute]))
            continue
        shape = known[attribute]
        for item in items:
            why = _wrong(item, shape["items"]) or _meaning(attribute, item, marketplaces)
            if why:
                found.append(issue("4000001", f"'{attribute}': {why}", [attribute]))
    if requirements:
        lacking = [each for each in product_schemas.required(name, requirements) if each not in attributes]
        found += [issue("90220", f"'{each}' is required but not supplied.", [each]) for each in lacking]
    return found


def _wrong(value: Any, shape: Row) -> str:
    """Why a value does not fit the part of JSON Schema that the definitions here use; '' when it does."""
    kind = shape.get("type")
    if kind and (not isinstance(value, KINDS[kind]) or (kind in {"integer", "number"} and isinstance(value, bool))):
        return f"a value of type {kind} is expected."
    if isinstance(value, dict):
        return _wrong_object(value, shape)
    if isinstance(value, list):
        return next((why for item in value if (why := _wrong(item, shape.get("items", {})))), "")
    return _wrong_scalar(value, shape)


def _wrong_object(value: Row, shape: Row) -> str:
    properties = shape.get("properties", {})
    for name in shape.get("required", ()):
        if name not in value and name not in {"marketplace_id", "language_tag"}:
            return f"'{name}' is missing."
    if shape.get("additionalProperties") is False:
        for name in value:
            if name not in properties:
                return f"'{name}' is not known."
    return next((why for name, item in value.items() if (why := _wrong(item, properties.get(name, {})))), "")


def _wrong_scalar(value: Any, shape: Row) -> str:
    if "enum" in shape and value not in shape["enum"]:
        return f"{value!r} is not one of the allowed values."
    if isinstance(value, str):
        if len(value) > shape.get("maxLength", len(value)):
            return f"longer than {shape['maxLength']} characters."
        size = len(value.encode())
        return f"longer than {shape['maxUtf8ByteLength']} bytes." if size > shape.get("maxUtf8ByteLength", size) else ""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    inside = not number or shape.get("minimum", value) <= value <= shape.get("maximum", value)
    return "" if inside else f"{value} is out of range."


def _meaning(attribute: str, item: Row, marketplaces: list[str]) -> str:
    """What no schema says: marketplaces of the seller, their currency, whose stock it is."""
    place = item.get("marketplace_id")
    if place is not None and place not in marketplaces:
        return "the marketplace is not one of the request's."
    if attribute == "purchasable_offer" and place and item.get("currency") != MARKETPLACES[place].currency:
        return f"the currency of the marketplace is {MARKETPLACES[place].currency}."
    code = item.get("fulfillment_channel_code", "DEFAULT")
    if attribute == "fulfillment_availability" and code != "DEFAULT" and "quantity" in item:
        return "the quantity of a channel that Amazon fulfills cannot be set."
    return ""
