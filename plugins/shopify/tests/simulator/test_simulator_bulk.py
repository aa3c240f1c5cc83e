"""Bulk operations: what may be asked, states, slots, files."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.anyio
Api = Any
RUN = """mutation R($q: String!) { bulkOperationRunQuery(query: $q) {
  bulkOperation { id status } userErrors { code message } } }"""
POLL = """query P($id: ID!) { bulkOperation(id: $id) { id status errorCode objectCount rootObjectCount fileSize url
  partialDataUrl createdAt completedAt } }"""
CANCEL = "mutation C($id: ID!) { bulkOperationCancel(id: $id) { bulkOperation { status } userErrors { message } } }"
ORDERS = """{ orders(query: "%s") { edges { node { __typename id name
  lineItems { edges { node { __typename id sku } } } transactions { id kind }
  returns { edges { node { __typename id } } } } } } }"""


DEEP = (
    "{ orders { edges { node { id returns { edges { node { id reverseFulfillmentOrders { edges { node { id"
    " lineItems { edges { node { id } } } } } } } } } } } } }"
)


async def run(api: Api, text: str = ORDERS % "") -> str:
    made = (await api.data(RUN, q=text))["bulkOperationRunQuery"]
    assert made["userErrors"] == []
    return str(made["bulkOperation"]["id"])


async def done(api: Api, number: str, after: float = 10) -> Any:
    await api.control("POST", "/clock", {"advance": after})
    for _ in range(100):
        found = (await api.data(POLL, id=number))["bulkOperation"]
        if found["status"] not in {"CREATED", "RUNNING"}:
            return found
    raise AssertionError("the operation does not end")


async def lines(api: Api, url: str) -> list[Any]:
    answer = await api.http.get(urlsplit(url).path, headers={"x-forwarded-host": str(urlsplit(url).hostname)})
    assert answer.status_code == 200
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_s13_the_file_holds_every_order_and_child(api: Api) -> None:
    """S13: lines agree with objectCount, roots with rootObjectCount; each child names its parent."""
    number = await run(api)
    found = await done(api, number)
    assert found["status"] == "COMPLETED"
    rows = await lines(api, found["url"])
    roots = [row for row in rows if "__parentId" not in row]
    assert (len(rows), len(roots)) == (int(found["objectCount"]), int(found["rootObjectCount"]))
    assert len(roots) == 60
    ids = {row["id"] for row in roots}
    assert {row["__parentId"] for row in rows if "__parentId" in row} <= ids
    assert all("lineItems" not in row and isinstance(row["transactions"], list) for row in roots)
    text = "query O($id: ID!) { order(id: $id) { lineItems(first: 50) { nodes { id } } } }"
    one = roots[7]["id"]
    paged = (await api.data(text, id=one))["order"]["lineItems"]["nodes"]
    mine = {row["id"] for row in rows if row.get("__parentId") == one and row["__typename"] == "LineItem"}
    assert mine == {each["id"] for each in paged}


async def test_s14_children_stand_anywhere(api: Api) -> None:
    """S14: children are not beside their orders, some come before them."""
    found = await done(api, await run(api))
    rows = await lines(api, found["url"])
    place = {row["id"]: n for n, row in enumerate(rows)}
    before = [row for row in rows if "__parentId" in row and place[row["id"]] < place[row["__parentId"]]]
    assert before


async def test_states_follow_the_clock(api: Api) -> None:
    """An operation is CREATED, RUNNING while its time lasts, and then COMPLETED with an address for seven days."""
    number = await run(api)
    assert (await api.data(POLL, id=number))["bulkOperation"]["status"] == "CREATED"
    await api.control("POST", "/clock", {"advance": 3})
    running = (await api.data(POLL, id=number))["bulkOperation"]
    assert (running["status"], running["url"], running["completedAt"]) == ("RUNNING", None, None)
    found = await done(api, number)
    assert found["url"].startswith("https://storage.googleapis.com/")
    path = urlsplit(found["url"]).path
    await api.control("POST", "/clock", {"advance": 7 * 86_400 + 1})
    assert (await api.data(POLL, id=number))["bulkOperation"]["url"] is None
    assert (await api.http.get(path)).status_code == 403


async def test_nothing_found_has_no_file(api: Api) -> None:
    """A query that finds nothing completes without an address."""
    found = await done(api, await run(api, ORDERS % "created_at:>=2040-01-01"))
    assert (found["status"], found["url"], found["objectCount"]) == ("COMPLETED", None, "0")


async def test_filters_work_in_bulk(api: Api) -> None:
    """A bulk query reads the orders that its search selects."""
    count = (await api.data('{ ordersCount(query: "test:true") { count } }'))["ordersCount"]["count"]
    found = await done(api, await run(api, ORDERS % "test:true"))
    assert int(found["rootObjectCount"]) == count > 0


async def test_s14_five_at_once(api: Api) -> None:
    """S14: the sixth operation under way is refused with LIMIT_REACHED; a canceled one gives its place back."""
    numbers = [await run(api) for _ in range(5)]
    made = (await api.data(RUN, q=ORDERS % ""))["bulkOperationRunQuery"]
    assert made["userErrors"][0]["code"] == "LIMIT_REACHED"
    said = (await api.data(CANCEL, id=numbers[0]))["bulkOperationCancel"]
    assert said["bulkOperation"]["status"] == "CANCELING"
    assert (await done(api, numbers[0], 0))["status"] in {"CANCELING", "CANCELED"}
    await run(api)


async def test_failed_ones_keep_what_they_have(api: Api) -> None:
    """A failed operation names its error and offers what was written until then."""
    await api.control("POST", "/stores/demo/bulk", {"fail": "TIMEOUT", "fail_after": 20})
    found = await done(api, await run(api))
    assert (found["status"], found["errorCode"], found["url"]) == ("FAILED", "TIMEOUT", None)
    rows = await lines(api, found["partialDataUrl"])
    assert sum("__parentId" not in row for row in rows) == 20


async def test_counts_may_lie(api: Api) -> None:
    """A test can order a file that holds fewer objects than its operation says."""
    await api.control("POST", "/stores/demo/bulk", {"miscount": 3})
    found = await done(api, await run(api))
    assert len(await lines(api, found["url"])) == int(found["objectCount"]) - 3


async def test_without_the_scope_it_fails(api: Api) -> None:
    """Objects that the app may not see end the operation with ACCESS_DENIED."""
    await api.control("PUT", "/stores/demo/access", {"scopes": ["read_products"]})
    found = await done(api, await run(api))
    assert (found["status"], found["errorCode"]) == ("FAILED", "ACCESS_DENIED")


async def test_the_end_is_told(api: Api) -> None:
    """The webhook of the end says the status in small letters."""
    text = "mutation S($s: WebhookSubscriptionInput!) { webhookSubscriptionCreate(topic: BULK_OPERATIONS_FINISH,"
    await api.data(text + " webhookSubscription: $s) { userErrors { message } } }", s={"uri": "https://host.example/w"})
    await done(api, await run(api))
    (delivery,) = (await api.control("GET", "/stores/demo/deliveries"))["deliveries"]
    assert delivery["topic"] == "bulk_operations/finish"
    assert json.loads(delivery["body"])["status"] == "completed"


async def test_operations_are_listed(api: Api) -> None:
    """`bulkOperations` finds an operation by its status and holds its text."""
    number = await run(api)
    await done(api, number)
    text = "query L($q: String) { bulkOperations(first: 5, query: $q) { nodes { id query status } } }"
    (one,) = (await api.data(text, q="status:completed"))["bulkOperations"]["nodes"]
    assert (one["id"], one["query"]) == (number, ORDERS % "")
    assert (await api.data(text, q="status:running"))["bulkOperations"]["nodes"] == []


@pytest.mark.parametrize(
    "text",
    [
        "{ shop { id } }",
        '{ node(id: "gid://shopify/Order/1") { id } }',
        "{ orders { edges { node { bogus } } } }",
        "mutation { appUninstall { app { id } } }",
        DEEP,
    ],
)
async def test_what_is_no_bulk_query(api: Api, text: str) -> None:
    """No connection, `node`, an unknown field, a mutation or too deep a nesting is refused as INVALID."""
    made = (await api.data(RUN, q=text))["bulkOperationRunQuery"]
    assert made["bulkOperation"] is None
    assert made["userErrors"][0]["code"] == "INVALID"


async def test_files_can_be_taken_up(api: Api) -> None:
    """A range of the file is what it says."""
    found = await done(api, await run(api))
    path = urlsplit(found["url"]).path
    whole = (await api.http.get(path)).content
    assert len(whole) == int(found["fileSize"])
    part = await api.http.get(path, headers={"range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole[100:200])
    rest = await api.http.get(path, headers={"range": f"bytes={len(whole) - 50}-"})
    assert rest.content == whole[-50:]
