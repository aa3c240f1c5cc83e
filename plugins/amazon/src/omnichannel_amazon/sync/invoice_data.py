"""What Amazon calculated for invoices that are still to be written: the VAT invoice data report (guide amazon 6.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

import msgspec

from omnichannel_amazon import reports
from omnichannel_amazon.client import Client
from omnichannel_amazon.marketplaces import MARKETPLACES
from omnichannel_amazon.reports import Kind, Row, Track
from omnichannel_amazon.settings import Export
from omnichannel_amazon.sync.fba import decimal
from omnichannel_core.driver import Page, PullStream, Session
from omnichannel_core.records import Bad, Order

DAYS = timedelta(days=1)
KIND = Kind(
    ("GET_FLAT_FILE_VAT_INVOICE_DATA_REPORT",),
    overlap=89 * DAYS,
    span=90 * DAYS,
    every=DAYS / 4,
    history=89 * DAYS,
    reach=89 * DAYS,
)
"""Always the last 90 days: without options it has what still lacks an invoice, which is due a day after shipment."""

COUNTRIES = frozenset(("IE", "ES", "GB", "FR", "BE", "NL", "DE", "IT", "SE", "PL"))
PREFIX = "vat_invoice:"
ADDED, TAKEN = ("item", "gift-wrap", "shipping"), ("item-promo", "gift-promo", "shipping-promo")


class InvoiceCursor(msgspec.Struct, frozen=True):
    """One track of reports."""

    track: Track = Track()


class Facts(msgspec.Struct, frozen=True, omit_defaults=True):
    """One document that Amazon wants: kept in the order's `extra` under `vat_invoice:` and its two ids.

    Attributes:
        type: SHIPMENT, or RETURN and REFUND, which want a credit note.
        total, vat: what Amazon calculated, VAT included and VAT alone; not negative.
        by_amazon: Amazon writes it itself. citation: must be printed on it.
    """

    type: str = "SHIPMENT"
    shipping_id: str = ""
    transaction_id: str = ""
    total: str = ""
    vat: str = ""
    currency: str = ""
    by_amazon: bool = False
    citation: str = ""
    status: str = ""


async def pull(session: Session, cursor: InvoiceCursor) -> Page[InvoiceCursor]:
    """One step of the report; nothing where no invoices are uploaded, or Amazon has no such report.

    Raises:
        AccessMissing: a role of the app is missing. RemoteUnavailable.
    """
    export, client = session[Export], Client(session)
    here = client.marketplace
    uploads = export.invoice(here, business=True) or export.invoice(here, business=False)
    if not uploads or MARKETPLACES[here].country not in COUNTRIES:
        return Page(cursor=cursor)
    done = await reports.step(session, KIND, cursor.track)
    path = done.path
    if path is None:
        return Page(cursor=InvoiceCursor(track=done.track), more=done.more)
    ids = {row.get("order_id", "") for row in done.rows} - {""}
    rows = await session.compute(lambda: reports.scan(path, lambda row: row.get("order_id") in ids))
    return Page(cursor=InvoiceCursor(track=done.track), records=records(rows), more=done.more)


def records(rows: Sequence[Row]) -> list[Order | Bad]:
    """Additions to orders that are stored; one upload is one shipment and transaction."""
    by_order, found = dict[str, dict[tuple[str, str], list[Row]]](), list[Order | Bad]()
    for row in rows:
        key = (row.get("shipping_id", ""), row.get("transaction_id", ""))
        by_order.setdefault(row["order_id"], {}).setdefault(key, []).append(row)
    for ident, parts in by_order.items():
        try:
            extra = {f"{PREFIX}{ship}:{deal}": _facts(mine) for (ship, deal), mine in parts.items()}
        except ValueError as trouble:
            found.append(Bad(kind=Order, id=ident, reason=f"a row of the VAT invoice data cannot be read: {trouble}"))
            continue
        found.append(Order(id=ident, partial=True, known_only=True, extra=extra))
    return found


def _facts(rows: Sequence[Row]) -> str:
    first, zero = rows[0], Decimal(0)

    def summed(what: str) -> Decimal:
        names = [reports.name(f"{part}-vat-{what}") for part in (*ADDED, *TAKEN)]
        amounts = [[abs(decimal(row.get(name, ""))) for row in rows] for name in names]
        added, taken = amounts[: len(ADDED)], amounts[len(ADDED) :]
        return sum((sum(one, zero) for one in added), zero) - sum((sum(one, zero) for one in taken), zero)

    country = first.get("ship_from_country", "").lower()
    facts = Facts(
        type=first.get("transaction_type", "").upper() or "SHIPMENT",
        shipping_id=first.get("shipping_id", ""),
        transaction_id=first.get("transaction_id", ""),
        total=f"{summed('incl-amount'):f}",
        vat=f"{summed('amount'):f}",
        currency=first.get("currency", ""),
        by_amazon=first.get("is_amazon_invoiced", "").lower() == "true",
        citation=first.get(f"citation_{country}", "") or first.get("citation_en", ""),
        status=first.get("invoice_status", ""),
    )
    return msgspec.json.encode(facts).decode()


def wanted(extra: Mapping[str, str], *, credit: bool, shipping_id: str = "") -> Facts | None:
    """What an order's invoice (or credit note) is about; None where that is not known, or not the only one."""
    found = [msgspec.json.decode(text, type=Facts) for key, text in extra.items() if key.startswith(PREFIX)]
    mine = [one for one in found if (one.type != "SHIPMENT") is credit]
    mine = [one for one in mine if one.shipping_id == shipping_id] if shipping_id else mine
    return mine[0] if len(mine) == 1 else None


INVOICE_DATA = PullStream(
    name="invoice-data", yields=(Order,), cursor=InvoiceCursor, pull=pull, every=timedelta(hours=1)
)  # fmt: skip
