"""Product Type Definitions API 2020-09-01 (guide 9)."""

from __future__ import annotations

import base64
import hashlib

from omnichannel_amazon_simulator import product_schemas
from omnichannel_amazon_simulator.answers import Answer, Call, Row, reply
from omnichannel_amazon_simulator.errors import invalid, missing
from omnichannel_amazon_simulator.marketplaces import MARKETPLACES
from omnichannel_amazon_simulator.routing import Routes

routes = Routes()
ROOT = "/definitions/2020-09-01/productTypes"
REQUIREMENTS = frozenset({"LISTING", "LISTING_PRODUCT_ONLY", "LISTING_OFFER_ONLY"})
WEEK = 7 * 86400.0
GROUPS = {
    "product_identity": ("Product Identity", ("item_name", "brand", "externally_assigned_product_identifier")),
    "offer": ("Offer", product_schemas.OFFER),
    "product_details": ("Product Details", ()),
}


def _place(call: Call) -> str:
    places = call.words("marketplaceIds", most=1)
    if not places:
        raise invalid("marketplaceIds is required.")
    return call.marketplaces(places)[0]


@routes("GET", ROOT, "searchDefinitionsProductTypes", "listing")
def search(call: Call) -> Answer:
    place = _place(call)
    if "keywords" in call.query and "itemName" in call.query:
        raise invalid("keywords and itemName cannot be used together.")
    found = product_schemas.names(call.seller.options.types)
    words = call.words("keywords") or call.query.get("itemName", "").split()
    if words:
        found = [name for name in found if any(word.upper() in name for word in words)]
    rows = [
        {"name": name, "displayName": product_schemas.display_name(name), "marketplaceIds": [place]} for name in found
    ]
    return reply({"productTypes": rows, "productTypeVersion": _version(call.seller.type_version)})


def _version(number: int) -> str:
    return f"UHqSqmb4FNUk{number:04d}="


@routes("GET", f"{ROOT}/{{productType}}", "getDefinitionsProductType", "listing")
def get(call: Call) -> Answer:
    place, name = _place(call), call.params["productType"]
    if name not in product_schemas.names(call.seller.options.types):
        raise missing(f"Product type {name} does not exist.")
    requirements = call.query.get("requirements", "LISTING")
    enforced = call.query.get("requirementsEnforced", "ENFORCED")
    if requirements not in REQUIREMENTS or enforced not in {"ENFORCED", "NOT_ENFORCED"}:
        raise invalid("requirements or requirementsEnforced is not one of the supported values.")
    locale = call.query.get("locale", "DEFAULT")
    locale = MARKETPLACES[place].locale if locale == "DEFAULT" else locale
    wanted, edition = call.query.get("productTypeVersion", "LATEST"), call.seller.edition
    if wanted not in {"LATEST", "RELEASE_CANDIDATE", _version(edition.version)}:
        raise missing(f"Version {wanted} of product type {name} does not exist.")
    body = product_schemas.schema(name, place, requirements, locale, edition, enforced=enforced == "ENFORCED")
    return reply(
        {
            "metaSchema": _link(call, product_schemas.meta_schema()),
            "schema": _link(call, body),
            "requirements": requirements,
            "requirementsEnforced": enforced,
            "propertyGroups": _groups(name, edition),
            "locale": locale,
            "marketplaceIds": [place],
            "productType": name,
            "displayName": product_schemas.display_name(name),
            "productTypeVersion": {"version": _version(edition.version), "latest": True, "releaseCandidate": False},
        }
    )


def _link(call: Call, body: bytes) -> Row:
    """A presigned address of seven days, and the base64 MD5 of what is behind it."""
    docs, digest = call.world.documents, hashlib.md5(body, usedforsecurity=False).digest()
    checksum = base64.b64encode(digest).decode()
    kept = docs.all.get(("", checksum))
    if kept is None:
        kept = docs.new("", call.seller.region, "ptd", "application/json")
        kept.body = body
        docs.all["", checksum] = kept
    url = docs.url(kept, call.seller.region, "GET", call.now, WEEK)
    return {"link": {"resource": url, "verb": "GET"}, "checksum": checksum}


def _groups(name: str, edition: product_schemas.Edition) -> Row:
    known = product_schemas.attributes(name, edition)
    grouped = {each for _, names in GROUPS.values() for each in names}
    rest = [each for each in known if each not in grouped]
    return {
        key: {
            "title": title,
            "description": f"Attributes of the group {title}.",
            "propertyNames": [each for each in names if each in known] if names else rest,
        }
        for key, (title, names) in GROUPS.items()
    }
