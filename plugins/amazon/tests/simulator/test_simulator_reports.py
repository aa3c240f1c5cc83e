"""Reports, their documents, restricted data tokens."""

from __future__ import annotations

import gzip
from typing import Any
from xml.etree import ElementTree as ET

import pytest

pytestmark = pytest.mark.anyio
REPORTS = "/reports/2021-06-30/reports"
DOCUMENTS = "/reports/2021-06-30/documents"
SHIPMENTS = "GET_AMAZON_FULFILLED_SHIPMENTS_DATA_GENERAL"
FBA_RETURNS = "GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA"
DE, FR = "A1PA6795UKMFR9", "A13V1IB3VIYZZH"
SINCE = "2026-09-01T00:00:00Z"


async def ask(api: Any, kind: str, start: str = SINCE, **words: Any) -> Any:
    body = {"reportType": kind, "marketplaceIds": [DE, FR], "dataStartTime": start} | words
    return await api("POST", REPORTS, body)


async def ended(api: Any, kind: str, **words: Any) -> Any:
    """A report after its time."""
    answer = await ask(api, kind, **words)
    assert answer.status_code == 202, answer.text
    await api.advance(60)
    return (await api.get(f"{REPORTS}/{answer.json()['reportId']}")).json()


async def fetched(api: Any, report: Any, **params: str) -> Any:
    """(document, bytes as they come) of a report that is done."""
    document = (await api.get(f"{DOCUMENTS}/{report['reportDocumentId']}", **params)).json()
    return document, await api.http.get(document["url"])


async def table(api: Any, kind: str, **words: Any) -> list[dict[str, str]]:
    report = await ended(api, kind, **words)
    assert report["processingStatus"] == "DONE"
    _, answer = await fetched(api, report)
    lines = gzip.decompress(answer.content).decode().splitlines()
    names = lines[0].split("\t")
    return [dict(zip(names, line.split("\t"), strict=True)) for line in lines[1:]]


async def test_a_report_passes_through_its_states(api: Any) -> None:
    """In queue, in progress, done; the document is gzip and its address lives five minutes."""
    ident = (await ask(api, SHIPMENTS)).json()["reportId"]
    states = []
    for _ in range(3):
        states.append((await api.get(f"{REPORTS}/{ident}")).json()["processingStatus"])
        await api.advance(20)
    assert states == ["IN_QUEUE", "IN_PROGRESS", "IN_PROGRESS"]
    report = (await api.get(f"{REPORTS}/{ident}")).json()
    document, answer = await fetched(api, report)
    assert document["compressionAlgorithm"] == "GZIP"
    assert answer.content.startswith(b"\x1f\x8b")
    signed = await api.http.get(document["url"], headers={"x-amz-access-token": api.token})
    assert (signed.status_code, signed.headers["content-type"]) == (400, "application/xml")
    assert (await api.http.get(document["url"][:-1])).status_code == 403
    await api.advance(301)
    assert "expired" in (await api.http.get(document["url"])).text


async def test_the_download_can_say_its_encoding_itself(api: Any) -> None:
    """With enableContentEncodingUrlHeader a client that decodes by itself gets the text."""
    report = await ended(api, SHIPMENTS)
    _, answer = await fetched(api, report, enableContentEncodingUrlHeader="true")
    assert answer.text.startswith("amazon-order-id\t")


async def test_the_shipments_report_is_made_of_the_orders(api: Any, seller: Any) -> None:
    """Every piece that Amazon shipped is there once, other shops' orders among them, under keys that are unique."""
    for number in range(3):
        plan = {"kind": "fba", "status": "SHIPPED", "lines": [{"quantity": 4}, {"quantity": 1}], "marketplace": DE}
        await api.control("POST", "/sellers/A1SELLER/orders", plan | {"alias": f"S-{number}"})
    await api.control("POST", "/sellers/A1SELLER/orders", {"kind": "non_amazon", "status": "SHIPPED"})
    await api.advance(5)
    rows = await table(api, SHIPMENTS)
    keys = {(row["amazon-order-id"], row["amazon-order-item-id"], row["shipment-item-id"]) for row in rows}
    assert len(keys) == len(rows)
    shipped: dict[str, int] = {}
    for row in rows:
        shipped[row["amazon-order-id"]] = shipped.get(row["amazon-order-id"], 0) + int(row["quantity-shipped"])
    assert all(sum(line.quantity for line in seller.book.orders[ident].lines) == n for ident, n in shipped.items())
    assert any(row["sales-channel"].startswith("Non-Amazon") for row in rows)


