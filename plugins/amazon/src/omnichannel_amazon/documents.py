"""Presigned documents: fetched at once, unpacked and decoded, in flat memory (guide amazon 10)."""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

from omnichannel_amazon import wire
from omnichannel_amazon.client import Client
from omnichannel_core import errors

CHUNK = 1 << 20
CHARSET = re.compile(r"charset=\"?([\w-]+)", re.IGNORECASE)
NAMES = {"cp1252": "cp1252", "windows-1252": "cp1252", "iso-8859-1": "cp1252", "latin-1": "cp1252",
         "shift-jis": "cp932", "shift_jis": "cp932", "sjis": "cp932", "windows-31j": "cp932",
         "utf-8": "utf-8-sig", "utf8": "utf-8-sig"}  # fmt: skip
UNSAFE = re.compile(r"[^\w.-]")
Ask = Callable[[], Awaitable[wire.Document]]


async def fetched(client: Client, operation: str, name: str, ask: Ask) -> Path:
    """The document as UTF-8 text in scratch; had before on this machine, it is not asked for again.

    Args:
        operation: of the download. name: unique for this connection. ask: gives a fresh presigned address.

    Raises:
        RemoteUnavailable: the address expired twice, or the document is damaged.
    """
    session = client.session
    text = session.scratch / f"{UNSAFE.sub('_', name)}.txt"
    raw = text.with_suffix(".raw")
    if await session.compute(text.exists):
        return text
    said = await _download(client, operation, ask, raw)
    used = await session.compute(partial(transcode, raw, text, said, far_east=client.mine.region == "fe"))
    if used == REPLACED:
        session.log.warning("%s: the document's encoding is unknown: some characters are replaced", operation)
    return text


async def _download(client: Client, operation: str, ask: Ask, to: Path) -> str:
    """An address lives five minutes: an expired one is asked for once more. What the download says of its charset."""
    for last in (False, True):
        document = await ask()
        try:
            answer = await client.download(operation, document.url, to)
        except errors.RemoteRejected as refused:
            if last:
                raise errors.RemoteUnavailable(f"{operation}: the address of the document expired twice") from refused
            continue
        found = CHARSET.search(answer.headers.get("content-type", ""))
        return found.group(1).lower() if found else ""
    raise errors.RemoteUnavailable(f"{operation}: no document")  # pragma: no cover - the loop returns or raises


REPLACED = "cp1252 with replacements"


def transcode(raw: Path, text: Path, said: str, *, far_east: bool) -> str:
    """Unpacks where it is packed, and writes UTF-8; the charset used. Said ones may lie: all are tried strictly.

    Raises:
        RemoteUnavailable: the compressed bytes are damaged.
    """
    candidates = [NAMES.get(said, ""), "utf-8-sig", "cp932" if far_east else "cp1252"]
    used = next((name for name in candidates if name and decodes(raw, name)), REPLACED)
    encoding, handling = ("cp1252", "replace") if used == REPLACED else (used, "strict")
    part = text.with_suffix(".part")
    decoder = codecs.getincrementaldecoder(encoding)(handling)
    with part.open("w", encoding="utf-8", newline="") as out:
        for chunk in chunks(raw):
            out.write(decoder.decode(chunk))
        out.write(decoder.decode(b"", final=True))
    part.replace(text)
    raw.unlink()
    return used


def decodes(raw: Path, encoding: str) -> bool:
    """Whether all of it is of this charset."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        for chunk in chunks(raw):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def chunks(raw: Path) -> Iterator[bytes]:
    """The content, unpacked by its first two bytes: what is said about compression may have been undone on the way.

    Raises:
        RemoteUnavailable: it ends too early or is damaged.
    """
    with raw.open("rb") as plain:
        packed = plain.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(raw, "rb") if packed else raw.open("rb") as source:
            while chunk := source.read(CHUNK):
                yield chunk
    except (EOFError, OSError, zlib.error) as cause:
        raise errors.RemoteUnavailable("The document's compressed bytes are damaged") from cause
