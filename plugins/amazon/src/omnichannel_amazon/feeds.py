"""Feeds: uploaded, waited for, their processing report read (guide amazon 8.4, 10.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from omnichannel_amazon.client import Client
from omnichannel_amazon.documents import fetched
from omnichannel_core import errors

LISTINGS, INVOICE, FULFILLMENT = "JSON_LISTINGS_FEED", "UPLOAD_VAT_INVOICE", "POST_ORDER_FULFILLMENT_DATA"
JSON, PDF, XML = "application/json; charset=UTF-8", "application/pdf", "text/xml; charset=UTF-8"
MOST_BYTES = 10 * 2**20


class Result(NamedTuple):
    """`state`: waiting, done, fatal. `text`: the processing report, '' where there is none."""

    state: str
    text: str = ""


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


async def result(client: Client, feed: str) -> Result:
    """How it ended. FATAL may have done some of it: whoever asks looks at what is there."""
    try:
        said = await client.feed(feed)
    except errors.RemoteRejected as refused:
        if refused.code == "404":
            return Result("fatal", "Amazon no longer knows the feed")
        raise
    if said.processing_status not in ("DONE", "FATAL", "CANCELLED"):
        return Result("waiting")
    text, document = "", said.result_feed_document_id
    if document:
        path = await fetched(client, "feedResult", f"feed-{feed}", lambda: client.feed_document(document))
        text = await client.session.compute(lambda: path.read_text(encoding="utf-8"))
    return Result("done" if said.processing_status == "DONE" else "fatal", text)
