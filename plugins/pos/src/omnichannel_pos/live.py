"""Receipts pushed one by one during the day: our own JSON, field names after the DFKA taxonomy (guide 6.2, 6.3).

The shape is shipped as `json/receipt.json`. A live receipt has the id that the closing will give it, so the
closing takes its place. One that refers to a receipt of its own closing waits for the closing, because only the whole
closing tells a void from a return.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec

from omnichannel_core.records import Record
from omnichannel_pos.booking import LIVE, Till, book
from omnichannel_pos.gathering import BOOKED, ZERO, Head, Line, Receipt
from omnichannel_pos.refusals import FileRefused
from omnichannel_pos.tables import whole

BODY_MAX = 2_000_000  # bytes


class Amount(msgspec.Struct, kw_only=True):
    """What falls under one tax key (UST_SCHLUESSEL). Amounts as text with a decimal point, or as numbers."""

    vat_definition_export_id: int
    incl_vat: Decimal
    excl_vat: Decimal = ZERO
    vat: Decimal = ZERO


class BusinessCase(msgspec.Struct, kw_only=True):
    """`type` is a GV_TYP, such as Umsatz."""

    type: str
    name: str = ""
    amounts_per_vat_id: list[Amount] = []


class Item(msgspec.Struct, kw_only=True):
    """The article; prices are with tax."""

    number: str = ""
    gtin: str = ""
    quantity: Decimal = Decimal(1)
    quantity_measure: str = ""
    price_per_unit: Decimal | None = None
    group: str = ""


class LineItem(msgspec.Struct, kw_only=True):
    """One line."""

    lineitem_export_id: str
    business_case: BusinessCase
    text: str = ""
    storno: bool = False
    voucher_id: str = ""
    item: Item | None = None


class PaymentType(msgspec.Struct, kw_only=True):
    """`type` is a ZAHLART_TYP, such as Bar; the amount is in the store's currency."""

    type: str
    amount: Decimal
    name: str = ""
    currency_code: str = ""


class Reference(msgspec.Struct, kw_only=True):
    """An earlier receipt. Without register or closing it is of this one's."""

    transaction_export_id: str
    cash_register_export_id: str = ""
    cash_point_closing_export_id: int | None = None
    lineitem_export_id: str = ""


class Buyer(msgspec.Struct, kw_only=True):
    """Whoever bought, where the till knows."""

    name: str = ""
    buyer_export_id: str = ""


class LiveHead(msgspec.Struct, kw_only=True):
    """`transaction_export_id` is the BON_ID that the closing will have; `type` a BON_TYP. Times are ISO 8601."""

    transaction_export_id: str
    type: str = "Beleg"
    number: str = ""
    timestamp_start: str = ""
    timestamp_end: str = ""
    user_export_id: str = ""
    closing_client_id: str = ""
    buyer: Buyer | None = None
    references: list[Reference] = []


class Data(msgspec.Struct, kw_only=True):
    """What was sold and how it was paid."""

    full_amount_incl_vat: Decimal
    lines: list[LineItem]
    amounts_per_vat_id: list[Amount] = []
    payment_types: list[PaymentType] = []
    notes: str = ""


class Live(msgspec.Struct, kw_only=True):
    """A receipt. `cash_point_closing_export_id` is the Z_NR of the closing that it will be part of."""

    cash_register_export_id: str
    cash_point_closing_export_id: int
    head: LiveHead
    data: Data


_decoder = msgspec.json.Decoder(Live)


def read(body: bytes) -> Live:
    """One receipt that adds up.

    Raises:
        FileRefused: it does not fit the schema, or its lines do not sum up.
    """
    if len(body) > BODY_MAX:
        raise FileRefused(f"A receipt has {len(body)} bytes, more than {BODY_MAX}.", "too_large")
    try:
        found = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise FileRefused(f"Not a receipt: {wrong}", "bad_receipt") from wrong
    if not found.cash_register_export_id or not found.head.transaction_export_id or b"\\u0000" in body:
        raise FileRefused("A receipt needs cash_register_export_id and transaction_export_id.", "bad_receipt")
    if len({line.lineitem_export_id for line in found.data.lines}) != len(found.data.lines):
        raise FileRefused("Two lines of a receipt have the same lineitem_export_id.", "bad_receipt")
    if not all(_of_this_world(amount) for amount in _numbers(found.data)):
        raise FileRefused("An amount or quantity of the receipt is no number of this world.", "bad_receipt")
    if found.head.type.casefold() == BOOKED:
        _receipt(found).settle()
    return found


