"""Receipts as records: sales are orders, what comes back is a return, both signs are both; cash goes to the journal.

Sides and kinds follow guide actindo-pos-and-other-shops 6.1 and 6.3. Ids are Z_KASSE_ID/Z_NR/BON_ID, for the order
and the return of an exchange alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

import msgspec
from msgspec import UNSET

from omnichannel_core.records import (
    Address,
    CashEntry,
    Charge,
    Closing,
    Money,
    Order,
    Payment,
    Record,
    Return,
    ReturnLine,
    Tax,
)
from omnichannel_core.records import Line as OrderLine
from omnichannel_pos.gathering import ZERO, Line, Receipt
from omnichannel_pos.splitting import Key
from omnichannel_pos.tables import KEY, key_of, moment, number, rows, whole

LIVE, FINAL = "1", "2"  # revisions: what the closing says is newer than what a till pushed before it
CASH = frozenset({"Anfangsbestand", "Privatentnahme", "Privateinlage", "Geldtransit", "Lohnzahlung", "Einzahlung",
                  "Auszahlung", "DifferenzSollIst"})  # fmt: skip
GOODS: Mapping[str, str] = {
    "Umsatz": "product", "Pfand": "deposit", "EinzweckgutscheinKauf": "gift_card",
    "MehrzweckgutscheinKauf": "gift_card", "Anzahlungseinstellung": "down_payment",
}  # fmt: skip
"""What is sold: its sign decides whether it goes to the order or to the return."""
CHARGES: Mapping[str, str] = {
    "Rabatt": "discount", "Aufschlag": "surcharge", "ZuschussEcht": "subsidy", "ZuschussUnecht": "subsidy",
    "TrinkgeldAG": "tip", "TrinkgeldAN": "staff_tip", "EinzweckgutscheinEinloesung": "voucher",
    "MehrzweckgutscheinEinloesung": "voucher", "PfandRueckzahlung": "deposit_refund",
    "Anzahlungsaufloesung": "down_payment", "Forderungsentstehung": "receivable", "Forderungsaufloesung": "receivable",
}  # fmt: skip
"""What goes with a side: the order where there is one, else the return."""
_ONE = Decimal(1)


class Till:
    """What the closing's masters say: currency and tax rates."""

    def __init__(self, texts: Mapping[str, str], currency: str) -> None:
        told = [row[2].strip().upper() for row in rows(texts.get("cashregister.csv", ""), "cashregister.csv",
                                                       (*KEY, "KASSE_BASISWAEH_CODE"))]  # fmt: skip
        self.currency = told[0] if told and len(told[0]) == 3 and told[0].isalpha() else currency
        self.rates = {
            whole(row[2]): (number(row[3]), row[4])
            for row in rows(texts.get("vat.csv", ""), "vat.csv", (*KEY, "UST_SCHLUESSEL", "UST_SATZ", "UST_BESCHR"))
        }

        self._taxes: dict[tuple[str, Decimal], Tax] = {}
        self.money = _Amounts(self.currency).__getitem__

    def taxes(self, vat: Sequence[tuple[str, Decimal, Decimal, Decimal]]) -> tuple[Tax, ...]:
        """A line's taxes by their keys."""
        return tuple([self._taxes.get((key, tax)) or self._tax(key, tax) for key, _, _, tax in vat])

    def _tax(self, key: str, amount: Decimal) -> Tax:
        rate, name = self.rates.get(key, (None, key))
        made = self._taxes[key, amount] = Tax(name=name, rate=rate, amount=self.money(amount))
        return made


class _Amounts(dict[Decimal, Money]):
    """The amounts of one closing; most come often."""

    def __init__(self, currency: str) -> None:
        super().__init__()
        self._currency = currency

    def __missing__(self, amount: Decimal) -> Money:
        made = self[amount] = Money(amount, self._currency)
        return made


def book(receipt: Receipt, key: Key, till: Till, revision: str = FINAL) -> Iterator[Record]:
    """The records of one receipt; none for one that only voids another."""
    one = key_of(*key, receipt.head.id)
    sold, back, besides, cash = _sides(receipt)
    if receipt.voided_by != receipt.head.id:
        yield from (_cash(line, one, receipt, till, revision) for line in cash)
    if receipt.resolves:
        return
    if sold or (besides and not back):
        yield _order(one, receipt, sold, besides, till, revision)
    if back:
        yield _return(one, receipt, back, () if sold else besides, till, revision, paid=not sold)


