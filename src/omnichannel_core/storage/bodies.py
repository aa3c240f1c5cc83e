"""Records as bytes and back: canonical JSON by kind."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from omnichannel_core import errors, records
from omnichannel_core.records import Record

KINDS: Mapping[str, type[Record]] = {
    kind.__name__: kind
    for kind in vars(records).values()
    if isinstance(kind, type) and issubclass(kind, Record) and kind is not Record
}
_encode = msgspec.json.Encoder(decimal_format="string").encode
_decoders = {name: msgspec.json.Decoder(kind) for name, kind in KINDS.items()}


def encode(record: Record) -> bytes:
    """The record's canonical JSON; fields that are UNSET are left out."""
    return _encode(record)


def decode(kind: str, body: bytes) -> Record:
    """What `encode` wrote.

    Raises:
        StorageError: the bytes are not of that kind.
    """
    try:
        return _decoders[kind].decode(body)
    except (KeyError, msgspec.DecodeError) as cause:
        raise errors.StorageError(f"A stored {kind} cannot be read: {type(cause).__name__}.") from cause
