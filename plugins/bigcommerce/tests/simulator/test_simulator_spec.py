"""Every answer of the simulator agrees with the official API definitions, where their folder is present."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import anyio
import httpx2
import jsonschema
import pytest
import yaml
from omnichannel_bigcommerce_simulator import create
from omnichannel_bigcommerce_simulator.operations import ROUTES

ROOT = Path(__file__).parents[4]
FOLDERS = [above / "shared" / "specs" / "bigcommerce" for above in ROOT.parents]
SPECS = next((folder for folder in FOLDERS if folder.is_dir()), FOLDERS[0])

pytestmark = pytest.mark.skipif(
    not SPECS.is_dir(),
    reason=f"THE OFFICIAL DEFINITIONS ARE NOT HERE ({SPECS}): the simulator's answers are NOT validated",
)

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


P, O, S = "/v3/catalog/products", "/v2/orders", "/v3/orders"  # noqa: E741
PRODUCT = {"name": "New", "type": "physical", "weight": 1, "price": 9.5}
META = {"namespace": "n", "key": "k", "value": "v", "permission_set": "write"}
PERSON = {
    "first_name": "A",
    "last_name": "B",
    "street_1": "C",
    "city": "D",
    "state": "Texas",
    "zip": "1",
    "country": "United States",
    "country_iso2": "US",
    "email": "a@b.example",
}
ABSOLUTE = {"reason": "count", "items": [{"location_id": 1, "product_id": 111, "quantity": 5}]}
RELATIVE = {"reason": "sale", "items": [{"location_id": 1, "product_id": 111, "quantity": -1}]}
PLACE = {"code": "L3", "label": "Third", "type_id": "PHYSICAL", "enabled": True, "time_zone": "UTC"}
HOOK = {
    "scope": "store/order/*",
    "destination": "https://example.com/hook",
    "headers": {"x-secret": "s"},
    "is_active": True,
}

Step = tuple[str, str, Any, int]

STEPS: list[Step] = [
    ("GET", "/v2/time", None, 200),
    ("GET", "/v2/store", None, 200),
    ("GET", "/v2/currencies", None, 200),
    ("GET", "/v2/currencies/1", None, 200),
    ("GET", "/v2/tax_classes", None, 200),
    ("GET", "/v2/tax_classes/0", None, 200),
    ("GET", "/v2/payments/methods", None, 200),
    ("GET", "/v2/shipping/zones", None, 200),
    ("GET", "/v2/shipping/zones/1/methods", None, 200),
    ("GET", "/v2/order_statuses", None, 200),
    ("GET", "/v2/order_statuses/11", None, 200),
    ("GET", f"{O}/count", None, 200),
    ("GET", f"{O}?limit=60", None, 200),
    ("GET", f"{O}?limit=60&include=consignments,consignments.line_items,fees&consignment_structure=object", None, 200),
    ("GET", f"{O}?limit=60&include=consignments&consignment_structure=object", None, 200),
    ("GET", f"{O}?min_id=100000", None, 204),
    *[("GET", f"{O}/{n}?include=consignments,fees&consignment_structure=object", None, 200) for n in range(100, 110)],
    ("GET", f"{O}/9", None, 404),
    *[("GET", f"{O}/{n}/products", None, 200) for n in range(100, 110)],
    *[("GET", f"{O}/{n}/taxes", None, 200) for n in (100, 102, 104)],
    *[("GET", f"{O}/{n}/consignments?include=line_items", None, 200) for n in range(100, 110)],
    ("GET", f"{O}/100/shipping_addresses", None, 200),
    ("GET", f"{O}/100/shipping_addresses/10001", None, 200),
    ("PUT", f"{O}/100/shipping_addresses/10001", {"first_name": "Eva"}, 200),
    ("PUT", f"{O}/100/shipping_addresses/10001", {"id": 4}, 400),
    ("GET", f"{O}/107/coupons", None, 200),
    ("GET", f"{O}/100/coupons", None, 204),
    ("GET", f"{O}/100/messages", None, 204),
    ("GET", f"{O}/100/products/10001", None, 200),
    (
        "POST",
        O,
        {"billing_address": PERSON, "products": [{"name": "X", "quantity": 1, "price_inc_tax": 2, "price_ex_tax": 2}]},
        201,
    ),
    ("POST", O, {"id": 4}, 400),
    ("PUT", f"{O}/100", {"staff_notes": "called"}, 200),
    ("PUT", f"{O}/100", {"item_total": 3}, 400),
    ("GET", f"{O}/100/shipments", None, 204),
    ("POST", f"{O}/100/shipments", {"order_address_id": 10001, "items": []}, 400),
    (
        "POST",
        f"{O}/100/shipments",
        {
            "order_address_id": 10001,
            "tracking_number": "1Z",
            "shipping_provider": "ups",
            "items": [{"order_product_id": 10001, "quantity": 1}],
        },
        201,
    ),
    ("GET", f"{O}/100/shipments", None, 200),
    ("GET", f"{O}/100/shipments/count", None, 200),
    ("GET", f"{O}/100/shipments/10001", None, 200),
    ("PUT", f"{O}/100/shipments/10001", {"tracking_number": "2Z"}, 200),
    ("DELETE", f"{O}/100/shipments/10001", None, 204),
    ("DELETE", f"{O}/101", None, 204),
    ("GET", f"{S}/100/transactions", None, 200),
    ("GET", f"{S}/107/transactions", None, 204),
    ("GET", f"{S}/9/transactions", None, 404),
    (
        "POST",
        f"{S}/100/payment_actions/refund_quotes",
        {"items": [{"item_type": "PRODUCT", "item_id": 10001, "quantity": 1}]},
        201,
    ),
    (
        "POST",
        f"{S}/100/payment_actions/refunds",
        {
            "items": [{"item_type": "ORDER", "item_id": 100, "amount": 1.5}],
            "payments": [{"provider_id": "stripe", "amount": 1.5, "offline": False}],
        },
        201,
    ),
    ("POST", f"{S}/100/payment_actions/refunds", {"items": [], "payments": []}, 422),
    ("GET", f"{S}/100/payment_actions/refunds", None, 200),
    ("GET", f"{S}/payment_actions/refunds?limit=50", None, 200),
    ("GET", f"{S}/payment_actions/refunds/10001", None, 200),
    ("POST", f"{S}/106/payment_actions/capture", None, 422),
    ("POST", f"{S}/100/metafields", META, 200),
    ("POST", f"{S}/100/metafields", META, 409),
    ("GET", f"{S}/100/metafields", None, 200),
    ("GET", f"{S}/metafields", None, 200),
    ("GET", f"{S}/100/metafields/1", None, 200),
    ("PUT", f"{S}/100/metafields/1", META | {"value": "w"}, 200),
    ("DELETE", f"{S}/100/metafields/1", None, 204),
    ("POST", f"{S}/metafields", [META | {"resource_id": 100}], 200),
    ("GET", f"{P}?limit=250", None, 200),
    ("GET", f"{P}?include=custom_fields,options,variants,modifiers,images,videos,bulk_pricing_rules", None, 200),
    ("GET", f"{P}/114?include=variants,options", None, 200),
    ("GET", f"{P}/9", None, 404),
    ("POST", P, PRODUCT | {"sku": "NEW-1", "custom_fields": [{"name": "a", "value": "b"}]}, 200),
    ("POST", P, PRODUCT, 409),
    ("POST", P, {"name": "x"}, 422),
    ("POST", P, PRODUCT | {"name": "Pictured", "images": [{"image_url": "nowhere"}]}, 207),
    ("PUT", P, [{"id": 111, "price": 3.5}], 200),
    ("PUT", P, [{"id": 111, "price": 3.5}, {"id": 9, "price": 1}], 207),
    ("PUT", P, [{"id": 111}] * 11, 413),
    ("PUT", P, [{"price": 3.5}], 422),
    ("PUT", f"{P}/111", {"description": "<p>x</p>"}, 200),
    ("PUT", f"{P}/111", {"price": -3}, 422),
    ("GET", f"{P}/111/custom-fields", None, 200),
    ("POST", f"{P}/111/custom-fields", {"name": "Color", "value": "red"}, 200),
    ("GET", f"{P}/111/images", None, 200),
    ("POST", f"{P}/111/images", {"image_url": "https://example.com/a.jpg"}, 200),
    ("POST", f"{P}/111/modifiers", {"type": "text", "required": False, "display_name": "Engraving"}, 200),
    (
        "POST",
        f"{P}/111/modifiers",
        {
            "type": "dropdown",
            "required": True,
            "display_name": "Wrap",
            "option_values": [{"label": "yes", "sort_order": 0}],
        },
        200,
    ),
    ("GET", f"{P}/111/modifiers", None, 200),
    ("POST", f"{P}/111/bulk-pricing-rules", {"quantity_min": 2, "quantity_max": 5, "type": "price", "amount": 1}, 200),
    ("GET", f"{P}/111/bulk-pricing-rules", None, 200),
    ("POST", f"{P}/111/metafields", META, 200),
    ("GET", f"{P}/111/metafields", None, 200),
    ("GET", f"{P}/metafields", None, 200),
    ("GET", f"{P}/114/options", None, 200),
    (
        "POST",
        f"{P}/111/options",
        {
            "display_name": "Tint",
            "type": "swatch",
            "option_values": [{"label": "Red", "value_data": {"colors": ["#FF0000"]}}],
        },
        200,
    ),
    (
        "POST",
        f"{P}/111/options",
        {"display_name": "Tint 2", "type": "swatch", "option_values": [{"label": "Red"}]},
        422,
    ),
    ("GET", f"{P}/114/variants", None, 200),
    ("GET", f"{P}/9/variants", None, 404),
    ("GET", "/v3/catalog/variants?limit=250", None, 200),
    ("PUT", "/v3/catalog/variants", [{"id": 301, "price": 4.5}], 200),
    ("PUT", "/v3/catalog/variants", [{"id": 1, "price": 4.5}], 422),
    ("PUT", "/v3/catalog/variants", [{"id": 301}] * 51, 413),
    ("PUT", f"{P}/111/variants/301", {"upc": "123"}, 200),
    ("GET", f"{P}/111/variants/301", None, 200),
    ("POST", f"{P}/111/variants/301/metafields", META, 200),
    ("GET", f"{P}/111/variants/301/metafields", None, 200),
    ("GET", "/v3/catalog/variants/metafields", None, 200),
    ("GET", f"{P}/channel-assignments", None, 200),
    ("PUT", f"{P}/channel-assignments", [{"product_id": 111, "channel_id": 2}], 204),
    ("GET", f"{P}/category-assignments", None, 200),
    ("GET", "/v3/catalog/brands", None, 200),
    ("GET", "/v3/catalog/brands/1000", None, 200),
    ("POST", "/v3/catalog/brands", {"name": "Acme"}, 200),
    ("POST", "/v3/catalog/brands", {"name": "Acme"}, 409),
    ("GET", "/v3/catalog/trees", None, 200),
    ("PUT", "/v3/catalog/trees", [{"name": "Second", "channels": [2]}], 200),
    ("GET", "/v3/catalog/trees/1/categories", None, 200),
    ("GET", "/v3/catalog/trees/categories", None, 200),
    ("POST", "/v3/catalog/trees/categories", [{"name": "Mugs", "tree_id": 1}], 201),
    ("POST", "/v3/catalog/trees/categories", [{"name": "Cups", "tree_id": 1}, {"name": "Bad"}], 207),
    ("PUT", "/v3/catalog/trees/categories", [{"category_id": 1003, "name": "Cloth"}], 200),
    ("GET", "/v3/inventory/items", None, 200),
    ("GET", "/v3/inventory/locations/1/items", None, 200),
    ("PUT", "/v3/inventory/adjustments/absolute", ABSOLUTE, 200),
    ("POST", "/v3/inventory/adjustments/relative", RELATIVE, 200),
    (
        "PUT",
        "/v3/inventory/adjustments/absolute",
        {"items": [{"location_id": 1, "variant_id": 301, "quantity": 1}]},
        422,
    ),
    (
        "PUT",
        "/v3/inventory/locations/1/items",
        {"settings": [{"identity": {"product_id": 111}, "safety_stock": 1}]},
        200,
    ),
    ("GET", "/v3/inventory/locations", None, 200),
    ("POST", "/v3/inventory/locations", [PLACE], 200),
    ("PUT", "/v3/inventory/locations", [{"id": 3, "label": "3rd"}], 200),
    ("DELETE", "/v3/inventory/locations?location_id:in=3", None, 200),
    ("POST", "/v3/pricelists", {"name": "Wholesale"}, 200),
    ("POST", "/v3/pricelists", {"name": "Wholesale"}, 409),
    ("GET", "/v3/pricelists", None, 200),
    ("GET", "/v3/pricelists/1", None, 200),
    ("PUT", "/v3/pricelists/1/records", [{"variant_id": 301, "currency": "usd", "price": 4}], 200),
    ("PUT", "/v3/pricelists/1/records", [{"variant_id": 1, "currency": "usd", "price": 4}], 422),
    ("POST", "/v3/pricelists/records", [{"price_list_id": 1, "sku": "SKU-2", "currency": "eur", "price": 4}], 200),
    ("GET", "/v3/pricelists/1/records", None, 200),
    ("GET", "/v3/pricelists/1/records/301", None, 200),
    ("GET", "/v3/pricelists/1/records/301/usd", None, 200),
    ("PUT", "/v3/pricelists/1/records/301/usd", {"price": 5, "sale_price": 4}, 200),
    ("POST", "/v3/pricelists/assignments", [{"price_list_id": 1, "channel_id": 1}], 200),
    ("GET", "/v3/pricelists/assignments", None, 200),
    ("DELETE", "/v3/pricelists/1/records/301/usd", None, 204),
    ("DELETE", "/v3/pricelists/1", None, 204),
    ("GET", "/v3/channels", None, 200),
    ("GET", "/v3/channels/1?include=currencies", None, 200),
    ("GET", "/v3/channels/9", None, 404),
    ("GET", "/v3/channels/currency-assignments", None, 200),
    ("POST", "/v3/channels", {"name": "Market", "type": "marketplace", "platform": "custom"}, 200),
    ("POST", "/v3/hooks", HOOK, 200),
    ("POST", "/v3/hooks", HOOK, 422),
    ("GET", "/v3/hooks", None, 200),
    ("GET", "/v3/hooks/18000001", None, 200),
    ("PUT", "/v3/hooks/18000001", {"is_active": False}, 200),
    ("GET", "/v3/hooks/admin", None, 200),
    ("PUT", "/v3/hooks/admin", {"emails": ["ops@example.com"]}, 204),
    ("DELETE", "/v3/hooks/18000001", None, 200),
    ("GET", "/v3/hooks/18000001", None, 404),
    ("POST", "/v3/customers", [{"email": "a@example.com", "first_name": "A", "last_name": "B"}], 200),
    ("POST", "/v3/customers", [{"email": "a@example.com", "first_name": "A", "last_name": "B"}], 422),
    ("PUT", "/v3/customers", [{"id": 1001, "notes": "n"}], 200),
    ("GET", "/v3/customers", None, 200),
    ("DELETE", "/v3/customers?id:in=1001", None, 204),
]


@pytest.fixture(scope="module")
def answers() -> list[httpx2.Response]:
    """All steps, in order, against one world."""
    store = {"hash": "shop1", "token": "t", "orders": 60, "quota": 10_000}
    app = create(clock="manual", now=1_790_000_000.0, stores=[store])

    async def run() -> list[httpx2.Response]:
        headers = {"X-Auth-Token": "t", "Accept": "application/json"}
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://simulator", headers=headers) as http:
            return [await http.request(method, f"/stores/shop1{path}", json=body) for method, path, body, _ in STEPS]

    return anyio.run(run)


@pytest.mark.parametrize(
    "n", range(len(STEPS)), ids=[f"{m} {p.split('?')[0]} {s} {n}" for n, (m, p, _, s) in enumerate(STEPS)]
)
def test_answer_agrees_with_the_definition(answers: list[httpx2.Response], n: int) -> None:
    """The answer has the expected status, the definition knows it, and the body fits its schema without unknown
    keys.
    """
    method, path, _, status = STEPS[n]
    answer = answers[n]
    assert answer.status_code == status, answer.text
    template, document, operation = defined(method, path.split("?")[0])
    response = operation["responses"].get(str(status)) or operation["responses"].get(status)
    if response is None:
        generic = status in {404, 422} or (method, template, status) in UNDOCUMENTED_STATUS
        assert generic, f"{method} {template} does not define {status}, but {list(operation['responses'])}"
        return
    if status == 204:
        assert answer.content == b""
        return
    content = resolve(document, response).get("content") or {}
    kind = answer.headers["content-type"]
    media = content.get(kind) or next(iter(content.values()), {})
    wanted = schema(document, media.get("schema", {}))
    problems = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
        for error in jsonschema.Draft202012Validator(wanted).iter_errors(answer.json())
        if not tolerated(error)
    ]
    problems = [
        each
        for each in problems
        if not any(re.search(t, template) and re.search(p, each) for t, p, _ in WRONG_DEFINITIONS)
    ]
    assert not problems, "\n".join(problems[:8])


def test_every_operation_is_defined() -> None:
    """The simulator has no operation that the definitions do not know."""
    paths = [(route.method, re.sub(r"\{\w+(:w)?\}", "1", route.template)) for route in ROUTES]
    assert len([defined(method, path) for method, path in paths]) > 150


def tolerated(error: jsonschema.ValidationError) -> bool:
    """What the definition gets wrong, each with its reason."""
    if error.validator == "additionalProperties":
        unknown = set(error.instance) - set(error.schema.get("properties", {}))
        return unknown <= UNKNOWN_KEYS.keys()
    return bool(error.context) and any(
        all(tolerated(each) for each in error.context if each.schema_path[0] == choice)
        for choice in {each.schema_path[0] for each in error.context}
    )
