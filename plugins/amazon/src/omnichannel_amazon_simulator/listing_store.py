"""The listings of a seller: what was submitted, and what shoppers see a while later."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from omnichannel_amazon_simulator import product_schemas
from omnichannel_amazon_simulator.answers import Row
from omnichannel_amazon_simulator.dates import iso
from omnichannel_amazon_simulator.marketplaces import FBA_CHANNEL, MARKETPLACES
from omnichannel_amazon_simulator.patching import Attributes


@dataclass(slots=True)
class Listing:
    """One SKU of the account.

    Attributes:
        attributes: as submitted. live: as they show. fba: units in Amazon's warehouses, None for none of that channel.
        issues: of the last submission. gone: a deletion is on its way.
    """

    sku: str
    asin: str
    product_type: str
    created: float
    updated: float
    attributes: Attributes
    live: Attributes = field(default_factory=dict)
    fba: int | None = None
    issues: list[Row] = field(default_factory=list)
    submission: int = 0

    def first(self, name: str, place: str = "") -> Any:
        """The live value of an attribute, in a marketplace or anywhere."""
        for item in self.live.get(name, []):
            if not place or item.get("marketplace_id", place) == place:
                return item.get("value")
        return None

    def offers(self, place: str) -> list[Row]:
        return [item for item in self.live.get("purchasable_offer", []) if item.get("marketplace_id") == place]

    def availability(self, region: str) -> list[Row]:
        """Channels with what is live; a DEFAULT quantity beside stock at Amazon is a second channel (guide 8.3)."""
        items = self.live.get("fulfillment_availability", [])
        own = [item.get("quantity", 0) for item in items if item.get("fulfillment_channel_code") == "DEFAULT"]
        rows: list[Row] = [{"fulfillmentChannelCode": "DEFAULT", "quantity": quantity} for quantity in own]
        if self.fba is not None:
            rows.insert(0, {"fulfillmentChannelCode": FBA_CHANNEL[region], "quantity": self.fba})
        return rows

    def status(self, place: str, region: str) -> list[str]:
        sold = any(row["quantity"] for row in self.availability(region)) and bool(self.offers(place))
        return (["BUYABLE"] if sold else []) + (["DISCOVERABLE"] if self.asin else [])


class Listings:
    """All listings of one seller; `region` names Amazon's own channel."""

    def __init__(self, region: str, marketplaces: list[str]) -> None:
        self.region, self.marketplaces = region, marketplaces
        self.all: dict[str, Listing] = {}
        self.count = 0

    def seed(self, stock: list[tuple[str, str, str, int]], now: float, types: int) -> None:
        """What a seller begins with: every fifth SKU is at Amazon, all show at once."""
        kinds = [name for name in product_schemas.names(types) if name != "PRODUCT"] or ["PRODUCT"]
        for number, (sku, asin, title, price) in enumerate(stock):
            fba = 40 + number if number % 5 == 4 else None
            kind = kinds[number % min(5, len(kinds))]
            attributes = self._attributes(kind, title, price, 10 + number if fba is None else None)
            made = Listing(sku, asin, kind, now - 86400 * (200 - number % 180), now - 86400, attributes)
            made.live, made.fba = copy.deepcopy(attributes), fba
            self.all[sku] = made

    def _attributes(self, kind: str, title: str, price: int, quantity: int | None) -> Attributes:
        offers = [self._offer(place, price) for place in self.marketplaces]
        rows: Attributes = {
            "condition_type": [{"value": "new_new", "marketplace_id": place} for place in self.marketplaces],
            "purchasable_offer": offers,
        }
        if quantity is not None:
            rows["fulfillment_availability"] = [{"fulfillment_channel_code": "DEFAULT", "quantity": quantity}]
        if kind != "PRODUCT":
            names = [(place, MARKETPLACES[place].locale) for place in self.marketplaces]
            rows["item_name"] = [{"value": title, "marketplace_id": p, "language_tag": tag} for p, tag in names]
        return rows

    def _offer(self, place: str, price: int) -> Row:
        where = MARKETPLACES[place]
        value = price // 100 if where.decimals == 0 else price / 100
        schedule = {"schedule": [{"value_with_tax": value}]}
        return {"marketplace_id": place, "currency": where.currency, "audience": "ALL", "our_price": [schedule]}

    def asin(self) -> str:
        self.count += 1
        return f"B0N{self.count:07d}"

    def item(self, listing: Listing, places: list[str], parts: frozenset[str]) -> Row:
        """The Item of the API with the parts asked for."""
        row: Row = {"sku": listing.sku}
        made: dict[str, Callable[[], Any]] = {
            "summaries": lambda: [self._summary(listing, place) for place in places if self._shows(listing, place)],
            "attributes": lambda: listing.attributes,
            "issues": lambda: listing.issues,
            "offers": lambda: [offer for place in places for offer in self._offers(listing, place)],
            "fulfillmentAvailability": lambda: listing.availability(self.region),
            "productTypes": lambda: [{"marketplaceId": p, "productType": listing.product_type} for p in places],
            "relationships": list,
        }
        return row | {part: made[part]() for part in made if part in parts}

    def _shows(self, listing: Listing, place: str) -> bool:
        return bool(listing.live) and place in self.marketplaces

    def _summary(self, listing: Listing, place: str) -> Row:
        row: Row = {
            "marketplaceId": place,
            "asin": listing.asin,
            "productType": listing.product_type,
            "conditionType": listing.first("condition_type", place) or "new_new",
            "status": listing.status(place, self.region),
            "itemName": str(listing.first("item_name", place) or listing.sku),
            "createdDate": iso(listing.created),
            "lastUpdatedDate": iso(listing.updated),
        }
        return row | ({"fnSku": f"X{listing.asin[1:]}"} if listing.fba is not None else {})

    def _offers(self, listing: Listing, place: str) -> list[Row]:
        rows = []
        for offer in listing.offers(place):
            kind = "B2B" if offer.get("audience") == "B2B" else "B2C"
            value = _price(offer)
            if value is not None:
                price = {"currencyCode": offer.get("currency", MARKETPLACES[place].currency), "amount": value}
                rows.append({"marketplaceId": place, "offerType": kind, "price": price})
        return rows

    def rows(self, place: str) -> Iterator[dict[str, object]]:
        """Rows of the listings report."""
        for listing in self.all.values():
            if not listing.live:
                continue
            offers, channels = self._offers(listing, place), listing.availability(self.region)
            own = [row["quantity"] for row in channels if row["fulfillmentChannelCode"] == "DEFAULT"]
            yield {
                "item-name": listing.first("item_name", place) or "",
                "listing-id": f"{listing.created:.0f}{listing.asin}",
                "seller-sku": listing.sku,
                "price": offers[0]["price"]["amount"] if offers else "",
                "quantity": own[0] if own else "",
                "open-date": iso(listing.created)[:19].replace("T", " ") + " UTC",
                "item-condition": "11",
                "asin1": listing.asin,
                "product-id": listing.asin,
                "product-id-type": "1",
                "fulfillment-channel": "DEFAULT" if listing.fba is None else FBA_CHANNEL[self.region],
                "merchant-shipping-group": listing.first("merchant_shipping_group", place) or "",
                "status": "Active" if "BUYABLE" in listing.status(place, self.region) else "Inactive",
            }


def _price(offer: Row) -> str | None:
    try:
        return f"{offer['our_price'][0]['schedule'][0]['value_with_tax']:.2f}"
    except (KeyError, IndexError, TypeError, ValueError):
        return None
