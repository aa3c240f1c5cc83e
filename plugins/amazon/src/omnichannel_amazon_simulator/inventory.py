"""FBA Inventory API v1: what lies in Amazon's warehouses (guide 11)."""

from __future__ import annotations

from omnichannel_amazon_simulator.answers import Answer, Call, Row, reply
from omnichannel_amazon_simulator.dates import iso
from omnichannel_amazon_simulator.errors import invalid
from omnichannel_amazon_simulator.listing_store import Listing
from omnichannel_amazon_simulator.routing import Routes

routes = Routes()
PAGE = 50
TOKEN_LIFE = 30.0


@routes("GET", "/fba/inventory/v1/summaries", "getInventorySummaries", "fba")
def summaries(call: Call) -> Answer:
    """Pages of 50; a token lives 30 seconds and goes with the startDateTime of the first page."""
    place = call.query.get("granularityId", "")
    if call.query.get("granularityType") != "Marketplace" or call.words("marketplaceIds", most=1) != [place]:
        raise invalid("granularityType, granularityId and marketplaceIds are required and must agree.")
    call.marketplaces([place])
    since, skus = call.date("startDateTime"), set(call.words("sellerSkus", most=50))
    rows = [each for each in call.seller.listings.all.values() if each.fba is not None]
    rows = [each for each in rows if (not skus or each.sku in skus) and (since is None or each.updated >= since)]
    start = _start(call)
    detailed = call.query.get("details") == "true"
    payload: Row = {
        "granularity": {"granularityType": "Marketplace", "granularityId": place},
        "inventorySummaries": [_summary(each, detailed=detailed) for each in rows[start : start + PAGE]],
    }
    answer: Row = {"payload": payload}
    if start + PAGE < len(rows):
        token = f"{start + PAGE}+/{call.now}/{call.query.get('startDateTime', '')}="
        answer["pagination"] = {"nextToken": token}
    return reply(answer)


def _start(call: Call) -> int:
    token = call.query.get("nextToken")
    if token is None:
        return 0
    parts = token.removesuffix("=").split("/", 2)
    if len(parts) != 3 or parts[2] != call.query.get("startDateTime", "") or call.now > float(parts[1]) + TOKEN_LIFE:
        raise invalid("Invalid nextToken.", "it has expired, or belongs to another startDateTime")
    return int(parts[0].removesuffix("+"))


def _summary(listing: Listing, *, detailed: bool) -> Row:
    units = listing.fba or 0
    row: Row = {
        "asin": listing.asin,
        "fnSku": f"X{listing.asin[1:]}",
        "sellerSku": listing.sku,
        "condition": "NewItem",
        "lastUpdatedTime": iso(listing.updated),
        "productName": str(listing.first("item_name") or listing.sku),
        "totalQuantity": units + 2,
    }
    if detailed:
        row["inventoryDetails"] = {
            "fulfillableQuantity": units,
            "inboundWorkingQuantity": 0,
            "inboundShippedQuantity": 0,
            "inboundReceivingQuantity": 0,
            "reservedQuantity": {"totalReservedQuantity": 2},
        }
    return row
