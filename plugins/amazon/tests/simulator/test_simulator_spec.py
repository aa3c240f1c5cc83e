"""Every answer of the simulator agrees with the official API models, where their folder is present."""

from __future__ import annotations

import gzip
import json
import re
from collections import defaultdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import anyio
import httpx2
import jsonschema
import pytest
from omnichannel_amazon_simulator import create
from omnichannel_amazon_simulator.operations import ROUTES

ROOT = Path(__file__).parents[4]
FOLDERS = [above / "shared" / "specs" / "amazon" for above in ROOT.parents]
SPECS = next((folder for folder in FOLDERS if folder.is_dir()), FOLDERS[0])

pytestmark = pytest.mark.skipif(
    not SPECS.is_dir(),
    reason=f"THE OFFICIAL MODELS ARE NOT HERE ({SPECS}): the simulator's answers are NOT validated",
)

MODELS = (
    "application_2023-11-30",
    "catalogItems_2022-04-01",
    "definitionsProductTypes_2020-09-01",
    "fbaInventory",
    "feeds_2021-06-30",
    "listingsItems_2021-08-01",
    "listingsRestrictions_2021-08-01",
    "notifications",
    "ordersV0",
    "orders_2026-01-01",
    "reports_2021-06-30",
    "sellers",
    "tokens_2021-03-01",
)
GATEWAY = {401, 403}
"""Statuses of the gateway: some models do not list 401."""
DE, FR, US = "A1PA6795UKMFR9", "A13V1IB3VIYZZH", "ATVPDKIKX0DER"
CLIENT, SECRET = "client", "secret"
FBA = "GET_AMAZON_FULFILLED_SHIPMENTS_DATA_GENERAL"


@lru_cache(maxsize=1)
def operations() -> dict[str, tuple[dict[str, Any], str, str, dict[str, Any]]]:
    """Operation -> (model, method, path, its definition); of those that are in two models, the newer."""
    found: dict[str, tuple[dict[str, Any], str, str, dict[str, Any]]] = {}
    for name in MODELS:
        model = json.loads((SPECS / "models" / f"{name}.json").read_text())
        for path, methods in model["paths"].items():
            for method, each in methods.items():
                if isinstance(each, dict) and "operationId" in each:
                    found[each["operationId"]] = (model, method.upper(), path, each)
    return found


