"""BigCommerce's own shapes of the store, its lists and its catalog (specs store_information.v2.yml, catalog)."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from omnichannel_bigcommerce.wire import Word


class Zone(Struct):
    """The store's time zone."""

    name: str | None = ""
    raw_offset: int | None = 0


class Store(Struct):
    """`getStoreInformation`."""

    id: str = ""
    name: str = ""
    domain: str | None = ""
    secure_url: str | None = ""
    status: str | None = ""
    timezone: Zone | None = None
    currency: str | None = ""
    weight_units: str | None = ""
    dimension_units: str | None = ""
    is_price_entered_with_tax: bool | None = None
    plan_level: str | None = ""
    default_channel_id: int | None = None
    account_uuid: str | None = ""
    language: str | None = ""
    country_code: str | None = ""


class Time(Struct):
    """`getSystemTimestamp`, in seconds."""

    time: float


class Status(Struct):
    """`getOrderStatuses`."""

    id: int
    name: str | None = ""
    system_label: str | None = ""
    custom_label: str | None = ""
    order: int | None = None


class Remote(Struct):
    """Whatever has an id and a name: channels, brands, tax classes, locations, price lists."""

    id: Word = None
    name: str | None = ""
    label: str | None = ""
    code: str | None = ""
    type: str | None = ""
    type_id: str | None = ""
    status: str | None = ""
    platform: str | None = ""
    enabled: bool | None = None
    active: bool | None = None
    is_default: bool | None = None
    is_transactional: bool | None = None
    currency_code: str | None = ""
    currency_exchange_rate: Word = None
    managed_by_external_source: bool | None = None
    category_id: int | None = None
    parent_id: int | None = None
    tree_id: int | None = None
    channels: list[int] | None = None


class CatalogValue(Struct):
    """A value of an option or modifier."""

    id: int = 0
    label: str | None = ""
    value_data: Any = None


class CatalogOption(Struct):
    """An option or modifier of a product."""

    id: int = 0
    display_name: str = ""
    type: str = ""
    required: bool | None = None
    option_values: list[CatalogValue] | None = None


class CustomField(Struct):
    """A custom field of a product."""

    id: int = 0
    name: str = ""
    value: str = ""


class Image(Struct):
    """An image of a product."""

    id: int = 0
    image_file: str | None = ""
    image_url: str | None = ""
    url_standard: str | None = ""


class Metafield(Struct):
    """A metafield of a product or variant."""

    id: int = 0
    namespace: str = ""
    key: str = ""
    value: Any = None
    description: str | None = ""
    permission_set: str | None = ""
    resource_id: int | None = None


class OptionValue(Struct):
    """Which value of which option makes a variant."""

    id: int = 0
    option_id: int = 0
    label: str | None = ""
    option_display_name: str | None = ""


class Variant(Struct):
    """A variant; without option values it is the product's base variant."""

    id: int = 0
    product_id: int | None = 0
    sku: str | None = ""
    option_values: list[OptionValue] | None = None


class CatalogProduct(Struct):
    """A product of the catalog, with what was included."""

    id: int = 0
    sku: str | None = ""
    name: str | None = ""
    inventory_tracking: str | None = ""
    custom_fields: list[CustomField] | None = None
    options: list[CatalogOption] | None = None
    modifiers: list[CatalogOption] | None = None
    images: list[Image] | None = None
