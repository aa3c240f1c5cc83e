"""A till: sells, takes back, voids, moves cash, trains, and closes the day. It keeps the truth of what it did.

The truth is what the shop's books must say after an import, kept apart from the rows that are written; the importer is
checked against it. Habits of real tills that differ are options of `Habits` (guide actindo-pos-and-other-shops 6.1).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from omnichannel_pos_simulator.goods import ARTICLES, Article

PAYMENTS = (("Bar", "Bar"), ("ECKarte", "girocard"), ("Kreditkarte", "Visa"), ("ElZahlungsdienstleister", "PayPal"))


@dataclass(frozen=True)
class Habits:
    """How a till writes what the format leaves open.

    Attributes:
        line_void: a line voided while ringing up is followed by a flagged counter line, by a counter line where both
            are flagged, or stands alone, flagged, and counts nothing.
        storno: BON_STORNO is never set, set on the negative counter receipt, or set on a receipt that is cancelled at
            once without counter receipt.
    """

    line_void: Literal["counter", "both", "alone"] = "counter"
    storno: Literal["never", "counter", "alone"] = "never"


@dataclass
class Line:
    """One line; `gross` of all pieces after `discount`, signs as written."""

    id: str
    kind: str
    text: str
    gross: int
    tax: int = 5
    article: Article | None = None
    quantity: int = 1
    discount: int = 0
    void: bool = False
    voucher: str = ""


@dataclass
class Receipt:
    """One receipt as it is written. `counts`: it is part of the closing's totals."""

    id: str
    number: int
    type: str
    at: datetime
    lines: list[Line] = field(default_factory=list)
    payments: list[tuple[str, str, int]] = field(default_factory=list)
    refs: list[tuple[str, str, int, str]] = field(default_factory=list)  # own line, till, closing, receipt
    storno: bool = False
    counts: bool = True
    idle: frozenset[str] = frozenset()  # lines that count nothing

    def counted(self) -> list[Line]:
        """Lines that sum up to the receipt."""
        return [line for line in self.lines if line.id not in self.idle]

    @property
    def total(self) -> int:
        """What it sums up to."""
        return sum(line.gross for line in self.counted())


@dataclass
class Truth:
    """What the books must say, by id; amounts in cents."""

    orders: dict[str, tuple[int, str]] = field(default_factory=dict)  # gross, state
    returns: dict[str, tuple[int, str]] = field(default_factory=dict)  # amount, order it belongs to
    cash: dict[str, int] = field(default_factory=dict)

    def add(self, other: Truth) -> None:
        """Of another day."""
        self.orders |= other.orders
        self.returns |= other.returns
        self.cash |= other.cash


@dataclass
class Day:
    """A closing."""

    till: str
    number: int
    at: datetime
    receipts: list[Receipt]
    truth: Truth


