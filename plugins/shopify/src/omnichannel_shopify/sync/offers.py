"""Offers out: products with variants, media, metafields and publications (guide bigcommerce-and-shopify 2.13).

A new product is made whole (`productSet`). One that is there is changed piece by piece: `productSet` deletes from lists
what is left out, and nothing that is left out may be taken away. Everything is found by SKU before it is made, so the
same offer may be pushed again at any time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec

from omnichannel_core import errors
from omnichannel_core.driver import Accepted, Batch, Item, Later, Outcome, PushStream, Rejected, Session, Wait
from omnichannel_core.records import Offer, OfferVariant
from omnichannel_shopify import settings
from omnichannel_shopify.client import Client, refusal
from omnichannel_shopify.fields import META, VARIANT
from omnichannel_shopify.model_wire import Option
from omnichannel_shopify.sync import offer_bodies as bodies
from omnichannel_shopify.sync.skus import known
from omnichannel_shopify.sync.stock import digest
from omnichannel_shopify.wire import Id, Nodes, UserError, Wire, gid

MOST_METAFIELDS, MOST_VARIANTS = 25, 100
INDEXED = 60.0
"""Seconds until the search surely knows a new product's SKUs: made again before that, it would be there twice."""


class Picture(Wire):
    """MediaImage, for where it came from."""

    url: str | None = None


class Media(Wire):
    """One of a product's media."""

    id: str = ""
    original_source: Picture | None = None


class Variant(Wire):
    """A variant of a product."""

    id: str = ""
    sku: str | None = None
    inventory_item: Id | None = None


class Product(Wire):
    """A product as it stands there."""

    id: str = ""
    status: str = ""
    tags: list[str] = []
    options: list[Option] = []
    media: Nodes[Media] = msgspec.field(default_factory=Nodes[Media])
    variants: Nodes[Variant] = msgspec.field(default_factory=Nodes[Variant])


class ProductData(Wire):
    """Data of `ProductById`."""

    product: Product | None = None


class Facts:
    """What a push needs to know of the shop."""

    def __init__(self, lists: bodies.Lists, unit: str, wanted: settings.Offers) -> None:
        self.lists, self.unit, self.wanted = lists, unit, wanted


async def push(session: Session, batch: Batch[Offer]) -> Mapping[str, Outcome]:
    """Offers one after the other."""
    wanted = session[settings.Offers]
    shop = await session.choices("shop")
    unit = shop["weight_unit"].label if "weight_unit" in shop else "KILOGRAMS"
    lists = {name: await session.choices(name) for name in ("categories", "collections")}
    outcomes = dict[str, Outcome]()
    for item in batch.items:
        offer = bodies.sent_part(item.record, only_mapped=wanted.only_mapped)
        try:
            outcomes[item.key] = await push_offer(Client(session), item, offer, Facts(lists, unit, wanted))
        except ValueError as why:
            outcomes[item.key] = Rejected(str(why))
    return outcomes


async def settle(session: Session, batch: Batch[Offer]) -> Mapping[str, Outcome]:
    """Looks for the SKU. Whether all of it arrived cannot be seen, but pushing again completes it without doubling."""
    found = dict[str, Outcome]()
    for item in batch.items:
        try:
            there = await find(Client(session), item, item.record)
        except ValueError as why:
            found[item.key] = Rejected(str(why))
            continue
        found[item.key] = Later(
            Wait(0.0, "pushed again to be complete")
            if there
            else Wait(INDEXED, "Shopify's search does not know it (yet)")
        )
    return found


async def push_offer(client: Client, item: Item[Offer], offer: Offer, facts: Facts) -> Outcome:
    """One offer.

    Raises:
        ValueError: something of it cannot be said to Shopify; in the message.
    """
    body = bodies.product_body(offer, facts.lists)
    there = await find(client, item, offer)
    if there is None:
        product, problems = await create(client, offer, body, facts)
    else:
        product, problems = there.id, await change(client, there, offer, body, facts)
    if product:
        problems += await publish(client, product, offer, facts)
    if problems:
        saved = "The product was saved, but Shopify refused part of it: " if product else ""
        return Rejected((saved + "; ".join(problems))[:800])
    return Accepted(remote={"product": product})


