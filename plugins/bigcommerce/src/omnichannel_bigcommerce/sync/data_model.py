"""The data model: the store's facts and lists, and the attributes of its products and variants (guide 1.17).

BigCommerce has no attribute sets: there is one for products and one for variants. Custom fields, options and modifiers
belong to single products, so their names are gathered from the products changed last.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from omnichannel_bigcommerce import catalog_wire
from omnichannel_bigcommerce.client import Client
from omnichannel_bigcommerce.fields import (
    CUSTOM,
    META,
    MODIFIER,
    OPTION,
    PRODUCT_FIELDS,
    VARIANT,
    VARIANT_FIELDS,
    attribute,
)
from omnichannel_bigcommerce.wire import text
from omnichannel_core import errors
from omnichannel_core.driver import Page, PullStream, Session
from omnichannel_core.records import Attribute, AttributeSet, Choice, Choices, Record

CUSTOM_PAGES, OPTION_PAGES, META_PAGES = 20, 30, 40
"""How far products are looked through: 5,000 for custom fields, 300 for options, 10,000 metafields."""

MOST_VALUES = 250
LATEST = {"sort": "date_modified", "direction": "desc"}
LEAN = {"exclude_fields": "description"}  # the long one; `include_fields` might drop what is included
TYPES = {
    "checkbox": "boolean", "date": "date", "file": "file", "numbers_only_text": "decimal",
    "text": "text", "multi_line_text": "text",
}  # fmt: skip


class Choosable(Struct, frozen=True):
    """An option or modifier as found so far: `type` as BigCommerce calls it."""

    type: str = ""
    required: bool = False
    values: tuple[str, ...] = ()


class ModelCursor(Struct, frozen=True):
    """Which step is next, and what the scans found so far (written down with the last step)."""

    step: int = 0
    page: int = 1
    after: str = ""
    custom: tuple[str, ...] = ()
    options: Mapping[str, Choosable] = msgspec.field(default_factory=dict)
    metafields: tuple[str, ...] = ()


Step = Callable[[Session, ModelCursor], Awaitable[Page[ModelCursor]]]


async def pull(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """One step; a part the token may not read is left out, and said so."""
    step = STEPS[cursor.step]
    try:
        return await step(session, cursor)
    except errors.AccessMissing as refused:
        if cursor.step == 0:
            raise
        session.log.warning("The data model goes without a part: %s", refused)
        return done(cursor, ())


def done(cursor: ModelCursor, records: Sequence[Record]) -> Page[ModelCursor]:
    """The step is over; the last one ends the run."""
    following = replace(cursor, step=cursor.step + 1, page=1, after="")
    more = following.step < len(STEPS)
    return Page(cursor=following if more else ModelCursor(), records=records, more=more)


def listed(name: str, label: str, choices: Sequence[Choice]) -> Choices:
    """A list of the store."""
    return Choices(id=name, label=label, items={choice.value: choice for choice in choices})


async def facts(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """The store, its order statuses, and the fields every product and variant has."""
    client = Client(session)
    store, statuses = await client.store(), await client.statuses()
    said = {
        "name": store.name,
        "timezone": store.timezone.name if store.timezone else "",
        "currency": store.currency,
        "weight_units": store.weight_units,
        "dimension_units": store.dimension_units,
        "prices_include_tax": store.is_price_entered_with_tax,
        "plan": store.plan_level,
        "status": store.status,
        "domain": store.domain,
        "default_channel": store.default_channel_id,
        "language": store.language,
        "country": store.country_code,
    }
    known = [Choice(value=name, label=text(value)) for name, value in said.items() if value not in (None, "")]
    order = sorted(statuses, key=lambda one: (one.order if one.order is not None else 99, one.id))
    labels = [Choice(value=str(s.id), label=s.custom_label or s.name or s.system_label or str(s.id)) for s in order]
    lists = [listed("store", "Store", known), listed("order_statuses", "Order statuses", labels)]
    return done(cursor, [*lists, *core(lists[0].items)])


def core(known: Mapping[str, Choice]) -> list[Record]:
    """The fields of products and variants, in the store's units."""
    products: list[Record] = [attribute(field, "product", known) for field in PRODUCT_FIELDS]
    return products + [attribute(field, "variant", known) for field in VARIANT_FIELDS]