class Till:
    """One till. The same seed and the same calls give the same days."""

    def __init__(self, name: str = "KASSE-01", seed: int = 1, habits: Habits | None = None) -> None:
        self.name, self.chance, self.habits = name, Random(seed), habits or Habits()
        self.closing, self.receipts, self.truth = 1, list[Receipt](), Truth()
        self._sold: list[tuple[int, Receipt, set[str]]] = []  # closing, sale, lines that came back
        self._count = self._vouchers = 0
        self.now = datetime.fromisoformat("2030-01-02T08:00:00+01:00")

    def id_of(self, receipt: str, closing: int | None = None) -> str:
        """What a receipt is called in the books."""
        return f"{self.name}/{self.closing if closing is None else closing}/{receipt}"

    # --- what a cashier does
    def sell(self, pieces: int = 0) -> Receipt:
        """A sale of one to four articles, some with discount or deposit, some with a line voided while ringing up."""
        receipt = self._begin()
        for _ in range(pieces or self.chance.randint(1, 4)):
            self._ring(receipt, self.chance.choice(ARTICLES), self.chance.randint(1, 3))
        if self.chance.random() < 0.1:
            self._void_a_line(receipt)
        if self.chance.random() < 0.05:
            self._line(receipt, "Rabatt", "Kundenkarte", -min(100, receipt.total), receipt.lines[0].tax)
        self._pay(receipt)
        self.truth.orders[self.id_of(receipt.id)] = (receipt.total, "completed")
        self._sold.append((self.closing, receipt, set()))
        del self._sold[:-200]
        return receipt

    def sell_voucher(self, amount: int = 5000) -> Receipt:
        """A voucher is sold: no turnover yet."""
        receipt, self._vouchers = self._begin(), self._vouchers + 1
        line = self._line(receipt, "MehrzweckgutscheinKauf", f"Gutschein {amount // 100}", amount)
        line.voucher = f"GS-{self._vouchers}"
        self._pay(receipt)
        self.truth.orders[self.id_of(receipt.id)] = (amount, "completed")
        return receipt

    def redeem(self, amount: int = 1000) -> Receipt:
        """A sale that is partly paid with a voucher."""
        receipt = self._begin()
        self._ring(receipt, ARTICLES[1], 1)
        self._line(receipt, "MehrzweckgutscheinEinloesung", "Gutschein", -amount).voucher = "GS-1"
        self._pay(receipt)
        self.truth.orders[self.id_of(receipt.id)] = (receipt.total, "completed")
        return receipt

    def take_back(self) -> Receipt | None:
        """One line of an earlier sale comes back; None when nothing was sold yet."""
        found = self._something_sold()
        if found is None:
            return None
        closing, sale, line = found
        receipt = self._begin()
        self._back(receipt, line, closing, sale)
        self._pay(receipt)
        self.truth.returns[self.id_of(receipt.id)] = (line.gross, self.id_of(sale.id, closing))
        if closing == self.closing and self._whole(sale, receipt):
            self._voided(sale, receipt)
        return receipt

    def swap(self) -> Receipt | None:
        """One line comes back and something else is taken: an exchange."""
        found = self._something_sold()
        if found is None:
            return None
        closing, sale, line = found
        receipt = self._begin()
        self._back(receipt, line, closing, sale)
        self._ring(receipt, self.chance.choice(ARTICLES), 1)
        self._pay(receipt)
        self.truth.returns[self.id_of(receipt.id)] = (line.gross, self.id_of(sale.id, closing))
        self.truth.orders[self.id_of(receipt.id)] = (receipt.total + line.gross, "completed")
        return receipt

    def void(self) -> Receipt | None:
        """A whole sale of this day is voided: by a counter receipt, or at once."""
        own = [
            (at, sale)
            for at, (closing, sale, gone) in enumerate(self._sold)
            if closing == self.closing and not gone and not _has_void(sale)
        ]
        if not own:
            return None
        at, sale = self.chance.choice(own)
        del self._sold[at]
        if self.habits.storno == "alone":
            sale.storno, sale.counts = True, False
            self.truth.orders[self.id_of(sale.id)] = (sale.total, "cancelled")
            return sale
        receipt = self._begin()
        for line in sale.lines:
            self._mirror(receipt, line)
        receipt.payments = [(kind, name, -amount) for kind, name, amount in sale.payments]
        receipt.refs.append(("", self.name, self.closing, sale.id))
        receipt.storno = self.habits.storno == "counter"
        self._voided(sale, receipt)
        return receipt

    def move_cash(self, kind: str = "Geldtransit", amount: int = -15000) -> Receipt:
        """Cash in or out: not turnover."""
        receipt = self._begin()
        self._line(receipt, kind, kind, amount)
        receipt.payments.append(("Bar", "Bar", amount))
        self.truth.cash[f"{self.id_of(receipt.id)}/1"] = amount
        return receipt

    def idle(self, kind: str = "AVTraining") -> Receipt:
        """Training, aborted, ordered: written, and nothing of it counts."""
        receipt = self._begin(kind)
        self._ring(receipt, self.chance.choice(ARTICLES), 1)
        receipt.counts = False
        if kind == "AVTraining":
            receipt.payments.append(("Bar", "Bar", receipt.total))
        return receipt

    def work(self, receipts: int) -> None:
        """So many receipts of an ordinary day."""
        for _ in range(receipts):
            self.now += timedelta(seconds=self.chance.randint(20, 90))
            roll = self.chance.random()
            if roll < 0.86:
                self.sell()
            elif roll < 0.90:
                _ = self.take_back() or self.sell()
            elif roll < 0.92:
                _ = self.swap() or self.sell()
            elif roll < 0.94:
                _ = self.void() or self.sell()
            elif roll < 0.96:
                self.idle(self.chance.choice(("AVTraining", "AVBelegabbruch", "AVBestellung")))
            elif roll < 0.98:
                self.redeem() if self._vouchers else self.sell_voucher()
            else:
                self.move_cash(
                    *self.chance.choice((("Geldtransit", -5000), ("Einzahlung", 2000), ("Auszahlung", -700)))
                )

    def close(self) -> Day:
        """The day ends."""
        day = Day(self.name, self.closing, self.now + timedelta(minutes=5), self.receipts, self.truth)
        self.closing += 1
        self.receipts, self.truth = [], Truth()
        self.now = (self.now + timedelta(days=1)).replace(hour=8, minute=0, second=0)
        return day

    # --- how it is written
    def _begin(self, kind: str = "Beleg") -> Receipt:
        self._count += 1
        receipt = Receipt(f"B-{self._count:06}", self._count, kind, self.now)
        self.receipts.append(receipt)
        return receipt

    def _line(self, receipt: Receipt, kind: str, text: str, gross: int, tax: int = 5) -> Line:
        line = Line(str(len(receipt.lines) + 1), kind, text, gross, tax)
        receipt.lines.append(line)
        return line

    def _ring(self, receipt: Receipt, article: Article, quantity: int) -> None:
        line = self._line(receipt, "Umsatz", article.name, article.price * quantity, article.tax)
        line.article, line.quantity = article, quantity
        if self.chance.random() < 0.1:
            line.discount = article.price * quantity // 10
            line.gross -= line.discount
        if article.deposit:
            deposit = self._line(receipt, "Pfand", "Pfand", article.deposit * quantity, article.tax)
            deposit.quantity = quantity

    def _void_a_line(self, receipt: Receipt) -> None:
        article = self.chance.choice(ARTICLES)
        line = self._line(receipt, "Umsatz", article.name, article.price, article.tax)
        line.article = article
        if self.habits.line_void == "alone":
            line.void = True
            receipt.idle |= {line.id}
            return
        line.void = self.habits.line_void == "both"
        self._mirror(receipt, line).void = True

    def _mirror(self, receipt: Receipt, line: Line) -> Line:
        other = self._line(receipt, line.kind, line.text, -line.gross, line.tax)
        other.article, other.quantity, other.discount = line.article, -line.quantity, -line.discount
        return other

    def _back(self, receipt: Receipt, line: Line, closing: int, sale: Receipt) -> None:
        back = self._mirror(receipt, line)
        receipt.refs.append((back.id, self.name, closing, sale.id))

    def _pay(self, receipt: Receipt) -> None:
        kind, name = self.chance.choice(PAYMENTS)
        receipt.payments.append((kind, name, receipt.total))

    def _something_sold(self) -> tuple[int, Receipt, Line] | None:
        left = [
            (closing, sale, line, gone)
            for closing, sale, gone in self._sold[-20:]
            for line in sale.counted()
            if line.article is not None and line.gross > 0 and line.id not in gone and not _has_void(sale)
        ]
        if not left:
            return None
        closing, sale, line, gone = self.chance.choice(left)
        gone.add(line.id)
        return closing, sale, line

    def _whole(self, sale: Receipt, receipt: Receipt) -> bool:
        return [-line.gross for line in receipt.lines] == [line.gross for line in sale.counted()]

    def _voided(self, sale: Receipt, receipt: Receipt) -> None:
        """Everything of a sale of this closing came back at once: the sale is void, and there is no return."""
        self.truth.orders[self.id_of(sale.id)] = (self.truth.orders[self.id_of(sale.id)][0], "cancelled")
        self.truth.returns.pop(self.id_of(receipt.id), None)


def _has_void(receipt: Receipt) -> bool:
    return any(line.void for line in receipt.lines)
