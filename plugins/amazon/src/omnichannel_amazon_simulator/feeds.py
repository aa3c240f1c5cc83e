"""Feeds API 2021-06-30 (guide 8.4, 10.2). Feeds of one type are processed one after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from omnichannel_amazon_simulator import feed_invoices, feed_listings, feed_orders
from omnichannel_amazon_simulator.answers import Answer, Call, Row, empty, reply
from omnichannel_amazon_simulator.dates import iso
from omnichannel_amazon_simulator.documents import Documents, packed
from omnichannel_amazon_simulator.errors import denied, invalid, missing, throttled
from omnichannel_amazon_simulator.routing import Routes

if TYPE_CHECKING:
    from omnichannel_amazon_simulator.sellers import Seller

routes = Routes()
ROOT = "/feeds/2021-06-30"
STATUSES = frozenset({"CANCELLED", "DONE", "FATAL", "IN_PROGRESS", "IN_QUEUE"})
ROLES = ("listing", "orders", "tax_invoicing", "fba", "pricing")
DAY = 86400.0
RETENTION = 28 * DAY
REMOVED = frozenset(
    {
        "POST_PRODUCT_DATA",
        "POST_INVENTORY_AVAILABILITY_DATA",
        "POST_PRODUCT_PRICING_DATA",
        "POST_PRODUCT_IMAGE_DATA",
        "POST_PRODUCT_RELATIONSHIP_DATA",
        "POST_PRODUCT_OVERRIDES_DATA",
        "POST_FLAT_FILE_INVLOADER_DATA",
        "POST_FLAT_FILE_LISTINGS_DATA",
        "POST_FLAT_FILE_PRICEANDQUANTITYONLY_UPDATE_DATA",
    }
)
"""Feed types that were removed on 2025-07-31 and end FATAL (guide 16)."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of feed: `work` gives the processing report and whether it is FATAL."""

    work: Callable[[Seller, Feed, bytes], tuple[bytes, bool]]
    role: str


@dataclass(slots=True)
class Feed:
    """Attributes:
    fate: '' for what its content brings, or ordered: FATAL (half of it may be done), HANG (never ends).
    """

    id: str
    type: str
    marketplaces: list[str]
    input: str
    options: dict[str, str]
    created: float
    status: str = "IN_QUEUE"
    started: float = 0.0
    ended: float = 0.0
    result: str = ""
    fate: str = ""


@dataclass(slots=True)
class Desk:
    """The feeds of one seller; `free` is when the processor of a type is idle again."""

    all: dict[str, Feed] = field(default_factory=dict)
    fates: list[tuple[str, str]] = field(default_factory=list)
    free: dict[str, float] = field(default_factory=dict)
    pages: dict[str, tuple[list[str], int]] = field(default_factory=dict)
    count: int = 0

    def take_fate(self, feed_type: str) -> str:
        for number, (wanted, fate) in enumerate(self.fates):
            if wanted in {"", feed_type}:
                del self.fates[number]
                return fate
        return ""


KINDS = {
    "JSON_LISTINGS_FEED": Kind(feed_listings.work, "listing"),
    "UPLOAD_VAT_INVOICE": Kind(feed_invoices.work, "tax_invoicing"),
    "POST_ORDER_FULFILLMENT_DATA": Kind(feed_orders.fulfillment, "orders"),
    "POST_ORDER_ACKNOWLEDGEMENT_DATA": Kind(feed_orders.acknowledgement, "orders"),
}


def _removed(seller: Seller, feed: Feed, body: bytes) -> tuple[bytes, bool]:
    return b"This feed type is no longer supported.", True


def run(seller: Seller, docs: Documents, feed: Feed) -> None:
    """Puts a feed on its way, behind the feeds of its type."""
    seller.feeds.all[feed.id] = feed
    delay = seller.options.feed_delay
    begin = max(feed.created + delay / 4, seller.feeds.free.get(feed.type, 0.0))
    seller.feeds.free[feed.type] = begin + delay

    def start(now: float) -> None:
        if feed.status == "IN_QUEUE":
            feed.status, feed.started = "IN_PROGRESS", now

    def end(now: float) -> None:
        if feed.status == "IN_PROGRESS" and feed.fate != "HANG":
            _end(seller, docs, feed, now)

    seller.agenda.at(begin, start)
    seller.agenda.at(begin + delay, end)


def _end(seller: Seller, docs: Documents, feed: Feed, now: float) -> None:
    source = docs.all.get((seller.id, feed.input))
    body = source.body if source is not None and source.body is not None else b""
    kind = KINDS.get(feed.type)
    report, fatal = (kind.work if kind else _removed)(seller, feed, body)
    feed.ended, feed.status = now, "FATAL" if fatal or feed.fate == "FATAL" else "DONE"
    if feed.fate != "FATAL":
        made = docs.new(seller.id, seller.region, "tortuga", "text/plain; charset=UTF-8")
        made.expires = now + RETENTION
        packed(made, report, compress=True)
        feed.result = made.id
    event: Row = {"sellerId": seller.id, "feedId": feed.id, "feedType": feed.type, "processingStatus": feed.status}
    event |= {"resultFeedDocumentId": feed.result} if feed.result else {}
    seller.tell("FEED_PROCESSING_FINISHED", {"feedProcessingFinishedNotification": event})


