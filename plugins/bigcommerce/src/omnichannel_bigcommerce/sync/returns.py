"""Refunds in, as returns: BigCommerce knows no returns of its own (guide bigcommerce-and-shopify 1.12).

A refund is a return of ours only when its order is stored; one of an order that is imported later comes with the order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from hashlib import blake2b

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import replace

from omnichannel_bigcommerce import order_wire, wire
from omnichannel_bigcommerce.charge_mapping import Purse
from omnichannel_bigcommerce.client import LIMIT, Client
from omnichannel_bigcommerce.wire import moment, text
from omnichannel_core import errors
from omnichannel_core.driver import Answer, Page, PullStream, Session
from omnichannel_core.records import Bad, Order, Payment, Record, Return, ReturnLine

OVERLAP = timedelta(minutes=10)
KINDS = {
    "PRODUCT": "product", "GIFT_WRAPPING": "wrapping", "SHIPPING": "shipping", "HANDLING": "handling",
    "ORDER": "order", "FEE": "fee",
}  # fmt: skip
REMEMBERED = 1000


class RefundCursor(Struct, frozen=True):
    """Refunds only ever get more: pages of a fixed window lose nothing.

    Attributes:
        since: the newest `created` of a complete run.
        page: of this run.
        newest: the newest `created` of this run so far.
        seen: digests by id of refunds taken lately, as a run begins again a little earlier.
    """

    since: datetime | None = None
    page: int = 1
    newest: datetime | None = None
    seen: Mapping[str, tuple[datetime, str]] = msgspec.field(default_factory=dict)


async def pull(session: Session, cursor: RefundCursor) -> Page[RefundCursor]:
    """One page of refunds of stored orders."""
    asked = {"page": str(cursor.page)}
    if cursor.since is not None:
        asked["created:min"] = (cursor.since - OVERLAP).isoformat(timespec="seconds")
    answer = await Client(session).refunds(asked)
    found, bad, meta = await session.compute(partial(read, answer))
    known = await session.known(Order, frozenset(str(one.order_id) for one in found)) if found else frozenset()
    ids = frozenset(str(one.id) for one in found) if cursor.since is None else frozenset()
    held = await session.known(Return, ids) if ids else frozenset()  # came with their orders
    fresh = [
        one for one in found if str(one.order_id) in known and str(one.id) not in held and not already(cursor, one)
    ]
    records = await named(session, fresh)
    pages = meta.pagination.total_pages if meta and meta.pagination else None
    full = len(found) + len(bad) >= LIMIT
    more = bool(found or bad) and (cursor.page < pages if pages is not None else full)
    total = meta.pagination.total if meta and meta.pagination and cursor.since is None else None
    return Page(cursor=advance(cursor, found, fresh, more=more), records=[*bad, *records], more=more, total=total)


def read(answer: Answer) -> tuple[list[wire.Refund], list[Bad], wire.Meta | None]:
    """The refunds of an answer, what could not be read, and the paging."""
    if answer.status == 204 or not answer.content:
        return [], [], None
    rows = answer.rows(wire.Refund, at="data")
    bad = [Bad(kind=Return, id=identity(one.raw), reason=one.reason, raw=one.raw) for one in rows.bad]
    return list(rows.good), bad, answer.decode(Envelope).meta


class Envelope(Struct):
    """A v3 list, for its paging."""

    meta: wire.Meta | None = None


class Head(Struct):
    """The least of a refund."""

    id: int | str = ""


def identity(raw: bytes) -> str:
    """The id of a row that cannot be read, '' when not even that can."""
    try:
        return str(msgspec.json.decode(raw, type=Head).id)
    except msgspec.MsgspecError:
        return ""


def digest(refund: wire.Refund) -> str:
    """Different when anything read from it is: a payment may be declined later."""
    return blake2b(msgspec.json.encode(refund), digest_size=9).hexdigest()


def already(cursor: RefundCursor, refund: wire.Refund) -> bool:
    """Whether this very state of it has been taken."""
    seen = cursor.seen.get(str(refund.id))
    return seen is not None and seen[1] == digest(refund)


def when(refund: wire.Refund) -> datetime | None:
    """`created`, None when it is no date."""
    try:
        return moment(refund.created)
    except ValueError:
        return None


def advance(
    cursor: RefundCursor, found: Sequence[wire.Refund], taken: Sequence[wire.Refund], *, more: bool
) -> RefundCursor:
    """The cursor after a page of which `taken` became records."""
    times = [at for at in (when(one) for one in found) if at]
    newest = max([*times, *[at for at in (cursor.newest, cursor.since) if at]], default=None)
    seen = dict(cursor.seen) | {str(one.id): (at, digest(one)) for one in taken if (at := when(one))}
    if newest is not None:
        seen = {key: value for key, value in seen.items() if value[0] >= newest - OVERLAP}
    if len(seen) > REMEMBERED:
        seen = dict(sorted(seen.items(), key=lambda item: item[1][0])[-REMEMBERED:])
    if more:
        return replace(cursor, page=cursor.page + 1, newest=newest, seen=seen)
    return RefundCursor(since=newest, seen=seen)


async def named(session: Session, refunds: Sequence[wire.Refund]) -> list[Record | Bad]:
    """The records, each in its order's currency: a refund does not say it."""
    currencies = await currencies_of(session, refunds)
    return await session.compute(lambda: [attempt(one, currencies.get(one.order_id, "")) for one in refunds])


