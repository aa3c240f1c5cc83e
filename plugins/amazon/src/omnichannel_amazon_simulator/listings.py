"""Listings Items API 2021-08-01 (guide 8), and listings restrictions."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from omnichannel_amazon_simulator import product_schemas
from omnichannel_amazon_simulator.answers import Answer, Call, Row, names, reply
from omnichannel_amazon_simulator.errors import denied, invalid, missing
from omnichannel_amazon_simulator.listing_store import Listing
from omnichannel_amazon_simulator.patching import Attributes, issue, patched, problems
from omnichannel_amazon_simulator.routing import Routes

if TYPE_CHECKING:
    from omnichannel_amazon_simulator.sellers import Seller

routes = Routes()
ROOT = "/listings/2021-08-01/items/{sellerId}"
PARTS = frozenset(
    names("summaries attributes issues offers fulfillmentAvailability procurement relationships productTypes")
)
SUBMITTED = frozenset({"identifiers", "issues"})
MOST = 1000


def _places(call: Call, most: int | None = None) -> list[str]:
    if call.params["sellerId"] != call.seller.id:
        raise denied()
    places = call.words("marketplaceIds", most=most)
    if not places:
        raise invalid("marketplaceIds is required.")
    return call.marketplaces(places)


def _parts(call: Call) -> frozenset[str]:
    return frozenset(call.words("includedData", PARTS)) or frozenset({"summaries"})


@routes("GET", f"{ROOT}/{{sku}}", "getListingsItem", "listing")
def get(call: Call) -> Answer:
    places, listing = _places(call), call.seller.listings.all.get(call.params["sku"])
    if listing is None:
        raise missing(f"SKU '{call.params['sku']}' not found in marketplaces {', '.join(places)}.")
    return reply(call.seller.listings.item(listing, places, _parts(call)))


@routes("GET", ROOT, "searchListingsItems", "listing")
def search(call: Call) -> Answer:
    """Pages of at most 20, and only the first 1000 results can be reached."""
    places, parts = _places(call), _parts(call)
    size, start = call.integer("pageSize", 10, 1, 20), _start(call)
    found = _found(call)
    reach = min(len(found), MOST)
    answer: Row = {
        "numberOfResults": len(found),
        "items": [call.seller.listings.item(each, places, parts) for each in found[start : min(start + size, reach)]],
    }
    pages = {"nextToken": f"p{start + size}+/=="} if start + size < reach else {}
    pages |= {"previousToken": f"p{max(0, start - size)}+/=="} if start else {}
    return reply(answer | ({"pagination": pages} if pages else {}))


def _start(call: Call) -> int:
    token = call.query.get("pageToken")
    if token is None:
        return 0
    if not token.endswith("+/==") or not token[1:-4].isdigit():
        raise invalid("Invalid pageToken.")
    return int(token[1:-4])


def _found(call: Call) -> list[Listing]:
    names = call.words("identifiers", most=20)
    kind = call.query.get("identifiersType", "")
    if bool(names) != bool(kind):
        raise invalid("identifiers and identifiersType belong together.")
    rows = [each for each in call.seller.listings.all.values() if each.live]
    if names:
        rows = [each for each in rows if (each.sku if kind == "SKU" else each.asin) in names]
    for name, attribute in (("created", "created"), ("lastUpdated", "updated")):
        after, before = call.date(f"{name}After"), call.date(f"{name}Before")
        rows = [
            each
            for each in rows
            if (after is None or getattr(each, attribute) >= after)
            and (before is None or getattr(each, attribute) <= before)
        ]
    by = {"sku": "sku", "createdDate": "created"}.get(call.query.get("sortBy", ""), "updated")
    return sorted(rows, key=lambda each: getattr(each, by), reverse=call.query.get("sortOrder", "DESC") == "DESC")


# submissions


def submit(seller: Seller, sku: str, kind: str, attributes: Attributes, requirements: str) -> list[Row]:
    """Checks a submission; without an error it is kept and shows after the seller's delay. The issues."""
    issues = problems(kind, seller.edition, attributes, requirements, seller.marketplaces)
    if any(row["severity"] == "ERROR" for row in issues):
        return issues
    now, listing = seller.clock.now(), seller.listings.all.get(sku)
    if listing is None:
        asins = attributes.get("merchant_suggested_asin")
        asin = str(asins[0].get("value")) if asins else seller.listings.asin()
        listing = seller.listings.all[sku] = Listing(sku, asin, kind, now, now, {})
    listing.product_type = kind if kind != "PRODUCT" or not listing.live else listing.product_type
    listing.attributes, listing.issues = attributes, issues
    listing.submission += 1
    _propagate(seller, listing, copy.deepcopy(attributes), listing.submission)
    return issues


def _propagate(seller: Seller, listing: Listing, attributes: Attributes, submission: int) -> None:
    def show(now: float) -> None:
        if listing.submission == submission and seller.listings.all.get(listing.sku) is listing:
            listing.live, listing.updated = attributes, now
            seller.tell("LISTINGS_ITEM_STATUS_CHANGE", _event(seller, listing))

    if seller.options.lose_submissions > 0:
        seller.options.lose_submissions -= 1
        return
    seller.agenda.at(seller.clock.now() + seller.options.listing_delay, show)


