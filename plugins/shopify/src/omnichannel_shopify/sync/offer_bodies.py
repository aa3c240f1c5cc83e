"""An offer as Shopify's inputs take it: product, variants, media, metafields. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from msgspec.structs import replace

from omnichannel_core.records import Choice, Offer, OfferVariant, Value
from omnichannel_shopify.fields import CATEGORY, META, OF_ITEM, OPTION, PRODUCT, VARIANT, VARIANTS, converted
from omnichannel_shopify.wire import gid

Lists = Mapping[str, Mapping[str, Choice]]
UNITS = {"GRAMS", "KILOGRAMS", "OUNCES", "POUNDS"}


def sent_part(offer: Offer, *, only_mapped: bool) -> Offer:
    """The offer without the values that are not to be sent; options by their bare names."""

    def chosen(values: Mapping[str, Value]) -> dict[str, Value]:
        return {name: value for name, value in values.items() if value.mapped or not only_mapped}

    shared = {name: value for name, value in offer.values.items() if name.startswith(VARIANT)}
    variants = tuple(
        replace(
            one,
            options={name.removeprefix(OPTION): value for name, value in one.options.items()},
            values=chosen({**shared, **one.values}),
        )
        for one in offer.variants or (OfferVariant(sku=offer.sku),)
    )
    own = {name: value for name, value in offer.values.items() if not name.startswith(VARIANT)}
    return replace(offer, values=chosen(own), variants=variants)


def product_body(offer: Offer, lists: Lists) -> dict[str, object]:
    """The product's own fields by their input's names; what is not named stays as it is there.

    Raises:
        ValueError: a value does not fit, or its attribute is not known.
    """
    body, seo = dict[str, object](), dict[str, object]()
    for name, value in offer.values.items():
        if name == "images" or name.startswith(META):
            continue
        if name.startswith(CATEGORY):
            raise ValueError(f"{name} is read-only: send the metafield that holds it")
        if name not in PRODUCT:
            raise ValueError(f"Shopify products have no attribute {name}")
        field = PRODUCT[name]
        said = converted(field, value)
        if name.startswith("seo."):
            seo[name.removeprefix("seo.")] = said
        elif name == "category":
            body[name] = entry(lists.get("categories", {}), "TaxonomyCategory", value.text, field.label)
        elif name == "collections":
            known = lists.get("collections", {})
            body[name] = [entry(known, "Collection", one, field.label) for one in texts(value)]
        else:
            body[name] = said
    return body | ({"seo": seo} if seo else {})


def joined(there: Sequence[str], offer: Offer) -> list[str]:
    """The product's tags and those of the offer, each once: Shopify forgets what is not sent, and ignores case."""
    found = {one.lower(): one for one in there}
    for one in texts(offer.values.get("tags", Value())):
        found.setdefault(one.strip().lower(), one)
    return list(found.values())


def texts(value: Value) -> Sequence[str]:
    """One or several."""
    return value.texts or ((value.text,) if value.text else ())


def entry(known: Mapping[str, Choice], kind: str, said: str, label: str) -> str:
    """An entry's id by id, handle or label.

    Raises:
        ValueError: there is no single one.
    """
    said = said.strip()
    if said.startswith("gid://") or said in known:
        return said
    hits = [one.value for one in known.values() if said in (one.label, one.extra.get("handle"))]
    if len(hits) == 1:
        return hits[0]
    if said.isdigit() or kind == "TaxonomyCategory":
        return gid(kind, said)
    raise ValueError(f"{label}: the shop has no single entry {said}")


