"""What stock and prices have in common: PATCH for few, one feed for many, and looking at what is live afterwards."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from omnichannel_amazon import feeds, wire
from omnichannel_amazon.client import Client
from omnichannel_amazon.documents import UNSAFE
from omnichannel_amazon.marketplaces import MARKETPLACES
from omnichannel_amazon.order_mapping import moment
from omnichannel_core.driver import Accepted, Batch, Item, Later, Outcome, Pending, Rejected, Session, Wait
from omnichannel_core.records import Price, StockLevel

R = TypeVar("R", StockLevel, Price)
MANY = 200
"""More items than this go as one feed: a PATCH takes a fifth of a second of the bucket (guide 8.3)."""

MESSAGES = 25_000
INCLUDED = "summaries,attributes,fulfillmentAvailability,offers,issues"
PATIENCE = timedelta(hours=24)
"""Minutes as a rule, hours in incidents (guide 8.3); after that it was taken and never shown."""

Patch = dict[str, object]


UNDER_WAY = "listings-feed-"
"""In scratch: a feed of listings that was sent."""


class UnderWay(msgspec.Struct):
    """What is in a feed."""

    feed: str
    skus: Sequence[str]


class Unfit(ValueError):
    """A record Amazon has no way for; the message is for people."""


class NotWanted(Exception):
    """A record that settings hold back: no error."""


@dataclass(frozen=True)
class Way(Generic[R]):
    """One kind of record.

    Attributes:
        patch: (client, record, listing) -> the patch; raises Unfit or NotWanted.
        shown: (client, record, listing) -> whether it is live.
    """

    patch: Callable[[Client, R, wire.Listing], Patch]
    shown: Callable[[Client, R, wire.Listing], bool]


async def push(session: Session, batch: Batch[R], way: Way[R]) -> Mapping[str, Outcome]:
    """Absolute states: the same batch may be sent again."""
    client, outcomes = Client(session), dict[str, Outcome]()
    live = await client.listings([item.record.sku for item in batch.items], INCLUDED)
    ready = list[tuple[Item[R], Patch]]()
    for item in batch.items:
        try:
            ready.append((item, way.patch(client, item.record, _listing(live, item.record.sku))))
        except NotWanted as why:
            outcomes[item.key] = Accepted(note=f"not wanted: {why}")
        except Unfit as why:
            outcomes[item.key] = Rejected(str(why))
    if len(ready) > MANY or await _overtakes(client, {item.record.sku for item, _ in ready}):
        return outcomes | await _by_feed(client, ready, live)
    for item, patch in ready:
        outcomes[item.key] = await _patched(client, item.record.sku, patch)
    return outcomes


def _listing(live: Mapping[str, wire.Listing], sku: str) -> wire.Listing:
    if sku not in live:
        raise Unfit(f"Amazon has no listing with SKU {sku} on this marketplace: push the offer first")
    return live[sku]


async def _patched(client: Client, sku: str, patch: Patch) -> Outcome:
    """HTTP 200 with INVALID is a refusal; ACCEPTED is a promise (guide 8.2)."""
    body = {"productType": "PRODUCT", "patches": [patch]}
    said = await client.submit("patchListingsItem", "PATCH", sku, body)
    if said.status == "INVALID":
        return Rejected(words(said.issues or ()))
    return seen(client)


def seen(client: Client, wait: float = 300) -> Pending:
    """Accepted: pending until it is live."""
    now = client.session.clock.now().isoformat()
    return Pending(f"seen:{now}", Wait(wait, "Amazon has accepted it and does not show it yet"))


def words(issues: Sequence[wire.Issue]) -> str:
    """Errors of a submission in one line."""
    wrong = [one for one in issues if one.severity in ("ERROR", "")]
    return "; ".join(f"{one.message} ({one.code})" for one in wrong)[:500] or "Amazon refuses it without saying why"


async def _by_feed(
    client: Client, ready: Sequence[tuple[Item[R], Patch]], live: Mapping[str, wire.Listing]
) -> dict[str, Outcome]:
    """One JSON_LISTINGS_FEED; what does not fit into it is for a later one."""
    messages, size, outcomes = list[dict[str, Any]](), 0, dict[str, Outcome]()
    taken = list[str]()
    for number, (item, patch) in enumerate(ready[:MESSAGES], 1):
        message = {
            "messageId": number,
            "sku": item.record.sku,
            "operationType": "PATCH",
            "productType": live[item.record.sku].product_type() or "PRODUCT",
            "patches": [patch],
        }
        size += len(msgspec.json.encode(message)) + 1
        if size > feeds.MOST_BYTES - 1000:
            break
        messages.append(message)
        taken.append(item.key)
    feed = await feeds.submit(client, feeds.LISTINGS, feeds.JSON, document(client, messages))
    await client.session.compute(partial(_note, client.session.scratch, feed, [one["sku"] for one in messages]))
    for number, key in enumerate(taken, 1):
        outcomes[key] = Pending(f"feed:{feed}:{number}", Wait(120, "Amazon processes the feed"))
    return outcomes | {item.key: Later(Wait(300, "the next feed")) for item, _ in ready[len(taken) :]}


def _note(scratch: Path, feed: str, skus: Sequence[str]) -> None:
    scratch.mkdir(parents=True, exist_ok=True)
    (scratch / f"{UNDER_WAY}{UNSAFE.sub('_', feed)}").write_bytes(msgspec.json.encode(UnderWay(feed, skus)))


def _noted(scratch: Path) -> list[tuple[Path, UnderWay]]:
    found = list[tuple[Path, UnderWay]]()
    for one in scratch.glob(f"{UNDER_WAY}*"):
        with suppress(OSError, msgspec.DecodeError):  # removed by prices meanwhile, or half written
            found.append((one, msgspec.json.decode(one.read_bytes(), type=UnderWay)))
    return found


async def _overtakes(client: Client, skus: Collection[str]) -> bool:
    """Whether a feed that is under way has older values of these: a PATCH would be undone by it, another feed comes
    after it (guide 8.4). Known on the machine that sent it."""
    found = False
    for path, one in await client.session.compute(partial(_noted, client.session.scratch)):
        if await feeds.ended(client, one.feed):
            await client.session.compute(partial(path.unlink, missing_ok=True))
        else:
            found = found or not set(one.skus).isdisjoint(skus)
    return found


def document(client: Client, messages: Sequence[Mapping[str, Any]]) -> bytes:
    """A listings feed, version 2.0 (listings-feed-schema-v2)."""
    locale = MARKETPLACES[client.marketplace].locale
    head = {"sellerId": client.mine.seller_id, "version": "2.0", "issueLocale": locale}
    return msgspec.json.encode({"header": head, "messages": list(messages)})


class ReportRow(msgspec.Struct, rename="camel"):
    """`issues` of listings-feed-processing-report-schema-v2."""

    message_id: int | None = None
    code: str = ""
    severity: str = ""
    message: str = ""


class ReportOf(msgspec.Struct):
    """The processing report of a listings feed."""

    issues: list[ReportRow] | None = None


def refused(text: str) -> dict[int, str]:
    """Message id -> why, of a processing report; empty when it cannot be read (looking decides then)."""
    try:
        rows = msgspec.json.decode(text, type=ReportOf).issues or ()
    except msgspec.DecodeError:
        return {}
    found = dict[int, str]()
    for row in rows:
        if row.message_id is not None and row.severity == "ERROR":
            found[row.message_id] = "; ".join(filter(None, (found.get(row.message_id), f"{row.message} ({row.code})")))
    return found


async def settle(session: Session, batch: Batch[R], way: Way[R]) -> Mapping[str, Outcome]:
    """A feed's report first; then, as for unknown ones, what is live. FATAL did some of it: the rest is sent again."""
    client, outcomes = Client(session), dict[str, Outcome]()
    looking, lost = list[Item[R]](), set[str]()
    results = {feed: await feeds.result(client, feed) for feed in {_feed(item.ticket) for item in batch.items} - {""}}
    for item in batch.items:
        feed = _feed(item.ticket)
        if not feed:
            looking.append(item)
            continue
        state, text = results[feed]
        why = refused(text).get(int(item.ticket.rpartition(":")[2]))
        if state == "waiting":
            outcomes[item.key] = Pending(item.ticket, Wait(120, "Amazon processes the feed"))
        elif why:
            outcomes[item.key] = Rejected(why)
        else:
            looking.append(item)
            lost |= {item.key} if state == "fatal" and text != feeds.NEVER_ENDED else set()
    live = await client.listings([item.record.sku for item in looking], INCLUDED) if looking else {}
    for item in looking:
        found = _looked(client, item, live.get(item.record.sku), way)
        again = item.key in lost and isinstance(found, Pending)
        outcomes[item.key] = Later(Wait(120, "Amazon could not process the feed")) if again else found
    return outcomes


def _feed(ticket: str) -> str:
    kind, _, rest = ticket.partition(":")
    return rest.rpartition(":")[0] if kind == "feed" else ""


def _looked(client: Client, item: Item[R], listing: wire.Listing | None, way: Way[R]) -> Outcome:
    if listing is not None and way.shown(client, item.record, listing):
        return Accepted()
    if not item.ticket:
        return Later(Wait(0))  # absolute: sending it again harms nothing
    kind, _, since = item.ticket.partition(":")
    if kind != "seen":
        return seen(client)
    wrong = [one for one in (listing.issues if listing else None) or () if one.severity == "ERROR"]
    if client.session.clock.now() - _since(client, since) > PATIENCE:
        why = words(wrong) if wrong else "it was accepted and never became visible"
        return Rejected(f"Amazon does not show it after a day: {why}")
    return Pending(item.ticket, Wait(600, "Amazon has accepted it and does not show it yet"))


def _since(client: Client, text: str) -> datetime:
    try:
        return moment(text)
    except ValueError:
        return client.session.clock.now()
