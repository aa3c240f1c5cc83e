"""Every answer of the simulator agrees with the official API definitions, where their folder is present."""

from __future__ import annotations

import re
from typing import Any

import anyio
import httpx2
import pytest
from omnichannel_bigcommerce_simulator import create
from omnichannel_bigcommerce_simulator.operations import ROUTES

from plugins.bigcommerce.tests.answered import SPECS, defined, objections

pytestmark = pytest.mark.skipif(
    not SPECS.is_dir(),
    reason=f"THE OFFICIAL DEFINITIONS ARE NOT HERE ({SPECS}): the simulator's answers are NOT validated",
)

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
    problems = objections(method, path.split("?")[0], status, answer.headers.get("content-type", ""), answer.content)
    assert not problems, "\n".join(problems[:8])


def test_every_operation_is_defined() -> None:
    """The simulator has no operation that the definitions do not know."""
    paths = [(route.method, re.sub(r"\{\w+(:w)?\}", "1", route.template)) for route in ROUTES]
    assert len([defined(method, path) for method, path in paths]) > 150