@routes("POST", f"{ROOT}/documents", "createFeedDocument", *ROLES)
def create_document(call: Call) -> Answer:
    kind = call.object().get("contentType")
    if not isinstance(kind, str) or "/" not in kind:
        raise invalid("contentType is required.")
    docs = call.world.documents
    made = docs.new(call.seller.id, call.seller.region, "tortuga", kind)
    made.expires = call.now + 2 * DAY
    return reply({"feedDocumentId": made.id, "url": docs.url(made, call.seller.region, "PUT", call.now)}, 201)


@routes("POST", f"{ROOT}/feeds", "createFeed", *ROLES)
def create(call: Call) -> Answer:
    words = call.object()
    name = str(words.get("feedType"))
    kind = KINDS.get(name)
    if kind is None and name not in REMOVED:
        raise invalid(f"Feed type {name} is not supported.")
    if kind is not None and kind.role not in call.seller.roles(call):
        raise denied()
    places = words.get("marketplaceIds")
    if not isinstance(places, list) or not 1 <= len(places) <= 25:
        raise invalid("marketplaceIds takes 1 to 25 marketplaces.")
    call.marketplaces(places)
    source = call.world.documents.all.get((call.seller.id, str(words.get("inputFeedDocumentId"))))
    if source is None or call.now > source.expires or source.body is None:
        raise invalid("The input feed document does not exist, has expired or was not uploaded.")
    _charge(call, name)
    desk = call.seller.feeds
    desk.count += 1
    options = {str(key): str(value) for key, value in (words.get("feedOptions") or {}).items()}
    feed = Feed(f"{70_000 + desk.count}", name, places, source.id, options, call.now, fate=desk.take_fate(name))
    run(call.seller, call.world.documents, feed)
    return reply({"feedId": feed.id}, 202)


def _charge(call: Call, name: str) -> None:
    """Five JSON listings feeds in five minutes for an account, whatever the application (guide 8.4)."""
    if name != "JSON_LISTINGS_FEED":
        return
    recent = [each for each in call.seller.feeds.all.values() if each.type == name and each.created > call.now - 300]
    if len(recent) >= 5:
        raise throttled()


def shown(feed: Feed) -> Row:
    row: Row = {
        "feedId": feed.id,
        "feedType": feed.type,
        "marketplaceIds": feed.marketplaces,
        "createdTime": iso(feed.created),
        "processingStatus": feed.status,
    }
    row |= {"processingStartTime": iso(feed.started)} if feed.started else {}
    row |= {"processingEndTime": iso(feed.ended)} if feed.ended else {}
    return row | ({"resultFeedDocumentId": feed.result} if feed.result else {})


def _one(call: Call) -> Feed:
    feed = call.seller.feeds.all.get(call.params["feedId"])
    if feed is None:
        raise missing(f"Feed {call.params['feedId']} does not exist.")
    return feed


@routes("GET", f"{ROOT}/feeds/{{feedId}}", "getFeed", *ROLES)
def get(call: Call) -> Answer:
    return reply(shown(_one(call)))


@routes("DELETE", f"{ROOT}/feeds/{{feedId}}", "cancelFeed", *ROLES)
def cancel(call: Call) -> Answer:
    feed = _one(call)
    if feed.status != "IN_QUEUE":
        raise invalid("Only a feed that is IN_QUEUE can be cancelled.")
    feed.status, feed.ended = "CANCELLED", call.now
    return empty(200)


@routes("GET", f"{ROOT}/feeds", "getFeeds", *ROLES)
def search(call: Call) -> Answer:
    """Newest first; a nextToken goes alone."""
    desk = call.seller.feeds
    token = call.query.get("nextToken")
    if token is not None:
        if len(call.query) > 1 or token not in desk.pages:
            raise invalid("nextToken must be the only parameter.")
        found, size = desk.pages.pop(token)
    else:
        types = set(call.words("feedTypes", most=10))
        if not types:
            raise invalid("feedTypes or nextToken is required.")
        states = set(call.words("processingStatuses", STATUSES))
        size, since = call.integer("pageSize", 10, 1, 100), call.date("createdSince") or call.now - 90 * DAY
        until = call.date("createdUntil") or call.now
        found = [
            feed.id
            for feed in reversed(desk.all.values())
            if feed.type in types and (not states or feed.status in states) and since <= feed.created <= until
        ]
    answer: Row = {"feeds": [shown(desk.all[ident]) for ident in found[:size]]}
    if len(found) > size:
        answer["nextToken"] = f"feeds+{len(desk.pages)}/{found[size]}=="
        desk.pages[answer["nextToken"]] = (found[size:], size)
    return reply(answer)


@routes("GET", f"{ROOT}/documents/{{feedDocumentId}}", "getFeedDocument", *ROLES)
def document(call: Call) -> Answer:
    made = call.world.documents.all.get((call.seller.id, call.params["feedDocumentId"]))
    if made is None or made.report_type or call.now > made.expires:
        raise missing("The feed document does not exist.")
    encoded = call.query.get("enableContentEncodingUrlHeader") == "true"
    row = {
        "feedDocumentId": made.id,
        "url": call.world.documents.url(made, call.seller.region, "GET", call.now, encoded=encoded),
    }
    return reply(row | ({"compressionAlgorithm": "GZIP"} if made.compressed else {}))