async def find(client: Client, item: Item[Offer], offer: Offer) -> Product | None:
    """The product as remembered, else by the offer's SKUs; None where there is none.

    Raises:
        ValueError: a SKU that several variants have, or variants of several products.
    """
    remembered = item.remote.get("product", "")
    if remembered:
        found = await product_of(client, remembered)
        if found is not None:
            return found
    skus = [one.sku for one in offer.variants if one.sku] or ([offer.sku] if offer.sku else [])
    if not skus:
        raise ValueError("An offer needs a SKU: it is found by it")
    hits = {place.product for place in await known(client, skus)}
    if len(hits) > 1:
        raise ValueError("The offer's SKUs belong to several products of the shop")
    return await product_of(client, hits.pop()) if hits else None


async def product_of(client: Client, key: str) -> Product | None:
    """A product with all its variants; None when it is gone."""
    found = (await client.ask("ProductById", ProductData, id=key, first=50, after=None)).product
    if found is not None:
        found.variants.nodes = await client.rest(
            "ProductById", found.variants, Variant, ("product", "variants"), id=key
        )
    return found


async def create(client: Client, offer: Offer, body: Mapping[str, object], facts: Facts) -> tuple[str, list[str]]:
    """A new product in one go. Its id ('' when it was refused), and what was refused."""
    status, sold_out = facts.wanted.new_status, facts.wanted.sold_out
    whole = bodies.creation(offer, body, facts.unit, status=status, sold_out=sold_out)
    note = unpublished(client.session, offer)
    if facts.wanted.publications:
        await client.session.compute(note.touch)
    payload, refused = await client.mutate("CreateProduct", "productSet", input=whole)
    if refused:
        await client.session.compute(partial(note.unlink, missing_ok=True))
        return "", [refusal(refused)]
    made = msgspec.json.decode(payload.get("product", msgspec.Raw(b"null")), type=Id | None)
    if made is None or not made.id:
        raise errors.RemoteUnavailable("CreateProduct: Shopify's answer names no product")
    return made.id, []


def unpublished(session: Session, offer: Offer) -> Path:
    """There while a new product of this offer is not published yet, whatever answers are lost on the way."""
    return session.scratch / f"unpublished-{digest(offer.id)}"


async def publish(client: Client, product: str, offer: Offer, facts: Facts) -> list[str]:
    """A product that is new goes where it is wished; one that was there before stays where it is. What was refused."""
    note = unpublished(client.session, offer)
    if not await client.session.compute(note.exists):
        return []
    refused = list[UserError]()
    places_to_be = [{"publicationId": gid("Publication", one)} for one in sorted(facts.wanted.publications)]
    if places_to_be:
        _, refused = await client.mutate(
            "Publish", "publishablePublish", repeatable=True, id=product, input=places_to_be
        )
    if not refused:
        await client.session.compute(partial(note.unlink, missing_ok=True))
    return [refusal(refused)] if refused else []


