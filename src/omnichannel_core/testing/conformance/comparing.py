"""Records against what was expected, against each other, and against what can be stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from omnichannel_core.driver import PullStream
from omnichannel_core.records import Bad, Money, Record
from omnichannel_core.testing.conformance.rules import Failed
from omnichannel_core.testing.conformance.trying import Brought

AGAIN = 0.15  # of a run: pages may overlap a little, where the remote's order is not exact


def agree(pulled: object, fetched: object) -> bool:
    """Whether the fetched one says the same, where the pulled one says anything; receipts are a pull's alone."""
    if pulled in (None, "", msgspec.UNSET):
        return True
    if isinstance(pulled, msgspec.Struct) and type(pulled) is type(fetched):
        names = [name for name in pulled.__struct_fields__ if name != "receipt"]
        return all(agree(getattr(pulled, name), getattr(fetched, name)) for name in names)
    if isinstance(pulled, Mapping) and isinstance(fetched, Mapping):
        return all(name in fetched and agree(value, fetched[name]) for name, value in pulled.items())
    if isinstance(pulled, list | tuple) and isinstance(fetched, list | tuple):
        return len(pulled) <= len(fetched) and all(map(agree, pulled, fetched))
    return pulled == fetched


def compare(
    stream: PullStream[Any], brought: Brought, wanted: Mapping[str, Mapping[str, object]] | None, *, whole: bool
) -> None:
    found = {one.id: one for one in brought.records.values()}
    if wanted is None:
        if not found:
            raise Failed(f"pull of {stream.name} brings nothing.")
        return
    if lost := sorted(set(wanted) - set(found))[:3]:
        raise Failed(f"pull of {stream.name} does not bring {', '.join(lost)}.")
    main = {one.id for one in found.values() if isinstance(one, stream.yields[0])}
    if whole and (more := sorted(main - set(wanted))[:3]):
        raise Failed(f"pull of {stream.name} brings {', '.join(more)}, which the facts do not expect.")
    for one, fields in wanted.items():
        for name, value in fields.items():
            if getattr(found[one], name) != value:
                raise Failed(f"{stream.name} brings {one} with another {name} than expected.")


def moved_on(stream: PullStream[Any], brought: Brought) -> None:
    """Every page goes on from the one before: of a remote at rest only few records come a second time unchanged.

    Raises:
        Failed: more than `AGAIN` of a run, and more than one.
    """
    seen, again = set[bytes](), 0
    for page in brought.pages:
        said = {msgspec.json.encode(one) for one in page.records if isinstance(one, Record)}
        again += len(said & seen)
        seen |= said
    for before, page, after in zip(brought.cursors, brought.pages, brought.cursors[1:], strict=False):
        if page.more is True and before == after:
            raise Failed(f"pull of {stream.name} says more, but its cursor stays; move it.")
    if again > max(1, len(seen) * AGAIN):
        raise Failed(
            f"pull of {stream.name} brings {again} of {len(seen)} records a second time in one run, though nothing "
            "changed; begin each page after the last record of the one before."
        )


def well_formed(stream: PullStream[Any], record: Record | Bad) -> None:
    kind = type(record)
    if kind not in stream.yields:
        raise Failed(f"{stream.name} brings a {kind.__name__}, which it does not declare in `yields`.")
    try:
        again = msgspec.json.decode(msgspec.json.encode(record), type=kind)
    except (msgspec.ValidationError, TypeError, UnicodeEncodeError) as cause:
        raise Failed(
            f"{stream.name} brings a {kind.__name__} that cannot be stored ({type(cause).__name__})."
        ) from cause
    if again != record or not record.id:
        raise Failed(f"{stream.name} brings a {kind.__name__} without id, or one that changes when it is stored.")
    for value in _values(record):
        if isinstance(value, datetime) and value.tzinfo is None:
            raise Failed(f"{stream.name} brings a moment without its zone; say which it is.")
        if isinstance(value, Money) and not (len(value.currency) == 3 and value.currency.isupper()):
            raise Failed(f"{stream.name} brings the currency {value.currency[:8]!r}, which is not ISO 4217.")
        if isinstance(value, Money) and not value.amount.is_finite():
            raise Failed(f"{stream.name} brings an amount that is no number.")


def _values(value: object) -> Iterator[object]:
    yield value
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _values(getattr(value, name))
    elif isinstance(value, Mapping):
        for inside in value.values():
            yield from _values(inside)
    elif isinstance(value, list | tuple):
        for inside in value:
            yield from _values(inside)
