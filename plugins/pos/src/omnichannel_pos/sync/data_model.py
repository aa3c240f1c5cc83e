"""The fixed data model of a store: two variant sets and ten attribute sets (guide actindo-pos-and-other-shops 1.8).

A till has nothing to ask for it: what a file can say is what the sets hold. Attribute ids are those of the files.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from omnichannel_core.driver import Page, PullStream, Session
from omnichannel_core.records import Attribute, AttributeSet, PosStore, Record

OFFER: Mapping[str, tuple[str, str]] = {
    "name": ("Name", "text"), "description": ("Description", "text"), "gtin": ("GTIN", "text"),
    "group": ("Product group", "text"), "category_path": ("Quick select path", "text"), "price": ("Price", "money"),
    "special_price": ("Special price", "money"), "special_price_from": ("Special price from", "date"),
    "special_price_to": ("Special price to", "date"), "price_group": ("Price group", "text"),
    "tax_key": ("Tax key (UST_SCHLUESSEL)", "integer"), "unit": ("Unit", "text"), "factor": ("Factor", "decimal"),
    "age_rating": ("Age rating", "integer"), "voucher": ("Is a voucher", "boolean"), "active": ("Active", "boolean"),
}  # fmt: skip
_MONEY = ("gross", "net", "tax")
_SETS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "orders": ("Orders", ("number", "cash_register", "closing", "terminal", "operator", "placed_at", *_MONEY)),
    "line-items": ("Line items", ("sku", "name", "gtin", "group", "unit", "quantity", "price", *_MONEY)),
    "payment-items": ("Payment items", ("method", "type", "amount", "currency")),
    "discount-items": ("Discount items", ("name", *_MONEY)),
    "returns": ("Returns", ("number", "order_id", "cash_register", "closing", "reason", "amount")),
    "return-line-items": ("Return line items", ("sku", "name", "quantity", "amount", "restock")),
    "voucher-items": ("Redeemed vouchers", ("voucher", *_MONEY)),
    "service-items": ("Services and fees", ("name", *_MONEY)),
    "store": ("Store", ("name", "address", "currency", "gross_prices")),
    "offer-options": ("Offer options", ("option", "value")),
}
_VARIANTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "variants": ("Products", tuple(OFFER)),
    "variant-options": ("Product options", ("option", "value")),
}
_LABELS = {"sku": "SKU", "order_id": "Order", "gross_prices": "Prices with tax", "placed_at": "Sold at"}
_TYPES = {**dict.fromkeys((*_MONEY, "amount", "price"), "money"), "quantity": "decimal", "placed_at": "date",
          "restock": "boolean", "gross_prices": "boolean"}  # fmt: skip


class Fixed(msgspec.Struct, frozen=True):
    """There is one page."""


async def pull(session: Session, cursor: Fixed) -> Page[Fixed]:
    """All of it."""
    store = session.subject
    name = store.name if isinstance(store, PosStore) else ""
    return Page(cursor=cursor, records=model(name))


def model(store: str) -> list[Record]:
    """Attributes, and the sets with the store's name in their labels."""
    found: list[Record] = []
    for kind, sets in (("variant set", _VARIANTS), ("attribute set", _SETS)):
        for one, (label, fields) in sets.items():
            found += [_attribute(one, field) for field in fields]
            found.append(
                AttributeSet(id=one, label=f"{label} of {store}" if store else label, extra={"kind": kind},
                             attributes=tuple(f"{one}.{field}" for field in fields))
            )  # fmt: skip
    return found


def _attribute(set_: str, field: str) -> Attribute:
    label, kind = OFFER[field] if set_ == "variants" else (_LABELS.get(field), _TYPES.get(field, "text"))
    return Attribute(
        id=f"{set_}.{field}", label=label or field.replace("_", " ").capitalize(), type=kind,
        level="product" if set_ == "variants" else "", writable=set_ in ("variants", "variant-options",
                                                                         "offer-options"),
    )  # fmt: skip


DATA_MODEL = PullStream(name="data-model", yields=(Attribute, AttributeSet), cursor=Fixed, pull=pull, snapshot=True)