async def currencies_of(session: Session, refunds: Sequence[wire.Refund]) -> Mapping[int, str]:
    """Order id -> its currency: the store's only one, or asked per order where the store takes payment in several."""
    orders = dict.fromkeys(one.order_id for one in refunds)
    listed = await session.choices("currencies") if orders else {}
    paid = [code for code, choice in listed.items() if choice.extra.get("transactional") == "true"]
    if len(paid) == 1:
        return dict.fromkeys(orders, paid[0])
    found, client = dict[int, str](), Client(session)
    for order in orders:
        answer = await client.order(str(order))
        if answer is not None:
            row = answer.decode(Currency)
            found[order] = row.default_currency_code or row.currency_code or ""
    return found


class Currency(Struct):
    """What of an order says its currency."""

    default_currency_code: str | None = ""
    currency_code: str | None = ""


def attempt(refund: wire.Refund, currency: str) -> Return | Bad:
    """The record, or why there is none."""
    try:
        return to_return(refund, Purse(currency, inclusive=True))
    except (ValueError, ArithmeticError) as cause:
        reason = str(cause) or type(cause).__name__
        return Bad(kind=Return, id=str(refund.id), reason=reason, raw=msgspec.json.encode(refund))


def to_return(refund: wire.Refund, purse: Purse) -> Return:
    """One refund.

    Raises:
        ValueError: `created` is no date, an amount no number.
    """
    created = moment(refund.created)
    if created is None:
        raise ValueError("created is missing")
    payments = {payment.id: payment for payment in _payments(refund, purse)}
    declined = [one for one in refund.payments or () if one.is_declined]
    status = "refunded" if not declined else "declined" if len(declined) == len(refund.payments or ()) else "partial"
    return Return(
        id=str(refund.id),
        revision=created.isoformat(timespec="seconds"),
        number=str(refund.id),
        order_id=str(refund.order_id),
        at=created,
        status=status,
        reason=refund.reason or "",
        amount=purse.money(refund.total_amount),
        tax=purse.money(refund.total_tax),
        lines={line.id: line for line in _lines(refund, purse)},
        payments=payments,
        extra={"user_id": str(refund.user_id)} if refund.user_id else {},
    )


def _lines(refund: wire.Refund, purse: Purse) -> Iterator[ReturnLine]:
    for number, item in enumerate(refund.items or (), start=1):
        kind = (item.item_type or "").upper()
        of_line = kind in ("PRODUCT", "GIFT_WRAPPING")
        yield ReturnLine(
            id=str(number),
            order_line=str(item.item_id) if of_line and item.item_id else "",
            quantity=UNSET if item.quantity is None else item.quantity,
            amount=purse.money(item.requested_amount),
            kind=KINDS.get(kind, item.item_type or ""),
            reason=item.reason or "",
            extra={} if of_line or not item.item_id else {"item_id": str(item.item_id)},
        )


def _payments(refund: wire.Refund, purse: Purse) -> Iterator[Payment]:
    for one in refund.payments or ():
        said = {"offline": "true" if one.offline else "", "declined": one.declined_message or ""}
        yield Payment(
            id=str(one.id),
            kind="refund",
            method=text(one.provider_id),
            status="declined" if one.is_declined else "ok",
            amount=purse.money(one.amount),
            reference=text(one.transaction_id),
            extra={name: value for name, value in said.items() if value},
        )


async def of_orders(session: Session, orders: Sequence[order_wire.Order]) -> list[Return]:
    """The refunds of orders just imported: one request for all of a page; none where the token may not read them.

    One that cannot be read is left to the returns stream, which knows how to fetch it again.
    """
    if not orders or (session.works and "returns" not in session.works):
        return []
    codes = {order.id: order.default_currency_code or order.currency_code or "" for order in orders}
    records, client, page = list[Return](), Client(session), 1
    while True:
        try:
            answer = await client.refunds({"order_id:in": ",".join(map(str, codes)), "page": str(page)})
        except errors.AccessMissing:
            session.log.warning("No access to refunds: orders come without them")
            return records
        found, bad, meta = await session.compute(partial(read, answer))
        made = [attempt(one, codes.get(one.order_id, "")) for one in found]
        records += [one for one in made if isinstance(one, Return)]
        if bad or any(isinstance(one, Bad) for one in made):
            session.log.warning("Refunds of %d imported orders: some cannot be read", len(codes))
        pages = meta.pagination.total_pages if meta and meta.pagination else None
        if not found or page >= (pages or 1):
            return records
        page += 1


async def fetch(session: Session, ids: Sequence[str]) -> Sequence[Record | Bad]:
    """Single refunds of stored orders; one that is gone is left out."""
    records, client = list[Record | Bad](), Client(session)
    wanted = [one for one in dict.fromkeys(ids) if one.isdigit()]
    for at in range(0, len(wanted), 50):
        answer = await client.refunds({"id:in": ",".join(wanted[at : at + 50])})
        found, bad, _ = await session.compute(partial(read, answer))
        known = await session.known(Order, frozenset(str(one.order_id) for one in found)) if found else frozenset()
        records += [*bad, *await named(session, [one for one in found if str(one.order_id) in known])]
    return records


RETURNS = PullStream(name="returns", yields=(Return,), cursor=RefundCursor, pull=pull, fetch=fetch)