def _sides(receipt: Receipt) -> tuple[list[Line], list[Line], list[Line], list[Line]]:
    sold, back, besides, cash = list[Line](), list[Line](), list[Line](), list[Line]()
    for line in receipt.lines.values():
        if line.kind in CASH:
            cash.append(line)
        elif line.kind in CHARGES:
            besides.append(line)
        elif line.gross < ZERO or (not line.gross and number(line.quantity) < ZERO):
            back.append(line)
        else:
            sold.append(line)
    return sold, back, besides, cash


# --- the order
def _order(one: str, receipt: Receipt, sold: list[Line], besides: list[Line], till: Till, revision: str) -> Order:
    head, counted = receipt.head, [*sold, *besides]
    gross, net, tax = _totals(counted)
    at = moment(head.end or head.start)
    extra = _extra(receipt)
    if receipt.voided_by:
        extra["voided_by"] = receipt.voided_by
    return Order(
        id=one, revision=revision, number=head.number or head.id, channel=head.till,
        placed_at=UNSET if at is None else at, status="voided" if receipt.voided_by else head.type or "Beleg",
        state="cancelled" if receipt.voided_by else "completed", shipped_by_remote=True, currency=till.currency,
        prices_include_tax=True, customer=head.customer_id, gross=till.money(gross), net=till.money(net),
        tax=till.money(tax), bill_to=_buyer(receipt),
        lines={line.id: _line(line, receipt, till) for line in sold},
        charges={line.id: _charge(line, till) for line in besides}, payments=_payments(receipt, till),
        note=head.note, extra=extra,
    )  # fmt: skip


def _line(line: Line, receipt: Receipt, till: Till) -> OrderLine:
    quantity = number(line.quantity) if line.quantity.strip() else _ONE
    discount = receipt.discounts.get(line.id)
    price = number(line.price) if line.price.strip() else line.gross
    return OrderLine(
        id=line.id, sku=line.article, name=line.text, quantity=quantity, price=till.money(price),
        gross=till.money(line.gross), net=till.money(_net(line)), tax=till.money(_tax(line)),
        taxes=till.taxes(line.vat), discount=UNSET if discount is None else till.money(-discount),
        shipped=quantity, kind=GOODS.get(line.kind, line.kind), extra=_about(line),
    )  # fmt: skip


def _charge(line: Line, till: Till) -> Charge:
    return Charge(
        id=line.id, kind=CHARGES[line.kind], name=line.text or line.kind_name, gross=till.money(line.gross),
        net=till.money(_net(line)), taxes=till.taxes(line.vat), extra=_about(line),
    )  # fmt: skip


def _about(line: Line) -> dict[str, str]:
    said = dict[str, str]()
    if line.gtin:
        said["gtin"] = line.gtin
    if line.group:
        said["group"] = line.group
    if line.unit:
        said["unit"] = line.unit
    if line.voucher:
        said["voucher"] = line.voucher
    return said


def _payments(receipt: Receipt, till: Till) -> dict[str, Payment]:
    at = moment(receipt.head.end or receipt.head.start)
    return {
        str(place): Payment(
            id=str(place), kind="purchase" if amount >= ZERO else "refund", method=name or kind, status="completed",
            amount=till.money(amount), at=at,
            extra={"type": kind} | ({"currency": paid} if paid and paid != till.currency else {}),
        )
        for place, (kind, name, amount, paid) in enumerate(receipt.payments, 1)
    }  # fmt: skip


def _buyer(receipt: Receipt) -> Address | msgspec.UnsetType:
    head = receipt.head
    if not (head.customer_name or head.street or head.city):
        return UNSET
    return Address(
        id=head.customer_id, company=head.customer_name, street1=head.street, postal_code=head.postal_code,
        city=head.city, extra={"country": head.country} if head.country else {},
    )  # fmt: skip


