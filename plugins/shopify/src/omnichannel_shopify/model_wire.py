"""The data model as Shopify says it (admin_2026-10: Location, MetafieldDefinition, TaxonomyCategory...)."""

from __future__ import annotations

import msgspec

from omnichannel_shopify.wire import Nodes, Pair, Wire

CARRIERS = (
    "4PX", "Amazon Logistics UK", "Amazon Logistics US", "APC", "Aramex Australia", "Australia Post", "Bpost",
    "Canada Post", "Chronopost", "Colissimo", "Correos", "Deutsche Post (DE)", "DHL eCommerce", "DHL Express", "DPD",
    "DPD Local", "DPD UK", "Evri", "FedEx", "GLS", "Hermes", "La Poste", "Mondial Relay", "New Zealand Post",
    "Poste Italiane", "PostNL", "PostNord", "Purolator", "Royal Mail", "Sendle", "Swiss Post", "TNT", "UPS", "USPS",
    "Yodel",
)  # fmt: skip
"""Some of the names Shopify knows letter by letter (FulfillmentTrackingInfo); any other is shown as it is sent."""

TYPES = {
    "multi_line_text_field": "text", "rich_text_field": "object", "number_integer": "integer",
    "number_decimal": "decimal", "boolean": "boolean", "date": "date", "date_time": "date", "money": "object",
    "json": "object", "weight": "object", "dimension": "object", "volume": "object", "rating": "object",
    "file_reference": "file",
}  # fmt: skip
"""Metafield types that are no text; those of several parts (an amount and a unit) are written as JSON."""


class Service(Wire):
    """FulfillmentService."""

    service_name: str = ""


class Location(Wire):
    """Location."""

    id: str
    name: str = ""
    is_active: bool = True
    fulfills_online_orders: bool = True
    is_fulfillment_service: bool = False
    fulfillment_service: Service | None = None


class Titled(Wire):
    """Something with a title."""

    title: str | None = ""


class Publication(Wire):
    """Publication."""

    id: str
    catalog: Titled | None = None


class PriceList(Wire):
    """PriceList."""

    id: str
    name: str = ""
    currency: str = ""


class Collection(Wire):
    """Collection."""

    id: str
    title: str = ""
    handle: str = ""


class Category(Wire):
    """TaxonomyCategory."""

    id: str
    full_name: str = ""
    parent_id: str | None = None


class CategoryList(Wire):
    """The shop, for its categories."""

    all_product_categories_list: list[Category] = []


class CategoriesData(Wire):
    """Data of `CategoriesUsed`."""

    shop: CategoryList = msgspec.field(default_factory=CategoryList)


class Named(Wire):
    """Something with an id and a name."""

    id: str = ""
    name: str = ""


class CategoryAttribute(Wire):
    """One of the three kinds of TaxonomyCategoryAttribute."""

    id: str = ""
    name: str = ""
    values: Nodes[Named] = msgspec.field(default_factory=Nodes[Named])
    options: list[Pair] = []


class Kind(Wire):
    """MetafieldDefinitionType."""

    name: str = ""


class Rule(Wire):
    """MetafieldDefinitionValidation."""

    name: str = ""
    value: str | None = None


class Constraint(Wire):
    """What a definition is constrained to."""

    value: str = ""


class Constraints(Wire):
    """MetafieldDefinitionConstraints."""

    key: str | None = None
    values: Nodes[Constraint] = msgspec.field(default_factory=Nodes[Constraint])


class Metafield(Wire):
    """MetafieldDefinition."""

    id: str
    namespace: str = ""
    key: str = ""
    name: str = ""
    type: Kind = msgspec.field(default_factory=Kind)
    validations: list[Rule] = []
    constraints: Constraints | None = None


class MetaobjectField(Wire):
    """MetaobjectFieldDefinition."""

    key: str = ""
    name: str = ""
    required: bool = False
    type: Kind = msgspec.field(default_factory=Kind)


class Metaobject(Wire):
    """MetaobjectDefinition."""

    id: str
    type: str = ""
    name: str = ""
    field_definitions: list[MetaobjectField] = []


class Entry(Wire):
    """Metaobject."""

    id: str
    display_name: str = ""
    handle: str = ""


class OptionValue(Wire):
    """ProductOptionValue."""

    name: str = ""


class Option(Wire):
    """ProductOption."""

    id: str = ""
    name: str = ""
    position: int = 0
    option_values: list[OptionValue] = []


class Product(Wire):
    """Product, for its options."""

    id: str = ""
    options: list[Option] = []
