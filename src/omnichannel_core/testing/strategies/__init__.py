"""Hypothesis strategies for every kind of record: valid by construction, small, and shrinking to something readable.

Each takes fixed values or strategies for fields, by name: `orders(currency="EUR")`, `stock_levels(sku=skus)`. Needs the
extra `testing`.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from hypothesis.strategies import SearchStrategy

from omnichannel_core.records import (
    Attribute,
    AttributeSet,
    Cancellation,
    CashEntry,
    Choices,
    Closing,
    Invoice,
    Offer,
    Order,
    PosStore,
    Price,
    Record,
    Return,
    Shipment,
    StockLevel,
)
from omnichannel_core.testing.strategies.incoming import (
    attribute_sets,
    attributes,
    bad,
    cash_entries,
    choices,
    closings,
    orders,
    partial,
    pos_stores,
    returns,
)
from omnichannel_core.testing.strategies.outgoing import (
    cancellations,
    invoices,
    like,
    offers,
    prices,
    shipments,
    stock_levels,
)
from omnichannel_core.testing.strategies.parts import (
    addresses,
    amounts,
    currencies,
    extras,
    ids,
    moments,
    quantities,
    revisions,
    texts,
)

__all__ = [
    "records_of", "partial", "like", "bad",
    "orders", "returns", "attributes", "attribute_sets", "choices", "pos_stores", "cash_entries", "closings",
    "offers", "stock_levels", "prices", "shipments", "invoices", "cancellations",
    "ids", "texts", "moments", "currencies", "amounts", "quantities", "revisions", "extras", "addresses",
]  # fmt: skip

R = TypeVar("R", bound=Record)
_BY_KIND: Mapping[type[Record], Callable[..., SearchStrategy[Any]]] = {
    Order: orders, Return: returns, Choices: choices, Attribute: attributes, AttributeSet: attribute_sets,
    Offer: offers, StockLevel: stock_levels, Price: prices, Shipment: shipments, Invoice: invoices,
    Cancellation: cancellations, PosStore: pos_stores, CashEntry: cash_entries, Closing: closings,
}  # fmt: skip


def records_of(kind: type[R], **given: Any) -> SearchStrategy[R]:
    """The strategy of a kind of record.

    Raises:
        KeyError: there is none of that kind.
    """
    found: SearchStrategy[R] = _BY_KIND[kind](**given)
    return found
