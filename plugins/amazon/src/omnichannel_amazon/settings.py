"""The four settings pages; the first three have *Apply from default*."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from omnichannel_core.driver import Settings, SettingsPage, Ui

PROVIDERS = Ui(options="host.shipping_providers")


def _day(typed: object) -> object:
    """DD.MM.YYYY, or what a stored form says (ISO)."""
    if isinstance(typed, str) and "." in typed:
        try:
            return datetime.strptime(typed.strip(), "%d.%m.%Y").date()  # noqa: DTZ007 - a day has no zone
        except ValueError as cause:
            raise ValueError("a date is written DD.MM.YYYY") from cause
    return None if typed == "" else typed


Day = Annotated[date | None, BeforeValidator(_day)]


class Offers(Settings):
    """Offers that Amazon fulfills."""

    fba_stock: Annotated[
        bool,
        Field(
            title="Update stock for 'Fulfillment by Amazon (FBA)' offers",
            description="Also sends stock for offers that Amazon fulfills: they are then sold as "
            "merchant-fulfilled, too.",
        ),
    ] = False


class OrderImport(Settings):
    """Which orders are imported, and how. They decide on an order's first import."""

    mfn: Annotated[bool, Field(title="Import 'Merchant Fulfilled Network' (MFN) orders")] = True
    prime_by_merchant: Annotated[bool, Field(title="Import 'Prime by Merchant' orders")] = True
    mfn_from: Annotated[
        Day,
        Field(
            title="Import MFN orders from",
            description="DD.MM.YYYY, that day included, in the marketplace's time zone. Empty: the 90 days before the "
            "first import.",
        ),
    ] = None
    fba: Annotated[bool, Field(title="Import 'Fulfillment by Amazon' (AFN) orders")] = True
    fba_shipped: Annotated[
        bool,
        Field(
            title="Mark 'Fulfillment by Amazon' orders as shipped during import and disable warehousing",
            description="Off: they arrive open.",
        ),
    ] = True
    vcs: Annotated[
        bool,
        Field(
            title="Is the VAT calculation service (VCS) enabled?",
            description="Off: prices in FBA reports are gross; on: they are net.",
        ),
    ] = False
    fba_from: Annotated[
        Day, Field(title="Import AFN/FBA orders from", description="DD.MM.YYYY; as for MFN orders.")
    ] = None
    packing_station: Annotated[
        Literal["address", "company"],
        Field(
            title="Packing station address layout",
            description="Where the customer number of a packing station stands: in the address line, or in company.",
        ),
    ] = "address"


class Export(Settings):
    """What is told to Amazon about orders, by the order's marketplace, business and private buyers apart."""

    shipments_b2b: Annotated[
        frozenset[str], Field(title="Export shipments: B2B orders"), Ui(options="marketplaces")
    ] = frozenset()
    shipments_b2c: Annotated[
        frozenset[str], Field(title="Export shipments: B2C orders"), Ui(options="marketplaces")
    ] = frozenset()
    invoices_b2b: Annotated[frozenset[str], Field(title="Export invoices: B2B orders"), Ui(options="marketplaces")] = (
        frozenset()
    )
    invoices_b2c: Annotated[frozenset[str], Field(title="Export invoices: B2C orders"), Ui(options="marketplaces")] = (
        frozenset()
    )

    def shipment(self, marketplace: str, *, business: bool) -> bool:
        """Whether shipments of such an order are wanted."""
        return marketplace in (self.shipments_b2b if business else self.shipments_b2c)

    def invoice(self, marketplace: str, *, business: bool) -> bool:
        """Whether invoices of such an order are wanted."""
        return marketplace in (self.invoices_b2b if business else self.invoices_b2c)

    def nothing(self) -> bool:
        """No box is checked."""
        return not (self.shipments_b2b or self.shipments_b2c or self.invoices_b2b or self.invoices_b2c)


Provider = Annotated[str, Field(title="UCS shipping provider"), PROVIDERS]


class ShippingOptions(Settings):
    """Amazon's shipping options (`fulfillmentServiceLevel`), each with a provider of the host's; '' is none."""

    standard: Provider = ""
    expedited: Provider = ""
    priority: Provider = ""
    same_day: Provider = ""
    next_day: Provider = ""
    second_day: Provider = ""
    scheduled: Provider = ""
    free_economy: Provider = ""
    default: Provider = ""
    gift_wrap: Provider = ""


class Carrier(Settings):
    """How a provider of the host's is told to Amazon: `Other` needs a name (guide amazon 4.4, 6.3)."""

    code: Annotated[str, Field(title="Carrier code")] = "Other"
    name: Annotated[str, Field(title="Carrier name")] = ""
    method: Annotated[str, Field(title="Shipping method")] = ""

    @model_validator(mode="after")
    def _named(self) -> Carrier:
        if self.code.strip().lower() == "other" and not self.name.strip():
            raise ValueError("the carrier code Other needs a carrier name")
        return self


class ShippingProviders(Settings):
    """In: what an imported order is shipped with. Out: what a shipment's provider is called at Amazon."""

    options: Annotated[ShippingOptions, Field(title="Shipping options")] = ShippingOptions()
    carriers: Annotated[Mapping[str, Carrier], Field(title="Carriers of shipment confirmations"), PROVIDERS] = {}

    def provider(self, service: str, *, gift: bool) -> str:
        """The host's provider for an order; '' where none is chosen."""
        chosen = getattr(self.options, service.lower(), "") if service.lower() in ShippingOptions.model_fields else ""
        return (self.options.gift_wrap if gift else "") or chosen or self.options.default


PAGES = (
    SettingsPage("offers", "Offers", Offers, inherits=True),
    SettingsPage("order-import", "Order import", OrderImport, inherits=True),
    SettingsPage("order-export", "Order export/invoice upload", Export, inherits=True, needs="marketplaces"),
    SettingsPage("shipping-providers", "Shipping provider mapping", ShippingProviders),
)