def _event(seller: Seller, listing: Listing) -> Row:
    place = seller.marketplaces[0]
    event: Row = {"SellerId": seller.id, "MarketplaceId": place, "Asin": listing.asin, "Sku": listing.sku}
    return event | {"Status": listing.status(place, seller.region)}


def withdraw(seller: Seller, sku: str) -> None:
    """A deletion, which shows after the seller's delay as well."""
    listing = seller.listings.all.get(sku)
    if listing is None:
        return
    listing.submission += 1
    number = listing.submission

    def go(now: float) -> None:
        if listing.submission == number:
            seller.listings.all.pop(sku, None)

    seller.agenda.at(seller.clock.now() + seller.options.listing_delay, go)


def answer(call: Call, issues: list[Row], status: str = "") -> Answer:
    """The submission response; HTTP 200 with INVALID when there is an error."""
    seller = call.seller
    seller.submissions += 1
    wrong = any(row["severity"] == "ERROR" for row in issues)
    row: Row = {
        "sku": call.params["sku"],
        "status": "INVALID" if wrong else status or "ACCEPTED",
        "submissionId": f"{seller.submissions:032x}",
        "issues": issues,
    }
    return reply(row)


def _kind(call: Call, document: Row) -> str:
    kind = document.get("productType")
    if kind not in product_schemas.names(call.seller.options.types):
        raise invalid(f"Product type {kind} is not supported.")
    return str(kind)


@routes("PATCH", f"{ROOT}/{{sku}}", "patchListingsItem", "listing")
def patch(call: Call) -> Answer:
    _places(call)
    document = call.object()
    _submitted(call)
    kind, listing = _kind(call, document), call.seller.listings.all.get(call.params["sku"])
    old = listing.attributes if listing else {}
    known = product_schemas.attributes(kind, call.seller.edition)
    new = patched(old, document.get("patches"), known)
    touched = {str(each["path"]).split("/")[2] for each in document["patches"]}
    checked = {name: items for name, items in new.items() if name in touched}
    issues = problems(kind, call.seller.edition, checked, "", call.seller.marketplaces)
    if listing is None:
        issues.append(issue("13013", "This SKU does not exist in the catalog of the seller.", []))
    if call.query.get("mode") == "VALIDATION_PREVIEW":
        return answer(call, issues, "VALID")
    if listing is not None and not issues:
        real = listing.product_type if kind == "PRODUCT" else kind
        issues = submit(call.seller, listing.sku, real, new, "")
    return answer(call, issues)


def _submitted(call: Call) -> None:
    call.words("includedData", SUBMITTED)
    if call.query.get("mode") not in {None, "VALIDATION_PREVIEW"}:
        raise invalid("mode must be VALIDATION_PREVIEW.")


@routes("PUT", f"{ROOT}/{{sku}}", "putListingsItem", "listing")
def put(call: Call) -> Answer:
    _places(call, most=1)
    document = call.object()
    _submitted(call)
    kind, attributes = _kind(call, document), _attributes(document)
    requirements = document.get("requirements", "LISTING")
    if requirements not in {"LISTING", "LISTING_PRODUCT_ONLY", "LISTING_OFFER_ONLY"}:
        raise invalid("requirements is not one of the supported values.")
    if call.query.get("mode") == "VALIDATION_PREVIEW":
        issues = problems(kind, call.seller.edition, attributes, requirements, call.seller.marketplaces)
        return answer(call, issues, "VALID")
    return answer(call, submit(call.seller, call.params["sku"], kind, attributes, requirements))


def _attributes(document: Row) -> Attributes:
    found: Any = document.get("attributes")
    if not isinstance(found, dict) or not all(isinstance(items, list) for items in found.values()):
        raise invalid("attributes must be an object of lists.")
    return found


@routes("DELETE", f"{ROOT}/{{sku}}", "deleteListingsItem", "listing")
def delete(call: Call) -> Answer:
    _places(call, most=1)
    withdraw(call.seller, call.params["sku"])
    return answer(call, [])


@routes("GET", "/listings/2021-08-01/restrictions", "getListingsRestrictions", "listing")
def restrictions(call: Call) -> Answer:
    """None, but for ASINs that the option `restricted_asins` names."""
    if call.query.get("sellerId") != call.seller.id or not call.query.get("asin"):
        raise invalid("asin and sellerId are required.")
    places = call.marketplaces(call.words("marketplaceIds"))
    rows = []
    if call.query["asin"] in call.seller.options.restricted_asins:
        reason = {"message": "You need approval to list this product.", "reasonCode": "APPROVAL_REQUIRED"}
        kind = call.query.get("conditionType", "new_new")
        rows = [{"marketplaceId": place, "conditionType": kind, "reasons": [reason]} for place in places]
    return reply({"restrictions": rows})