@pytest.mark.parametrize(
    ("tuned", "expected"),
    [
        ({}, ("11.90", "0.00")),
        ({"vcs": True}, ("10.00", "1.90")),
        ({"fba_prices": "gross_with_tax"}, ("11.90", "1.90")),
    ],
)
async def test_prices_of_the_shipments_report(api: Any, tuned: dict[str, Any], expected: tuple[str, str]) -> None:
    """Gross without tax, net with tax under the VAT calculation service, or what contradicts both."""
    await api.control("PUT", "/sellers/A1SELLER", tuned)
    plan = {"kind": "fba", "status": "SHIPPED", "lines": [{"price": 1190, "rate": 19}], "marketplace": DE}
    (ident,) = (await api.control("POST", "/sellers/A1SELLER/orders", plan))["orders"]
    await api.advance(5)
    (row,) = [each for each in await table(api, SHIPMENTS) if each["amazon-order-id"] == ident]
    assert (row["item-price"], row["item-tax"]) == expected


async def test_reports_end_otherwise(api: Any) -> None:
    """Nothing to say is CANCELLED; too often, too much and what was ordered is FATAL, sometimes with a document."""
    assert (await ended(api, FBA_RETURNS))["processingStatus"] == "CANCELLED"
    assert (await ended(api, SHIPMENTS))["processingStatus"] == "DONE"
    assert (await ended(api, SHIPMENTS))["processingStatus"] == "FATAL"
    await api.advance(1800)
    await api.renew()
    much = await ended(api, SHIPMENTS, start="2026-07-01T00:00:00Z")
    assert much["processingStatus"] == "FATAL"
    assert "reportDocumentId" in much
    await api.control("POST", "/sellers/A1SELLER/reports", {"type": SHIPMENTS, "fate": "HANG"})
    assert (await ended(api, SHIPMENTS))["processingStatus"] == "IN_PROGRESS"


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "cp1252", "cp932"])
@pytest.mark.parametrize("said", ["", "Cp1252", "UTF-8"])
async def test_flat_files_may_lie_about_their_charset(api: Any, charset: str, said: str) -> None:
    """The bytes are in one encoding, the download claims another or none."""
    await api.control("PUT", "/sellers/A1SELLER", {"charset": charset, "said_charset": said, "gzip": False})
    title = 'Zoll 27" ステンレス' if charset == "cp932" else 'Bügel 27"'
    plan = {"kind": "fba", "status": "SHIPPED", "lines": [{"title": title}], "marketplace": DE}
    await api.control("POST", "/sellers/A1SELLER/orders", plan)
    await api.advance(5)
    document, answer = await fetched(api, await ended(api, SHIPMENTS))
    assert "compressionAlgorithm" not in document
    assert answer.headers["content-type"] == (f"text/plain;charset={said}" if said else "text/plain")
    assert f"\t{title}\t" in answer.content.decode(charset)


async def test_a_shipment_is_in_its_report_an_hour_later(api: Any) -> None:
    """What Amazon shipped shows in the report after the report's lag."""
    await api.control("PUT", "/sellers/A1SELLER", {"fba_report_lag": 3600})
    plan = {"kind": "fba", "status": "SHIPPED", "marketplace": DE}
    (ident,) = (await api.control("POST", "/sellers/A1SELLER/orders", plan))["orders"]
    assert ident not in {row["amazon-order-id"] for row in await table(api, SHIPMENTS)}
    await api.advance(3600)
    await api.renew()
    assert ident in {row["amazon-order-id"] for row in await table(api, SHIPMENTS)}


async def test_returns_of_amazon_and_of_the_merchant(api: Any) -> None:
    """What came back to Amazon, and what buyers asked the merchant for, flat and as XML, Prime apart."""
    for kind in ("fba", "mfn", "prime"):
        plan = {"kind": kind, "status": "SHIPPED", "marketplace": DE, "lines": [{"quantity": 2, "title": "A & <B>"}]}
        (ident,) = (await api.control("POST", "/sellers/A1SELLER/orders", plan))["orders"]
        words = {"quantity": 1, "received": 1_790_000_000.0 if kind == "fba" else 0.0, "refund": 500}
        await api.control("POST", f"/sellers/A1SELLER/orders/{ident}/return", words)
    await api.advance(5)
    (row,) = await table(api, FBA_RETURNS)
    assert (row["quantity"], row["detailed-disposition"]) == ("1", "SELLABLE")
    rows = await table(api, "GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE")
    assert [row["Is prime"] for row in rows] == ["N", "Y"]
    assert rows[0]["Refunded Amount"] == "5.00"
    assert len(await table(api, "GET_CSV_MFN_PRIME_RETURNS_REPORT")) == 1
    report = await ended(api, "GET_XML_RETURNS_DATA_BY_RETURN_DATE")
    _, answer = await fetched(api, report)
    root = ET.fromstring(gzip.decompress(answer.content))
    found = [each.findtext("item_details/item_name") for each in root.iter("return_details")]
    assert found == ["A & <B>", "A & <B>"]