async def change(client: Client, there: Product, offer: Offer, body: Mapping[str, object], facts: Facts) -> list[str]:
    """A product that is there: its fields, new images, its variants, metafields. What was refused."""
    problems = list[str]()
    joins = {"collectionsToJoin": body["collections"]} if "collections" in body else {}
    fields = {name: value for name, value in body.items() if name != "collections"}
    if "tags" in fields:
        fields["tags"] = bodies.joined(there.tags, offer)
    sources = [one.original_source.url for one in there.media.nodes if one.original_source and one.original_source.url]
    media = [
        {"originalSource": url, "mediaContentType": "IMAGE"}
        for url in bodies.images(offer)
        if not bodies.is_there(url, sources)
    ]
    if fields or joins or media:
        _, refused = await client.mutate(
            "UpdateProduct", "productUpdate", repeatable=not media, product={"id": there.id, **fields, **joins},
            media=media,
        )  # fmt: skip
        problems += [refusal(refused)] if refused else []
    problems += await change_variants(client, there, offer, facts)
    rows = bodies.metafields(offer.values, META, there.id)
    ids = {one.sku: one.id for one in there.variants.nodes if one.sku}
    for one in offer.variants:
        if one.sku in ids:
            rows += bodies.metafields(one.values, f"{VARIANT}{META}", ids[one.sku])
    return problems + await set_metafields(client, rows)


async def change_variants(client: Client, there: Product, offer: Offer, facts: Facts) -> list[str]:
    """Variants that are there are changed, others added; none is deleted."""
    ids, problems = {one.sku: one.id for one in there.variants.nodes if one.sku}, list[str]()
    if len(there.variants.nodes) == 1 and len(offer.variants) == 1 and not offer.variants[0].options:
        ids = {offer.variants[0].sku: there.variants.nodes[0].id}
    known = [{"id": ids[one.sku], **bodies.variant_body(one, facts.unit)} for one in offer.variants if one.sku in ids]
    for start in range(0, len(known), MOST_VARIANTS):
        _, refused = await client.mutate(
            "UpdateVariants", "productVariantsBulkUpdate", repeatable=True, productId=there.id,
            variants=known[start : start + MOST_VARIANTS],
        )  # fmt: skip
        problems += [refusal(refused)] if refused else []
    missing = [one for one in offer.variants if one.sku not in ids]
    if missing and not facts.wanted.new_variants:
        return [*problems, f"The product has no variant {', '.join(one.sku for one in missing)}, and none are added"]
    return problems + (await add_variants(client, there, offer, missing, facts) if missing else [])


async def add_variants(
    client: Client, there: Product, offer: Offer, missing: Sequence[OfferVariant], facts: Facts
) -> list[str]:
    """New variants of a product; options it lacks are made first."""
    named = {one.name for one in there.options}
    lacking = [one for one in bodies.option_inputs(offer.variants) if one["name"] not in named]
    if lacking and any(one.options for one in missing):
        _, refused = await client.mutate("CreateOptions", "productOptionsCreate", productId=there.id, options=lacking)
        if refused:
            return [refusal(refused)]
    rows = list[dict[str, object]]()
    for one in missing:
        row: dict[str, object] = {"inventoryPolicy": facts.wanted.sold_out, **bodies.variant_body(one, facts.unit)}
        more = bodies.metafields(one.values, f"{VARIANT}{META}")
        rows.append(row | {"optionValues": bodies.option_values(one)} | ({"metafields": more} if more else {}))
    problems = list[str]()
    for start in range(0, len(rows), MOST_VARIANTS):
        _, refused = await client.mutate(
            "CreateVariants", "productVariantsBulkCreate", productId=there.id,
            variants=rows[start : start + MOST_VARIANTS],
        )  # fmt: skip
        problems += [refusal(refused)] if refused else []
    return problems


async def set_metafields(client: Client, rows: Sequence[Mapping[str, object]]) -> list[str]:
    """Each call is all or nothing: rows that are refused are taken out, and the others sent again."""
    problems = list[str]()
    for start in range(0, len(rows), MOST_METAFIELDS):
        some = list(rows[start : start + MOST_METAFIELDS])
        while some:
            _, refused = await client.mutate("SetMetafields", "metafieldsSet", repeatable=True, metafields=some)
            if not refused:
                break
            problems.append(refusal(refused))
            out = {one.element_index for one in refused if one.element_index is not None}
            some = [one for at, one in enumerate(some) if at not in out] if out else []
    return problems


OFFERS = PushStream(name="offers", takes=Offer, push=push, settle=settle)
