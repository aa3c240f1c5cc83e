"""The receipts of one closing, gathered from its tables, and the lines that count (guide section 6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from omnichannel_pos.refusals import FileRefused, Unbalanced
from omnichannel_pos.splitting import Key
from omnichannel_pos.tables import KEY, key_of, number, rows, whole

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
BOOKED, VOIDED = "beleg", "avbelegstorno"  # BON_TYP in lower case; no other type moves goods or money


class Head(NamedTuple):
    """A row of transactions.csv."""

    till: str
    closing: str
    id: str
    number: str
    type: str
    storno: str
    start: str
    end: str
    gross: str
    operator: str
    terminal: str
    customer_name: str
    customer_id: str
    street: str
    postal_code: str
    city: str
    country: str
    note: str


HEAD = ("Z_KASSE_ID", "Z_NR", "BON_ID", "BON_NR", "BON_TYP", "BON_STORNO", "BON_START", "BON_ENDE", "UMS_BRUTTO",
        "BEDIENER_ID", "TERMINAL_ID", "KUNDE_NAME", "KUNDE_ID", "KUNDE_STRASSE", "KUNDE_PLZ", "KUNDE_ORT",
        "KUNDE_LAND", "BON_NOTIZ")  # fmt: skip
LINE = (*KEY, "BON_ID", "POS_ZEILE", "GUTSCHEIN_NR", "ARTIKELTEXT", "GV_TYP", "GV_NAME", "P_STORNO", "ART_NR", "GTIN",
        "WARENGR_ID", "WARENGR", "MENGE", "EINHEIT", "STK_BR")  # fmt: skip


class Line:
    """A row of lines.csv with its amounts: gross, net and tax by tax key."""

    __slots__ = ("article", "gross", "group", "gtin", "id", "kind", "kind_name", "price", "quantity", "text", "unit",
                 "vat", "void", "voucher")  # fmt: skip

    def __init__(self, row: tuple[str, ...]) -> None:
        (_, _, _, self.id, self.voucher, self.text, self.kind, self.kind_name, void, self.article, self.gtin,
         _, self.group, self.quantity, self.unit, self.price) = row  # fmt: skip
        self.void = void.strip() in ("1", "true", "True")
        self.gross = ZERO
        self.vat: list[tuple[str, Decimal, Decimal, Decimal]] = []


class Receipt:
    """One receipt with all that belongs to it. `lines` are those that count once `settle` has run."""

    __slots__ = ("discounts", "head", "lines", "payments", "refs", "resolves", "storno", "vat", "voided_by")

    def __init__(self, head: Head) -> None:
        self.head = head
        self.storno = head.storno.strip() in ("1", "true", "True")
        self.lines: dict[str, Line] = {}
        self.vat: dict[str, Decimal] = {}
        self.payments: list[tuple[str, str, Decimal, str]] = []  # type, name, amount, currency paid in
        self.refs: list[tuple[str, str, str, str]] = []  # own line, till, closing, receipt
        self.discounts: dict[str, Decimal] = {}
        self.voided_by = ""
        self.resolves = False

    def settle(self) -> None:
        """Take out what was voided while ringing up, so that the lines sum up to the receipt's own tax rows.

        The format does not say whether a voided line is followed by a counter line: both readings are tried
        (guide 6.3), and where neither sums up the closing is not booked.

        Raises:
            Unbalanced: they do not.
        """
        every = list(self.lines.values())
        if self._agree(every):
            if any(line.void for line in every):
                self.lines = {line.id: line for line in _without_pairs(every)}
            return
        kept = [line for line in every if not line.void]
        if len(kept) == len(every) or not self._agree(kept):
            head = self.head
            said = ", ".join(f"{amount} at tax key {key or '?'}" for key, amount in sorted(self._said().items()))
            sums = ", ".join(f"{amount} at tax key {key or '?'}" for key, amount in sorted(_sums(every).items()))
            raise Unbalanced(
                f"Closing {head.till}/{whole(head.closing)}, receipt {head.id}: its lines sum up to "
                f"{sums or 'nothing'}, the receipt says {said or 'nothing'}.",
                key_of(head.till, whole(head.closing)),
            )
        self.lines = {line.id: line for line in kept}

    def _said(self) -> Mapping[str, Decimal]:
        return self.vat or {"": number(self.head.gross)}

    def _agree(self, lines: Iterable[Line]) -> bool:
        if self.vat:
            return same(_sums(lines), self.vat)
        return abs(sum((line.gross for line in lines), ZERO) - number(self.head.gross)) < CENT

    def mirrors(self, other: Receipt) -> bool:
        """Whether this is the other one with reversed signs."""
        if len(self.lines) != len(other.lines):
            return False
        turned = sorted((line.article or line.text, -line.gross) for line in other.lines.values())
        return sorted((line.article or line.text, line.gross) for line in self.lines.values()) == turned


def _sums(lines: Iterable[Line]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for line in lines:
        for key, gross, _, _ in line.vat:
            found[key] = found.get(key, ZERO) + gross
    return found


def same(one: Mapping[str, Decimal], other: Mapping[str, Decimal]) -> bool:
    """To the cent; a key that is missing is zero."""
    if one == other:
        return True
    return all(abs(one.get(key, ZERO) - other.get(key, ZERO)) < CENT for key in {*one, *other})


def _without_pairs(lines: list[Line]) -> Iterator[Line]:
    """A voided line and its counter line go together; one without the other stays, because the sum needs it."""
    gone: set[int] = set()
    for void in (line for line in lines if line.void):
        if id(void) in gone:
            continue
        for other in lines:
            fits = (other.article, other.text, other.kind) == (void.article, void.text, void.kind)
            if fits and other is not void and id(other) not in gone and other.gross == -void.gross:
                gone |= {id(void), id(other)}
                break
    return (line for line in lines if id(line) not in gone)


def gather(texts: Mapping[str, str], key: Key) -> dict[str, Receipt]:
    """All receipts by BON_ID, each with its lines, in the order of transactions.csv.

    Raises:
        FileRefused: a table that must be there is not, or its rows belong to no receipt or another closing.
    """
    for name in ("transactions.csv", "lines.csv", "lines_vat.csv"):
        if name not in texts:
            raise FileRefused(f"There is no {name}: without it nothing can be booked.", "incomplete")
    receipts: dict[str, Receipt] = {}
    for row in rows(texts["transactions.csv"], "transactions.csv", HEAD):
        head = Head._make(row)
        if (head.till, whole(head.closing)) != key or not head.id or head.id in receipts:
            raise FileRefused(
                f"transactions.csv has receipt {head.id!r} of {head.till}/{head.closing} twice or out of place.",
                "bad_table",
            )
        receipts[head.id] = Receipt(head)
    of = _Finder(receipts, key)
    for row in rows(texts["lines.csv"], "lines.csv", LINE):
        line = Line(row)
        lines = of(row, "lines.csv").lines
        if line.id in lines:
            raise FileRefused(f"lines.csv has line {line.id!r} of receipt {row[2]!r} twice.", "bad_table")
        lines[line.id] = line
    _amounts(texts, of)
    _besides(texts, of)
    return receipts


class _Finder:
    """The receipt a row belongs to."""

    def __init__(self, receipts: dict[str, Receipt], key: Key) -> None:
        self._receipts, self._key = receipts, key
        self._seen = ("", "")  # the key as it was written last

    def __call__(self, row: tuple[str, ...], name: str) -> Receipt:
        found = self._receipts.get(row[2])
        if found is None or (row[:2] != self._seen and not self._same(row)):
            raise FileRefused(f"{name} has a row of receipt {row[2]!r} of closing {row[0]}/{row[1]}, which "
                              "transactions.csv does not have.", "bad_table")  # fmt: skip
        return found

    def _same(self, row: tuple[str, ...]) -> bool:
        if (row[0], whole(row[1])) != self._key:
            return False
        self._seen = (row[0], row[1])
        return True


def _amounts(texts: Mapping[str, str], of: _Finder) -> None:
    wanted = (*KEY, "BON_ID", "POS_ZEILE", "UST_SCHLUESSEL", "POS_BRUTTO", "POS_NETTO", "POS_UST")
    for row in rows(texts["lines_vat.csv"], "lines_vat.csv", wanted):
        line = of(row, "lines_vat.csv").lines.get(row[3])
        if line is None:
            raise FileRefused(f"lines_vat.csv has line {row[3]!r} of receipt {row[2]!r}, which lines.csv does not.",
                              "bad_table")  # fmt: skip
        gross = number(row[5])
        line.gross += gross
        line.vat.append((whole(row[4]), gross, number(row[6]), number(row[7])))
    for row in rows(texts.get("transactions_vat.csv", ""), "transactions_vat.csv",
                    (*KEY, "BON_ID", "UST_SCHLUESSEL", "BON_BRUTTO")):  # fmt: skip
        vat, tax = of(row, "transactions_vat.csv").vat, whole(row[3])
        vat[tax] = vat.get(tax, ZERO) + number(row[4])


def _besides(texts: Mapping[str, str], of: _Finder) -> None:
    wanted: tuple[str, ...] = (*KEY, "BON_ID", "ZAHLART_TYP", "ZAHLART_NAME", "BASISWAEH_BETRAG", "ZAHLWAEH_CODE")
    for row in rows(texts.get("datapayment.csv", ""), "datapayment.csv", wanted):
        of(row, "datapayment.csv").payments.append((row[3], row[4], number(row[5]), row[6]))
    wanted = (*KEY, "BON_ID", "POS_ZEILE", "REF_Z_KASSE_ID", "REF_Z_NR", "REF_BON_ID")
    for row in rows(texts.get("references.csv", ""), "references.csv", wanted):
        if row[6]:
            of(row, "references.csv").refs.append((row[3], row[4] or row[0], whole(row[5] or row[1]), row[6]))
    wanted = (*KEY, "BON_ID", "POS_ZEILE", "TYP", "PF_BRUTTO")
    for row in rows(texts.get("itemamounts.csv", ""), "itemamounts.csv", wanted):
        if row[4].strip().lower() == "discount":
            discounts = of(row, "itemamounts.csv").discounts
            discounts[row[3]] = discounts.get(row[3], ZERO) + number(row[5])
