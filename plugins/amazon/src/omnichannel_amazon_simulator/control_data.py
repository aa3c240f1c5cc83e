"""Control of what a seller owns beside orders: reports, feeds, invoices, listings, product types; and of queues."""

from __future__ import annotations

import msgspec

from omnichannel_amazon_simulator import feeds, reports
from omnichannel_amazon_simulator.answers import Answer, Call, decode, reply
from omnichannel_amazon_simulator.errors import missing
from omnichannel_amazon_simulator.routing import Routes

routes = Routes()
ROOT = "/_control/sellers/{seller}"
REPORT_FATES = frozenset({"DONE", "CANCELLED", "FATAL", "FATAL_DOCUMENT", "HANG"})
FEED_FATES = frozenset({"FATAL", "HANG"})


def _fate(call: Call, fates: frozenset[str]) -> tuple[str, str]:
    words = call.object()
    if words.get("fate") not in fates:
        raise ValueError(f"fate: one of {', '.join(sorted(fates))}")
    return str(words.get("type", "")), str(words["fate"])


@routes("POST", f"{ROOT}/reports")
def report_fate(call: Call) -> Answer:
    """`{"type"?, "fate"}`: how the next report (of that type) ends."""
    call.seller.reports.fates.append(_fate(call, REPORT_FATES))
    return reply({}, 201)


@routes("GET", f"{ROOT}/reports")
def list_reports(call: Call) -> Answer:
    return reply({"reports": [reports.shown(each) for each in call.seller.reports.all.values()]})


@routes("POST", f"{ROOT}/feeds")
def feed_fate(call: Call) -> Answer:
    """`{"type"?, "fate"}`: how the next feed (of that type) ends; FATAL does half of it."""
    call.seller.feeds.fates.append(_fate(call, FEED_FATES))
    return reply({}, 201)


@routes("GET", f"{ROOT}/feeds")
def list_feeds(call: Call) -> Answer:
    """Feeds with what was uploaded, as text where it is text."""
    rows = []
    for each in call.seller.feeds.all.values():
        source = call.world.documents.all.get((call.seller.id, each.input))
        body = source.body if source and source.body else b""
        rows.append(feeds.shown(each) | {"options": each.options, "input": body.decode("utf-8", errors="replace")})
    return reply({"feeds": rows})


@routes("GET", f"{ROOT}/invoices")
def invoices(call: Call) -> Answer:
    return reply({"invoices": [msgspec.to_builtins(each) for each in call.seller.invoices.by_number.values()]})


@routes("GET", f"{ROOT}/listings")
def list_listings(call: Call) -> Answer:
    return reply({"listings": [msgspec.to_builtins(each) for each in call.seller.listings.all.values()]})


@routes("PUT", f"{ROOT}/listings/{{sku}}")
def change_listing(call: Call) -> Answer:
    """`{"fba"?: units or null, "live"?: attributes, "product_type"?, "asin"?}` of a listing, at once."""
    listing, words = call.seller.listings.all.get(call.params["sku"]), call.object()
    if listing is None:
        raise missing(f"there is no listing {call.params['sku']}")
    for name, value in words.items():
        if name not in {"fba", "live", "product_type", "asin"}:
            raise ValueError(f"listing: {name!r} cannot be changed")
        setattr(listing, name, value)
    listing.updated = call.now
    return reply(msgspec.to_builtins(listing))


@routes("POST", f"{ROOT}/types")
def new_version(call: Call) -> Answer:
    """Product types get another version: other schemas, other checksums, a notification."""
    call.seller.type_version += 1
    content = {"MarketplaceId": call.seller.marketplaces[0], "ProductTypeVersion": str(call.seller.type_version)}
    call.seller.tell("PRODUCT_TYPE_DEFINITIONS_CHANGE", content)
    return reply({"version": call.seller.type_version})


@routes("GET", "/_control/queues")
def queues(call: Call) -> Answer:
    """Messages by the ARN of their queue."""
    return reply({"queues": call.world.exchange.queues})


@routes("DELETE", "/_control/queues")
def receive(call: Call) -> Answer:
    """Takes everything out of the queues, and answers it."""
    taken, call.world.exchange.queues = call.world.exchange.queues, {}
    return reply({"queues": taken})


@routes("PUT", "/_control/queues")
def tune(call: Call) -> Answer:
    """`{"duplicates"?: probability, "shuffled"?}`."""
    words, exchange = decode(call.body), call.world.exchange
    exchange.duplicates = float(words.get("duplicates", exchange.duplicates))
    exchange.shuffled = bool(words.get("shuffled", exchange.shuffled))
    return reply({})
