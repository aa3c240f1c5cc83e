"""Sellers API: participations and the account (guide 3.2)."""

from __future__ import annotations

from omnichannel_amazon_simulator.answers import Answer, Call, Row, payload
from omnichannel_amazon_simulator.marketplaces import MARKETPLACES, NON_AMAZON
from omnichannel_amazon_simulator.routing import Routes

routes = Routes()


def participations(call: Call) -> list[Row]:
    """All marketplaces of the account, the pseudo marketplaces that stand for its own shops among them."""
    seller = call.seller
    rows: list[Row] = []
    name = seller.options.store_name or f"Store {seller.id[-4:]}"
    for ident in seller.marketplaces:
        place = MARKETPLACES[ident]
        rows.append(_row(ident, place.name, place.id, name, ident not in seller.options.not_participating))
        rows[-1]["participation"]["hasSuspendedListings"] = ident in seller.options.suspended
        if place.country in NON_AMAZON:
            rows.append(_row(NON_AMAZON[place.country], f"Non-Amazon {place.country}", ident, name, True))
    return rows


def _row(ident: str, name: str, of: str, store: str, takes_part: bool) -> Row:
    place = MARKETPLACES[of]
    marketplace = {
        "id": ident,
        "name": name,
        "countryCode": place.country,
        "defaultCurrencyCode": place.currency,
        "defaultLanguageCode": place.locale,
        "domainName": place.domain if ident == of else f"si-prod-marketplace.{place.domain}",
    }
    state = {"isParticipating": takes_part, "hasSuspendedListings": False}
    return {"marketplace": marketplace, "participation": state, "storeName": store}


@routes("GET", "/sellers/v1/marketplaceParticipations", "getMarketplaceParticipations")
def get_participations(call: Call) -> Answer:
    return payload(participations(call))


@routes("GET", "/sellers/v1/account", "getAccount")
def get_account(call: Call) -> Answer:
    return payload(
        {
            "marketplaceParticipationList": participations(call),
            "businessType": "PRIVATE_LIMITED",
            "sellingPlan": call.seller.options.plan,
        }
    )
