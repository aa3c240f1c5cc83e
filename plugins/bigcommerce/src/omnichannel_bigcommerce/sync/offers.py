"""Offers out: products with options, variants, images, custom fields and metafields (guide 1.14).

Everything is found by SKU before it is made, and nothing that is left out is taken away: the same offer may be pushed
again at any time, which is also how an unknown outcome is settled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from omnichannel_bigcommerce import settings
from omnichannel_bigcommerce.client import Client
from omnichannel_bigcommerce.fields import CUSTOM, META, OPTION, PRODUCT, Field, converted
from omnichannel_bigcommerce.sync.offer_parts import push_custom_fields, push_images, push_metafields
from omnichannel_bigcommerce.sync.offer_variants import push_variants
from omnichannel_bigcommerce.sync.skus import Place, look, remembered
from omnichannel_core import errors
from omnichannel_core.driver import Accepted, Batch, Item, Later, Outcome, PushStream, Rejected, Session, Wait
from omnichannel_core.records import Choice, Offer, Value

NEEDED = ("name", "price", "weight")
"""What BigCommerce demands of a new product, besides its type."""


async def push(session: Session, batch: Batch[Offer]) -> Mapping[str, Outcome]:
    """Offers one after the other: bulk work on the catalog is not to run side by side."""
    outcomes = dict[str, Outcome]()
    for item in batch.items:
        offer = sent_part(item.record, only_mapped=session[settings.Offers].only_mapped)
        try:
            outcomes[item.key] = await push_offer(session, item, offer)
        except ValueError as why:
            outcomes[item.key] = Rejected(str(why))
    return outcomes


async def settle(session: Session, batch: Batch[Offer]) -> Mapping[str, Outcome]:
    """Looks for the SKU. Whether all of it arrived cannot be seen, but pushing again completes it without doubling."""
    found = dict[str, Outcome]()
    for item in batch.items:
        place = await look(Client(session), item.record.sku)
        found[item.key] = Later(Wait(0, "pushed again to be complete" if place else "it never arrived"))
    return found


def sent_part(offer: Offer, *, only_mapped: bool) -> Offer:
    """The offer without the values that are not to be sent; options by their bare names."""
    chosen = mapped if only_mapped else dict
    variants = tuple(
        replace(
            one,
            options={name.removeprefix(OPTION): value for name, value in one.options.items()},
            values=chosen(one.values),
        )
        for one in offer.variants
    )
    return replace(offer, values=chosen(offer.values), variants=variants)


def mapped(values: Mapping[str, Value]) -> dict[str, Value]:
    """Those the host's data mapping set."""
    return {name: value for name, value in values.items() if value.mapped}


async def push_offer(session: Session, item: Item[Offer], offer: Offer) -> Outcome:
    """One offer.

    Raises:
        ValueError: something of it cannot be said to BigCommerce; in the message.
    """
    client = Client(session)
    body = await product_body(session, offer)
    problems = list[str]()
    remote = {key: value for key, value in item.remote.items() if key.startswith("image:")}
    place = remembered(item.remote) or await look(client, offer.sku)
    place, made, problem = await save(client, place, offer, body)
    problems += [problem] if problem else []
    if not made:
        problems += await push_custom_fields(client, place.product, offer)
    images, image_problems = await push_images(client, place.product, offer, remote, fresh=made)
    problems += image_problems
    problems += await push_metafields(client, place.product, offer)
    if offer.variants:
        problems += await push_variants(client, session[settings.Variants].option_type, place.product, offer)
    if problems:
        return Rejected("The product was saved, but BigCommerce refused part of it: " + "; ".join(problems)[:800])
    return Accepted(remote={**Place(place.product).remote(), **images})


