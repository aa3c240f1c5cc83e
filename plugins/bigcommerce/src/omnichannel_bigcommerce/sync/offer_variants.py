"""A product's options and variants (guide bigcommerce-and-shopify 1.14)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from omnichannel_bigcommerce import catalog_wire
from omnichannel_bigcommerce.client import Client
from omnichannel_bigcommerce.fields import META, VARIANT, VARIANTS, converted
from omnichannel_bigcommerce.settings import OptionType
from omnichannel_bigcommerce.sync.halving import halve
from omnichannel_core import errors
from omnichannel_core.records import Offer, OfferVariant

BATCH = 50
Ids = Mapping[str, tuple[int, Mapping[str, int]]]
"""Option name -> its id, and value label -> value id."""


async def push_variants(client: Client, option_type: OptionType, product: int, offer: Offer) -> list[str]:
    """Options and values first, then variants in batches; those not named stay. What was refused.

    Raises:
        ValueError: a variant's value does not fit.
    """
    bodies = {one.sku: variant_body(one) for one in offer.variants}
    try:
        ids = await push_options(client, option_type, product, offer)
    except errors.RemoteRejected as refused:
        return [str(refused)]
    there = await client.of_product("getProductVariants", product, "variants", catalog_wire.Variant)
    by_sku = {one.sku: one for one in there if one.sku}
    by_values = {frozenset((v.option_id, v.id) for v in one.option_values or ()): one for one in there}
    rows = list[dict[str, object]]()
    for one in offer.variants:
        values = [{"option_id": ids[name][0], "id": ids[name][1][value]} for name, value in one.options.items()]
        old = by_sku.get(one.sku) or by_values.get(frozenset((v["option_id"], v["id"]) for v in values))
        if old is not None and (values or not old.option_values):
            rows.append({"id": old.id, **({"sku": one.sku} if old.sku != one.sku else {}), **bodies[one.sku]})
        else:
            rows.append({"product_id": product, "sku": one.sku, "option_values": values, **bodies[one.sku]})
    problems = list[str]()
    for at in range(0, len(rows), BATCH):
        refusals = await halve(rows[at : at + BATCH], partial(update, client))
        problems += [f"{row.get('sku', row.get('id'))}: {why}" for row, why in refusals]
    return problems


async def update(client: Client, rows: Sequence[Mapping[str, object]]) -> None:
    """One batch."""
    await client.update_variants(rows)


def variant_body(variant: OfferVariant) -> dict[str, object]:
    """A variant's own fields.

    Raises:
        ValueError: a value does not fit, or its attribute is not known.
    """
    body = dict[str, object]()
    for name, value in variant.values.items():
        field = VARIANTS.get(name.removeprefix(VARIANT))
        if field is None:
            raise ValueError(
                f"{variant.sku}: metafields of variants are not pushed"
                if META in name
                else f"BigCommerce variants have no attribute {name}"
            )
        body[field.id] = converted(field, value)
    return body


def wanted_options(offer: Offer) -> dict[str, list[str]]:
    """Option name -> its values, in the order they appear.

    Raises:
        ValueError: the variants do not all have the same options.
    """
    names = [frozenset(one.options) for one in offer.variants]
    if len(set(names)) > 1:
        raise ValueError("All variants of a product have the same options; here some lack one")
    found = dict[str, list[str]]()
    for one in offer.variants:
        for name, value in one.options.items():
            values = found.setdefault(name, [])
            if value not in values:
                values.append(value)
    return found


async def push_options(client: Client, option_type: OptionType, product: int, offer: Offer) -> Ids:
    """Makes what is missing; an option that is there keeps its type."""
    wanted = wanted_options(offer)
    if not wanted:
        return {}
    there = await client.of_product("getProductVariantOptions", product, "options", catalog_wire.CatalogOption)
    by_name, ids = {one.display_name: one for one in there}, dict[str, tuple[int, dict[str, int]]]()
    for name, values in wanted.items():
        option = by_name.get(name)
        if option is None:
            option = await client.add(
                "createProductVariantOption",
                f"{product}/options",
                new_option(option_type, product, name, values, offer.colors),
                catalog_wire.CatalogOption,
            )
        known = {value.label or "": value.id for value in option.option_values or ()}
        for value in values:
            if value not in known:
                known[value] = await add_value(client, product, option, value, len(known), offer.colors)
        ids[name] = (option.id, known)
    return ids


def new_option(
    option_type: OptionType, product: int, name: str, values: Sequence[str], colors: Mapping[str, str]
) -> dict[str, object]:
    """A new option; a swatch only where every value has a color."""
    colored = all(value in colors for value in values)
    kind = "rectangles" if option_type == "swatch" and not colored else option_type
    rows = [
        {"label": value, "sort_order": at, **({"value_data": {"colors": [colors[value]]}} if kind == "swatch" else {})}
        for at, value in enumerate(values)
    ]
    return {"product_id": product, "display_name": name, "type": kind, "option_values": rows}


async def add_value(
    client: Client,
    product: int,
    option: catalog_wire.CatalogOption,
    value: str,
    at: int,
    colors: Mapping[str, str],
) -> int:
    """A value an existing option lacks.

    Raises:
        ValueError: the option shows colors and this value has none.
    """
    row: dict[str, object] = {"label": value, "sort_order": at}
    if option.type == "swatch":
        if value not in colors:
            raise ValueError(f"Option {option.display_name} is a swatch: the value {value} needs a color")
        row["value_data"] = {"colors": [colors[value]]}
    path = f"{product}/options/{option.id}/values"
    return (await client.add("createProductVariantOptionValue", path, row, catalog_wire.CatalogValue)).id
