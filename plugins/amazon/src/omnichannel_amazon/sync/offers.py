"""Offers out: created by PUT, changed by PATCH, removed by DELETE; checked before they leave (guide amazon 8.5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
from referencing.exceptions import Unresolvable

from omnichannel_amazon import product_types, wire
from omnichannel_amazon.client import Client
from omnichannel_amazon.listing_pushes import Unfit, words
from omnichannel_amazon.marketplaces import MARKETPLACES
from omnichannel_amazon.order_mapping import moment
from omnichannel_core import errors
from omnichannel_core.driver import Accepted, Batch, Item, Later, Outcome, Pending, PushStream, Rejected, Session, Wait
from omnichannel_core.records import Offer, Value

DELETE = "delete"
"""`extra["delete"]` of an offer, with any text: it is to be removed."""

ASIN = "merchant_suggested_asin"
PATIENCE = timedelta(hours=24)
LOOK = Wait(300, "Amazon has accepted it and does not show it yet")
INCLUDED = "summaries,attributes,issues"


async def push(session: Session, batch: Batch[Offer]) -> Mapping[str, Outcome]:
    """One listing after the other; what is sent is absolute."""
    client, outcomes = Client(session), dict[str, Outcome]()
    for item in batch.items:
        try:
            outcomes[item.key] = await sent(client, item.record)
        except Unfit as why:
            outcomes[item.key] = Rejected(str(why))
    return outcomes


async def sent(client: Client, offer: Offer) -> Outcome:
    """One listing.

    Raises:
        Unfit: what Amazon would refuse.
    """
    if not offer.sku:
        raise Unfit("Amazon wants a SKU")
    if offer.variants:
        raise Unfit("Amazon lists every variant with a SKU of its own: push each as an offer, with its parent's SKU in "
                    "child_parent_sku_relationship")  # fmt: skip
    there = (await client.listings([offer.sku], INCLUDED)).get(offer.sku)
    now = client.session.clock.now().isoformat()
    if offer.extra.get(DELETE):
        return await _deleted(client, offer, there, now)
    kind = offer.set or (there.product_type() if there else "")
    if not kind:
        raise Unfit("Amazon wants a product type: choose an attribute set")
    body = await composed(client, offer, kind, there)
    method, operation = ("PATCH", "patchListingsItem") if there else ("PUT", "putListingsItem")
    said = await client.submit(operation, method, offer.sku, body)
    if said.status == "INVALID":
        return Rejected(words(said.issues or ()))
    return Pending(f"seen:{now}", LOOK)


async def _deleted(client: Client, offer: Offer, there: wire.Listing | None, now: str) -> Outcome:
    if there is None:
        return Accepted(note="not there")
    said = await client.submit("deleteListingsItem", "DELETE", offer.sku, None)
    return Rejected(words(said.issues or ())) if said.status == "INVALID" else Pending(f"gone:{now}", LOOK)


async def composed(client: Client, offer: Offer, kind: str, there: wire.Listing | None) -> dict[str, Any]:
    """The request's body, validated against the product type's definition.

    Raises:
        Unfit: names every attribute that Amazon would refuse.
    """
    names = {key.partition(".")[2] if key.startswith(f"{kind}.") else key for key in offer.values}
    requirements = "LISTING_OFFER_ONLY" if ASIN in names and there is None else "LISTING"
    try:
        definition = await client.definition(kind, requirements)
    except errors.RemoteRejected as refused:
        raise Unfit(f"Amazon has no product type {kind} on this marketplace: {refused}") from refused
    schema = await product_types.schema(client, definition)
    values = dict[str, Any]()
    for key, value in offer.values.items():
        name = key.partition(".")[2] if key.startswith(f"{kind}.") else key
        values[name] = entries(client, name, value, schema, there)
    try:
        problems = await client.session.compute(lambda: product_types.wrong(schema, values, partly=there is not None))
    except Unresolvable as cause:  # Amazon judges then
        client.session.log.warning("The schema of product type %s cannot be used to check an offer: %s", kind, cause)
        problems = []
    if problems:
        raise Unfit(f"Not valid for product type {kind}: {'; '.join(problems)}"[:900])
    if there is None:
        return {"productType": kind, "requirements": requirements, "attributes": values}
    patches = [{"op": "replace", "path": f"/attributes/{name}", "value": rows} for name, rows in values.items()]
    if not patches:
        raise Unfit("Nothing of the offer is to be sent: no value is given")
    return {"productType": kind, "patches": patches}


def entries(
    client: Client, name: str, value: Value, schema: Mapping[str, Any], there: wire.Listing | None
) -> list[dict[str, Any]]:
    """An attribute as Amazon writes it: plain values with marketplace and language, or JSON as it was given.

    Raises:
        Unfit: an attribute the product type does not have, that cannot be changed, or JSON that is none.
    """
    said = (schema.get("properties") or {}).get(name)
    if not isinstance(said, Mapping):
        raise Unfit(f"{name}: the product type has no such attribute")
    inner, here = product_types.parts(said), MARKETPLACES[client.marketplace]
    implied = {"marketplace_id": client.marketplace, "language_tag": here.locale}
    more = {key: text for key, text in implied.items() if key in inner}
    rows = list[dict[str, Any]]()
    for text in value.texts or (value.text,):
        fields = {"value": typed(name, text, inner["value"])} if _plain(inner) else json_of(name, text)
        rows += [{**more, **one} for one in (fields if isinstance(fields, list) else [fields])]
    before = (there.attributes or {}).get(name) if there else None
    if product_types.fixed(said) and before is not None and before != rows:
        raise Unfit(f"{name}: cannot be changed once the listing exists")
    return rows


def _plain(inner: Mapping[str, Any]) -> bool:
    return "value" in inner and set(inner) <= product_types.IMPLIED | {"value"}


def json_of(name: str, text: str) -> Any:
    """An attribute with fields of its own: an object, or a list of them.

    Raises:
        Unfit: it is no such thing.
    """
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as cause:
        raise Unfit(f"{name}: takes several fields: give them as JSON") from cause
    if not isinstance(found, dict | list) or (isinstance(found, list) and not all(isinstance(o, dict) for o in found)):
        raise Unfit(f"{name}: takes an object or a list of objects")
    return found


def typed(name: str, text: str, leaf: Mapping[str, Any]) -> Any:
    """A text as the type the definition says.

    Raises:
        Unfit: it is not of that type.
    """
    kind = leaf.get("type")
    try:
        if kind == "integer":
            return int(text)
        if kind == "number":
            return float(text)
    except ValueError as cause:
        raise Unfit(f"{name}: {text[:40]!r} is no number") from cause
    if kind == "boolean":
        if text.lower() not in ("true", "false"):
            raise Unfit(f"{name}: is true or false")
        return text.lower() == "true"
    return text


async def settle(session: Session, batch: Batch[Offer]) -> Mapping[str, Outcome]:
    """By looking: there without errors, or gone."""
    client, outcomes = Client(session), dict[str, Outcome]()
    live = await client.listings([item.record.sku for item in batch.items], INCLUDED)
    for item in batch.items:
        outcomes[item.key] = looked(client, item, live.get(item.record.sku))
    return outcomes


def looked(client: Client, item: Item[Offer], there: wire.Listing | None) -> Outcome:
    """One listing."""
    kind, _, since = item.ticket.partition(":")
    if not item.ticket:
        return Later(Wait(0))
    if kind == "gone" and there is None:
        return Accepted()
    wrong = [one for one in (there.issues if there else None) or () if one.severity == "ERROR"]
    if kind == "seen" and there is not None and there.summaries:
        if wrong:
            return Rejected(words(wrong))
        asin = next((one.asin for one in there.summaries if one.asin), "")
        return Accepted(remote={"asin": asin} if asin else {})
    if client.session.clock.now() - moment(since) > PATIENCE:
        return Rejected("Amazon accepted it a day ago and does not show it: see Seller Central")
    return Pending(item.ticket, LOOK)


OFFERS = PushStream(name="offers", takes=Offer, push=push, settle=settle, state=True, repeatable=True)
