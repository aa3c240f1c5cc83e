"""Returns in: to Amazon's centers, and to the merchant (guide amazon 6.5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from omnichannel_amazon import reports
from omnichannel_amazon.credentials import AmazonCredentials
from omnichannel_amazon.order_mapping import moment
from omnichannel_amazon.reports import Kind, Row, Track
from omnichannel_amazon.settings import OrderImport
from omnichannel_amazon.sync.fba import decimal
from omnichannel_amazon.sync.orders import beginning, newly
from omnichannel_core import errors
from omnichannel_core.driver import Page, PullStream, Session, Settings
from omnichannel_core.records import Bad, Money, Return, ReturnLine

DAYS = timedelta(days=1)
KINDS = {
    "fba": Kind(("GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA",), overlap=2 * DAYS, span=30 * DAYS, every=DAYS / 6),
    "mfn": Kind(
        ("GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE", "GET_XML_RETURNS_DATA_BY_RETURN_DATE"),
        overlap=30 * DAYS,
        span=59 * DAYS,
        every=DAYS / 6,
        reach=59 * DAYS,
    ),
    "prime": Kind(
        ("GET_CSV_MFN_PRIME_RETURNS_REPORT", "GET_XML_MFN_PRIME_RETURNS_REPORT"),
        overlap=30 * DAYS,
        span=59 * DAYS,
        every=DAYS / 6,
        reach=59 * DAYS,
    ),
}
"""Returns of the merchant are asked for by the day they were requested: the overlap brings what changed in them. Those
of Prime by Merchant have a report of their own, which not every seller has."""


class ReturnsCursor(Struct, frozen=True):
    """A track of reports per kind. `begun`: when the first import began, which fixes where an empty date begins."""

    fba: Track = Track()
    mfn: Track = Track()
    prime: Track = Track()
    begun: datetime | None = None


async def pull(session: Session, cursor: ReturnsCursor) -> Page[ReturnsCursor]:
    """One step of whichever kind is under way or due. One whose role is missing holds up no other.

    Raises:
        AccessMissing: a role of the app is missing, and nothing else is left to do. RemoteUnavailable.
    """
    missing: errors.AccessMissing | None = None
    settings, now = session[OrderImport], session.clock.now()
    begun = cursor.begun or now
    tracks = {n: reports.due(kind, getattr(cursor, n), now) for n, kind in KINDS.items() if _switched_on(n, settings)}
    for name in sorted(tracks, key=lambda one: not tracks[one].report):  # what is under way comes first
        said = tracks[name].upto
        if said is None:
            continue
        try:
            done = await reports.step(session, KINDS[name], tracks[name], _first(session, name, begun))
        except (errors.AccessMissing, errors.RemoteRejected) as refused:
            if name == "prime":  # a report that not every seller has
                session.log.warning("Returns of Prime by Merchant are not imported: %s", refused)
                continue
            if isinstance(refused, errors.RemoteRejected):
                raise
            missing = missing or refused
            continue
        if done.more is False and done.track in (tracks[name], getattr(cursor, name)):  # it waits for a later run
            continue
        moved = replace(cursor, **{**tracks, name: done.track}, begun=begun)
        revision = said.astimezone(UTC).isoformat(timespec="seconds")
        return Page(cursor=moved, records=records(done.rows, READ[name], revision), more=done.more or True)
    if missing is not None:
        raise missing
    return Page(cursor=cursor)


def _first(session: Session, name: str, begun: datetime) -> datetime:
    """Returns of orders from before the import are nobody's."""
    settings = session[OrderImport]
    day = settings.fba_from if name == "fba" else settings.mfn_from
    return beginning(day, str(session[AmazonCredentials].marketplace), begun)


def _switched_on(name: str, settings: OrderImport) -> bool:
    """Returns come for kinds of orders that are imported."""
    return {"fba": settings.fba, "prime": settings.prime_by_merchant}.get(name, True)


def records(rows: Sequence[Row], read: Callable[[Row, str], Return], asked: str) -> list[Return | Bad]:
    """Returns of a page; rows of one return are one record, its lines by key."""
    found, bad = dict[str, Return](), list[Return | Bad]()
    for row in rows:
        try:
            one = read(row, asked)
        except (ValueError, KeyError) as trouble:
            ident = row.get("amazon_rma_id") or row.get("license_plate_number") or ""
            bad.append(Bad(kind=Return, id=ident, reason=f"a row of the returns report cannot be read: {trouble}"))
            continue
        before = found.get(one.id)
        found[one.id] = one if before is None else replace(before, lines={**before.lines, **one.lines})
    return [*found.values(), *bad]


