"""Catalog Items API 2022-04-01: which ASIN a product has (guide 8.5).

Every listing's ASIN has a made-up EAN. Beside them, each EAN that begins with 4006 is a product nobody lists yet.
"""

from __future__ import annotations

import zlib

from omnichannel_amazon_simulator.answers import Answer, Call, Row, reply
from omnichannel_amazon_simulator.errors import invalid, missing
from omnichannel_amazon_simulator.routing import Routes

routes = Routes()
ROOT = "/catalog/2022-04-01/items"
TYPES = frozenset({"ASIN", "EAN", "GTIN", "ISBN", "JAN", "MINSAN", "SKU", "UPC"})
PARTS = frozenset(
    {
        "attributes",
        "classifications",
        "dimensions",
        "identifiers",
        "images",
        "productTypes",
        "relationships",
        "salesRanks",
        "summaries",
        "vendorDetails",
    }
)
UNLISTED = "4006"


def ean(asin: str) -> str:
    """The EAN of an ASIN, with its check digit."""
    if asin.startswith("B0E"):
        return _checked(f"{UNLISTED}0{asin[3:]}")
    return _checked(f"20{zlib.crc32(asin.encode()) % 10**10:010d}")


def _checked(digits: str) -> str:
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-total % 10}"


def _asins(call: Call) -> dict[str, str]:
    """ASIN -> product type of everything that is listed."""
    return {each.asin: each.product_type for each in call.seller.listings.all.values()}


@routes("GET", ROOT, "searchCatalogItems", "listing")
def search(call: Call) -> Answer:
    """By identifiers or by keywords, one of them."""
    places = call.marketplaces(call.words("marketplaceIds", most=1))
    names, kind = call.words("identifiers", most=20), call.query.get("identifiersType", "")
    words = [word.lower() for word in call.words("keywords", most=20)]
    if not places or bool(names) == bool(words) or (names and kind not in TYPES):
        raise invalid("marketplaceIds and either identifiers with their type or keywords are required.")
    if kind == "SKU" and call.query.get("sellerId") != call.seller.id:
        raise invalid("sellerId is required with SKUs.")
    found = [asin for name in names for asin in _named(call, name, kind)]
    if words:
        rows = call.seller.listings.all.values()
        found = [each.asin for each in rows if all(word in str(each.first("item_name")).lower() for word in words)]
    size = call.integer("pageSize", 10, 1, 20)
    return reply({"numberOfResults": len(found), "items": [_item(call, asin, places) for asin in found[:size]]})


def _named(call: Call, name: str, kind: str) -> list[str]:
    if kind == "SKU":
        listing = call.seller.listings.all.get(name)
        return [listing.asin] if listing else []
    if kind == "ASIN":
        return [name] if name in _asins(call) or name.startswith("B0E") else []
    unlisted = name.startswith(UNLISTED) and len(name) == 13 and ean(f"B0E{name[5:12]}") == name
    return [f"B0E{name[5:12]}"] if unlisted else [asin for asin in _asins(call) if ean(asin) == name]


@routes("GET", f"{ROOT}/{{asin}}", "getCatalogItem", "listing")
def get(call: Call) -> Answer:
    places = call.marketplaces(call.words("marketplaceIds"))
    found = _named(call, call.params["asin"], "ASIN")
    if not places or not found:
        raise missing(f"Requested item '{call.params['asin']}' not found in the marketplaces.")
    return reply(_item(call, found[0], places))


def _item(call: Call, asin: str, places: list[str]) -> Row:
    parts = set(call.words("includedData", PARTS)) or {"summaries"}
    kind = _asins(call).get(asin, "SHIRT")
    title = next((each.first("item_name") for each in call.seller.listings.all.values() if each.asin == asin), None)
    numbers = [{"identifierType": "EAN", "identifier": ean(asin)}]
    made = {
        "summaries": [{"marketplaceId": place, "itemName": str(title or f"Item {asin}")} for place in places],
        "identifiers": [{"marketplaceId": place, "identifiers": numbers} for place in places],
        "productTypes": [{"marketplaceId": place, "productType": kind} for place in places],
    }
    return {"asin": asin} | {part: row for part, row in made.items() if part in parts}