def closed(node: Any, model: dict[str, Any]) -> Any:
    """A Swagger 2.0 schema with references followed and undeclared keys refused."""
    if isinstance(node, list):
        return [closed(each, model) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return {"$ref": node["$ref"]}
    result = {key: closed(value, model) for key, value in node.items() if key not in {"example", "examples"}}
    if result.get("type") == "object" and "properties" in result:
        result.setdefault("additionalProperties", False)
    return result


@lru_cache(maxsize=64)
def validator(operation: str, status: str) -> Any:
    model, _, _, each = operations()[operation]
    schema = each["responses"].get(status, {}).get("schema")
    if schema is None:
        return None
    document = {**closed(schema, model), "definitions": closed(model["definitions"], model)}
    return jsonschema.Draft4Validator(document, format_checker=jsonschema.FormatChecker())


class Checked(httpx2.AsyncBaseTransport):
    """Validates what passes; `seen` counts operations and statuses."""

    def __init__(self, app: Any) -> None:
        self.app, self.inner = app, httpx2.ASGITransport(app=app)
        self.seen: dict[str, set[int]] = defaultdict(set)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self.inner.handle_async_request(request)
        host = request.url.host
        if not host.startswith("sellingpartnerapi"):
            return response
        body = await response.aread()
        operation = self.app.world.log[-1].operation
        self.seen[operation].add(response.status_code)
        if operation:
            self._check(operation, response.status_code, body, f"{request.method} {request.url}")
        return response

    def _check(self, operation: str, status: int, body: bytes, what: str) -> None:
        _, _, _, each = operations()[operation]
        if status in GATEWAY and str(status) not in each["responses"]:
            return
        assert str(status) in each["responses"], f"{what}: {status} is not documented"
        found = validator(operation, str(status))
        if found is None:
            assert not body, f"{what}: no body is documented"
            return
        problems = [
            f"{'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in found.iter_errors(json.loads(body))
        ]
        assert not problems, f"{what} {status}: {problems[:5]}"


def test_every_operation_is_one_of_the_models() -> None:
    """Method and path of every route are those of its operation."""
    wrong = []
    for route in ROUTES:
        _, method, path, _ = operations()[route.operation]
        same = re.sub(r"\{\w+\}", "{}", path) == re.sub(r"\{\w+\}", "{}", route.template)
        if method != route.method or not same:
            wrong.append(f"{route.operation}: {route.method} {route.template}, but {method} {path}")
    assert not wrong


class Client:
    """A signed client whose answers are validated."""

    def __init__(self, transport: Checked, region: str) -> None:
        self.http = httpx2.AsyncClient(transport=transport, base_url=f"https://sellingpartnerapi-{region}.amazon.com")
        self.token = ""

    async def token_of(self, **form: str) -> str:
        words = {"client_id": CLIENT, "client_secret": SECRET} | form
        answer = await self.http.post("https://api.amazon.com/auth/o2/token", data=words)
        return str(answer.json()["access_token"])

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.http.request(method, f"https://simulator/_control/{path}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    async def __call__(self, method: str, path: str, body: Any = None, token: str = "", **params: str) -> Any:
        headers = {"x-amz-access-token": token or self.token}
        answer = await self.http.request(method, path, json=body, headers=headers, params=params or None)
        return answer.json() if answer.content else None


async def _client(seller: str, region: str, places: list[str], transport: Checked) -> Client:
    client = Client(transport, region)
    await client.control("POST", "sellers", {"seller_id": seller, "marketplaces": places, "orders": 300, "gzip": False})
    given = await client.control("POST", f"sellers/{seller}/authorize", {"client_id": CLIENT})
    client.token = await client.token_of(grant_type="refresh_token", refresh_token=given["refresh_token"])
    plan = {operation: {"rate": 1000, "burst": 1000} for operation in operations()}
    await client.control("PUT", f"sellers/{seller}/rates", plan)
    return client


async def _orders(client: Client, seller: str, place: str) -> None:
    parts = (
        "BUYER,RECIPIENT,PROCEEDS,EXPENSE,PROMOTION,CANCELLATION,FULFILLMENT,PACKAGES,TAX,PAYMENT,FULFILLMENT_ORDERS"
    )
    query = {"createdAfter": "2026-01-01T00:00:00Z", "includedData": parts}
    for kind in ("mfn", "prime", "fba", "b2b", "pickup", "replacement", "non_amazon", "gift", "iba"):
        for status in ("PENDING", "UNSHIPPED", "SHIPPED", "CANCELLED", "UNFULFILLABLE"):
            plan = {"kind": kind, "status": status, "wish": "changed", "ioss": "IM1", "lines": [{"discount": 10}]}
            await client.control("POST", f"sellers/{seller}/orders", plan)
    await client.control("POST", "clock", {"advance": 300})
    while True:
        page = await client("GET", "/orders/2026-01-01/orders", **query)
        if "pagination" not in page:
            break
        query["paginationToken"] = page["pagination"]["nextToken"]
    await client("GET", "/orders/2026-01-01/orders", createdAfter="2026-01-01T00:00:00Z", lastUpdatedAfter="x")
    made = await client.control("POST", f"sellers/{seller}/orders", {"marketplace": place, "lines": [{"quantity": 2}]})
    order = (await client("GET", f"/orders/2026-01-01/orders/{made['orders'][0]}", includedData=parts))["order"]
    await client("GET", "/orders/2026-01-01/orders/303-0000000-9999999")
    item = {"orderItemId": order["orderItems"][0]["orderItemId"], "quantity": 1}
    detail = {"packageReferenceId": "1", "carrierCode": "DHL", "trackingNumber": "T", "orderItems": [item]}
    detail["shipDate"] = order["createdTime"]
    path = f"/orders/v0/orders/{order['orderId']}/shipmentConfirmation"
    await client("POST", path, {"marketplaceId": place, "packageDetail": detail})
    await client("POST", path, {"marketplaceId": place, "packageDetail": detail | {"packageReferenceId": 1}})
    await client("GET", f"/orders/2026-01-01/orders/{order['orderId']}", includedData=parts)


async def _reports(client: Client, seller: str, place: str) -> None:
    body = {"reportType": FBA, "marketplaceIds": [place], "dataStartTime": "2026-09-01T00:00:00Z"}
    for _ in range(2):
        made = await client("POST", "/reports/2021-06-30/reports", body)
    for _ in range(3):
        found = await client("GET", f"/reports/2021-06-30/reports/{made['reportId']}")
        await client.control("POST", "clock", {"advance": 30})
    first = (await client("GET", "/reports/2021-06-30/reports", reportTypes=FBA, pageSize="1"))["nextToken"]
    rows = (await client("GET", "/reports/2021-06-30/reports", nextToken=first))["reports"]
    for found in rows:
        if "reportDocumentId" in found:
            await client("GET", f"/reports/2021-06-30/documents/{found['reportDocumentId']}")
    await client("GET", "/reports/2021-06-30/reports/nothing")
    await client("POST", "/reports/2021-06-30/reports", {"reportType": "NONSENSE", "marketplaceIds": [place]})
    queued = await client("POST", "/reports/2021-06-30/reports", body)
    await client("DELETE", f"/reports/2021-06-30/reports/{queued['reportId']}")
    plan = await client(
        "POST", "/reports/2021-06-30/schedules", {"reportType": FBA, "marketplaceIds": [place], "period": "PT4H"}
    )
    await client("GET", "/reports/2021-06-30/schedules", reportTypes=FBA)
    await client("GET", f"/reports/2021-06-30/schedules/{plan['reportScheduleId']}")
    await client("DELETE", f"/reports/2021-06-30/schedules/{plan['reportScheduleId']}")
    resource = {"method": "GET", "path": "/reports/2021-06-30/documents/{reportDocumentId}"}
    await client("POST", "/tokens/2021-03-01/restrictedDataToken", {"restrictedResources": [resource]})
    resource = {"method": "GET", "path": "/orders/v0/orders", "dataElements": ["buyerInfo"]}
    await client("POST", "/tokens/2021-03-01/restrictedDataToken", {"restrictedResources": [resource]})


async def _feeds(client: Client, seller: str, place: str) -> None:
    document = await client("POST", "/feeds/2021-06-30/documents", {"contentType": "application/json; charset=UTF-8"})
    await client("POST", "/feeds/2021-06-30/documents", {})
    message = {"messageId": 1, "sku": "SKU-00010", "operationType": "PATCH", "productType": "PRODUCT"}
    stock = [{"fulfillment_channel_code": "DEFAULT", "quantity": 3}]
    message["patches"] = [{"op": "replace", "path": "/attributes/fulfillment_availability", "value": stock}]
    wrong = message | {"messageId": 2, "sku": "nothing"}
    feed = {"header": {"sellerId": seller, "version": "2.0"}, "messages": [message, wrong]}
    kind = {"content-type": "application/json; charset=UTF-8"}
    await client.http.put(document["url"], content=json.dumps(feed).encode(), headers=kind)
    body = {
        "feedType": "JSON_LISTINGS_FEED",
        "marketplaceIds": [place],
        "inputFeedDocumentId": document["feedDocumentId"],
    }
    for _ in range(5):
        made = await client("POST", "/feeds/2021-06-30/feeds", body)
    await client("DELETE", f"/feeds/2021-06-30/feeds/{made['feedId']}")
    await client("POST", "/feeds/2021-06-30/feeds", body | {"feedType": "NONSENSE"})
    await client("POST", "/feeds/2021-06-30/feeds", body)
    await client("GET", "/feeds/2021-06-30/feeds/70001")
    await client.control("POST", "clock", {"advance": 100})
    found = await client("GET", "/feeds/2021-06-30/feeds/70001")
    result = await client("GET", f"/feeds/2021-06-30/documents/{found['resultFeedDocumentId']}")
    schema = json.loads((SPECS / "schemas/feeds/listings-feed-processing-report-schema-v2.json").read_text())
    report = gzip.decompress((await client.http.get(result["url"])).content)
    jsonschema.validate(json.loads(report), schema)
    assert json.loads(report)["summary"]["messagesInvalid"] == 1
    page = await client("GET", "/feeds/2021-06-30/feeds", feedTypes="JSON_LISTINGS_FEED", pageSize="1")
    await client("GET", "/feeds/2021-06-30/feeds", nextToken=page["nextToken"])
    await client("GET", "/feeds/2021-06-30/feeds/nothing")


async def _listings(client: Client, seller: str, place: str) -> None:
    root = f"/listings/2021-08-01/items/{seller}"
    parts = "summaries,attributes,issues,offers,fulfillmentAvailability,relationships,productTypes"
    await client("GET", root, marketplaceIds=place, includedData=parts, pageSize="5")
    await client("GET", f"{root}/A%2FB%201", marketplaceIds=place, includedData=parts)
    await client("GET", f"{root}/nothing", marketplaceIds=place)
    price = [{"marketplace_id": place, "our_price": [{"schedule": [{"value_with_tax": 5}]}]}]
    patch = {"op": "merge", "path": "/attributes/purchasable_offer", "value": price}
    await client("PATCH", f"{root}/SKU-00010", {"productType": "PRODUCT", "patches": [patch]}, marketplaceIds=place)
    await client("PATCH", f"{root}/SKU-00010", {"productType": "PRODUCT", "patches": []}, marketplaceIds=place)
    await client("PUT", f"{root}/NEW", {"productType": "SHIRT", "attributes": {}}, marketplaceIds=place)
    await client("DELETE", f"{root}/SKU-00011", marketplaceIds=place)
    query = {"asin": "B000000000", "sellerId": seller, "marketplaceIds": place}
    await client("GET", "/listings/2021-08-01/restrictions", **query)
    await client.control("PUT", f"sellers/{seller}", {"restricted_asins": ["B000000000"]})
    await client("GET", "/listings/2021-08-01/restrictions", **query)
    query = {"granularityType": "Marketplace", "granularityId": place, "marketplaceIds": place, "details": "true"}
    await client("GET", "/fba/inventory/v1/summaries", **query)
    catalog, everything = "/catalog/2022-04-01/items", "summaries,identifiers,productTypes"
    query = {"marketplaceIds": place, "includedData": everything}
    await client("GET", catalog, identifiers="4006000000013", identifiersType="EAN", **query)
    await client("GET", catalog, **query)
    await client("GET", f"{catalog}/B000000000", **query)
    await client("GET", f"{catalog}/B999999999", **query)
    await client("GET", "/definitions/2020-09-01/productTypes", marketplaceIds=place)
    await client("GET", "/definitions/2020-09-01/productTypes/SHIRT", marketplaceIds=place)
    await client("GET", "/definitions/2020-09-01/productTypes/NONSENSE", marketplaceIds=place)
    await client("GET", "/definitions/2020-09-01/productTypes")


async def _notifications(client: Client, seller: str, place: str) -> None:
    grantless = await client.token_of(grant_type="client_credentials", scope="sellingpartnerapi::notifications")
    wish = {"name": f"q-{seller}", "resourceSpecification": {"sqs": {"arn": f"arn:aws:sqs:eu-west-1:1:{seller}"}}}
    root = "/notifications/v1"
    made = (await client("POST", f"{root}/destinations", wish, token=grantless))["payload"]
    await client("POST", f"{root}/destinations", wish, token=grantless)
    bridge = {
        "name": f"e-{seller}",
        "resourceSpecification": {"eventBridge": {"region": "eu-west-1", "accountId": "1"}},
    }
    other = (await client("POST", f"{root}/destinations", bridge, token=grantless))["payload"]
    await client("GET", f"{root}/destinations", token=grantless)
    await client("GET", f"{root}/destinations/{made['destinationId']}", token=grantless)
    await client("DELETE", f"{root}/destinations/{other['destinationId']}", token=grantless)
    await client("GET", f"{root}/destinations/nothing", token=grantless)
    subscription = {"destinationId": made["destinationId"], "payloadVersion": "1.0"}
    row = (await client("POST", f"{root}/subscriptions/ORDER_CHANGE", subscription))["payload"]
    await client("POST", f"{root}/subscriptions/ORDER_CHANGE", subscription)
    await client("GET", f"{root}/subscriptions/ORDER_CHANGE")
    for kind in ("FEED_PROCESSING_FINISHED", "REPORT_PROCESSING_FINISHED", "PRODUCT_TYPE_DEFINITIONS_CHANGE"):
        await client("GET", f"{root}/subscriptions/{kind}")
    await client.control("POST", f"sellers/{seller}/orders", {"kind": "b2b"})
    (message,) = (await client.control("DELETE", "queues"))["queues"][f"arn:aws:sqs:eu-west-1:1:{seller}"]
    schema = json.loads((SPECS / "schemas/notifications/OrderChangeNotification.json").read_text())
    jsonschema.validate(message, schema)
    one = f"{root}/subscriptions/ORDER_CHANGE/{row['subscriptionId']}"
    await client("GET", one, token=grantless)
    await client("DELETE", one, token=grantless)
    rotation = await client.token_of(
        grant_type="client_credentials", scope="sellingpartnerapi::client_credential:rotation"
    )
    await client("POST", "/applications/2023-11-30/clientSecret", token=rotation)
    await client("POST", f"{root}/subscriptions/ORDER_CHANGE", subscription, token=grantless)


async def _walk(region: str, place: str, others: list[str]) -> dict[str, set[int]]:
    app = create(clock="manual", now=1_790_000_000.0)
    transport = Checked(app)
    client = Client(transport, region)
    words = {"client_id": CLIENT, "client_secret": SECRET, "application_id": "amzn1.sellerapps.app.1"}
    await client.control("POST", "apps", words)
    seller = f"A{region.upper()}SELLER"
    client = await _client(seller, region, [place, *others], transport)
    await client("GET", "/sellers/v1/marketplaceParticipations")
    await client("GET", "/sellers/v1/account")
    for part in (_orders, _reports, _feeds, _listings, _notifications):
        await part(client, seller, place)
    await client("GET", "/sellers/v1/account", token="nonsense")
    return transport.seen


@pytest.mark.parametrize(("region", "place", "others"), [("eu", DE, [FR]), ("na", US, [])])
def test_every_answer_agrees_with_the_official_models(region: str, place: str, others: list[str]) -> None:
    """A walk through all operations, good answers and refusals, finds nothing undocumented."""
    seen = anyio.run(_walk, region, place, others)
    missed = {route.operation for route in ROUTES} - {name for name, found in seen.items() if min(found) < 300}
    assert not missed
