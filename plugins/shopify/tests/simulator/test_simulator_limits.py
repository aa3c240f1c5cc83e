"""Cost bucket, caps, versions, refusals of texts, search warnings."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.anyio
Api = Any
Client = Any
PAGE = "query P($n: Int!) { orders(first: $n) { nodes { id lineItems(first: 50) { nodes { id sku } } } } }"


async def test_the_bucket_leaks_and_gives_back(api: Api) -> None:
    """What a query may cost is taken, what it did not cost is given back, and time restores the rest."""
    cost = (await api(PAGE, n=25))["extensions"]["cost"]
    assert cost["actualQueryCost"] < cost["requestedQueryCost"]
    assert cost["throttleStatus"]["currentlyAvailable"] == 2000 - cost["actualQueryCost"]
    await api.control("POST", "/clock", {"advance": 60})
    assert (await api("{ shop { id } }"))["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == 1999


async def test_s01_throttled_is_an_answer_without_data(api: Api) -> None:
    """S1: an empty bucket is told as HTTP 200 with THROTTLED, no data and no actual cost."""
    await api.control("PUT", "/stores/demo/bucket", {"level": 10})
    document = await api(PAGE, n=25)
    assert "data" not in document
    assert document["errors"][0]["extensions"]["code"] == "THROTTLED"
    cost = document["extensions"]["cost"]
    assert cost["actualQueryCost"] is None
    missing = cost["requestedQueryCost"] - cost["throttleStatus"]["currentlyAvailable"]
    await api.control("POST", "/clock", {"advance": missing / cost["throttleStatus"]["restoreRate"]})
    assert "data" in await api(PAGE, n=25)
    assert (await api.control("GET", "/stores/demo/figures"))["throttled"] == 1


async def test_one_query_may_not_cost_more_than_the_cap(api: Api) -> None:
    """A query above 1000 points is refused before it runs, and takes nothing from the bucket."""
    text = (
        "{ orders(first: 250) { nodes { lineItems(first: 250) { nodes { id taxLines { title } duties { id } variant {"
    )
    text += " id product { id metafields(first: 250) { nodes { id } } } } } } } } }"
    document = await api(text)
    assert document["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"
    status = (await api("{ shop { id } }"))["extensions"]["cost"]["throttleStatus"]
    assert status["currentlyAvailable"] == 1999


async def test_the_share_of_the_permitted_rate_is_told(api: Api) -> None:
    """Figures tell what the lasting rate allowed and what was used of it, the burst apart."""
    await api.control("PUT", "/stores/demo/bucket", {"level": 0})
    await api.control("DELETE", "/stores/demo/figures")
    for _ in range(10):
        await api.control("POST", "/clock", {"advance": 10})
        for _ in range(3):
            await api(PAGE, n=100)
    figures = (await api.control("GET", "/stores/demo/figures"))["buckets"]["static-demo"]
    assert figures["permitted"] == pytest.approx(100 * 100)
    assert figures["burst"] == 0
    assert 0 < figures["share"] == pytest.approx(figures["used"] / figures["permitted"], abs=1e-4)


async def test_somebody_else_drains_the_same_bucket(api: Api) -> None:
    """Points of another consumer are gone, and not counted as permitted to us."""
    await api.control("PUT", "/stores/demo/bucket", {"level": 0, "foreign_rate": 60})
    await api.control("POST", "/clock", {"advance": 10})
    status = (await api("{ shop { id } }"))["extensions"]["cost"]["throttleStatus"]
    assert status["currentlyAvailable"] == 399
    figures = (await api.control("GET", "/stores/demo/figures"))["buckets"]["static-demo"]
    assert figures["foreign"] == 600


async def test_buckets_are_by_app(api: Api, client: Client) -> None:
    """Two apps in one shop do not share a bucket."""
    await api.control("POST", "/apps", {"client_id": "c1", "client_secret": "s1"})
    made = await api.control("POST", "/apps/c1/install", {"shop": "demo"})
    await api.control("PUT", "/stores/demo/bucket", {"client_id": "static-demo", "level": 0})
    other = await client(made["access_token"])
    assert "data" in await other(PAGE, n=25)


@pytest.mark.parametrize(("asked", "served"), [("2026-10", "2026-10"), ("2024-01", "2026-01"), ("nonsense", "2026-01")])
async def test_s15_dead_versions_fall_forward(api: Api, asked: str, served: str) -> None:
    """S15: a version that is not served any more is answered with the oldest one, and only a header tells."""
    answer = await api.raw("{ shop { id } }", version=asked)
    assert answer.status_code == 200
    assert answer.headers["x-shopify-api-version"] == served


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{ orders(first: 1) { nodes { bogus } } }", "undefinedField"),
        ("{ orders(first: 1, bogus: 2) { nodes { id } } }", "argumentNotAccepted"),
        ("{ order { id } }", "missingRequiredArguments"),
        ("{ orders { nodes { id } } }", "BAD_REQUEST"),
        ("{ orders(first: 251) { nodes { id } } }", "BAD_REQUEST"),
        ("{ shop }", "selectionMismatch"),
        ('{ orders(first: 1, after: "rubbish") { nodes { id } } }', "BAD_REQUEST"),
    ],
)
async def test_texts_that_do_not_fit_are_refused(api: Api, text: str, code: str) -> None:
    """A text that does not fit the schema is answered with HTTP 200, no data and Shopify's own code."""
    document = await api(text)
    assert "data" not in document
    assert document["errors"][0]["extensions"]["code"] == code


async def test_variables_that_do_not_fit_are_refused(api: Api) -> None:
    """A variable of another type is refused as such."""
    document = await api("query O($id: ID!) { order(id: $id) { id } }")
    assert document["errors"][0]["extensions"]["code"] == "INVALID_VARIABLE"


async def test_misspelt_filters_return_everything(api: Api) -> None:
    """A filter that does not exist is ignored; only a warning beside the data tells."""
    document = await api('{ orders(first: 100, query: "updatedat:>=2030-01-01") { nodes { id } } }')
    assert len(document["data"]["orders"]["nodes"]) == 60
    (said,) = document["extensions"]["search"]
    assert said["path"] == ["orders"]
    assert said["warnings"][0]["field"] == "updatedat"


async def test_values_a_filter_does_not_know_are_warned_about(api: Api) -> None:
    """A status that does not exist is ignored and warned about."""
    document = await api('{ ordersCount(query: "financial_status:payed") { count } }')
    assert document["data"]["ordersCount"]["count"] == 60
    assert document["extensions"]["search"][0]["warnings"][0]["field"] == "financial_status"


async def test_fragments_aliases_and_directives_work(api: Api) -> None:
    """Aliases, fragments on types and interfaces, @skip and @include give what GraphQL promises."""
    text = """
      query Q($no: Boolean!) { a: shop { ...S name @skip(if: $no) } node(id: "gid://shopify/Location/1") {
        __typename id ... on Location { title: name } ... on Order { email } } }
      fragment S on Shop { id id currencyCode @include(if: $no) }
    """
    data = await api.data(text, no=True)
    assert set(data["a"]) == {"id", "currencyCode"}
    assert data["node"] == {"__typename": "Location", "id": "gid://shopify/Location/1", "title": "Main warehouse"}
