"""Feeds: documents, listings, invoices, shipments."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

pytestmark = pytest.mark.anyio
FEEDS = "/feeds/2021-06-30/feeds"
DOCUMENTS = "/feeds/2021-06-30/documents"
DE = "A1PA6795UKMFR9"
PDF = b"%PDF-1.7 nothing"
JSON = "application/json; charset=UTF-8"


async def uploaded(api: Any, body: bytes, kind: str = JSON) -> str:
    document = (await api("POST", DOCUMENTS, {"contentType": kind})).json()
    answer = await api.http.put(document["url"], content=body, headers={"content-type": kind})
    assert answer.status_code == 200
    return str(document["feedDocumentId"])


async def sent(api: Any, name: str, body: bytes, kind: str = JSON, **options: str) -> Any:
    words = {"feedType": name, "marketplaceIds": [DE], "inputFeedDocumentId": await uploaded(api, body, kind)}
    return await api("POST", FEEDS, words | ({"feedOptions": options} if options else {}))


async def result(api: Any, ident: str) -> tuple[Any, bytes]:
    """(feed, processing report) after the feed's time."""
    await api.advance(120)
    feed = (await api.get(f"{FEEDS}/{ident}")).json()
    if "resultFeedDocumentId" not in feed:
        return feed, b""
    document = (await api.get(f"{DOCUMENTS}/{feed['resultFeedDocumentId']}")).json()
    return feed, gzip.decompress((await api.http.get(document["url"])).content)


def listings_feed(*messages: dict[str, Any], seller: str = "A1SELLER") -> bytes:
    return json.dumps({"header": {"sellerId": seller, "version": "2.0"}, "messages": list(messages)}).encode()


def stock(number: int, sku: str, quantity: object, kind: str = "PATCH") -> dict[str, Any]:
    value = [{"fulfillment_channel_code": "DEFAULT", "quantity": quantity}]
    patch = {"op": "replace", "path": "/attributes/fulfillment_availability", "value": value}
    return {"messageId": number, "sku": sku, "operationType": kind, "productType": "PRODUCT", "patches": [patch]}


async def test_the_upload_takes_the_same_content_type_and_no_header_of_amazons(api: Any) -> None:
    """Another content type is a wrong signature, an access token one mechanism too many."""
    document = (await api("POST", DOCUMENTS, {"contentType": JSON})).json()
    wrong = await api.http.put(document["url"], content=b"{}", headers={"content-type": "application/json"})
    assert (wrong.status_code, "SignatureDoesNotMatch" in wrong.text) == (403, True)
    headers = {"content-type": JSON, "x-amz-access-token": api.token}
    assert (await api.http.put(document["url"], content=b"{}", headers=headers)).status_code == 400
    await api.advance(301)
    late = await api.http.put(document["url"], content=b"{}", headers={"content-type": JSON})
    assert "expired" in late.text
    body = {"feedType": "JSON_LISTINGS_FEED", "marketplaceIds": [DE], "inputFeedDocumentId": document["feedDocumentId"]}
    assert (await api("POST", FEEDS, body)).status_code == 400


async def test_a_listings_feed_is_judged_message_by_message(api: Any, seller: Any) -> None:
    """Good messages are done and show later, bad ones are named; the feed is DONE either way."""
    messages = (stock(1, "SKU-00010", 7), stock(2, "SKU-00011", -1), stock(3, "nothing", 1))
    messages += ({"messageId": 4, "sku": "SKU-00012", "operationType": "DELETE"},)
    ident = (await sent(api, "JSON_LISTINGS_FEED", listings_feed(*messages))).json()["feedId"]
    feed, report = await result(api, ident)
    found = json.loads(report)
    assert feed["processingStatus"] == "DONE"
    assert found["summary"] == {
        "errors": 2,
        "warnings": 0,
        "messagesProcessed": 4,
        "messagesAccepted": 2,
        "messagesInvalid": 2,
    }
    assert [each["messageId"] for each in found["issues"]] == [2, 3]
    await api.advance(180)
    assert seller.listings.all["SKU-00010"].availability("eu") == [{"fulfillmentChannelCode": "DEFAULT", "quantity": 7}]
    assert "SKU-00012" not in seller.listings.all


async def test_feeds_that_are_fatal(api: Any) -> None:
    """A foreign seller id, broken JSON and a removed type are FATAL; an ordered one has done half."""
    for body in (listings_feed(stock(1, "SKU-00010", 1), seller="OTHER"), b"{"):
        ident = (await sent(api, "JSON_LISTINGS_FEED", body)).json()["feedId"]
        assert (await result(api, ident))[0]["processingStatus"] == "FATAL"
    ident = (await sent(api, "POST_PRODUCT_PRICING_DATA", b"<x/>", "text/xml")).json()["feedId"]
    assert (await result(api, ident))[0]["processingStatus"] == "FATAL"
    await api.control("POST", "/sellers/A1SELLER/feeds", {"fate": "FATAL"})
    body = listings_feed(stock(1, "SKU-00010", 91), stock(2, "SKU-00011", 92))
    feed, report = await result(api, (await sent(api, "JSON_LISTINGS_FEED", body)).json()["feedId"])
    assert (feed["processingStatus"], report) == ("FATAL", b"")
    rows = (await api.control("GET", "/sellers/A1SELLER/listings"))["listings"]
    quantities = {row["sku"]: row["attributes"]["fulfillment_availability"][0]["quantity"] for row in rows[10:12]}
    assert quantities["SKU-00010"] == 91
    assert quantities["SKU-00011"] != 92


