"""Product types in, offers out."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
from omnichannel_amazon import product_types
from omnichannel_amazon.sync.data_model import DATA_MODEL, PRODUCT_TYPES
from omnichannel_amazon.sync.offers import OFFERS

from omnichannel_core import errors
from omnichannel_core.driver import Accepted, Batch, Item, Later, Pending
from omnichannel_core.records import Attribute, AttributeSet, Choices, Offer, Value

pytestmark = pytest.mark.anyio
DE = "A1PA6795UKMFR9"
Make = Callable[..., Any]


async def ended(here: Any, offer: Offer) -> Any:
    """Pushed, then settled."""
    said = (await OFFERS.push(here.session, Batch(key="b", items=[Item(key="k", record=offer)])))["k"]
    for _ in range(20):
        if not isinstance(said, Pending | Later):
            break
        await here.advance(said.wait.seconds)
        again = Item(key="k", record=offer, ticket=getattr(said, "ticket", ""))
        assert OFFERS.settle is not None
        said = (await OFFERS.settle(here.session, Batch(key="b", items=[again])))["k"]
    return said


async def test_data_model(amazon: Make):
    """All product types are there at once; those in use come with their attributes, and only those."""
    here = amazon(types=30)
    await here.authorize()
    await here.run(DATA_MODEL)
    sets = here.session.records(AttributeSet)
    assert len(sets) == 30
    used = {one.product_type for one in here.seller.listings.all.values()}
    assert {key for key, one in sets.items() if one.attributes} == used
    assert {"marketplaces"} == set(here.session.records(Choices))


async def test_attributes(amazon: Make):
    """Choices carry their labels, what is localized and what is required is known, hidden ones are left out."""
    here = amazon(types=30)
    await here.authorize()
    await here.run(DATA_MODEL)
    name = next(key for key, one in here.session.records(AttributeSet).items() if one.attributes and key != "PRODUCT")
    found = here.session.records(Attribute)
    origin, title = found[f"{name}.country_of_origin"], found[f"{name}.item_name"]
    assert (origin.type, origin.choices["DE"].label) == ("enum", "De")
    assert (title.localized, title.required, title.max_length) == (True, True, 200)
    assert found[f"{name}.purchasable_offer"].type == "object"
    assert f"{name}.launch_batch" not in found


async def test_the_rest(amazon: Make):
    """Later runs bring the definitions nobody uses yet, a few at a time, until all are there."""
    here = amazon(types=25)
    await here.authorize()
    cursors = await here.run(DATA_MODEL)
    cursors = None
    for _ in range(3):
        cursors = await here.run(PRODUCT_TYPES, cursors)
    assert all(one.attributes for one in here.session.records(AttributeSet).values())


async def test_same_schema_fetched_once(amazon: Make):
    """A schema of a known checksum is not downloaded again."""
    here = amazon(types=12)
    await here.authorize()
    await here.run(DATA_MODEL)
    before = len(here.asked("schemaFile"))
    await here.run(DATA_MODEL)
    assert len(here.asked("schemaFile")) == before


async def test_damaged_schema(amazon: Make):
    """A schema that is not what its checksum says is the remote's trouble, and is not kept."""
    here = amazon(types=12)
    await here.authorize()
    client = product_types.Client(here.session)
    definition = await client.definition("SHIRT")
    definition.schema.checksum = "AAAAAAAAAAAAAAAAAAAAAA=="
    with pytest.raises(errors.RemoteUnavailable, match="checksum"):
        await product_types.schema(client, definition)


def shirt(**values: str) -> Offer:
    plain = {"item_name": "Hemd", "brand": "Acme", "bullet_point": "warm", "country_of_origin": "DE",
             "product_description": "Ein Hemd", "item_type_keyword": "shirts", "condition_type": "new_new"}  # fmt: skip
    money = {"currency": "EUR", "audience": "ALL", "our_price": [{"schedule": [{"value_with_tax": 9.95}]}]}
    stock = {"fulfillment_channel_code": "DEFAULT", "quantity": 3}
    said = plain | {"purchasable_offer": json.dumps(money), "fulfillment_availability": json.dumps(stock)} | values
    return Offer(id="o", sku="NEW-1", set="SHIRT", values={f"SHIRT.{k}": Value(text=v) for k, v in said.items() if v})


async def test_create_change_delete(amazon: Make):
    """An offer is made, changed and removed, and each is accepted once Amazon shows it."""
    here = amazon()
    await here.authorize()
    said = await ended(here, shirt())
    assert isinstance(said, Accepted), said
    assert said.remote["asin"]
    assert here.seller.listings.all["NEW-1"].product_type == "SHIRT"
    change = Offer(id="o", sku="NEW-1", set="SHIRT", values={"SHIRT.item_name": Value(text="Hemd, neu")})
    assert isinstance(await ended(here, change), Accepted)
    assert not here.asked("deleteListingsItem")
    gone = await ended(here, Offer(id="o", sku="NEW-1", set="SHIRT", extra={"delete": "yes"}))
    assert isinstance(gone, Accepted)
    assert "NEW-1" not in here.seller.listings.all


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"country_of_origin": "XX"}, "country_of_origin"),
        ({"brand": ""}, "brand"),
        ({"no_such": "x"}, "no such attribute"),
        ({"purchasable_offer": "9.95"}, "purchasable_offer"),
        ({"num_batteries": "many"}, "no number"),
        ({"item_name": "ü" * 201}, "item_name"),
    ],
)
async def test_refused_before_sending(amazon: Make, values: dict[str, str], words: str):
    """What the definition refuses never leaves, and the reason names the attribute."""
    here = amazon()
    await here.authorize()
    said = await ended(here, shirt(**values))
    assert words in said.reason
    assert not here.asked("putListingsItem")


async def test_schema_that_refers_elsewhere(amazon: Make, monkeypatch: pytest.MonkeyPatch):
    """What a schema refers to outside of itself is never fetched: the offer goes out unchecked, and Amazon judges."""
    here = amazon()
    await here.authorize()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        there, schema = f"http://127.0.0.1:{listening.getsockname()[1]}/schema", product_types.schema

        async def refers(*what: Any) -> Any:
            return {**await schema(*what), "allOf": [{"$ref": there}]}

        monkeypatch.setattr(product_types, "schema", refers)
        assert isinstance(await ended(here, shirt()), Accepted)
        with pytest.raises(BlockingIOError):
            listening.accept()


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        ([{"value": "ä" * 6, "language_tag": "de"}], True),
        ([{"value": "abc", "language_tag": "de"}, {"value": "abd", "language_tag": "de"}], True),
        ([{"value": "abc", "language_tag": "de"}, {"value": "abd", "language_tag": "en"}], False),
        ([], True),
    ],
)
def test_words_of_amazons_own(rows: list[dict[str, str]], wrong: bool):
    """Byte lengths and uniqueness by selectors are judged as Amazon does."""
    leaf = {"type": "string", "maxUtf8ByteLength": 10, "minUtf8ByteLength": 1}
    schema = {"properties": {"name": {"type": "array", "selectors": ["language_tag"], "minUniqueItems": 1,
              "maxUniqueItems": 1, "items": {"type": "object", "properties": {"value": leaf}}}}}  # fmt: skip
    assert bool(product_types.wrong(schema, {"name": rows}, partly=False)) is wrong