# --- the return
def _return(
    one: str, receipt: Receipt, back: list[Line], besides: Iterable[Line], till: Till, revision: str, *, paid: bool
) -> Return:
    head, counted = receipt.head, [] if receipt.voided_by else [*back, *besides]
    gross, _, tax = _totals(counted)
    at = moment(head.end or head.start)
    refs = {line: key_of(own, closing, of) for line, own, closing, of in reversed(receipt.refs)}
    order = refs.get("") or next(iter(reversed(refs.values())), "")
    return Return(
        id=one, revision=revision, number=head.number or head.id, order_id=order, at=UNSET if at is None else at,
        status="voided" if receipt.voided_by else "completed", reason=head.note, amount=till.money(-gross),
        tax=till.money(-tax), lines={line.id: _return_line(line, refs.get(line.id, order), order, till)
                                     for line in counted},
        payments=_payments(receipt, till) if paid and counted else {}, extra=_extra(receipt),
    )  # fmt: skip


def _return_line(line: Line, of: str, order: str, till: Till) -> ReturnLine:
    about = _about(line) | {name: text for name, text in (("sku", line.article), ("name", line.text)) if text}
    if of != order:
        about["order_id"] = of
    return ReturnLine(
        id=line.id, quantity=abs(number(line.quantity)) if line.quantity.strip() else _ONE,
        amount=till.money(-line.gross), kind=GOODS.get(line.kind) or CHARGES.get(line.kind, line.kind),
        restock=line.kind in ("Umsatz", "Pfand"), extra=about,
    )  # fmt: skip


# --- the rest
def _cash(line: Line, one: str, receipt: Receipt, till: Till, revision: str) -> CashEntry:
    at = moment(receipt.head.end or receipt.head.start)
    return CashEntry(
        id=f"{one}/{line.id}", revision=revision, kind=line.kind, at=UNSET if at is None else at,
        amount=till.money(line.gross), note=line.text or line.kind_name,
    )  # fmt: skip


def _extra(receipt: Receipt) -> dict[str, str]:
    head = receipt.head
    said = {
        "cash_register": head.till,
        "closing": whole(head.closing),
        "terminal": head.terminal,
        "operator": head.operator,
    }
    return {name: text for name, text in said.items() if text}


def _totals(lines: Iterable[Line]) -> tuple[Decimal, Decimal, Decimal]:
    gross, net, tax = ZERO, ZERO, ZERO
    for line in lines:
        for _, one, two, three in line.vat:
            gross, net, tax = gross + one, net + two, tax + three
    return gross, net, tax


def _net(line: Line) -> Decimal:
    return line.vat[0][2] if len(line.vat) == 1 else sum((one[2] for one in line.vat), ZERO)


def _tax(line: Line) -> Decimal:
    return line.vat[0][3] if len(line.vat) == 1 else sum((one[3] for one in line.vat), ZERO)


def closing(texts: Mapping[str, str], key: Key, till: Till, extra: Mapping[str, str]) -> Closing:
    """The closing itself, the last of its records: totals by kind of business (`sales:`) and payment (`paid:`).

    It takes the place of its file's name, under which the file may have failed before.
    """
    totals: dict[str, Decimal] = {}
    wanted = (*KEY, "GV_TYP", "Z_UMS_BRUTTO")
    for row in rows(texts.get("businesscases.csv", ""), "businesscases.csv", wanted):
        totals[f"sales:{row[2]}"] = totals.get(f"sales:{row[2]}", ZERO) + number(row[3])
    for row in rows(texts.get("payment.csv", ""), "payment.csv", (*KEY, "ZAHLART_TYP", "Z_ZAHLART_BETRAG")):
        totals[f"paid:{row[2]}"] = totals.get(f"paid:{row[2]}", ZERO) + number(row[3])
    made = [row[2] for row in rows(texts.get("cashpointclosing.csv", ""), "cashpointclosing.csv",
                                   (*KEY, "Z_ERSTELLUNG"))]  # fmt: skip
    at = moment(made[0]) if made else None
    return Closing(
        id=key_of(*key), revision=FINAL, number=int(key[1]) if key[1].isdecimal() else 0,
        at=UNSET if at is None else at, totals={name: till.money(amount) for name, amount in totals.items()},
        extra=dict(extra), replaces=(extra["file"],),
    )  # fmt: skip