async def lists(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """Currencies and tax classes."""
    client = Client(session)
    currencies = [
        Choice(
            value=one.currency_code or "",
            label=one.name or one.currency_code or "",
            extra={
                "default": text(bool(one.is_default)),
                "transactional": text(bool(one.is_transactional)),
                "enabled": text(bool(one.enabled)),
                "rate": text(one.currency_exchange_rate),
            },
        )
        for one in await client.currencies()
    ]
    taxes = [Choice(value=text(one.id), label=one.name or "") for one in await client.tax_classes()]
    return done(cursor, [listed("currencies", "Currencies", currencies), listed("tax_classes", "Tax classes", taxes)])


async def channels(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """Sales channels."""
    found = await Client(session).remotes("getChannels", "/v3/channels")
    choices = [
        Choice(
            value=text(one.id),
            label=one.name or "",
            extra={"type": one.type or "", "platform": one.platform or "", "status": one.status or ""},
        )
        for one in found
    ]
    return done(cursor, [listed("channels", "Channels", choices)])


async def locations(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """Where stock lies; the default one is not told by the rows, only by a filter."""
    client, path = Client(session), "/v3/inventory/locations"
    found = await client.remotes("getLocations", path)
    defaults = {text(one.id) for one in await client.remotes("getLocations", path, {"is_default": "true"})}
    sure = len(defaults) == 1
    choices = [
        Choice(
            value=text(one.id),
            label=one.label or one.code or "",
            extra={
                "code": one.code or "",
                "enabled": text(one.enabled is not False),
                "default": text(sure and text(one.id) in defaults),
            },
        )
        for one in found
    ]
    return done(cursor, [listed("locations", "Stock locations", choices)])


async def price_lists(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """Price lists."""
    found = await Client(session).remotes("getPriceLists", "/v3/pricelists")
    choices = [
        Choice(value=text(one.id), label=one.name or "", extra={"active": text(bool(one.active))}) for one in found
    ]
    return done(cursor, [listed("price_lists", "Price lists", choices)])


async def brands(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """Brands."""
    found = await Client(session).remotes("getBrands", "/v3/catalog/brands", {"include_fields": "name"})
    choices = [Choice(value=text(one.id), label=one.name or "") for one in found]
    return done(cursor, [listed("brands", "Brands", choices)])


async def categories(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """Category trees and all their categories, each naming its parent and tree."""
    client = Client(session)
    trees = await client.remotes("getCategoryTrees", "/v3/catalog/trees")
    found = await client.remotes("getAllCategories", "/v3/catalog/trees/categories")
    forest = [
        Choice(value=text(t.id), label=t.name or "", extra={"channels": ",".join(map(str, t.channels or ()))})
        for t in trees
    ]
    choices = [
        Choice(
            value=text(one.category_id),
            label=one.name or "",
            parent=str(one.parent_id) if one.parent_id else "",
            extra={"tree": text(one.tree_id)},
        )
        for one in found
    ]
    return done(
        cursor, [listed("category_trees", "Category trees", forest), listed("categories", "Categories", choices)]
    )


async def custom_fields(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """Names of custom fields, from the products changed last."""
    asked = {"include": "custom_fields", **LEAN, "limit": "250", "page": str(cursor.page), **LATEST}
    found = (await Client(session).catalog(asked)).data
    names = [field.name for product in found for field in product.custom_fields or () if field.name]
    grown = replace(cursor, custom=tuple(dict.fromkeys([*cursor.custom, *names])))
    return onward(grown, full=len(found) >= 250, most=CUSTOM_PAGES)


async def options(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """Options and modifiers with their values, from the products changed last; included they come ten a page."""
    asked = {"include": "options,modifiers", **LEAN, "limit": "10", "page": str(cursor.page), **LATEST}
    found = (await Client(session).catalog(asked)).data
    seen = dict(cursor.options)
    for product in found:
        for prefix, some in ((OPTION, product.options), (MODIFIER, product.modifiers)):
            for one in some or ():
                if one.display_name:
                    key = f"{prefix}{one.display_name}"
                    seen[key] = merged(seen.get(key), one)
    return onward(replace(cursor, options=seen), full=len(found) >= 10, most=OPTION_PAGES)


def merged(before: Choosable | None, found: catalog_wire.CatalogOption) -> Choosable:
    """What is known of an option after one more product that has it."""
    values = [*(before.values if before else ()), *(value.label or "" for value in found.option_values or ())]
    kept = tuple(value for value in dict.fromkeys(values) if value)[:MOST_VALUES]
    return Choosable(
        type=before.type if before else found.type,
        required=(before.required if before else True) and bool(found.required),
        values=kept,
    )


async def product_metafields(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """Names of the metafields of products that the token may see."""
    return await metafields(session, cursor, "products", META)


async def variant_metafields(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """Names of the metafields of variants that the token may see."""
    return await metafields(session, cursor, "variants", f"{VARIANT}{META}")


async def metafields(session: Session, cursor: ModelCursor, kind: str, prefix: str) -> Page[ModelCursor]:
    """One page of metafields, by cursor where the remote gives one."""
    found = await Client(session).metafields(kind, cursor.after)
    names = [f"{prefix}{one.namespace}.{one.key}" for one in found.data if one.namespace and one.key]
    info = found.meta.cursor_pagination if found.meta else None
    after = (info.end_cursor or "") if info else ""
    grown = replace(cursor, metafields=tuple(dict.fromkeys([*cursor.metafields, *names])), after=after)
    return onward(grown, full=len(found.data) >= 250 and bool(after) and after != cursor.after, most=META_PAGES)


def onward(cursor: ModelCursor, *, full: bool, most: int) -> Page[ModelCursor]:
    """The next page of the same step, or the next step."""
    if full and cursor.page < most:
        return Page(cursor=replace(cursor, page=cursor.page + 1), more=True)
    return done(cursor, ())


async def sets(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """What the scans found, and the two attribute sets."""
    found: list[Attribute] = [
        Attribute(id=f"{CUSTOM}{name}", label=name, level="product", max_length=250) for name in cursor.custom
    ]
    for key, one in cursor.options.items():
        found.append(choosable(key, one))
    for name in cursor.metafields:
        level = "variant" if name.startswith(VARIANT) else "product"
        label = name.split(":", 1)[1]
        found.append(Attribute(id=name, label=label, level=level, writable=level == "product"))
    named = {level: tuple(one.id for one in found if one.level == level) for level in ("product", "variant")}
    product = AttributeSet(
        id="product", label="Product", attributes=tuple(field.id for field in PRODUCT_FIELDS) + named["product"]
    )
    variant = AttributeSet(
        id="variant",
        label="Variant",
        attributes=tuple(f"{VARIANT}{field.id}" for field in VARIANT_FIELDS) + named["variant"],
    )
    return done(cursor, [*found, product, variant])


def choosable(key: str, found: Choosable) -> Attribute:
    """An option tells variants apart, a modifier is asked of the buyer; new values of an option are created."""
    of_variant = key.startswith(OPTION)
    return Attribute(
        id=key,
        label=key.split(":", 1)[1],
        type="enum" if found.values else TYPES.get(found.type, "text"),
        level="variant" if of_variant else "product",
        required=found.required,
        writable=of_variant,
        choices={value: Choice(value=value, label=value) for value in found.values},
        open=of_variant,
    )


STEPS: tuple[Step, ...] = (
    facts,
    lists,
    channels,
    locations,
    price_lists,
    brands,
    categories,
    custom_fields,
    options,
    product_metafields,
    variant_metafields,
    sets,
)

DATA_MODEL = PullStream(
    name="data-model", yields=(Choices, Attribute, AttributeSet), cursor=ModelCursor, pull=pull, snapshot=True
)
