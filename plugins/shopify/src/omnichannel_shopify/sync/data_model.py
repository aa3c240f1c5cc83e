"""The data model: the shop's facts and lists, fields, metafields, metaobjects, categories, options (guide 2.12).

Sets: one for products, one for variants, one for every metaobject definition, and one for every category the shop uses,
with the category's attributes and the metafields that are constrained to it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from omnichannel_core import errors
from omnichannel_core.driver import Page, PullStream, Session
from omnichannel_core.records import Attribute, AttributeSet, Choice, Choices, Record
from omnichannel_shopify import model_wire as wire
from omnichannel_shopify.authorization import CheckData
from omnichannel_shopify.client import Client, connection
from omnichannel_shopify.fields import CATEGORY, ENTRY, META, OPTION, PRODUCT_FIELDS, VARIANT, VARIANT_FIELDS, attribute
from omnichannel_shopify.model_wire import CARRIERS, TYPES
from omnichannel_shopify.settings import FINANCIAL, FULFILLMENT

OPTION_PAGES, OPTION_SIZE = 40, 50
"""How far products are looked through for options: the 2,000 changed last."""

MOST_VALUES, MOST_ENTRIES = 250, 1000


class ModelCursor(Struct, frozen=True):
    """Which step is next, and what was found so far (written down with the last step)."""

    step: int = 0
    page: int = 0
    after: str = ""
    categories: tuple[tuple[str, str], ...] = ()
    of_set: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    options: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    metaobjects: Mapping[str, str] = msgspec.field(default_factory=dict)


Step = Callable[[Session, ModelCursor], Awaitable[Page[ModelCursor]]]


async def pull(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """One step; a part the token may not read is left out, and said so."""
    try:
        return await STEPS[cursor.step](session, cursor)
    except errors.AccessMissing as refused:
        if cursor.step == 0:
            raise
        session.log.warning("The data model goes without a part: %s", refused)
        return done(cursor, ())


def done(cursor: ModelCursor, records: Sequence[Record]) -> Page[ModelCursor]:
    """The step is over; the last one ends the run."""
    following = replace(cursor, step=cursor.step + 1, page=0, after="")
    more = following.step < len(STEPS)
    return Page(cursor=following if more else ModelCursor(), records=records, more=more)


def listed(name: str, label: str, choices: Sequence[Choice]) -> Choices:
    """A list of the shop."""
    return Choices(id=name, label=label, items={choice.value: choice for choice in choices})


def with_set(cursor: ModelCursor, name: str, ids: Sequence[str]) -> ModelCursor:
    """Attributes that belong to a set."""
    return replace(cursor, of_set={**cursor.of_set, name: (*cursor.of_set.get(name, ()), *ids)})


async def facts(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """The shop, the statuses orders have, carriers, and the fields every product and variant has."""
    shop = (await Client(session).ask("ConnectionCheck", CheckData)).shop
    said = {
        "name": shop.name,
        "domain": shop.myshopify_domain,
        "currency": shop.currency_code,
        "currencies": ", ".join(shop.enabled_presentment_currencies),
        "timezone": shop.iana_timezone,
        "weight_unit": shop.weight_unit,
        "prices_include_tax": "true" if shop.taxes_included else "false",
        "plan": shop.plan.public_display_name if shop.plan else "",
    }
    known = [Choice(value=name, label=text) for name, text in said.items() if text]
    lists: list[Record] = [
        listed("shop", "Shop", known),
        listed("financial_statuses", "Payment statuses", labeled(FINANCIAL)),
        listed("fulfillment_statuses", "Fulfillment statuses", labeled(FULFILLMENT)),
        listed("carriers", "Carriers", [Choice(value=name, label=name) for name in CARRIERS]),
    ]
    facts_by_name = {choice.value: choice for choice in known}
    fields: list[Record] = [attribute(field, "product", facts_by_name) for field in PRODUCT_FIELDS]
    fields += [attribute(field, "variant", facts_by_name) for field in VARIANT_FIELDS]
    cursor = with_set(cursor, "product", [field.id for field in PRODUCT_FIELDS])
    cursor = with_set(cursor, "variant", [f"{VARIANT}{field.id}" for field in VARIANT_FIELDS])
    return done(cursor, [*lists, *fields])


def labeled(names: Mapping[str, str]) -> list[Choice]:
    """Enum values with their labels."""
    return [Choice(value=name, label=label) for name, label in names.items()]


async def locations(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """Where stock lies; whose a fulfillment service's location is."""
    found = await Client(session).walk("Locations", wire.Location, ("locations",), first=100)
    choices = [
        Choice(
            value=one.id,
            label=one.name,
            extra={
                "active": "true" if one.is_active else "false",
                "service": "true" if one.is_fulfillment_service else "false",
                "service_name": one.fulfillment_service.service_name if one.fulfillment_service else "",
                "online": "true" if one.fulfills_online_orders else "false",
            },
        )
        for one in found
    ]
    return done(cursor, [listed("locations", "Locations", choices)])


