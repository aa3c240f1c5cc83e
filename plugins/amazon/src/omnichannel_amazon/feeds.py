"""Feeds: uploaded, waited for, their processing report read (guide amazon 8.4, 10.2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple
from xml.etree import ElementTree as ET

from omnichannel_amazon import wire
from omnichannel_amazon.client import Client
from omnichannel_amazon.documents import fetched
from omnichannel_amazon.order_mapping import moment
from omnichannel_core import errors

LISTINGS, INVOICE, FULFILLMENT = "JSON_LISTINGS_FEED", "UPLOAD_VAT_INVOICE", "POST_ORDER_FULFILLMENT_DATA"
ACKNOWLEDGEMENT = "POST_ORDER_ACKNOWLEDGEMENT_DATA"
JSON, PDF, XML = "application/json; charset=UTF-8", "application/pdf", "text/xml; charset=UTF-8"
MOST_BYTES = 10 * 2**20
NEVER_ENDED = "Amazon has not ended the feed within a day"
ENDED = ("DONE", "FATAL", "CANCELLED")
HUNG = timedelta(hours=24)
"""Feeds have hung for hours; one that has not ended after so long is no longer waited for (guide 15, 19)."""


class Result(NamedTuple):
    """`state`: waiting, done, fatal. `text`: the processing report, '' where there is none."""

    state: str
    text: str = ""


WAITING = Result("waiting")


async def submit(client: Client, kind: str, mime: str, body: bytes, options: Mapping[str, str] | None = None) -> str:
    """A feed on its way; its id, which is unique for this seller only."""
    slot = await client.feed_slot(mime)
    await client.upload(slot.url, mime, body)
    wish: dict[str, object] = {
        "feedType": kind,
        "marketplaceIds": [client.marketplace],
        "inputFeedDocumentId": slot.feed_document_id,
    }
    return await client.create_feed(wish | ({"feedOptions": dict(options)} if options else {}))


async def _known(client: Client, feed: str) -> wire.Feed | None:
    """What Amazon says of it; None when it no longer knows it."""
    try:
        return await client.feed(feed)
    except errors.RemoteRejected as refused:
        if refused.code == "404":
            return None
        raise


async def ended(client: Client, feed: str) -> bool:
    """Whether it is done with, one way or another."""
    said = await _known(client, feed)
    return said is None or said.processing_status in ENDED or _hangs(client, said)


async def result(client: Client, feed: str) -> Result:
    """How it ended. FATAL may have done some of it: whoever asks looks at what is there."""
    said = await _known(client, feed)
    if said is None:
        return Result("fatal", "Amazon no longer knows the feed")
    if said.processing_status not in ENDED:
        return Result("fatal", NEVER_ENDED) if _hangs(client, said) else WAITING
    text, document = "", said.result_feed_document_id
    if document:
        path = await fetched(client, "feedResult", f"feed-{feed}", lambda: client.feed_document(document))
        text = await client.session.compute(lambda: path.read_text(encoding="utf-8"))
    return Result("done" if said.processing_status == "DONE" else "fatal", text)


async def under_way(client: Client, kind: str, within: timedelta) -> bool:
    """Whether a feed of this type was made lately and has not ended: it may be the one whose answer was lost."""
    found = await client.feeds(kind, client.session.clock.now() - within)
    return any(one.processing_status in ("IN_QUEUE", "IN_PROGRESS") and not _hangs(client, one) for one in found)


def _hangs(client: Client, feed: wire.Feed) -> bool:
    try:
        return client.session.clock.now() - moment(feed.created_time) > HUNG
    except ValueError:
        return False


# --- the older feeds, in XML
def envelope(client: Client, kind: str) -> tuple[ET.Element, ET.Element]:
    """A document with one message of this kind: the whole, and the element that the kind's own fields go into."""
    root = ET.Element("AmazonEnvelope")
    head = ET.SubElement(root, "Header")
    ET.SubElement(head, "DocumentVersion").text = "1.01"
    ET.SubElement(head, "MerchantIdentifier").text = client.mine.seller_id
    ET.SubElement(root, "MessageType").text = kind
    message = ET.SubElement(root, "Message")
    ET.SubElement(message, "MessageID").text = "1"
    return root, ET.SubElement(message, kind)


def document(root: ET.Element) -> bytes:
    """As it is uploaded."""
    return b'<?xml version="1.0" encoding="UTF-8"?>' + ET.tostring(root, encoding="unicode").encode()


def why(text: str) -> str:
    """Errors of an XML processing report in one line; '' for none, or when it is not readable."""
    try:
        root = ET.fromstring(text) if text else None  # noqa: S314 - Amazon's own document, fetched over TLS
    except ET.ParseError:
        return ""
    found = [
        f"{one.findtext('ResultDescription', '')} ({one.findtext('ResultMessageCode', '')})"
        for one in (root.iter("Result") if root is not None else ())
        if one.findtext("ResultCode") == "Error"
    ]
    return "; ".join(found)[:500]