async def test_getreports_goes_on_with_the_token_alone(api: Any) -> None:
    """Newest first; the token with any other parameter is refused."""
    for _ in range(3):
        await ask(api, SHIPMENTS)
    assert (await api.get(REPORTS)).status_code == 400
    first = (await api.get(REPORTS, reportTypes=SHIPMENTS, pageSize="2")).json()
    token = first["nextToken"]
    assert (await api.get(REPORTS, reportTypes=SHIPMENTS, nextToken=token)).status_code == 400
    second = (await api.get(REPORTS, nextToken=token)).json()
    assert [each["reportId"] for each in first["reports"] + second["reports"]] == ["50003", "50002", "50001"]


async def test_restricted_reports_need_a_token_for_their_path(api: Any) -> None:
    """The document of a restricted type is 403 with the access token, and with a token for another path."""
    kind = "GET_AMAZON_FULFILLED_SHIPMENTS_DATA_TAX"
    report = await ended(api, kind)
    path = f"{DOCUMENTS}/{report['reportDocumentId']}"
    assert (await api.get(path)).status_code == 403
    tokens = "/tokens/2021-03-01/restrictedDataToken"
    body = {"restrictedResources": [{"method": "GET", "path": path}]}
    token = (await api("POST", tokens, body)).json()["restrictedDataToken"]
    assert token.startswith("Atz.sprdt|")
    assert (await api("GET", path, token=token)).status_code == 200
    assert (await api("GET", REPORTS, token=token)).status_code == 403
    generic = {"restrictedResources": [{"method": "GET", "path": f"{DOCUMENTS}/{{reportDocumentId}}"}]}
    assert (await api("POST", tokens, generic)).status_code == 400
    element = {"method": "GET", "path": "/orders/v0/orders", "dataElements": ["buyerInfo"]}
    await api.control("POST", "/sellers/A1SELLER/grants", {"roles": ["orders"]})
    refused = await api("POST", tokens, {"restrictedResources": [element]})
    assert "requested data elements: [buyerInfo]" in refused.json()["errors"][0]["message"]


async def test_a_report_needs_all_its_roles(api: Any) -> None:
    """The shipments report without the pricing role is 403, an unknown type 400."""
    await api.control("POST", "/sellers/A1SELLER/grants", {"roles": ["orders", "fba"]})
    assert (await ask(api, SHIPMENTS)).status_code == 403
    assert (await ask(api, "GET_NOTHING")).status_code == 400


async def test_listings_and_orders_as_reports(api: Any, seller: Any) -> None:
    """The listings report has every SKU, the orders report every line that changed in its range."""
    rows = await table(api, "GET_MERCHANT_LISTINGS_ALL_DATA")
    assert {row["seller-sku"] for row in rows} == set(seller.listings.all)
    rows = await table(api, "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL")
    expected = {order.id for order in seller.book.orders.values() if order.updated >= 1_788_220_800}
    assert {row["amazon-order-id"] for row in rows} == expected


async def test_the_vat_report_has_what_lacks_an_invoice(api: Any, seller: Any) -> None:
    """Shipments of both channels until an invoice is uploaded; all of them with their number when asked for."""
    kind = "GET_FLAT_FILE_VAT_INVOICE_DATA_REPORT"
    plan = {"marketplace": DE, "status": "SHIPPED", "lines": [{"price": 11900, "rate": 19}]}
    (ident,) = (await api.control("POST", "/sellers/A1SELLER/orders", plan))["orders"]
    await api.advance(5)
    (row,) = [each for each in await table(api, kind) if each["order-id"] == ident]
    assert (row["invoice-status"], row["item-vat-incl-amount"], row["item-vat-amount"]) == (
        "InvoicePending",
        "119.00",
        "19.00",
    )
    document = (await api("POST", "/feeds/2021-06-30/documents", {"contentType": "application/pdf"})).json()
    await api.http.put(document["url"], content=b"%PDF-1.7", headers={"content-type": "application/pdf"})
    facts = {
        "shippingid": row["shipping-id"],
        "invoicenumber": "RE-9",
        "totalamount": "119.00",
        "totalvatamount": "19.00",
    }
    body = {"feedType": "UPLOAD_VAT_INVOICE", "marketplaceIds": [DE], "inputFeedDocumentId": document["feedDocumentId"]}
    await api("POST", "/feeds/2021-06-30/feeds", body | {"feedOptions": {f"metadata:{k}": v for k, v in facts.items()}})
    await api.advance(120)
    assert ident not in {each["order-id"] for each in await table(api, kind)}
    rows = await table(api, kind, reportOptions={"ReportOption=all": "true"})
    assert [each["invoice-number"] for each in rows if each["order-id"] == ident] == ["RE-9"]
    assert {each["fulfilled-by"] for each in rows} == {"Merchant", "Amazon"}