def _numbers(data: Data) -> Iterator[Decimal]:
    yield data.full_amount_incl_vat
    yield from (one.amount for one in data.payment_types)
    of_lines = (one for line in data.lines for one in line.business_case.amounts_per_vat_id)
    for amount in (*data.amounts_per_vat_id, *of_lines):
        yield from (amount.incl_vat, amount.excl_vat, amount.vat)
    for item in (line.item for line in data.lines if line.item is not None):
        yield from (item.quantity, item.price_per_unit or ZERO)


def _of_this_world(number: Decimal) -> bool:
    """Finite, below a billion, with at most nine decimals."""
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and -9 <= exponent <= 9 and abs(number) < 10**9


def digest(body: bytes) -> str:
    """Names a receipt's file: the same bytes twice are one file."""
    return hashlib.sha256(body).hexdigest()[:32]


def records(live: Live, currency: str) -> Sequence[Record]:
    """What is booked of it before the closing comes; nothing for one that moves nothing or has to wait."""
    register, number = live.cash_register_export_id, str(live.cash_point_closing_export_id)
    if live.head.type.casefold() != BOOKED:
        return []
    receipt = _receipt(live)
    if any((till, closing) == (register, number) for _, till, closing, _ in receipt.refs):
        return []
    receipt.settle()
    found = book(receipt, (register, number), Till({}, currency), LIVE)
    return [msgspec.structs.replace(one, extra={**one.extra, "live": "yes"}) for one in found]


def _receipt(live: Live) -> Receipt:
    head, data = live.head, live.data
    buyer = head.buyer or Buyer()
    number = str(live.cash_point_closing_export_id)
    receipt = Receipt(Head(
        till=live.cash_register_export_id, closing=number, id=head.transaction_export_id, number=head.number,
        type=head.type, storno="", start=head.timestamp_start, end=head.timestamp_end,
        gross=_text(data.full_amount_incl_vat), operator=head.user_export_id, terminal=head.closing_client_id,
        customer_name=buyer.name, customer_id=buyer.buyer_export_id, street="", postal_code="", city="", country="",
        note=data.notes,
    ))  # fmt: skip
    receipt.lines = {line.lineitem_export_id: _line(line) for line in data.lines}
    for amount in data.amounts_per_vat_id:
        tax = str(amount.vat_definition_export_id)
        receipt.vat[tax] = receipt.vat.get(tax, ZERO) + _cents(amount.incl_vat)
    receipt.payments = [(one.type, one.name, _cents(one.amount), one.currency_code) for one in data.payment_types]
    receipt.refs = [
        (one.lineitem_export_id, one.cash_register_export_id or live.cash_register_export_id,
         number if one.cash_point_closing_export_id is None else whole(str(one.cash_point_closing_export_id)),
         one.transaction_export_id)
        for one in head.references
    ]  # fmt: skip
    return receipt


def _line(line: LineItem) -> Line:
    item = line.item or Item()
    price = "" if item.price_per_unit is None else _text(item.price_per_unit)
    made = Line((
        "", "", "", line.lineitem_export_id, line.voucher_id, line.text, line.business_case.type,
        line.business_case.name, "1" if line.storno else "", item.number, item.gtin, "", item.group,
        _text(item.quantity), item.quantity_measure, price,
    ))  # fmt: skip
    for one in line.business_case.amounts_per_vat_id:
        gross = _cents(one.incl_vat)
        made.gross += gross
        made.vat.append((str(one.vat_definition_export_id), gross, _cents(one.excl_vat), _cents(one.vat)))
    return made


def _text(amount: Decimal) -> str:
    return f"{amount:f}"


def _cents(amount: Decimal) -> Decimal:
    """Two decimals where they are enough, as the closing's own amounts."""
    cents = amount.quantize(Decimal("0.01"))
    return cents if cents == amount else amount
