"""An order of Amazon's as a record: what is absent stays unset and overwrites nothing (guide amazon 4.3)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from omnichannel_amazon import order_wire
from omnichannel_amazon.line_mapping import charges, line, tax_inside
from omnichannel_amazon.packing_station import COUNTRIES, arranged
from omnichannel_amazon.settings import OrderImport, ShippingProviders
from omnichannel_core.records import Address, Charge, Line, Money, Order

PENDING = frozenset({"PENDING", "PENDING_AVAILABILITY"})
CANCELLATION = "buyer_wants_to_cancel"
State = Literal["open", "paid", "shipped", "cancelled", "unknown"]
STATES: dict[str, State] = {
    "PENDING": "open",
    "PENDING_AVAILABILITY": "open",
    "UNSHIPPED": "paid",
    "PARTIALLY_SHIPPED": "paid",
    "SHIPPED": "shipped",
    "CANCELLED": "cancelled",
}


def moment(text: str) -> datetime:
    """An ISO date, aware; one without zone is UTC.

    Raises:
        ValueError: it is none.
    """
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def revision(text: str) -> str:
    """`lastUpdatedTime` so that it sorts as text, whatever precision it comes in."""
    return moment(text).astimezone(UTC).isoformat(timespec="milliseconds")


def kind(order: order_wire.Order) -> str:
    """`fba`, `prime` (by merchant), `mfn`; `foreign` is a multi-channel order of another shop; '' is unsaid."""
    if order.sales_channel.channel_name == "NON_AMAZON":
        return "foreign"
    if order.fulfillment is None or not order.fulfillment.fulfilled_by:
        return ""
    if order.by_amazon:
        return "fba"
    return "prime" if order.has("PRIME") else "mfn"


def record(order: order_wire.Order, settings: OrderImport, providers: ShippingProviders, *, known_only: bool) -> Order:
    """The whole order.

    Raises:
        ValueError: a time that cannot be read.
    """
    lines = {one.order_item_id: line(one) for one in order.order_items}
    money, proceeds = _total(order), order.proceeds
    addresses, bill = _addresses(order, settings)
    buyer = order.buyer or order_wire.Buyer()
    return Order(
        id=order.order_id,
        revision=revision(order.last_updated_time),
        partial=True,
        known_only=known_only,
        number=order.order_id,
        channel=order.sales_channel.marketplace_id,
        placed_at=moment(order.created_time),
        status=order.status or UNSET,
        state=_state(order, settings),
        business=order.has("AMAZON_BUSINESS") if order.programs is not None else UNSET,
        shipped_by_remote=_by_remote(order, settings),
        email=buyer.buyer_email or UNSET,
        currency=money.currency if isinstance(money, Money) else UNSET,
        prices_include_tax=tax_inside(order.order_items),
        gross=money,
        tax=_tax(lines),
        bill_to=bill,
        addresses=addresses,
        lines=lines,
        charges=_charges(order) if proceeds else UNSET,
        extra=_extra(order, providers),
    )


def _total(order: order_wire.Order) -> Money | UnsetType:
    total = order.proceeds.grand_total if order.proceeds else None
    return (total.value() if total else None) or UNSET


def _state(order: order_wire.Order, settings: OrderImport) -> State | UnsetType:
    """Amazon's status; with the setting on, what Amazon ships arrives shipped, else it stays open for the host."""
    if not order.status:
        return UNSET
    if order.by_amazon and order.status not in PENDING | {"CANCELLED", "UNFULFILLABLE"}:
        return "shipped" if settings.fba_shipped else "paid"
    return STATES.get(order.status, "unknown")


def _by_remote(order: order_wire.Order, settings: OrderImport) -> bool | UnsetType:
    """Whether warehousing is off."""
    if order.fulfillment is None:
        return UNSET
    return order.by_amazon and settings.fba_shipped


def _tax(lines: dict[str, Line]) -> Money | UnsetType:
    found = [one.tax for one in lines.values() if isinstance(one.tax, Money)]
    return Money(sum((one.amount for one in found), Decimal(0)), found[0].currency) if found else UNSET


def _charges(order: order_wire.Order) -> dict[str, Charge]:
    return {one.id: one for item in order.order_items for one in charges(item)}