async def save(
    client: Client, place: Place | None, offer: Offer, body: Mapping[str, object]
) -> tuple[Place, bool, str]:
    """The product itself: where it is, whether it was made, and what of it was refused.

    A remembered product that is gone is made anew; one that was made meanwhile (409) is found by its SKU.
    """
    if place is not None:
        try:
            _, problem = await client.update_product(place.product, body)
        except errors.RemoteRejected as refused:
            if refused.code != "404":
                raise ValueError(str(refused)) from refused
            place = await look(client, offer.sku)
            if place is not None:
                _, problem = await client.update_product(place.product, body)
        if place is not None:
            return place, False, problem
    try:
        made, problem = await client.create_product(creation(offer, body))
    except errors.RemoteRejected as refused:
        there = await look(client, offer.sku) if refused.code == "409" else None
        if there is None:
            raise ValueError(str(refused)) from refused
        _, problem = await client.update_product(there.product, body)
        return there, False, problem
    return Place(made.id), True, problem


def creation(offer: Offer, body: Mapping[str, object]) -> dict[str, object]:
    """The body of a new product.

    Raises:
        ValueError: what BigCommerce demands is missing.
    """
    lacking = [PRODUCT[name].label for name in NEEDED if name not in body]
    if lacking:
        raise ValueError(f"A new product needs: {', '.join(lacking)}")
    custom = [
        {"name": name.removeprefix(CUSTOM), "value": value.text}
        for name, value in offer.values.items()
        if name.startswith(CUSTOM) and value.text
    ]
    images = [
        {"image_url": url, "is_thumbnail": at == 0, "sort_order": at}
        for at, url in enumerate(dict.fromkeys(image_urls(offer)))
    ]
    return {
        "type": "physical",
        **body,
        **({"custom_fields": custom} if custom else {}),
        **({"images": images} if images else {}),
    }


def image_urls(offer: Offer) -> Sequence[str]:
    """The offer's images."""
    value = offer.values.get("images", Value())
    return value.texts or ((value.text,) if value.text else ())


async def product_body(session: Session, offer: Offer) -> dict[str, object]:
    """The product's own fields, as the API takes them; what is not named stays as it is there.

    Raises:
        ValueError: a value does not fit, or its attribute is not known.
    """
    body: dict[str, object] = {"sku": offer.sku} if offer.sku else {}
    for name, value in offer.values.items():
        if name == "images" or name.startswith((CUSTOM, META)):
            continue
        if name not in PRODUCT:
            raise ValueError(f"BigCommerce products have no attribute {name}")
        body |= await spelled(session, PRODUCT[name], value)
    return body


async def spelled(session: Session, field: Field, value: Value) -> dict[str, object]:
    """One field; brands and categories may be named by id or by label."""
    said = converted(field, value)
    match field.id:
        case "brand_id":
            found = entry(await session.choices("brands"), value.text)
            return {"brand_id": int(found)} if found.isdigit() else {"brand_name": value.text.strip()}
        case "categories":
            return {"categories": [wanted(await session.choices("categories"), field, one) for one in texts(said)]}
        case "tax_class_id":
            return {"tax_class_id": wanted(await session.choices("tax_classes"), field, value.text)}
        case "custom_url":
            return {"custom_url": {"url": value.text, "is_customized": True}}
        case _:
            return {field.id: said}


def texts(said: object) -> list[str]:
    """A list of texts."""
    return [str(one) for one in said] if isinstance(said, list) else [str(said)]


def entry(known: Mapping[str, Choice], said: str) -> str:
    """An entry's value by value, path (`Parent/Child`) or label; a number is believed; '' where there is none."""
    said = said.strip()
    if said in known or said.isdigit():
        return said
    hits = [value for value in known if said in (known[value].label, path(known, value))]
    return hits[0] if len(hits) == 1 else ""


def path(known: Mapping[str, Choice], value: str) -> str:
    """Labels from the root of a tree to the entry."""
    labels, at = list[str](), value
    while at in known and len(labels) < 20:
        labels.append(known[at].label)
        at = known[at].parent
    return "/".join(reversed(labels))


def wanted(known: Mapping[str, Choice], field: Field, said: str) -> int:
    """An entry's id.

    Raises:
        ValueError: the store has none, or several of that name.
    """
    found = entry(known, said)
    if not found.isdigit():
        raise ValueError(f"{field.label}: the store has no single entry {said}")
    return int(found)


OFFERS = PushStream(name="offers", takes=Offer, push=push, settle=settle, repeatable=True)
