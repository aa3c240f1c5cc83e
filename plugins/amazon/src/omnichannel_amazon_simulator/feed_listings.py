"""JSON_LISTINGS_FEED: message by message, each accepted or invalid on its own (guide 8.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from omnichannel_amazon_simulator import listings, product_schemas
from omnichannel_amazon_simulator.answers import Row, decode, encode
from omnichannel_amazon_simulator.errors import Refused
from omnichannel_amazon_simulator.patching import issue, patched

if TYPE_CHECKING:
    from omnichannel_amazon_simulator.feeds import Feed
    from omnichannel_amazon_simulator.sellers import Seller

MOST = 25_000
OPERATIONS = frozenset({"PATCH", "PARTIAL_UPDATE", "UPDATE", "DELETE"})


def work(seller: Seller, feed: Feed, body: bytes) -> tuple[bytes, bool]:
    """The processing report; FATAL when the document itself cannot be read, or is of somebody else."""
    try:
        document: Any = decode(body)
    except ValueError:
        return _report(seller, feed, [], [_problem(0, "4000003", "The feed is not valid JSON.")]), True
    header = document.get("header") if isinstance(document, dict) else None
    messages = document.get("messages") if isinstance(document, dict) else None
    if not isinstance(header, dict) or header.get("version") != "2.0" or not isinstance(messages, list):
        return _report(seller, feed, [], [_problem(0, "4000003", "header or messages do not fit the schema.")]), True
    if header.get("sellerId") != seller.id or len(messages) > MOST:
        return _report(seller, feed, [], [_problem(0, "4000004", "Wrong sellerId, or too many messages.")]), True
    if feed.fate == "FATAL":  # part of the work may be done
        messages = messages[: len(messages) // 2]
    rows = [(message.get("messageId", 0), _one(seller, message)) for message in messages if isinstance(message, dict)]
    return _report(seller, feed, rows, []), False


def _problem(message: int, code: str, text: str) -> Row:
    return {"messageId": message, "code": code, "severity": "ERROR", "message": text}


def _report(seller: Seller, feed: Feed, rows: list[tuple[int, list[Row]]], more: list[Row]) -> bytes:
    issues = list(more)
    for number, found in rows:
        for each in found:
            row = {"messageId": number, "code": each["code"], "severity": each["severity"], "message": each["message"]}
            names = each["attributeNames"]
            issues.append(row | ({"attributeName": names[0], "attributeNames": names} if names else {}))
    invalid = sum(any(each["severity"] == "ERROR" for each in found) for _, found in rows)
    summary = {
        "errors": sum(each["severity"] == "ERROR" for each in issues),
        "warnings": sum(each["severity"] == "WARNING" for each in issues),
        "messagesProcessed": len(rows),
        "messagesAccepted": len(rows) - invalid,
        "messagesInvalid": invalid,
    }
    header = {"sellerId": seller.id, "version": "2.0", "feedId": feed.id}
    return encode({"header": header, "issues": issues, "summary": summary})


def _one(seller: Seller, message: Row) -> list[Row]:
    """The issues of one message; without an error it is done."""
    sku, operation, kind = str(message.get("sku", "")), message.get("operationType"), message.get("productType")
    if not sku or operation not in OPERATIONS:
        return [issue("4000003", "sku or operationType does not fit the schema.", [])]
    if operation == "DELETE":
        listings.withdraw(seller, sku)
        return []
    if kind not in product_schemas.names(seller.options.types):
        return [issue("4000003", f"Product type {kind} is not supported.", [])]
    listing = seller.listings.all.get(sku)
    if listing is None and operation != "UPDATE":
        return [issue("13013", "This SKU does not exist in the catalog of the seller.", [])]
    try:
        return _applied(seller, message, str(kind))
    except Refused as refusal:
        return [issue("4000003", refusal.message, [])]


def _applied(seller: Seller, message: Row, kind: str) -> list[Row]:
    sku, listing = message["sku"], seller.listings.all.get(message["sku"])
    known = product_schemas.attributes(kind, seller.edition)
    attributes: Any = message.get("attributes") or {}
    if message["operationType"] == "UPDATE" or listing is None:
        return listings.submit(seller, sku, kind, attributes, message.get("requirements", "LISTING"))
    if message["operationType"] == "PATCH":
        new = patched(listing.attributes, message.get("patches"), known)
    else:
        new = listing.attributes | attributes
    return listings.submit(seller, sku, listing.product_type if kind == "PRODUCT" else kind, new, "")