def _addresses(
    order: order_wire.Order, settings: OrderImport
) -> tuple[dict[str, Address] | UnsetType, Address | UnsetType]:
    """Where it goes, and who bought; Amazon tells no billing address, so it is the buyer's name alone."""
    buyer, place = order.buyer, order.recipient.delivery_address if order.recipient else None
    ship = {"ship": _address(place, settings)} if place is not None else UNSET
    if buyer is None or not (buyer.buyer_name or buyer.buyer_company_name):
        return ship, UNSET
    first, last = _names(buyer.buyer_name or "")
    bill = Address(
        id="buyer",
        first_name=first,
        last_name=last,
        company=buyer.buyer_company_name or "",
        email=buyer.buyer_email or "",
    )
    if order.has("INVOICE_BY_AMAZON"):
        bill = msgspec.structs.replace(bill, extra={"invoice_to": "Amazon Business EU SARL"})
    return ship, bill


def _names(whole: str) -> tuple[str, str]:
    """First and last name, as far as one text tells them apart."""
    first, _, last = whole.strip().rpartition(" ")
    return first, last


def _address(place: order_wire.Address, settings: OrderImport) -> Address:
    lines = [text for text in (place.address_line1, place.address_line2, place.address_line3) if text]
    name, company, extra = place.name or "", place.company_name or "", dict[str, str]()
    street, more = (lines[0] if lines else ""), ", ".join(lines[1:])
    if place.address_type:
        extra["type"] = place.address_type
    pickup = place.address_type == "PICKUP_POINT"
    if (place.country_code or "") in COUNTRIES:
        station = arranged(name, company, lines, layout=settings.packing_station)
        if station.found:
            name, company, street, more, _, customer = station
            extra |= {"packing_station": street} | ({"customer_number": customer} if customer else {})
        elif pickup:
            extra["warning"] = "A pickup point without a recognizable packing station: the address is as it was typed"
    first, last = _names(name)
    return Address(
        id="ship", first_name=first, last_name=last, company=company, street1=street, street2=more,
        city=place.city or "", region=place.state_or_region or "", postal_code=place.postal_code or "",
        country=place.country_code or "", phone=place.phone or "", extra=extra,
    )  # fmt: skip


def _extra(order: order_wire.Order, providers: ShippingProviders) -> dict[str, str]:
    """What Amazon says besides; only what is there."""
    found = {"kind": kind(order), "programs": ",".join(order.programs or ())}
    found |= {one.alias_type.lower(): one.alias_id for one in order.order_aliases or () if one.alias_type}
    for one in order.associated_orders or ():
        found[one.association_type.lower()] = one.order_id
    if order.buyer:
        found["purchase_order"] = order.buyer.buyer_purchase_order_number or ""
    if order.recipient and (wish := order.recipient.delivery_preference):
        found["delivery_wish"] = ", ".join(text for text in (wish.drop_off_location, wish.address_instruction) if text)
    for registration in (order.tax.tax_registrations if order.tax else None) or ():
        if registration.entity_type in ("BUYER", "") and registration.tax_registration_type in ("VAT", ""):
            found["vat_id"] = registration.tax_registration_number
    return {name: text for name, text in (found | _shipping(order, providers) | _wishes(order)).items() if text}


def _shipping(order: order_wire.Order, providers: ShippingProviders) -> dict[str, str]:
    if order.fulfillment is None:
        return {}
    said = order.fulfillment
    gift = any(one.fulfillment and one.fulfillment.packing and one.fulfillment.packing.gift_option
               and one.fulfillment.packing.gift_option.gift_wrap_level for one in order.order_items)  # fmt: skip
    found = {"service_level": said.fulfillment_service_level}
    if not order.by_amazon:
        found["shipping_provider"] = providers.provider(said.fulfillment_service_level, gift=gift)
    if said.ship_by_window:
        found["ship_by"] = said.ship_by_window.latest_date_time or ""
    if said.deliver_by_window:
        found["deliver_by"] = said.deliver_by_window.latest_date_time or ""
    if kind(order) == "prime":
        found["note"] = "Prime by Merchant: its label has to be bought at Amazon, which also confirms the shipment"
    return found


def _wishes(order: order_wire.Order) -> dict[str, str]:
    """A buyer who wants to cancel may have said so before the import: nothing is to be shipped by itself then."""
    for item in order.order_items:
        asked = item.cancellation.cancellation_request if item.cancellation else None
        if asked and asked.requester == "BUYER":
            return {CANCELLATION: asked.cancel_reason or "yes"}
    return {}
