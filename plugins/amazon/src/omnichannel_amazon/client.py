"""One method per remote operation; the house's http signs, limits, retries and judges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from omnichannel_amazon import order_wire, wire
from omnichannel_amazon.api import LISTINGS_FEED
from omnichannel_amazon.credentials import AmazonCredentials
from omnichannel_amazon.marketplaces import MARKETPLACES, home
from omnichannel_core import errors
from omnichannel_core.driver import Answer, Session

ORDERS, V0 = "/orders/2026-01-01/orders", "/orders/v0/orders"
REPORTS, FEEDS = "/reports/2021-06-30", "/feeds/2021-06-30"
LISTINGS, TYPES = "/listings/2021-08-01/items", "/definitions/2020-09-01/productTypes"
AT_ONCE = 20
"""SKUs that one searchListingsItems takes (guide 8.1)."""


def iso(moment: datetime) -> str:
    """Aware, UTC, with Z: what every date of the API looks like."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Client:
    """Amazon, as one session sees it. Every method raises what `api.judge_amazon` and the house's http do."""

    session: Session

    @property
    def mine(self) -> AmazonCredentials:
        """The connection's form."""
        return self.session[AmazonCredentials]

    @property
    def marketplace(self) -> str:
        """The connection's marketplace id."""
        return str(self.mine.marketplace)

    def url(self, path: str) -> str:
        """The whole address, in this grant's region."""
        return home(self.mine.region) + path

    async def get(
        self, operation: str, path: str, params: Mapping[str, str] | None = None, *, token: str = "access"
    ) -> Answer:
        """A GET, retried by the house."""
        return await self.session.http.send(operation, "GET", self.url(path), params=params or {}, token=token)

    async def post(self, operation: str, path: str, body: object, *, repeatable: bool = False) -> Answer:
        """A POST with a JSON body."""
        return await self.session.http.send(operation, "POST", self.url(path), json=body, repeatable=repeatable)

    # --- sellers ------------------------------------------------------------------------------------------------
    async def participations(self) -> list[wire.Participation]:
        """`getMarketplaceParticipations`, real marketplaces only (guide 1.2)."""
        answer = await self.get("getMarketplaceParticipations", "/sellers/v1/marketplaceParticipations")
        return [one for one in answer.decode(wire.Participations).payload if one.marketplace.id in MARKETPLACES]

    # --- orders -------------------------------------------------------------------------------------------------
    async def orders(self, query: Mapping[str, str]) -> Answer:
        """`searchOrders`: one page of at most 100."""
        return await self.get("searchOrders", ORDERS, query)

    async def order(self, ident: str, included: Sequence[str]) -> order_wire.Order | None:
        """`getOrder`; None when it is gone."""
        try:
            answer = await self.get(
                "getOrder", f"{ORDERS}/{quote(ident, safe='')}", {"includedData": ",".join(included)}
            )
        except errors.RemoteRejected as refused:
            if refused.code == "404":
                return None
            raise
        return answer.decode(order_wire.One).order

    async def confirm(self, order: str, body: Mapping[str, object]) -> None:
        """`confirmShipment`: repeatable, as the package's own reference tells it apart; 204 promises nothing."""
        await self.post("confirmShipment", f"{V0}/{quote(order, safe='')}/shipmentConfirmation", body, repeatable=True)

    # --- reports ------------------------------------------------------------------------------------------------
    async def create_report(self, body: Mapping[str, object]) -> str:
        """`createReport`: no idempotency key, so never sent twice unasked."""
        return (await self.post("createReport", f"{REPORTS}/reports", body)).decode(wire.Report).report_id

    async def report(self, ident: str) -> wire.Report:
        """`getReport`."""
        return (await self.get("getReport", f"{REPORTS}/reports/{ident}")).decode(wire.Report)

    async def reports(self, kind: str, since: datetime, marketplace: str) -> list[wire.Report]:
        """`getReports` of one type made since for this marketplace alone, newest first."""
        query = {"reportTypes": kind, "createdSince": iso(since), "marketplaceIds": marketplace, "pageSize": "100"}
        found = (await self.get("getReports", f"{REPORTS}/reports", query)).decode(wire.Reports).reports
        ours = [one for one in found if one.marketplace_ids in (None, [marketplace])]
        return sorted(ours, key=lambda one: one.created_time, reverse=True)

    async def report_document(self, ident: str) -> wire.Document:
        """`getReportDocument`; a type that needs a restricted data token is asked for with one (guide 7)."""
        path = f"{REPORTS}/documents/{quote(ident, safe='')}"
        try:
            answer = await self.get("getReportDocument", path)
        except errors.AccessMissing:
            answer = await self.get("getReportDocument", path, token=f"rdt:{path}")
        return answer.decode(wire.Document)

    async def download(self, operation: str, url: str, to: Path) -> Answer:
        """A presigned address: without token, as it is. The scratch directory may have gone."""
        await self.session.compute(lambda: to.parent.mkdir(parents=True, exist_ok=True))
        return await self.session.http.download(operation, url, to)

    # --- feeds --------------------------------------------------------------------------------------------------
    async def feed_slot(self, kind: str) -> wire.FeedSlot:
        """`createFeedDocument`: an unused one harms nobody."""
        answer = await self.post("createFeedDocument", f"{FEEDS}/documents", {"contentType": kind}, repeatable=True)
        return answer.decode(wire.FeedSlot)

    async def upload(self, url: str, kind: str, body: bytes) -> None:
        """The document itself: the content type is the announced one, byte for byte (guide 10.2)."""
        await self.session.http.send(
            "feedFile", "PUT", url, content=body, headers={"content-type": kind}, token=None, repeatable=True
        )

    async def create_feed(self, body: Mapping[str, object]) -> str:
        """`createFeed`: no idempotency key. Feeds of listings have a limit of their own."""
        operation = LISTINGS_FEED if body["feedType"] == "JSON_LISTINGS_FEED" else "createFeed"
        return (await self.post(operation, f"{FEEDS}/feeds", body)).decode(wire.Feed).feed_id

    async def feeds(self, kind: str, since: datetime) -> list[wire.Feed]:
        """`getFeeds` of one type made since, newest first."""
        query = {"feedTypes": kind, "createdSince": iso(since), "marketplaceIds": self.marketplace, "pageSize": "100"}
        return (await self.get("getFeeds", f"{FEEDS}/feeds", query)).decode(wire.Feeds).feeds

    async def feed(self, ident: str) -> wire.Feed:
        """`getFeed`."""
        return (await self.get("getFeed", f"{FEEDS}/feeds/{ident}")).decode(wire.Feed)

    async def feed_document(self, ident: str) -> wire.Document:
        """`getFeedDocument`."""
        return (await self.get("getFeedDocument", f"{FEEDS}/documents/{quote(ident, safe='')}")).decode(wire.Document)

    # --- listings -----------------------------------------------------------------------------------------------
    def item(self, sku: str) -> str:
        """A listing's path: the SKU percent-encoded as one segment, slash and plus included (guide 8.1)."""
        return f"{LISTINGS}/{self.mine.seller_id}/{quote(sku, safe='')}"

    async def listings(self, skus: Sequence[str], included: str) -> dict[str, wire.Listing]:
        """`searchListingsItems` by SKU, twenty at once; one that is not there is left out."""
        found: dict[str, wire.Listing] = {}
        distinct = list(dict.fromkeys(skus))
        listable = [sku for sku in distinct if sku and "," not in sku]
        for at in range(0, len(listable), AT_ONCE):
            part = ",".join(listable[at : at + AT_ONCE])
            query = {"identifiers": part, "identifiersType": "SKU"}
            found |= {one.sku: one for one in (await self.search_listings(included, query)).items}
        for sku in distinct:
            if "," in sku and (one := await self.listing(sku, included)) is not None:
                found[sku] = one
        return found

    async def search_listings(self, included: str, query: Mapping[str, str]) -> wire.Listings:
        """`searchListingsItems`, one page of at most 20."""
        fixed = {"marketplaceIds": self.marketplace, "includedData": included, "pageSize": str(AT_ONCE)}
        answer = await self.get("searchListingsItems", f"{LISTINGS}/{self.mine.seller_id}", {**fixed, **query})
        return answer.decode(wire.Listings)

    async def listing(self, sku: str, included: str) -> wire.Listing | None:
        """`getListingsItem`; None when there is none."""
        query = {"marketplaceIds": self.marketplace, "includedData": included}
        try:
            return (await self.get("getListingsItem", self.item(sku), query)).decode(wire.Listing)
        except errors.RemoteRejected as refused:
            if refused.code == "404":
                return None
            raise

    async def submit(self, operation: str, method: str, sku: str, body: Mapping[str, Any] | None) -> wire.Submission:
        """`patchListingsItem`, `putListingsItem` or `deleteListingsItem`: what they say is absolute, so repeatable."""
        locale = MARKETPLACES[self.marketplace].locale
        query = {"marketplaceIds": self.marketplace, "issueLocale": locale}
        answer = await self.session.http.send(
            operation, method, self.url(self.item(sku)), params=query, json=body, repeatable=True
        )
        return answer.decode(wire.Submission)

    # --- product types ------------------------------------------------------------------------------------------
    async def types(self) -> wire.TypeNames:
        """`searchDefinitionsProductTypes` without a question: all of them."""
        answer = await self.get("searchDefinitionsProductTypes", TYPES, {"marketplaceIds": self.marketplace})
        return answer.decode(wire.TypeNames)

    async def definition(self, name: str, requirements: str = "LISTING") -> wire.Definition:
        """`getDefinitionsProductType`, as this seller and marketplace have it."""
        query = {
            "marketplaceIds": self.marketplace,
            "sellerId": self.mine.seller_id,
            "requirements": requirements,
            "requirementsEnforced": "ENFORCED",
            "locale": MARKETPLACES[self.marketplace].locale,
        }
        answer = await self.get("getDefinitionsProductType", f"{TYPES}/{quote(name, safe='')}", query)
        return answer.decode(wire.Definition)
