"""Which reports there are, and how they are written: unquoted flat files, XML, lying encodings (guide 10.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from omnichannel_amazon_simulator import report_invoices, report_orders, report_returns
from omnichannel_amazon_simulator.documents import Document, packed

if TYPE_CHECKING:
    from omnichannel_amazon_simulator.reports import Report
    from omnichannel_amazon_simulator.sellers import Seller

DAY = 86400.0
TOO_MUCH = b"The requested date range is not supported for this report type."
Table = tuple[tuple[str, ...], Iterable[dict[str, object]]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of report.

    Attributes:
        write: the text, encoded as UTF-8 for XML and as the seller's option says for flat files; None without a row.
        roles: all are needed. restricted: its document needs a restricted data token.
        days: longest range; default: seconds covered when no start is given; every: seconds between two of it.
    """

    name: str
    write: Callable[[Seller, Report], bytes | None]
    roles: frozenset[str]
    days: float = 31
    default: float = DAY
    every: float = 0.0
    restricted: bool = False
    xml: bool = False


def flat(table: Callable[[Seller, Report], Table]) -> Callable[[Seller, Report], bytes | None]:
    """Tab-separated, a line feed after each row, nothing quoted, an empty value for what is missing."""

    def write(seller: Seller, report: Report) -> bytes | None:
        names, rows = table(seller, report)
        lines = ["\t".join(str(row.get(name, "")) for name in names) for row in rows]
        if not lines:
            return None
        text = "\n".join(["\t".join(names), *lines]) + "\n"
        return text.encode(seller.options.charset, errors="replace")

    return write


def fill(seller: Seller, document: Document, body: bytes, kind: Kind) -> None:
    """Puts the report into its document, with the content type the download will claim."""
    said = seller.options.said_charset
    plain = "text/xml" if kind.xml else "text/plain"
    document.content_type = f"{plain};charset={said}" if said else plain
    packed(document, body, compress=seller.options.gzip)


def _kinds() -> list[Kind]:
    orders, fba = frozenset({"orders"}), frozenset({"fba"})
    shipping = frozenset({"orders", "shipping"})
    shipments = flat(report_orders.fba_shipments)
    returns, invoices = flat(report_returns.merchant), flat(report_invoices.vidr)
    return [
        Kind(
            "GET_AMAZON_FULFILLED_SHIPMENTS_DATA_GENERAL",
            shipments,
            frozenset({"orders", "fba", "pricing"}),
            every=1800,
        ),
        Kind(
            "GET_AMAZON_FULFILLED_SHIPMENTS_DATA_TAX", shipments, fba | {"tax_remittance"}, every=1800, restricted=True
        ),
        Kind(
            "GET_AMAZON_FULFILLED_SHIPMENTS_DATA_INVOICING",
            shipments,
            fba | {"tax_invoicing"},
            every=1800,
            restricted=True,
        ),
        Kind("GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA", flat(report_returns.fba), fba, 60, every=4 * 3600),
        Kind("GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE", returns, shipping, 60),
        Kind("GET_XML_RETURNS_DATA_BY_RETURN_DATE", report_returns.merchant_xml, shipping, 60, xml=True),
        Kind("GET_CSV_MFN_PRIME_RETURNS_REPORT", flat(report_returns.prime), shipping, 60),
        Kind("GET_XML_MFN_PRIME_RETURNS_REPORT", report_returns.prime_xml, shipping, 60, xml=True),
        Kind("GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL", flat(report_orders.by_update), orders, 30),
        Kind("GET_FLAT_FILE_ALL_ORDERS_DATA_BY_ORDER_DATE_GENERAL", flat(report_orders.by_creation), orders, 30),
        Kind("GET_FLAT_FILE_VAT_INVOICE_DATA_REPORT", invoices, frozenset({"tax_invoicing"}), 90, default=90 * DAY),
        Kind("GET_MERCHANT_LISTINGS_ALL_DATA", flat(report_orders.listings), frozenset({"listing"}), 1000),
    ]


KINDS = {kind.name: kind for kind in _kinds()}
