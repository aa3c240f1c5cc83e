"""What Amazon shipped, by report: buyers, parcels, and prices net or gross as the setting says (guide amazon 5.3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Literal, NamedTuple

import msgspec
from msgspec import UNSET

from omnichannel_amazon import reports
from omnichannel_amazon.client import Client
from omnichannel_amazon.order_mapping import moment, revision
from omnichannel_amazon.reports import Kind, Row, Track
from omnichannel_amazon.settings import OrderImport
from omnichannel_amazon.sync.orders import beginning, newly
from omnichannel_core.driver import Page, PullStream, Session, Settings
from omnichannel_core.records import Address, Bad, Line, Money, Order

KIND = Kind(
    types=("GET_AMAZON_FULFILLED_SHIPMENTS_DATA_GENERAL",),
    overlap=timedelta(days=1),
    span=timedelta(days=30),
    every=timedelta(minutes=30),
)
PERCENT = "4 5 5.5 7 8 9 10 12 13 17 18 19 20 21 22 23 24 25 27"
RATES = tuple(Decimal(one) / 100 for one in PERCENT.split())
CENT = Decimal("0.011")
CONTRADICTIONS = 3


class FbaCursor(msgspec.Struct, frozen=True):
    """One track of reports. `begun`: when the first import began, which fixes where an empty date begins."""

    track: Track = Track()
    begun: datetime | None = None


async def pull(session: Session, cursor: FbaCursor) -> Page[FbaCursor]:
    """One step of the report; nothing while FBA orders are switched off.

    Raises:
        AccessMissing: a role of the app is missing. RemoteUnavailable.
    """
    settings, now = session[OrderImport], session.clock.now()
    if not settings.fba:
        return Page(cursor=cursor)
    begun = cursor.begun or now
    first = beginning(settings.fba_from, Client(session).marketplace, begun)
    done = await reports.step(session, KIND, cursor.track, first)
    path, moved = done.path, FbaCursor(track=done.track, begun=begun)
    if path is None:
        return Page(cursor=moved, more=done.more)
    ids = {row.get("amazon_order_id", "") for row in done.rows} - {""}
    rows = await session.compute(lambda: reports.scan(path, lambda row: row.get("amazon_order_id") in ids))
    client = Client(session)
    records, wrong = orders(rows, settings, on_top=client.mine.region == "na", channel=client.marketplace)
    if wrong > CONTRADICTIONS:
        session.log.warning(
            "%d rows of the FBA report contradict the setting 'Is the VAT calculation service (VCS) enabled?': their "
            "taxes say that prices are %s. Check the setting before invoices are written",
            wrong, "gross" if settings.vcs else "net",
        )  # fmt: skip
    kept = [one for one in records if isinstance(one, Bad) or _placed(one, first)]
    return Page(cursor=moved, records=kept, more=done.more)


def _placed(order: Order, first: object) -> bool:
    """Orders of before the date stay out, whenever they were shipped."""
    return order.placed_at is UNSET or order.placed_at >= first  # type: ignore[operator]


class Amounts(NamedTuple):
    """Of one row. `contradicts`: its tax says that the price is on the other side of it."""

    net: Decimal | None
    gross: Decimal
    tax: Decimal
    contradicts: bool


def decimal(text: str) -> Decimal:
    """A number with a point, or with a comma in localized reports; empty is zero.

    Raises:
        ValueError: it is none.
    """
    plain = text.strip().replace("\N{NO-BREAK SPACE}", "")
    if "," in plain:
        plain = (
            plain.replace(".", "").replace(",", ".") if plain.rfind(",") > plain.rfind(".") else plain.replace(",", "")
        )
    try:
        found = Decimal(plain or 0)
    except InvalidOperation as cause:
        raise ValueError("not a number") from cause
    if not found.is_finite():
        raise ValueError("not a number")
    return found


def side(price: Decimal, tax: Decimal) -> Literal["gross", "net", "unclear"]:
    """On which side of the tax a price is, by the usual rates; unclear where both or none fit."""
    if price <= 0 or tax <= 0:
        return "unclear"
    inside = any(abs(tax - price * rate / (1 + rate)) <= CENT for rate in RATES)
    outside = any(abs(tax - price * rate) <= CENT for rate in RATES)
    return "unclear" if inside == outside else "gross" if inside else "net"


def amounts(price: Decimal, tax: Decimal, *, vcs: bool, on_top: bool = False) -> Amounts:
    """Under VCS prices are net, else gross; where taxes are always on top (`on_top`) they are net anyway."""
    found = side(price, tax)
    if vcs or on_top:
        return Amounts(price, price + tax, tax, contradicts=found == "gross" and not on_top)
    return Amounts(price - tax if tax else None, price, tax, contradicts=found == "net")


def orders(
    rows: Sequence[Row], settings: OrderImport, *, on_top: bool, channel: str = ""
) -> tuple[list[Order | Bad], int]:
    """All rows of some orders as those orders, and how many rows contradict the setting. Other shops' are passed."""
    by_order, found, wrong = dict[str, list[Row]](), list[Order | Bad](), 0
    for row in rows:
        if not row.get("sales_channel", "").lower().startswith("non-amazon"):
            by_order.setdefault(row["amazon_order_id"], []).append(row)
    for ident, mine in by_order.items():
        try:
            order, contradictions = record(ident, mine, settings, on_top=on_top, channel=channel)
        except (ValueError, KeyError) as trouble:
            found.append(Bad(kind=Order, id=ident, reason=f"a row of the FBA report cannot be read: {trouble}"))
            continue
        found.append(order)
        wrong += contradictions
    return found, wrong


