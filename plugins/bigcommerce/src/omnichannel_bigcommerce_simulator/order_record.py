"""One order with everything below it, and how it is written in each of the list's shapes."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from omnichannel_bigcommerce_simulator.dates import rfc2822

Row = dict[str, Any]


class View(NamedTuple):
    """What `include` and `consignment_structure` ask for."""

    consignments: bool = False
    line_items: bool = False
    fees: bool = False
    structure: str = "array"


PLAIN = View()


@dataclass(slots=True)
class OrderRecord:
    """An order and its parts; dates are Unix seconds, `order` holds the v2 fields that are neither dates nor links."""

    id: int
    created: int
    modified: int
    order: Row
    currency: str
    tax_rate: Decimal
    shipped_at: int | None = None
    products: list[Row] = field(default_factory=list)
    addresses: list[Row] = field(default_factory=list)
    pickups: list[Row] = field(default_factory=list)
    coupons: list[Row] = field(default_factory=list)
    taxes: list[Row] = field(default_factory=list)
    fees: list[Row] = field(default_factory=list)
    messages: list[Row] = field(default_factory=list)
    shipments: list[Row] = field(default_factory=list)
    transactions: list[Row] = field(default_factory=list)
    refunds: list[Row] = field(default_factory=list)
    busy: bool = False  # a refund is under way
    rendered: dict[View, bytes] = field(default_factory=dict)

    @property
    def status_id(self) -> int:
        return int(self.order["status_id"])

    @property
    def total(self) -> Decimal:
        return Decimal(self.order["total_inc_tax"])

    @property
    def refunded(self) -> Decimal:
        return sum((Decimal(str(refund["total_amount"])) for refund in self.refunds), Decimal(0))

    def product(self, product_id: int) -> Row | None:
        return next((row for row in self.products if row["id"] == product_id), None)

    def address(self, address_id: int) -> Row | None:
        return next((row for row in self.addresses if row["id"] == address_id), None)

    def document(self, view: View, labels: dict[int, str], base: str) -> Row:
        """The order as v2 answers it; `base` is `https://.../stores/{hash}`, `labels` the store's own status labels."""
        where, short = f"{base}/v2/orders/{self.id}", f"/orders/{self.id}"
        label = labels[self.status_id]
        document = {
            "id": self.id,
            "date_modified": rfc2822(self.modified),
            "date_shipped": rfc2822(self.shipped_at) if self.shipped_at else "",
            "date_created": rfc2822(self.created),
            "status": label,
            "custom_status": label,
            **self.order,
            "products": {"url": f"{where}/products", "resource": f"{short}/products"},
            # the resource is spelled without the underscore that the documented path has (guide 1.10)
            "shipping_addresses": {"url": f"{where}/shippingaddresses", "resource": f"{short}/shippingaddresses"},
            "coupons": {"url": f"{where}/coupons", "resource": f"{short}/coupons"},
            "fees": self.fees if view.fees else {"url": f"{where}/fees", "resource": f"{short}/fees"},
            "consignments": {"url": f"{where}/consignments", "resource": f"{short}/consignments"},
        }
        if view.consignments:
            document["consignments"] = self.consignments(view, base)
        return document

    def consignments(self, view: View, base: str) -> Any:
        """The `object` shape of the spec, or the legacy array around it (docs#754)."""
        sorted_out: Row = {
            "pickups": [row | {"line_items": self._items(view, pickup=row["id"])} for row in self.pickups],
            "shipping": [self._shipping(row, view, base) for row in self.addresses],
            "downloads": self._downloads(view),
            "email": {"gift_certificates": self._certificates(view)},
        }
        return sorted_out if view.structure == "object" else [sorted_out]

    def _shipping(self, row: Row, view: View, base: str) -> Row:
        quotes = f"/orders/{self.id}/shipping_addresses/{row['id']}/shipping_quotes"
        numbers = {
            key: float(value) for key, value in row.items() if key.endswith(("cost", "_ex_tax", "_inc_tax", "cost_tax"))
        }
        return {
            **{key: value for key, value in row.items() if key != "order_id"},
            **numbers,
            "shipping_quotes": {"url": f"{base}/v2{quotes}", "resource": quotes},
            "line_items": self._items(view, address=row["id"]),
        }

    def _downloads(self, view: View) -> list[Row]:
        items = self._items(view, kind="digital")
        return [{"recipient_email": self.order["billing_address"]["email"], "line_items": items}] if items else []

    def _certificates(self, view: View) -> list[Row]:
        items = self._items(view, kind="giftcertificate")
        return [{"recipient_email": self.order["billing_address"]["email"], "line_items": items}] if items else []

    def _items(self, view: View, address: int | None = None, pickup: int | None = None, kind: str = "") -> list[Row]:
        rows = [
            row
            for row in self.products
            if (address and row["order_address_id"] == address)
            or (pickup and row["order_pickup_method_id"] == pickup)
            or (kind and row["type"] == kind)
        ]
        if view.line_items:
            return rows
        short = f"/orders/{self.id}/products"
        return [{"url": f"{short}/{row['id']}", "resource": f"{short}/{row['id']}"} for row in rows]
