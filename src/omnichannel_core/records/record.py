"""What every record has."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One thing of the remote. `id` is the remote's own, unique per (connection, kind).

    Attributes:
        revision: sorts as text; an older one never overwrites a newer one. '' never wins over a stored revision.
        partial: fields left UNSET keep what is stored, mappings merge by key (a report row completes an API order).
        replaces: ids this record takes the place of, in the same transaction, also of what had failed under them.
        known_only: updates one that is stored, never creates (import filters decide on the first import only).
        receipt: once this very record is stored, the stream's `acknowledge` is called for every new value of it.
        extra: what the remote says besides; text to text.
    """

    id: str
    revision: str = ""
    partial: bool = False
    replaces: tuple[str, ...] = ()
    receipt: str = ""
    known_only: bool = False
    extra: Mapping[str, str] = {}


class Bad(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A record that could not be read: kept with reason and raw bytes, refetched on retry; the page goes on.

    Attributes:
        kind: which record it would have been.
        id: the remote's, '' when not even that could be read (then the raw bytes' digest stands for it).
        reason: what is wrong, without personal data.
    """

    kind: type[Record]
    id: str
    reason: str
    raw: bytes = b""


class Money(msgspec.Struct, frozen=True, gc=False):
    """An exact amount. `currency` is ISO 4217, upper case."""

    amount: Decimal
    currency: str