async def publications(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """Sales channels, by the title of their catalog."""
    found = await Client(session).walk("Publications", wire.Publication, ("publications",), first=50)
    choices = [Choice(value=one.id, label=(one.catalog.title if one.catalog else "") or one.id) for one in found]
    return done(cursor, [listed("publications", "Sales channels", choices)])


async def price_lists(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """Price lists with their currencies."""
    found = await Client(session).walk("PriceLists", wire.PriceList, ("priceLists",), first=50)
    choices = [Choice(value=one.id, label=one.name, extra={"currency": one.currency}) for one in found]
    return done(cursor, [listed("price_lists", "Price lists", choices)])


async def collections(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """Collections."""
    found = await Client(session).walk("Collections", wire.Collection, ("collections",), first=100)
    choices = [Choice(value=one.id, label=one.title, extra={"handle": one.handle}) for one in found]
    return done(cursor, [listed("collections", "Collections", choices)])


async def categories(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """The taxonomy's categories that products of the shop are in."""
    found = (await Client(session).ask("CategoriesUsed", wire.CategoriesData)).shop.all_product_categories_list
    choices = [Choice(value=one.id, label=one.full_name, parent=one.parent_id or "") for one in found]
    named = tuple((one.id, one.full_name) for one in found)
    return done(replace(cursor, categories=named), [listed("categories", "Categories in use", choices)])


async def category_attributes(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """The attributes of one category a page. They are read-only: the shop's metafields hold their values."""
    if cursor.page >= len(cursor.categories):
        return done(cursor, ())
    client, (key, _) = Client(session), cursor.categories[cursor.page]
    found = await client.walk("CategoryAttributes", wire.CategoryAttribute, ("node", "attributes"), first=20, id=key)
    made = list[Record]()
    for one in found:
        if one.name:
            values = await client.rest("AttributeValues", one.values, wire.Named, ("node", "values"), id=one.id)
            made.append(of_category(one, values))
    moved = with_set(replace(cursor, page=cursor.page + 1), key, [one.id for one in made])
    if moved.page >= len(moved.categories):
        return done(moved, made)
    return Page(cursor=moved, records=made, more=True)


def of_category(one: wire.CategoryAttribute, values: Sequence[wire.Named]) -> Attribute:
    """An attribute of the taxonomy: a list of values, or a measurement with its units."""
    units = [pair.value or "" for pair in one.options if pair.key == "unit"]
    return Attribute(
        id=f"{CATEGORY}{one.id.rpartition('/')[2]}",
        label=one.name,
        type="enum" if values else "decimal" if one.options else "text",
        level="product",
        unit=", ".join(units),
        writable=False,
        choices={value.id: Choice(value=value.id, label=value.name) for value in values},
    )


async def metaobjects(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """Metaobject definitions as sets, and their entries as lists that metafields and options refer to."""
    client = Client(session)
    found = await client.walk("MetaobjectDefinitions", wire.Metaobject, ("metaobjectDefinitions",), first=25)
    made = list[Record]()
    for one in found:
        entries, after = list[wire.Entry](), None
        while len(entries) < MOST_ENTRIES:
            answer = await client.sized("Metaobjects", 250, type=one.type, after=after)
            page = connection(answer, wire.Entry, ("metaobjects",))
            entries += page.nodes
            after = page.page_info.end_cursor
            if not page.page_info.has_next_page or not after:
                break
        choices = [Choice(value=e.id, label=e.display_name, extra={"handle": e.handle}) for e in entries]
        made.append(listed(f"metaobject:{one.type}", one.name, choices))
        fields = [of_entry(one, field) for field in one.field_definitions]
        ids = tuple(field.id for field in fields)
        made += [*fields, AttributeSet(id=f"metaobject:{one.type}", label=one.name, attributes=ids)]
    return done(replace(cursor, metaobjects={one.id: one.type for one in found}), made)


def of_entry(one: wire.Metaobject, field: wire.MetaobjectField) -> Attribute:
    """A field that entries of a metaobject have; read-only, as entries are referred to and not written."""
    return Attribute(
        id=f"{ENTRY}{one.type}.{field.key}",
        label=field.name,
        type=TYPES.get(field.type.name.removeprefix("list."), "text"),
        level="metaobject",
        required=field.required,
        writable=False,
        multiple=field.type.name.startswith("list."),
        extra={"metafield_type": field.type.name},
    )


async def product_metafields(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """Metafield definitions of products."""
    return await metafields(session, cursor, "PRODUCT", "product", META)


async def variant_metafields(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """Metafield definitions of variants."""
    return await metafields(session, cursor, "PRODUCTVARIANT", "variant", f"{VARIANT}{META}")


async def metafields(session: Session, cursor: ModelCursor, owner: str, level: str, prefix: str) -> Page[ModelCursor]:
    """Definitions of one kind of owner; those constrained to categories belong to these only."""
    client = Client(session)
    found = await client.walk("MetafieldDefinitions", wire.Metafield, ("metafieldDefinitions",), first=50, owner=owner)
    made = [of_metafield(one, level, prefix, cursor.metaobjects) for one in found]
    for one, record in zip(found, made, strict=True):
        constrained = await constraints(client, one)
        if not constrained:
            cursor = with_set(cursor, level, [record.id])
        for key, _ in cursor.categories:
            if key in constrained or key.rpartition("/")[2] in constrained:
                cursor = with_set(cursor, key, [record.id])
    return done(cursor, made)


async def constraints(client: Client, one: wire.Metafield) -> list[str]:
    """The categories a definition is constrained to."""
    if one.constraints is None:
        return []
    path = ("node", "constraints", "values")
    found = await client.rest("DefinitionCategories", one.constraints.values, wire.Constraint, path, id=one.id)
    return [value.value for value in found]


def of_metafield(one: wire.Metafield, level: str, prefix: str, metaobjects: Mapping[str, str]) -> Attribute:
    """A definition as an attribute."""
    said = {rule.name: rule.value or "" for rule in one.validations}
    kind = one.type.name.removeprefix("list.")
    choices = allowed(said.get("choices", ""))
    refers = metaobjects.get(said.get("metaobject_definition_id", ""), "")
    longest = said.get("max", "")
    return Attribute(
        id=f"{prefix}{one.namespace}.{one.key}",
        label=one.name,
        type="enum" if choices or refers else TYPES.get(kind, "text"),
        level=level,
        multiple=one.type.name.startswith("list."),
        max_length=int(longest) if kind.endswith("text_field") and longest.isdigit() else None,
        choices={value: Choice(value=value, label=value) for value in choices},
        choices_from=f"metaobject:{refers}" if refers else "",
        extra={"metafield_type": one.type.name},
    )


def allowed(text: str) -> list[str]:
    """The values of a `choices` validation."""
    try:
        return [str(one) for one in msgspec.json.decode(text, type=list[str])] if text else []
    except msgspec.DecodeError:
        return []


async def options(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """Options with their values, from the products changed last."""
    answer = await Client(session).sized("ProductOptions", OPTION_SIZE, after=cursor.after or None)
    page = connection(answer, wire.Product, ("products",))
    seen = dict(cursor.options)
    for product in page.nodes:
        for one in product.options:
            values = [value.name for value in one.option_values]
            if one.name and values != ["Default Title"]:
                seen[one.name] = tuple(dict.fromkeys([*seen.get(one.name, ()), *values]))[:MOST_VALUES]
    after = page.page_info.end_cursor or ""
    moved = replace(cursor, options=seen, page=cursor.page + 1, after=after)
    if page.page_info.has_next_page and after and moved.page < OPTION_PAGES:
        return Page(cursor=moved, more=True)
    return done(moved, ())


async def sets(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """The options found, and all sets."""
    made: list[Record] = [
        Attribute(
            id=f"{OPTION}{name}", label=name, type="enum", level="variant", open=True,
            choices={value: Choice(value=value, label=value) for value in values},
        )
        for name, values in cursor.options.items()
    ]  # fmt: skip
    whole = cursor.of_set
    made.append(AttributeSet(id="product", label="Product", attributes=whole.get("product", ())))
    of_variant = (*whole.get("variant", ()), *(f"{OPTION}{name}" for name in cursor.options))
    made.append(AttributeSet(id="variant", label="Variant", attributes=of_variant))
    for key, label in cursor.categories:
        both = dict.fromkeys((*whole.get("product", ()), *whole.get(key, ())))
        made.append(AttributeSet(id=key, label=label, attributes=tuple(both)))
    return done(cursor, made)


STEPS: tuple[Step, ...] = (
    facts, locations, publications, price_lists, collections, categories, category_attributes, metaobjects,
    product_metafields, variant_metafields, options, sets,
)  # fmt: skip

DATA_MODEL = PullStream(
    name="data-model", yields=(Choices, Attribute, AttributeSet), cursor=ModelCursor, pull=pull, snapshot=True
)