def variant_body(one: OfferVariant, unit: str) -> dict[str, object]:
    """A variant's fields (ProductVariantsBulkInput without its id).

    Raises:
        ValueError: a value does not fit, or its attribute is not known.
    """
    body, item = dict[str, object](), dict[str, object]()
    if one.sku:
        item["sku"] = one.sku
    for full, value in one.values.items():
        name = full.removeprefix(VARIANT)
        if name.startswith(META) or name in ("image", "sku"):
            continue
        if name not in VARIANTS:
            raise ValueError(f"Shopify variants have no attribute {full}")
        said = converted(VARIANTS[name], value)
        if name == "weight":
            item["measurement"] = {"weight": {"value": said, "unit": unit if unit in UNITS else "KILOGRAMS"}}
        elif name in OF_ITEM:
            item[name] = said
        else:
            body[name] = said
    return body | ({"inventoryItem": item} if item else {})


def metafields(values: Mapping[str, Value], prefix: str, owner: str = "") -> list[dict[str, object]]:
    """Metafields that are set; one without a value is left alone."""
    found = list[dict[str, object]]()
    for name, value in values.items():
        if not name.startswith(prefix):
            continue
        namespace, dot, key = name.removeprefix(prefix).rpartition(".")
        if not dot:
            raise ValueError(f"{name}: a metafield is NAMESPACE.KEY")
        text = spelled(value)
        if text:
            row: dict[str, object] = {"namespace": namespace, "key": key, "value": text}
            found.append(row | ({"ownerId": owner} if owner else {}))
    return found


def spelled(value: Value) -> str:
    """A list is JSON."""
    return json.dumps(list(value.texts), ensure_ascii=False) if value.texts else value.text


def option_values(one: OfferVariant) -> list[dict[str, object]]:
    """What tells the variant apart."""
    if not one.options:
        return [{"optionName": "Title", "name": "Default Title"}]
    return [{"optionName": name, "name": value} for name, value in one.options.items()]


def option_inputs(variants: Sequence[OfferVariant]) -> list[dict[str, object]]:
    """The options of all variants with their values, in the order they come.

    Raises:
        ValueError: more than three, or variants that are not told apart.
    """
    values = dict[str, dict[str, None]]()
    for one in variants:
        for name, value in one.options.items():
            values.setdefault(name, {})[value] = None
    if len(values) > 3:
        raise ValueError(f"Shopify products have three options at most, this one has {len(values)}")
    told = [tuple(sorted(one.options.items())) for one in variants]
    if len(set(told)) < len(told):
        raise ValueError("Two variants have the same options")
    if not values:
        values = {"Title": {"Default Title": None}}
    return [{"name": name, "values": [{"name": value} for value in some]} for name, some in values.items()]


def creation(offer: Offer, body: Mapping[str, object], unit: str, *, status: str, sold_out: str) -> dict[str, object]:
    """ProductSetInput of a new product.

    Raises:
        ValueError: what Shopify demands is missing.
    """
    if not body.get("title"):
        raise ValueError("A new product needs: Title")
    variants = list[dict[str, object]]()
    for one in offer.variants:
        row: dict[str, object] = {
            "inventoryPolicy": sold_out,
            **variant_body(one, unit),
            "optionValues": option_values(one),
        }
        more = metafields(one.values, f"{VARIANT}{META}")
        variants.append(row | ({"metafields": more} if more else {}))
    fields = metafields(offer.values, META)
    files = [{"originalSource": url, "contentType": "IMAGE"} for url in images(offer)]
    return {
        "status": status,
        **body,
        "productOptions": option_inputs(offer.variants),
        "variants": variants,
        **({"metafields": fields} if fields else {}),
        **({"files": files} if files else {}),
    }


def images(offer: Offer) -> list[str]:
    """Addresses of the offer's images, each once."""
    return list(dict.fromkeys(texts(offer.values.get("images", Value()))))


def stem(url: str) -> str:
    """The file's name without ending, in small letters: Shopify keeps it, and adds to it when it was taken."""
    return PurePosixPath(urlsplit(url).path).stem.lower()


def is_there(url: str, there: Sequence[str]) -> bool:
    """Whether an image of that name is at the product."""
    mine = stem(url)
    return any(one == mine or one.startswith(f"{mine}_") for one in map(stem, there))