async def test_feeds_of_a_type_wait_for_each_other(api: Any) -> None:
    """The second is in the queue while the first is in progress; the sixth in five minutes is throttled."""
    made = [await sent(api, "JSON_LISTINGS_FEED", listings_feed(stock(1, "SKU-00010", number))) for number in range(5)]
    ids = [answer.json()["feedId"] for answer in made]
    assert (await sent(api, "JSON_LISTINGS_FEED", listings_feed())).status_code == 429
    await api.advance(30)
    states = [(await api.get(f"{FEEDS}/{ident}")).json()["processingStatus"] for ident in ids[:2]]
    assert states == ["IN_PROGRESS", "IN_QUEUE"]
    await api("DELETE", f"{FEEDS}/{ids[4]}")
    assert (await api.get(f"{FEEDS}/{ids[4]}")).json()["processingStatus"] == "CANCELLED"


async def test_listings_feeds_do_not_use_the_general_limit(api: Any) -> None:
    """Four of them every five minutes for an hour pass, though createFeed gives one in two minutes."""
    for number in range(48):
        if number % 4 == 0:
            await api.advance(301)
            await api.renew()
        assert (await sent(api, "JSON_LISTINGS_FEED", listings_feed())).status_code == 202


async def invoice(api: Any, body: bytes = PDF, **words: str) -> str:
    """What the processing report says of an upload."""
    options = {f"metadata:{key}": value for key, value in words.items()}
    answer = await sent(api, "UPLOAD_VAT_INVOICE", body, "application/pdf", **options)
    feed, report = await result(api, answer.json()["feedId"])
    assert feed["processingStatus"] == "DONE"
    return report.decode()


async def test_an_invoice_is_uploaded_once(api: Any) -> None:
    """Missing facts are 79513, the same number twice is refused, and the upload is shown by the control API."""
    plan = {"marketplace": DE, "status": "SHIPPED", "lines": [{"price": 11900, "rate": 19}]}
    (ident,) = (await api.control("POST", "/sellers/A1SELLER/orders", plan))["orders"]
    facts = {"orderid": ident, "invoicenumber": "RE-1", "totalamount": "119.00", "totalvatamount": "19.00"}
    assert "79513" in await invoice(api, orderid=ident)
    assert "not a PDF" in await invoice(api, b"text", **facts)
    assert "<MessagesSuccessful>1</MessagesSuccessful>" in await invoice(api, **facts)
    assert "uploaded already" in await invoice(api, **facts)
    (row,) = (await api.control("GET", "/sellers/A1SELLER/invoices"))["invoices"]
    assert (row["number"], row["order"], row["total"]) == ("RE-1", ident, "119.00")
    await api.control("PUT", "/sellers/A1SELLER", {"invoicing": False})
    assert "FeatureNotAvailable" in await invoice(api, **facts | {"invoicenumber": "RE-2"})


async def test_amounts_must_match_where_amazon_calculates(api: Any) -> None:
    """Under the VAT calculation service the total must be that of the shipment."""
    await api.control("PUT", "/sellers/A1SELLER", {"vcs": True})
    plan = {"marketplace": DE, "status": "SHIPPED", "lines": [{"price": 11900, "rate": 19}]}
    (ident,) = (await api.control("POST", "/sellers/A1SELLER/orders", plan))["orders"]
    facts = {"orderid": ident, "invoicenumber": "RE-1", "totalamount": "118.00", "totalvatamount": "19.00"}
    assert "does not match" in await invoice(api, **facts)
    assert "<MessagesSuccessful>1<" in await invoice(api, **facts | {"totalamount": "119.00"})


async def test_the_fulfillment_feed_ships_without_a_tracking_number(api: Any) -> None:
    """The XML feed confirms an order; the acknowledgement feed cancels one."""
    made = await api.control("POST", "/sellers/A1SELLER/orders", {"marketplace": DE, "count": 2})
    first, second = made["orders"]
    body = (
        f"<AmazonEnvelope><Message><MessageID>1</MessageID><OrderFulfillment><AmazonOrderID>{first}</AmazonOrderID>"
        "<FulfillmentDate>2026-09-21T14:13:20Z</FulfillmentDate><FulfillmentData><CarrierName>Bote</CarrierName>"
        "</FulfillmentData></OrderFulfillment></Message></AmazonEnvelope>"
    ).encode()
    ident = (await sent(api, "POST_ORDER_FULFILLMENT_DATA", body, "text/xml")).json()["feedId"]
    assert b"<MessagesWithError>0<" in (await result(api, ident))[1]
    assert (await api.control("GET", f"/sellers/A1SELLER/orders/{first}"))["status"] == "SHIPPED"
    body = (
        f"<AmazonEnvelope><Message><MessageID>1</MessageID><OrderAcknowledgement><AmazonOrderID>{second}</AmazonOrderID>"
        "<StatusCode>Failure</StatusCode></OrderAcknowledgement></Message></AmazonEnvelope>"
    ).encode()
    ident = (await sent(api, "POST_ORDER_ACKNOWLEDGEMENT_DATA", body, "text/xml")).json()["feedId"]
    await result(api, ident)
    assert (await api.control("GET", f"/sellers/A1SELLER/orders/{second}"))["status"] == "CANCELLED"
