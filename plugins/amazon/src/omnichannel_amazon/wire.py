"""Amazon's own shapes besides orders: tolerant, as fields and enum values come and go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct


class Lwa(Struct):
    """`/auth/o2/token`, good or bad (guide amazon 2.3)."""

    access_token: str = ""
    expires_in: float = 3600
    refresh_token: str | None = None
    error: str = ""
    error_description: str = ""


class Place(Struct, rename="camel"):
    """sellers: `Marketplace`."""

    id: str
    name: str = ""
    country_code: str = ""
    default_currency_code: str = ""
    default_language_code: str = ""


class Taking(Struct, rename="camel"):
    """sellers: `Participation`."""

    is_participating: bool = False
    has_suspended_listings: bool = False


class Participation(Struct, rename="camel"):
    """sellers: `MarketplaceParticipation`."""

    marketplace: Place
    participation: Taking = msgspec.field(default_factory=Taking)
    store_name: str = ""


class Participations(Struct, rename="camel"):
    """sellers: `GetMarketplaceParticipationsResponse`."""

    payload: list[Participation] = []


class Restricted(Struct, rename="camel"):
    """tokens: `CreateRestrictedDataTokenResponse`."""

    restricted_data_token: str
    expires_in: float = 3600


class Report(Struct, rename="camel"):
    """reports: `Report`, and what createReport answers."""

    report_id: str
    processing_status: str = ""
    report_document_id: str | None = None
    created_time: str = ""
    data_start_time: str = ""
    data_end_time: str = ""
    marketplace_ids: list[str] | None = None


class Reports(Struct, rename="camel"):
    """reports: `GetReportsResponse`."""

    reports: list[Report] = []


class Document(Struct, rename="camel"):
    """reports: `ReportDocument`; feeds: `FeedDocument`."""

    url: str
    compression_algorithm: str | None = None


class FeedSlot(Struct, rename="camel"):
    """feeds: `CreateFeedDocumentResponse`."""

    feed_document_id: str
    url: str


class Feed(Struct, rename="camel"):
    """feeds: `Feed`, and what createFeed answers."""

    feed_id: str
    processing_status: str = ""
    feed_type: str = ""
    created_time: str = ""
    marketplace_ids: list[str] | None = None
    result_feed_document_id: str | None = None


class Feeds(Struct, rename="camel"):
    """feeds: `GetFeedsResponse`."""

    feeds: list[Feed]


class Issue(Struct, rename="camel"):
    """listings: `Issue`; also a row of a feed's processing report."""

    code: str = ""
    message: str = ""
    severity: str = ""
    attribute_names: list[str] | None = None
    message_id: int | None = None


class Submission(Struct, rename="camel"):
    """listings: `ListingsItemSubmissionResponse`."""

    sku: str = ""
    status: str = ""
    submission_id: str = ""
    issues: list[Issue] | None = None


class Availability(Struct, rename="camel"):
    """listings: `FulfillmentAvailability`: what is live (guide 8.2)."""

    fulfillment_channel_code: str = ""
    quantity: int | None = None


class Summary(Struct, rename="camel"):
    """listings: `ItemSummaryByMarketplace`."""

    marketplace_id: str = ""
    asin: str | None = None
    product_type: str = ""
    status: list[str] | None = None
    item_name: str | None = None


class OfferPrice(Struct, rename="camel"):
    """listings: `Money` of an offer."""

    amount: str = ""
    currency_code: str | None = None
    currency: str | None = None


class ListedOffer(Struct, rename="camel"):
    """listings: `ItemOfferByMarketplace`."""

    marketplace_id: str = ""
    offer_type: str = ""
    price: OfferPrice | None = None


class Listing(Struct, rename="camel"):
    """listings: `Item`."""

    sku: str
    summaries: list[Summary] | None = None
    fulfillment_availability: list[Availability] | None = None
    offers: list[ListedOffer] | None = None
    issues: list[Issue] | None = None
    attributes: Mapping[str, Any] | None = None

    def channels(self) -> set[str]:
        """Fulfillment channels it is live on."""
        return {
            one.fulfillment_channel_code for one in self.fulfillment_availability or () if one.fulfillment_channel_code
        }

    def product_type(self) -> str:
        """'' when the listing does not say."""
        return next((one.product_type for one in self.summaries or () if one.product_type), "")


class Token(Struct, rename="camel"):
    """`Pagination` of listings."""

    next_token: str | None = None


class Listings(Struct, rename="camel"):
    """listings: `ItemSearchResults`."""

    items: list[Listing] = []
    pagination: Token = msgspec.field(default_factory=Token)


class TypeName(Struct, rename="camel"):
    """definitions: `ProductType`."""

    name: str
    display_name: str = ""


class TypeNames(Struct, rename="camel"):
    """definitions: `ProductTypeList`."""

    product_types: list[TypeName] = []
    product_type_version: str = ""


class Link(Struct, rename="camel"):
    """definitions: `SchemaLink`'s link."""

    resource: str


class Schema(Struct, rename="camel"):
    """definitions: `SchemaLink`."""

    link: Link
    checksum: str = ""


class Version(Struct, rename="camel"):
    """definitions: `ProductTypeVersion`."""

    version: str = ""


class Definition(Struct, rename="camel"):
    """definitions: `ProductTypeDefinition`."""

    schema: Schema
    product_type: str
    display_name: str = ""
    product_type_version: Version = msgspec.field(default_factory=Version)
    property_groups: Mapping[str, Any] = {}
