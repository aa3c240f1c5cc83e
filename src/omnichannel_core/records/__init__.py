"""What all drivers exchange: one shape for every marketplace."""

from omnichannel_core.records.catalog import Attribute, AttributeSet, Choice, Choices
from omnichannel_core.records.offers import Offer, OfferVariant, Price, StockLevel, Value
from omnichannel_core.records.orders import Address, Charge, Line, Order, Payment, Return, ReturnLine, Tax
from omnichannel_core.records.outgoing import Cancellation, Invoice, Shipment
from omnichannel_core.records.record import Bad, Money, Record
from omnichannel_core.records.stores import CashEntry, Closing, PosStore

__all__ = [
    "Record", "Bad", "Money",
    "Order", "Line", "Address", "Charge", "Payment", "Tax", "Return", "ReturnLine",
    "Attribute", "AttributeSet", "Choice", "Choices",
    "Offer", "OfferVariant", "Value", "Price", "StockLevel",
    "Shipment", "Invoice", "Cancellation",
    "PosStore", "CashEntry", "Closing",
]  # fmt: skip
