"""Days as a DSFinV-K export: CSV tables, index.xml and DTD, as zip or folder, with the liberties real tills take."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from xml.sax.saxutils import escape

from omnichannel_pos_simulator.columns import COLUMNS, DECIMALS, NAMES
from omnichannel_pos_simulator.goods import RATES, net
from omnichannel_pos_simulator.till import Day, Line, Receipt

_DTD = """<!ELEMENT DataSet (Version, DataSupplier?, Media+)>
<!ELEMENT Version (#PCDATA)>
<!ELEMENT DataSupplier (Name, Location, Comment)>
<!ELEMENT Name (#PCDATA)> <!ELEMENT Location (#PCDATA)> <!ELEMENT Comment (#PCDATA)>
<!ELEMENT Media (Name, Table+)>
<!ELEMENT Table ANY>
"""
Rows = Iterator[Mapping[str, str]]


@dataclass(frozen=True)
class Liberties:
    """What an export may do differently.

    Attributes:
        encoding: utf-8, utf-8-sig or cp1252.
        shuffle: seed of another order of the columns; None keeps the official one.
        extra: columns nobody knows are there.
        without: tables that are left out.
        point: decimal point instead of comma.
    """

    encoding: str = "utf-8"
    shuffle: int | None = None
    extra: bool = False
    without: frozenset[str] = frozenset()
    point: bool = False


def as_zip(days: Iterable[Day], liberties: Liberties | None = None, folder: str = "") -> bytes:
    """The whole export as a zip's bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files(days, liberties).items():
            archive.writestr(folder + name, body)
    return out.getvalue()


def drop(body: bytes | Mapping[str, bytes], inbox: Path, name: str) -> Path:
    """Into `in/`, under another name until it is whole."""
    target, part = inbox / name, inbox / f"{name}.tmp"
    if isinstance(body, bytes):
        part.write_bytes(body)
    else:
        part.mkdir()
        for file, content in body.items():
            (part / file).write_bytes(content)
    part.replace(target)
    return target


def files(days: Iterable[Day], liberties: Liberties | None = None) -> dict[str, bytes]:
    """All files of the export by name."""
    free, every = liberties or Liberties(), list(days)
    there = {name: columns for name, columns in COLUMNS.items() if name not in free.without}
    made = {name: _table(name, columns, every, free) for name, columns in there.items()}
    made["index.xml"] = _index(there, free).encode("utf-8")
    made["gdpdu-01-09-2004.dtd"] = _DTD.encode()
    return made


def _table(name: str, columns: tuple[str, ...], days: list[Day], free: Liberties) -> bytes:
    order = list(columns)
    if free.extra:
        order.append("HERSTELLER_FELD")
    if free.shuffle is not None:
        Random(f"{free.shuffle}{name}").shuffle(order)
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(order)
    rows = _ROWS.get(name)
    for day in days if rows is not None else ():
        key = {"Z_KASSE_ID": day.till, "Z_ERSTELLUNG": day.at.isoformat(), "Z_NR": str(day.number)}
        for row in rows(day):  # type: ignore[misc]
            whole = {**key, **row}
            values = [whole.get(column, "") for column in order]
            writer.writerow([_point(column, value) for column, value in zip(order, values, strict=True)]
                            if free.point else values)  # fmt: skip
    return out.getvalue().encode(free.encoding)


def _point(column: str, value: str) -> str:
    return value.replace(",", ".") if column in DECIMALS else value


def _index(there: Mapping[str, tuple[str, ...]], free: Liberties) -> str:
    point, group = (".", ",") if free.point else (",", ".")
    tables = "".join(
        f"<Table><URL>{escape(name)}</URL><Name>{NAMES[name]}</Name><Description>{name}</Description>"
        f"<{'ANSI' if free.encoding == 'cp1252' else 'UTF8'} /><DecimalSymbol>{point}</DecimalSymbol>"
        f"<DigitGroupingSymbol>{group}</DigitGroupingSymbol><Range><From>2</From></Range><VariableLength>"
        "<ColumnDelimiter>;</ColumnDelimiter><RecordDelimiter>&#xD;&#xA;</RecordDelimiter>"
        '<TextEncapsulator>"</TextEncapsulator>'
        + "".join(f"<VariableColumn><Name>{one}</Name>{_kind(one)}</VariableColumn>" for one in columns)
        + "</VariableLength></Table>"
        for name, columns in there.items()
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE DataSet SYSTEM "gdpdu-01-09-2004.dtd">\n'
        "<DataSet><Version>1.0</Version><DataSupplier><Name>Till</Name><Location></Location><Comment></Comment>"
        f"</DataSupplier><Media><Name>1</Name>{tables}</Media></DataSet>\n"
    )


def _kind(column: str) -> str:
    places = DECIMALS.get(column)
    if places is None:
        return "<AlphaNumeric />"
    return f"<Numeric><Accuracy>{places}</Accuracy></Numeric>" if places else "<Numeric />"


# --- rows
def _money(cents: int) -> str:
    sign, cents = ("-" if cents < 0 else ""), abs(cents)
    return f"{sign}{cents // 100},{cents % 100:02}"


def _split(gross: int, tax: int) -> tuple[str, str, str]:
    """Gross, net and tax with five decimals."""
    thousandths, whole = net(gross, tax), gross * 1000
    return _five(whole), _five(thousandths), _five(whole - thousandths)


def _five(thousandths: int) -> str:
    sign, size = ("-" if thousandths < 0 else ""), abs(thousandths)
    return f"{sign}{size // 100_000},{size % 100_000:05}"


def _closing(day: Day) -> Rows:
    paid = [one for receipt in day.receipts if receipt.counts for one in receipt.payments]
    yield {
        "Z_BUCHUNGSTAG": f"{day.at:%Y-%m-%d}", "TAXONOMIE_VERSION": "2.4", "NAME": "Müller & Söhne",
        "STRASSE": "Musterweg 1", "PLZ": "12345", "ORT": "Musterstadt", "LAND": "DEU",
        "Z_START_ID": day.receipts[0].id if day.receipts else "",
        "Z_ENDE_ID": day.receipts[-1].id if day.receipts else "",
        "Z_SE_ZAHLUNGEN": _money(sum(amount for _, _, amount in paid)),
        "Z_SE_BARZAHLUNGEN": _money(sum(amount for kind, _, amount in paid if kind == "Bar")),
    }  # fmt: skip


def _register(day: Day) -> Rows:
    del day
    yield {"KASSE_BRAND": "Simulated", "KASSE_MODELL": "S1", "KASSE_SERIENNR": "1", "KASSE_SW_BRAND": "simulator",
           "KASSE_SW_VERSION": "1", "KASSE_BASISWAEH_CODE": "EUR", "KEINE_UST_ZUORDNUNG": "0"}  # fmt: skip


def _rates(day: Day) -> Rows:
    del day
    words = {1: "Allgemeiner Steuersatz", 2: "Ermäßigter Steuersatz", 5: "Nicht steuerbar"}
    for key, rate in RATES.items():
        yield {"UST_SCHLUESSEL": str(key), "UST_SATZ": _money(rate), "UST_BESCHR": words[key]}


def _cases(day: Day) -> Rows:
    sums: dict[tuple[str, int], int] = {}
    for receipt in day.receipts:
        for line in receipt.counted() if receipt.counts else ():
            sums[line.kind, line.tax] = sums.get((line.kind, line.tax), 0) + line.gross
    for (kind, tax), gross in sorted(sums.items()):
        one, two, three = _split(gross, tax)
        yield {"GV_TYP": kind, "AGENTUR_ID": "0", "UST_SCHLUESSEL": str(tax), "Z_UMS_BRUTTO": one,
               "Z_UMS_NETTO": two, "Z_UST": three}  # fmt: skip


def _paid(day: Day) -> Rows:
    sums: dict[tuple[str, str], int] = {}
    for receipt in day.receipts:
        for kind, name, amount in receipt.payments if receipt.counts else ():
            sums[kind, name] = sums.get((kind, name), 0) + amount
    for (kind, name), amount in sorted(sums.items()):
        yield {"ZAHLART_TYP": kind, "ZAHLART_NAME": name, "Z_ZAHLART_BETRAG": _money(amount)}


def _heads(day: Day) -> Rows:
    for one in day.receipts:
        yield {"BON_ID": one.id, "BON_NR": str(one.number), "BON_TYP": one.type, "TERMINAL_ID": "T1",
               "BON_STORNO": str(int(one.storno)), "BON_START": one.at.isoformat(), "BON_ENDE": one.at.isoformat(),
               "BEDIENER_ID": "7", "BEDIENER_NAME": "Jörg", "UMS_BRUTTO": _money(one.total)}  # fmt: skip


def _heads_vat(day: Day) -> Rows:
    for receipt in day.receipts:
        sums: dict[int, int] = {}
        for line in receipt.counted():
            sums[line.tax] = sums.get(line.tax, 0) + line.gross
        for tax, gross in sorted(sums.items()):
            one, two, three = _split(gross, tax)
            yield {"BON_ID": receipt.id, "UST_SCHLUESSEL": str(tax), "BON_BRUTTO": one, "BON_NETTO": two,
                   "BON_UST": three}  # fmt: skip


def _payments(day: Day) -> Rows:
    for receipt in day.receipts:
        for kind, name, amount in receipt.payments:
            yield {"BON_ID": receipt.id, "ZAHLART_TYP": kind, "ZAHLART_NAME": name, "ZAHLWAEH_CODE": "EUR",
                   "BASISWAEH_BETRAG": _money(amount)}  # fmt: skip


def _each(day: Day) -> Iterator[tuple[Receipt, Line]]:
    return ((receipt, line) for receipt in day.receipts for line in receipt.lines)


def _lines(day: Day) -> Rows:
    for receipt, line in _each(day):
        row = {"BON_ID": receipt.id, "POS_ZEILE": line.id, "GUTSCHEIN_NR": line.voucher, "ARTIKELTEXT": line.text,
               "POS_TERMINAL_ID": "T1", "GV_TYP": line.kind, "INHAUS": "0", "P_STORNO": str(int(line.void)),
               "AGENTUR_ID": "0"}  # fmt: skip
        if line.article is not None:
            row |= {"ART_NR": line.article.sku, "GTIN": line.article.gtin, "WARENGR_ID": "1",
                    "WARENGR": line.article.group, "MENGE": f"{line.quantity},000", "FAKTOR": "1,000",
                    "EINHEIT": "Stück", "STK_BR": _five(line.article.price * 1000)}  # fmt: skip
        elif line.kind == "Pfand":
            row |= {"MENGE": f"{line.quantity},000", "STK_BR": _five(line.gross * 1000 // line.quantity)}
        yield row


def _lines_vat(day: Day) -> Rows:
    for receipt, line in _each(day):
        one, two, three = _split(line.gross, line.tax)
        yield {"BON_ID": receipt.id, "POS_ZEILE": line.id, "UST_SCHLUESSEL": str(line.tax), "POS_BRUTTO": one,
               "POS_NETTO": two, "POS_UST": three}  # fmt: skip


def _amounts(day: Day) -> Rows:
    for receipt, line in _each(day):
        for kind, gross in (("base_amount", line.gross + line.discount), ("discount", -line.discount)):
            if line.discount:
                one, two, three = _split(gross, line.tax)
                yield {"BON_ID": receipt.id, "POS_ZEILE": line.id, "TYP": kind, "UST_SCHLUESSEL": str(line.tax),
                       "PF_BRUTTO": one, "PF_NETTO": two, "PF_UST": three}  # fmt: skip


def _refs(day: Day) -> Rows:
    for receipt in day.receipts:
        for line, till, closing, of in receipt.refs:
            yield {"BON_ID": receipt.id, "POS_ZEILE": line, "REF_TYP": "Transaktion", "REF_Z_KASSE_ID": till,
                   "REF_Z_NR": str(closing), "REF_BON_ID": of}  # fmt: skip


_ROWS: Mapping[str, Callable[[Day], Rows]] = {
    "cashpointclosing.csv": _closing, "cashregister.csv": _register, "vat.csv": _rates, "businesscases.csv": _cases,
    "payment.csv": _paid, "transactions.csv": _heads, "transactions_vat.csv": _heads_vat,
    "datapayment.csv": _payments, "lines.csv": _lines, "lines_vat.csv": _lines_vat, "itemamounts.csv": _amounts,
    "references.csv": _refs,
}  # fmt: skip