def record(
    ident: str, rows: Sequence[Row], settings: OrderImport, *, on_top: bool, channel: str = ""
) -> tuple[Order, int]:
    """What the report adds to an order: older than what the API says, it fills in what that leaves out.

    Raises:
        ValueError, KeyError: a number, a time or a column is not there.
    """
    first, wrong, extra = rows[0], 0, dict[str, str]()
    by_line = dict[str, list[tuple[Row, Amounts]]]()
    for row in rows:
        money = amounts(decimal(row["item_price"]), decimal(row.get("item_tax", "")), vcs=settings.vcs, on_top=on_top)
        wrong += money.contradicts
        by_line.setdefault(row["amazon_order_item_id"], []).append((row, money))
        extra[f"shipment:{row.get('shipment_item_id', '')}"] = _parcel(row)
    lines = {key: _line(key, parts) for key, parts in by_line.items()}
    if wrong:
        extra["warning"] = "The taxes of the FBA report contradict the VCS setting: check net and gross"
    shipped = max(row["shipment_date"] for row in rows)
    return Order(
        id=ident,
        revision=revision(shipped),
        partial=True,
        number=ident,
        channel=channel,
        placed_at=moment(first["purchase_date"]),
        state="shipped" if settings.fba_shipped else "paid",
        shipped_by_remote=settings.fba_shipped,
        email=first.get("buyer_email") or UNSET,
        currency=first.get("currency") or UNSET,
        addresses={"ship": _address(first)} if first.get("ship_city") else UNSET,
        lines=lines,
        extra={"kind": "fba", **extra},
    ), wrong


def _parcel(row: Row) -> str:
    names = ("shipment_id", "carrier", "tracking_number", "fulfillment_center_id", "quantity_shipped", "shipment_date")
    return ", ".join(f"{name.replace('_', ' ')} {row[name]}" for name in names if row.get(name))


def _line(key: str, parts: Sequence[tuple[Row, Amounts]]) -> Line:
    """All parcels of one line together: rows are of shipment items, prices of the row's pieces."""
    row, currency = parts[0][0], parts[0][0].get("currency", "")
    pieces = sum((decimal(one.get("quantity_shipped", "")) for one, _ in parts), Decimal(0))
    nets = [money.net for _, money in parts]
    discount = sum((abs(decimal(one.get("item_promotion_discount", ""))) for one, _ in parts), Decimal(0))
    known = [net for net in nets if net is not None]
    return Line(
        id=key,
        sku=row.get("sku") or UNSET,
        name=row.get("product_name") or UNSET,
        quantity=pieces,
        shipped=pieces,
        net=Money(sum(known, Decimal(0)), currency) if len(known) == len(nets) else UNSET,
        gross=Money(sum((money.gross for _, money in parts), Decimal(0)), currency),
        tax=Money(sum((money.tax for _, money in parts), Decimal(0)), currency)
        if any(m.tax for _, m in parts)
        else UNSET,
        discount=Money(discount, currency),
    )


def _address(row: Row) -> Address:
    first, _, last = row.get("recipient_name", "").rpartition(" ")
    more = ", ".join(text for text in (row.get("ship_address_2", ""), row.get("ship_address_3", "")) if text)
    return Address(
        id="ship", first_name=first, last_name=last, street1=row.get("ship_address_1", ""), street2=more,
        city=row.get("ship_city", ""), region=row.get("ship_state", ""), postal_code=row.get("ship_postal_code", ""),
        country=row.get("ship_country", ""), phone=row.get("ship_phone_number", ""),
    )  # fmt: skip


def widen(cursor: FbaCursor, before: Settings, after: Settings) -> FbaCursor | None:
    """Switched on or an earlier date: reports begin there again."""
    both = isinstance(before, OrderImport) and isinstance(after, OrderImport) and "fba" in newly(before, after)
    return FbaCursor(begun=cursor.begun) if both else None


FBA = PullStream(
    name="fba", yields=(Order,), cursor=FbaCursor, pull=pull, widen=widen, every=timedelta(minutes=30),
)  # fmt: skip
