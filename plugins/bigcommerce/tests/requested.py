"""Requests compared with BigCommerce's official API definitions, where their folder is present."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import yaml
from jsonschema import Draft4Validator

from omnichannel_core.driver import Ask

ROOT = Path(__file__).parents[3]
SPECS = next((one for p in ROOT.parents if (one := p / "shared/specs/bigcommerce").is_dir()), None)
FILES = (
    "orders.v2.oas2.yml", "orders.v3.yml", "store_information.v2.yml", "currencies.v2.yml", "tax_classes.v2.yml",
    "channels.v3.yml", "locations.v3.yml", "inventory.v3.yml", "price_lists.v3.yml", "webhooks.v3.yml",
    "catalog/products_catalog.v3.yml", "catalog/product-variants_catalog.v3.yml",
    "catalog/product-variant-options_catalog.v3.yml", "catalog/brands_catalog.v3.yml",
    "catalog/category-trees_catalog.v3.yml",
)  # fmt: skip
UNDOCUMENTED = {("getOrders", "is_deleted")}
"""The archive filter left the documentation in 2024 (guide bigcommerce-and-shopify 1.10): its answer is not trusted."""

IN_PROSE = {("updateVariantsBatch", name) for name in ("product_id", "sku", "option_values")}
"""Fields the operation's description demands and its schema forgets."""


Operation = tuple[str, re.Pattern[str], dict[str, Any], dict[str, Any], list[Any]]


@cache
def documents() -> list[dict[str, Any]]:
    assert SPECS is not None
    return [yaml.load((SPECS / name).read_text(), Loader=yaml.CSafeLoader) for name in FILES]


def resolved(document: dict[str, Any], node: Any) -> Any:
    while isinstance(node, dict) and "$ref" in node:
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/")]
        node = target
    return node


@cache
def operations() -> list[Operation]:
    """Method, path pattern, operation, its document and parameters; literal paths first."""
    found = []
    for name, document in zip(FILES, documents(), strict=True):
        version = "/v2" if ".v2" in name else "/v3"
        for path, item in document["paths"].items():
            pattern = re.compile(version + re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path)) + "/?")
            for method in ("get", "put", "post", "delete"):
                if method in item:
                    shared = item.get("parameters", []) + item[method].get("parameters", [])
                    parameters = [resolved(document, one) for one in shared]
                    found.append((path.count("{"), method.upper(), pattern, item[method], document, parameters))
    return [one[1:] for one in sorted(found, key=lambda one: one[0])]


def objections(ask: Ask) -> Iterator[str]:
    """What the definitions object to. A request without an operation's name is compared with whichever it fits."""
    path = re.sub(r"^/stores/[^/]+", "", urlsplit(ask.url).path)
    hits = [one for one in operations() if one[0] == ask.method and one[1].fullmatch(path)]
    if not hits:
        yield f"{ask.method} {path}: no such operation"
        return
    named = [one for one in hits if one[2].get("operationId") == ask.operation]
    if ask.operation and not named:
        yield f"{ask.method} {path}: is {hits[0][2].get('operationId')}, not {ask.operation}"
    found = [list(_differences(ask, path, one)) for one in named or hits]
    yield from min(found, key=len)


def _differences(ask: Ask, path: str, hit: Operation) -> Iterator[str]:
    method, _, operation, document, parameters = hit
    what, name_of = f"{method} {path}", operation.get("operationId")
    known = {one["name"] for one in parameters if one["in"] == "query"}
    for name, _ in parse_qsl(urlsplit(ask.url).query):
        if name not in known and (name_of, name) not in UNDOCUMENTED:
            yield f"{what}: no parameter {name}"
    if ask.body:
        content = resolved(document, operation.get("requestBody", {})).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        if schema is None:
            yield f"{what}: takes no body"
            return
        body = json.loads(ask.body)
        for wrong in Draft4Validator({**schema, "components": document["components"]}).iter_errors(body):
            yield f"{what}: {wrong.message[:200]} at {list(wrong.absolute_path)}"
        for name in strangers(document, schema, body):
            if (name_of, name) not in IN_PROSE:
                yield f"{what}: no field {name}"


def properties(document: dict[str, Any], schema: Any) -> tuple[dict[str, Any], bool]:
    """All properties of a schema, and whether others may be there too."""
    schema = resolved(document, schema)
    found, opened = dict(schema.get("properties", {})), not schema
    for part in (*schema.get("allOf", ()), *schema.get("oneOf", ()), *schema.get("anyOf", ())):
        more, free = properties(document, part)
        found, opened = {**more, **found}, opened or free
    return found, opened or (not found and schema.get("type") in ("object", None))


def strangers(document: dict[str, Any], schema: Any, body: Any) -> Iterator[str]:
    """Fields of a body that the definition does not name: read-only ones sent back are refused with 400."""
    schema = resolved(document, schema)
    if isinstance(body, list):
        for row in body:
            yield from strangers(document, schema.get("items", {}), row)
    elif isinstance(body, dict):
        known, free = properties(document, schema)
        for name, value in body.items():
            if name not in known and not free:
                yield name
            elif name in known:
                yield from strangers(document, known[name], value)
