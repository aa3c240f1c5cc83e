"""One order: its facts and its moves. Amounts are integers in the currency's smallest unit."""

from __future__ import annotations

from dataclasses import dataclass, field

STATUSES = (
    "PENDING_AVAILABILITY",
    "PENDING",
    "UNSHIPPED",
    "PARTIALLY_SHIPPED",
    "SHIPPED",
    "CANCELLED",
    "UNFULFILLABLE",
)
MOVES: dict[str, frozenset[str]] = {
    "PENDING_AVAILABILITY": frozenset({"PENDING", "UNSHIPPED", "CANCELLED"}),
    "PENDING": frozenset({"UNSHIPPED", "SHIPPED", "CANCELLED", "UNFULFILLABLE"}),
    "UNSHIPPED": frozenset({"PARTIALLY_SHIPPED", "SHIPPED", "CANCELLED", "UNFULFILLABLE"}),
    "PARTIALLY_SHIPPED": frozenset({"PARTIALLY_SHIPPED", "SHIPPED"}),
    "SHIPPED": frozenset(),
    "CANCELLED": frozenset(),
    "UNFULFILLABLE": frozenset({"CANCELLED"}),
}
TAXES = ("inside", "shown", "on_top")
"""Gross prices without a TAX row, gross prices with one, net prices with one on top (guide 4.3, net or gross)."""


@dataclass(slots=True)
class Line:
    """One item. `price` is of one unit; shipping, gift wrap and discount are of the whole line; `rate` in per cent."""

    id: str
    sku: str
    asin: str
    title: str
    quantity: int
    price: int
    rate: int
    shipping: int = 0
    gift_wrap: int = 0
    discount: int = 0
    shipped: int = 0
    gift: str | None = None
    wish: str = ""  # the buyer's reason to cancel
    cancelled_by: str = ""

    @property
    def item(self) -> int:
        return self.price * self.quantity

    @property
    def total(self) -> int:
        """Without a tax on top."""
        return self.item + self.shipping + self.gift_wrap - self.discount

    def tax(self, kind: str, amount: int | None = None) -> int:
        """The tax in `amount` (of the line's total), or on top of it."""
        base = self.total if amount is None else amount
        return round(base * self.rate / (100 if kind == "on_top" else 100 + self.rate))


@dataclass(slots=True)
class Package:
    """One parcel. `items` is line id -> quantity; `at` when it was shipped."""

    reference: str
    carrier: str
    method: str
    tracking: str
    at: float
    created: float
    items: dict[str, int]
    status: str = "IN_TRANSIT"


@dataclass(slots=True)
class Order:
    """Attributes:
    fulfilled_by: MERCHANT or AMAZON.
    person: index of buyer and recipient in the tables of `people`; `layout` 1 to 4 is a packing station.
    hidden_until: not in `searchOrders` before this time (an index that is late).
    extra: put into the rendered order as it is: unknown fields, unknown values.
    revision: counts the changes.
    """

    id: str
    created: float
    updated: float
    marketplace: str
    status: str
    fulfilled_by: str
    lines: list[Line]
    person: int
    programs: tuple[str, ...] = ()
    service: str = "STANDARD"
    tax: str = "inside"
    address: str = "RESIDENTIAL"
    layout: int = 0
    sales: str = "AMAZON"
    replaces: str = ""
    association: str = "REPLACEMENT_ORIGINAL_ID"
    purchase_order: str = ""
    vat_id: str = ""
    company: str = ""
    alias: str = ""
    ioss: str = ""
    hidden_until: float = 0.0
    shipped_at: float = 0.0
    revision: int = 1
    center: str = ""
    packages: list[Package] | None = None
    extra: dict[str, object] | None = None

    @property
    def business(self) -> bool:
        return "AMAZON_BUSINESS" in self.programs

    def line(self, ident: str) -> Line | None:
        return next((line for line in self.lines if line.id == ident), None)

    def open(self) -> bool:
        return any(line.shipped < line.quantity for line in self.lines)


@dataclass(slots=True)
class Return:
    """One line coming back.

    Attributes:
        requested, received: Unix seconds; 0.0 when not received yet.
        disposition, status: words of the FBA report; state: of the reports of merchant-fulfilled returns.
    """

    order: Order
    line: Line
    quantity: int
    requested: float
    reason: str = "CR-UNWANTED_ITEM"
    received: float = 0.0
    disposition: str = "SELLABLE"
    status: str = "Unit returned to inventory"
    state: str = "Approved"
    comment: str = ""
    rma: str = ""
    refund: int = 0
    tracking: str = ""
    plate: str = field(default="")
