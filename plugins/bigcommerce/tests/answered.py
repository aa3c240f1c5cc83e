"""Answers compared with BigCommerce's official API definitions, where their folder is present."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

ROOT = Path(__file__).parents[3]
FOLDERS = [above / "shared" / "specs" / "bigcommerce" for above in ROOT.parents]
SPECS = next((folder for folder in FOLDERS if folder.is_dir()), FOLDERS[0])

V2 = [
    "orders.v2.oas2.yml",
    "store_information.v2.yml",
    "currencies.v2.yml",
    "tax_classes.v2.yml",
    "methods_payments.v2.yml",
    "shipping.v2.yml",
]
V3 = [
    "orders.v3.yml",
    "inventory.v3.yml",
    "locations.v3.yml",
    "webhooks.v3.yml",
    "price_lists.v3.yml",
    "channels.v3.yml",
    "customers.v3.yml",
    "catalog/brands_catalog.v3.yml",
    "catalog/category-trees_catalog.v3.yml",
    "catalog/product-modifiers_catalog.v3.yml",
    "catalog/product-variant-options_catalog.v3.yml",
    "catalog/product-variants_catalog.v3.yml",
    "catalog/products_catalog.v3.yml",
]

UNDOCUMENTED_STATUS = {
    ("POST", "/v2/orders", 201): "the definition says 200; creations of v2 answer 201",
    ("POST", "/v2/orders", 400): "errors are described in prose only",
    ("PUT", "/v2/orders/{order_id}", 400): "errors are described in prose only",
    ("POST", "/v2/orders/{order_id}/shipments", 400): "errors are described in prose only",
    ("GET", "/v2/orders", 204): "empty v2 lists answer 204 (guide 1.9)",
    ("GET", "/v2/orders/{order_id}/messages", 204): "empty v2 lists answer 204 (guide 1.9)",
    ("GET", "/v2/orders/{order_id}/coupons", 204): "empty v2 lists answer 204 (guide 1.9)",
    ("DELETE", "/v3/catalog/trees/categories", 204): "documented in the deprecated categories' file",
}
UNKNOWN_KEYS = {
    "custom_status": "in the definition's prose and in older examples of an order",
    "order": "the place of a status in the panel (guide 1.10)",
    "credit_card_type": "in older examples of an order",
    "image_file": "in the definition of images below products",
    "is_fallback": "in examples of shipping methods",
    "variants": "listed under include, left out of the row's schema",
    "map_price": "variants have it (guide 1.17), the variants' file leaves it out",
    "owner_client_id": "every other metafield has it",
}
PRODUCT_ROWS = r"/v3/catalog/products(/\{product_id\})?$"
WRONG_DEFINITIONS = [
    (PRODUCT_ROWS, r"base_variant_id: None", "null once a product has options (guide 1.14)"),
    (
        r"/modifiers$",
        r"^data: Additional properties",
        "POST of modifiers is defined as {data: {items: ...}}; known wrong, corrected 2026-05-19",
    ),
    (r"/bulk-pricing-rules$", r"^data: .* is not of type 'object'", "a list is defined as one object"),
    (r"/v3/catalog/variants$", r": None is not of type", "nullable in the same row below products"),
    (r"/v3/catalog/variants$", r"Additional properties .*'calculated_weight'", "the same row as below products"),
    (
        r"/variants/\{variant_id\}/metafields$",
        r"^meta: Additional properties",
        "meta is defined as a page of categories",
    ),
]


@lru_cache(maxsize=64)
def load(name: str) -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load((SPECS / name).read_text(), Loader=loader)  # type: ignore[no-any-return]


def resolve(document: dict[str, Any], node: Any) -> Any:
    for _ in range(20):
        if not isinstance(node, dict) or "$ref" not in node:
            return node
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("%20", " ")]
        node = target
    raise AssertionError("a circle of references")


def schema(document: dict[str, Any], node: Any, depth: int = 0) -> dict[str, Any]:
    """OpenAPI 3.0 to JSON Schema: references resolved, `nullable` kept, `allOf` of objects merged, undeclared keys
    refused.
    """
    node = resolve(document, node)
    if depth > 12 or not isinstance(node, dict):
        return {}
    if "allOf" in node:
        parts = [schema(document, part, depth + 1) for part in node["allOf"]] + [
            schema(document, without(node, "allOf"), depth + 1)
        ]
        return nullable(node, merged(parts))
    for key in ("anyOf", "oneOf"):
        if key in node:
            choices = [schema(document, part, depth + 1) for part in node[key]]
            base = schema(document, without(node, key), depth + 1)
            return nullable(node, {"anyOf": [merged([base, choice]) for choice in choices]})
    return nullable(node, plain(document, node, depth))


def without(node: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in node.items() if name != key}


def plain(document: dict[str, Any], node: dict[str, Any], depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    kind = node.get("type") or ("object" if "properties" in node else None)
    if kind in {"object", "array", "string", "integer", "number", "boolean"}:
        made["type"] = kind
    if "enum" in node:
        made["enum"] = node["enum"]
    if kind == "array":
        made["items"] = schema(document, node.get("items", {}), depth + 1)
    properties = node.get("properties")
    if kind == "object" and isinstance(properties, dict) and properties:
        made["properties"] = {name: schema(document, value, depth + 1) for name, value in properties.items()}
        made["required"] = [name for name in node.get("required") or [] if isinstance(name, str)]
        made["additionalProperties"] = bool(node.get("additionalProperties", False))
    return made


def merged(parts: list[dict[str, Any]]) -> dict[str, Any]:
    parts = [part for part in parts if part]
    objects = [part for part in parts if "properties" in part]
    choices = [part for part in parts if "anyOf" in part]
    if choices and objects:
        return {"anyOf": [merged([*objects, each]) for each in choices[0]["anyOf"]]}
    if len(objects) < 2:
        return (objects or choices or parts or [{}])[0]
    properties: dict[str, Any] = {}
    for part in objects:
        properties |= part["properties"]
    required = sorted({name for part in objects for name in part.get("required", [])})
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def nullable(node: dict[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [made, {"type": "null"}]} if node.get("nullable") else made


@lru_cache(maxsize=1)
def operations() -> list[tuple[str, re.Pattern[str], str, str]]:
    """(template, pattern, file, path in the file) of everything defined, the most literal first."""
    found: list[tuple[str, re.Pattern[str], str, str]] = []
    for version, files in (("v2", V2), ("v3", V3)):
        for file in files:
            for path in load(file)["paths"]:
                pattern = re.compile(f"/{version}" + re.sub(r"\{[^}]+\}", "[^/]+", path.rstrip("/")) + r"\Z")
                found.append((f"/{version}{path}", pattern, file, path))
    return sorted(found, key=lambda each: each[0].count("{"))


def defined(method: str, path: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """(template, document, operation) of a request."""
    for template, pattern, file, name in operations():
        operation = load(file)["paths"][name].get(method.lower()) if pattern.match(path) else None
        if operation:
            return template, load(file), operation
    raise AssertionError(f"{method} {path} is not defined: the simulator must not have it")


def tolerated(error: jsonschema.ValidationError) -> bool:
    """What the definition gets wrong, each with its reason."""
    if error.validator == "additionalProperties":
        unknown = set(error.instance) - set(error.schema.get("properties", {}))
        return unknown <= UNKNOWN_KEYS.keys()
    return bool(error.context) and any(
        all(tolerated(each) for each in error.context if each.schema_path[0] == choice)
        for choice in {each.schema_path[0] for each in error.context}
    )


def objections(method: str, path: str, status: int, kind: str, body: bytes) -> list[str]:
    """What the definition objects to in an answer: a status it does not know, a body that its schema does not fit.

    Args:
        path: as below a store, such as /v2/orders/100.
        kind: the answer's content type.
    """
    template, document, operation = defined(method, path)
    response = operation["responses"].get(str(status)) or operation["responses"].get(status)
    if response is None:
        generic = status in {404, 422} or (method, template, status) in UNDOCUMENTED_STATUS
        known = list(operation["responses"])
        return [] if generic else [f"{method} {template} does not define {status}, but {known}"]
    if status == 204:
        return ["204 has no body"] if body else []
    content = resolve(document, response).get("content") or {}
    wanted = schema(document, (content.get(kind) or next(iter(content.values()), {})).get("schema", {}))
    problems = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
        for error in jsonschema.Draft202012Validator(wanted).iter_errors(json.loads(body))
        if not tolerated(error)
    ]
    return [
        each
        for each in problems
        if not any(re.search(t, template) and re.search(p, each) for t, p, _ in WRONG_DEFINITIONS)
    ]