def fba(row: Row, asked: str) -> Return:
    """A piece that arrived at a center; its plate tells it apart.

    Raises:
        ValueError, KeyError: a number, a time or a column is not there.
    """
    plate = row.get("license_plate_number") or _digest(row)
    names = ("asin", "fnsku", "detailed_disposition", "license_plate_number", "customer_comments", "sku",
             "fulfillment_center_id")  # fmt: skip
    line = ReturnLine(
        id=row["sku"],
        quantity=decimal(row["quantity"]),
        restock=row.get("detailed_disposition", "").upper() == "SELLABLE" or None,
        reason=row.get("reason", ""),
        extra={name: row[name] for name in names if row.get(name)},
    )
    return Return(
        id=f"{row['order_id']}:{plate}", revision=asked, partial=True, number=plate, order_id=row["order_id"],
        at=moment(row["return_date"]), status=row.get("status") or UNSET, reason=row.get("reason") or UNSET,
        lines={line.id: line}, extra={"kind": "fba"},
    )  # fmt: skip


def mfn(row: Row, asked: str) -> Return:
    """A return the buyer asked the merchant for.

    Raises:
        ValueError, KeyError: a number, a time or a column is not there.
    """
    order, rma = row["order_id"], row.get("amazon_rma_id") or row.get("merchant_rma_id") or _digest(row)
    currency, back = row.get("currency_code", ""), row.get("refunded_amount", "")
    amount: Money | UnsetType = Money(decimal(back), currency) if back and currency else UNSET
    reason = row.get("return_reason", "")
    line = ReturnLine(
        id=f"{row['merchant_sku']}:{reason}" if reason else row["merchant_sku"],  # pieces may have reasons of their own
        quantity=decimal(row["return_quantity"]) or Decimal(1),
        amount=amount,
        reason=reason,
        extra={name: row[name] for name in ("asin", "merchant_sku", "resolution", "in_policy") if row.get(name)},
    )
    names = ("return_carrier", "tracking_id", "label_type", "return_delivery_date", "is_prime", "a_to_z_claim",
             "return_type", "invoice_number", "merchant_rma_id")  # fmt: skip
    return Return(
        id=f"{order}:{rma}", revision=asked, partial=True, number=rma, order_id=order,
        at=day(row["return_request_date"]), status=row.get("return_request_status") or UNSET,
        reason=reason or UNSET, lines={line.id: line},
        extra={"kind": "mfn"} | {name: row[name] for name in names if row.get(name)},
    )  # fmt: skip


def _digest(row: Row) -> str:
    """A row without an id of its own is known by what does not change in it."""
    names = ("order_id", "sku", "merchant_sku", "return_date", "return_request_date", "detailed_disposition", "reason")
    return sha256("\t".join(row.get(name, "") for name in names).encode()).hexdigest()[:16]


SHORT = "jan feb mar apr may jun jul aug sep oct nov dec"
MONTHS = {name: number for number, name in enumerate(SHORT.split(), 1)}


def day(text: str) -> datetime:
    """`21-Nov-2026`, whatever the host's locale, or an ISO date.

    Raises:
        ValueError: it is none.
    """
    parts = text.strip().split("-")
    if len(parts) == 3 and parts[1][:3].lower() in MONTHS:
        return datetime(int(parts[2]), MONTHS[parts[1][:3].lower()], int(parts[0]), tzinfo=UTC)
    return moment(text)


def widen(cursor: ReturnsCursor, before: Settings, after: Settings) -> ReturnsCursor | None:
    """Reports of the kinds that are switched on, or that come from an earlier date, begin again."""
    if not (isinstance(before, OrderImport) and isinstance(after, OrderImport)):
        return None
    kinds = newly(before, after)
    return replace(cursor, **{kind: Track() for kind in kinds}) if kinds else None


READ = {"fba": fba, "mfn": mfn, "prime": mfn}
RETURNS = PullStream(
    name="returns", yields=(Return,), cursor=ReturnsCursor, pull=pull, widen=widen, every=timedelta(hours=1),
)  # fmt: skip
