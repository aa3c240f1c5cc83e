"""Presigned documents, as S3 serves them: without Amazon's headers, for five minutes, byte for byte (guide 10).

`https://tortuga-prod-eu.s3.eu-west-1.amazonaws.com/tortuga/{id}?X-Amz-...`: found by path and signature.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from random import Random
from urllib.parse import urlencode

from omnichannel_amazon_simulator.answers import Answer, Call
from omnichannel_amazon_simulator.marketplaces import BUCKETS

PATH = "/tortuga/"
LIFE = 300.0
FORBIDDEN = ("x-amz-", "authorization")


@dataclass(slots=True)
class Document:
    """Attributes:
    content_type: what an upload must say, and a download says.
    compressed: the bytes are gzip. encoded: the download says so itself (Content-Encoding).
    expires: of the document; a feed's input lives two days.
    """

    id: str
    seller: str
    content_type: str = ""
    body: bytes | None = None
    compressed: bool = False
    report_type: str = ""
    expires: float = float("inf")


@dataclass(slots=True)
class Signed:
    """One address that was given out."""

    document: Document
    method: str
    until: float
    encoded: bool = False


class Documents:
    """All documents and the addresses that were given out for them."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.all: dict[tuple[str, str], Document] = {}
        self.signed: dict[str, Signed] = {}
        self.count = 0

    def new(self, seller: str, region: str, kind: str, content_type: str = "") -> Document:
        """A document; its id is unique for its seller only."""
        self.count += 1
        made = Document(f"amzn1.{kind}.1.4.{region}.{self.count:08d}-{self.random.getrandbits(32):08x}", seller)
        made.content_type = content_type
        self.all[seller, made.id] = made
        return made

    def url(self, document: Document, region: str, method: str, now: float, life: float = LIFE, **words: bool) -> str:
        """An address for `method`, good for `life` seconds."""
        signature = f"{self.random.getrandbits(256):064x}"
        self.signed[signature] = Signed(document, method, now + life, **words)
        place, name = BUCKETS[region]
        query = urlencode(
            {
                "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
                "X-Amz-Credential": f"ASIA0/20261121/{place}/s3/aws4_request",
                "X-Amz-Expires": int(life),
                "X-Amz-SignedHeaders": "content-type;host" if method == "PUT" else "host",
                "X-Amz-Security-Token": "IQoJb3Jp+Z2lu/X2Vj==",
                "X-Amz-Signature": signature,
            }
        )
        return f"https://tortuga-{name}.s3.{place}.amazonaws.com{PATH}{document.id}?{query}"


def packed(document: Document, body: bytes, *, compress: bool) -> None:
    """Fills a document."""
    document.compressed = compress
    document.body = gzip.compress(body, mtime=0) if compress else body


def _xml(status: int, code: str, message: str) -> Answer:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Answer(status, text.encode(), "application/xml")


def answer(call: Call) -> Answer:
    """A download or an upload; never JSON."""
    signed = call.world.documents.signed.get(call.query.get("X-Amz-Signature", ""))
    if signed is None or call.path != PATH + signed.document.id or signed.method != call.method:
        return _xml(403, "SignatureDoesNotMatch", "The request signature we calculated does not match.")
    if any(name.startswith(FORBIDDEN) for name in call.headers):
        return _xml(400, "InvalidArgument", "Only one auth mechanism allowed.")
    if call.now > signed.until:
        return _xml(403, "AccessDenied", "Request has expired")
    document = signed.document
    if call.method == "PUT":
        if call.headers.get("content-type") != document.content_type:
            return _xml(403, "SignatureDoesNotMatch", "The request signature we calculated does not match.")
        document.body = call.body
        return Answer(200, b"", "", {"ETag": '"0"'})
    headers = {"Content-Encoding": "gzip"} if signed.encoded and document.compressed else {}
    return Answer(200, document.body or b"", document.content_type, headers)
