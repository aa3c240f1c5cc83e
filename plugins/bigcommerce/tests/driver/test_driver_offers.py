"""Offers against the simulated store."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from omnichannel_bigcommerce import catalog_wire
from omnichannel_bigcommerce.fields import PRODUCT_FIELDS, Field, converted
from omnichannel_bigcommerce.settings import Offers, Variants
from omnichannel_bigcommerce.sync.data_model import DATA_MODEL
from omnichannel_bigcommerce.sync.offer_parts import alike, mark
from omnichannel_bigcommerce.sync.offer_variants import new_option
from omnichannel_bigcommerce.sync.offers import OFFERS

from omnichannel_core.driver import Accepted, Batch, Item, Later, Rejected
from omnichannel_core.records import Offer, OfferVariant, Value

pytestmark = pytest.mark.anyio
Make = Callable[..., Any]


def offer(
    sku: str = "NEW-1", *, variants: tuple[OfferVariant, ...] = (), colors: dict[str, str] | None = None, **values: str
) -> Offer:
    said = {name: Value(text=text) for name, text in values.items()}
    return Offer(id=sku, sku=sku, values=said, variants=variants, colors=colors or {})


def new(**values: str) -> Offer:
    return offer(**{"name": "A new towel", "price": "19.90", "weight": "0.5", **values})


async def push(here: Any, record: Offer, remote: dict[str, str] | None = None) -> Any:
    batch = Batch(key="b", items=[Item(key="k", record=record, remote=remote or {})])
    return (await OFFERS.push(here.session, batch))["k"]


def product(here: Any, outcome: Any) -> Any:
    assert isinstance(outcome, Accepted), outcome
    return here.store.catalog.products[int(outcome.remote["product"])]


def sizes(*names: str, option: str = "Size", **values: str) -> tuple[OfferVariant, ...]:
    said = {name: Value(text=text) for name, text in values.items()}
    return tuple(OfferVariant(sku=f"NEW-1-{name}", options={option: name}, values=said) for name in names)


async def test_new_product(shop: Make):
    """A product that is not there is made, with its own fields, custom fields and images."""
    here = shop()
    await here.session.run(DATA_MODEL)
    record = new(is_visible="true", condition="used", **{"custom_field:Material": "Cotton"})
    values = {**record.values, "images": Value(texts=("https://img.example/a.jpg", "https://img.example/b.jpg"))}
    made = product(here, await push(here, Offer(id="o", sku="NEW-1", values=values)))
    assert (made.row["name"], made.row["sku"], made.row["type"], made.row["condition"]) == (
        "A new towel", "NEW-1", "physical", "Used",
    )  # fmt: skip
    assert (Decimal(str(made.row["price"])), made.row["is_visible"]) == (Decimal("19.9"), True)
    assert [(field["name"], field["value"]) for field in made.custom_fields] == [("Material", "Cotton")]
    assert len(made.images) == 2


async def test_pushed_again(shop: Make):
    """Pushed again, remembered or not, the same product is updated and nothing of it is doubled."""
    here = shop()
    record = Offer(
        id="o",
        sku="NEW-1",
        values={**new(**{"custom_field:Material": "Cotton", "metafield:erp.origin": "PT"}).values,
                "images": Value(texts=("https://img.example/a.jpg",))},
        variants=sizes("S", "M", price="21"),
    )  # fmt: skip
    first = await push(here, record)
    made, count = product(here, first), len(here.store.catalog.products)
    for remote in ({}, dict(first.remote)):
        again = await push(here, record, remote)
        assert product(here, again) is made
    assert len(here.store.catalog.products) == count
    assert (len(made.images), len(made.custom_fields), len(made.options), len(made.variants)) == (1, 1, 1, 2)
    assert sorted(variant["sku"] for variant in made.variants) == ["NEW-1-M", "NEW-1-S"]
    assert first.remote[mark("https://img.example/a.jpg")] == str(made.images[0]["id"])


async def test_update_leaves_alone(shop: Make):
    """What an offer does not name stays as it is."""
    here = shop()
    made = product(here, await push(here, new(description="Soft", **{"custom_field:Material": "Cotton"})))
    await push(here, offer(price="21.00", **{"custom_field:Color": "Red"}))
    assert (made.row["name"], made.row["description"]) == ("A new towel", "Soft")
    assert Decimal(str(made.row["price"])) == 21
    assert {field["name"]: field["value"] for field in made.custom_fields} == {"Material": "Cotton", "Color": "Red"}
    await push(here, offer(**{"custom_field:Color": "Blue"}))
    assert {field["name"]: field["value"] for field in made.custom_fields} == {"Material": "Cotton", "Color": "Blue"}


async def test_only_mapped(shop: Make):
    """Switched on, values the mapping did not set are not sent; switched off, they are."""
    for only in (True, False):
        here = shop(Offers(only_mapped=only))
        made = product(here, await push(here, new(description="Soft")))
        values = {"description": Value(text="Hard", mapped=False), "price": Value(text="22")}
        variant = OfferVariant(sku="NEW-1-S", options={"Size": "S"}, values={"price": Value(text="5", mapped=False)})
        await push(here, Offer(id="o", sku="NEW-1", values=values, variants=(variant,)))
        assert made.row["description"] == ("Soft" if only else "Hard")
        assert Decimal(str(made.row["price"])) == 22
        assert (made.variants[0]["price"] is None) is only


@pytest.mark.parametrize(
    ("chosen", "colors", "kind"),
    [
        ("rectangles", {}, "rectangles"),
        ("radio_buttons", {}, "radio_buttons"),
        ("dropdown", {"S": "#ff0000", "M": "#00ff00"}, "dropdown"),
        ("swatch", {"S": "#ff0000", "M": "#00ff00"}, "swatch"),
        ("swatch", {"S": "#ff0000"}, "rectangles"),
        ("swatch", {}, "rectangles"),
    ],
)
async def test_option_types(shop: Make, chosen: str, colors: dict[str, str], kind: str):
    """A new option is shown as the settings say; a swatch only where every value has a color."""
    here = shop(Variants(option_type=chosen))
    record = offer(variants=sizes("S", "M"), colors=colors, name="Towel", price="1", weight="1")
    made = product(here, await push(here, record))
    assert [option["type"] for option in made.options] == [kind]


async def test_existing_option_keeps_its_type(shop: Make):
    """An option that is there keeps its type and values, and gets the new ones."""
    here = shop(Variants(option_type="dropdown"))
    made = product(here, await push(here, offer(variants=sizes("S", "M"), name="Towel", price="1", weight="1")))
    here.session.set(Variants(option_type="radio_buttons"))
    await push(here, offer(variants=sizes("L")))
    (option,) = made.options
    assert option["type"] == "dropdown"
    assert [value["label"] for value in option["option_values"]] == ["S", "M", "L"]
    assert sorted(variant["sku"] for variant in made.variants) == ["NEW-1-L", "NEW-1-M", "NEW-1-S"]


async def test_swatch_value_without_color(shop: Make):
    """A value without a color for an option that shows colors is refused with the reason."""
    here = shop(Variants(option_type="swatch"))
    await push(here, offer(variants=sizes("S"), colors={"S": "#ff0000"}, name="Towel", price="1", weight="1"))
    outcome = await push(here, offer(variants=sizes("M")))
    assert isinstance(outcome, Rejected)
    assert "needs a color" in outcome.reason


async def test_many_variants(shop: Make):
    """Variants go in batches of fifty, and one that is refused does not stop the others."""
    here = shop()
    names = [str(number) for number in range(120)]
    record = offer(variants=sizes(*names), name="Towel", price="1", weight="1")
    made = product(here, await push(here, record))
    assert len(made.variants) == 120
    assert len([1 for method, path in here.asked() if (method, path) == ("PUT", "/v3/catalog/variants")]) == 3
    taken = next(v["sku"] for p in here.store.catalog.products.values() for v in p.variants if p is not made)
    clash = OfferVariant(sku=taken, options={"Size": "X"})
    outcome = await push(here, Offer(id="o", sku="NEW-1", variants=(*sizes("0", "1", price="5"), clash)))
    assert isinstance(outcome, Rejected)
    assert taken in outcome.reason
    assert len([v for v in made.variants if v["price"] is not None]) == 2


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"name": "No price", "weight": "1"}, "Price"),
        ({"weight": "1", "price": "1"}, "Name"),
        ({"price": "cheap", "name": "N", "weight": "1"}, "Price: not a number"),
        ({"price": "NaN", "name": "N", "weight": "1"}, "Price: not a number"),
        ({"nothing": "1"}, "no attribute nothing"),
        ({"name": "x" * 251}, "longer than 250"),
        ({"condition": "Rotten"}, "none of New"),
        ({"is_visible": "perhaps"}, "neither true nor false"),
        ({"sort_order": "1.5"}, "not a whole number"),
        ({"categories": "No such"}, "no single entry"),
        ({"preorder_release_date": "soon"}, "not a date"),
    ],
)
async def test_values_that_do_not_fit(shop: Make, values: dict[str, str], reason: str):
    """What cannot be said is refused with the reason, and nothing is written."""
    here = shop()
    outcome = await push(here, offer(**values))
    assert isinstance(outcome, Rejected)
    assert reason in outcome.reason
    assert {method for method, _ in here.asked()} <= {"GET"}


async def test_brands_and_categories(shop: Make):
    """Brands and categories are found by label, path or id; a new brand is made."""
    here = shop()
    await here.session.run(DATA_MODEL)
    brand = next(iter((await here.session.choices("brands")).values()))
    categories = await here.session.choices("categories")
    child = next(one for one in categories.values() if one.parent)
    path = f"{categories[child.parent].label}/{child.label}"
    made = product(here, await push(here, new(brand_id=brand.label, categories=path)))
    assert (made.row["brand_id"], made.row["categories"]) == (int(brand.value), [int(child.value)])
    await push(here, offer(brand_id="Quite New"))
    assert any(b'"brand_name":"Quite New"' in ask.body for ask in here.session.sent)


async def test_lost_answer(shop: Make):
    """A product whose making was not answered is settled by its SKU and completed without a second one."""
    here = shop()
    count = len(here.store.catalog.products)
    await here.control("POST", "//faults", {"kind": "drop_after", "method": "POST", "path": "products$"})
    with pytest.raises(httpx2.ReadError):
        await push(here, new())
    settled = await OFFERS.settle(here.session, Batch(key="b", items=[Item(key="k", record=new())]))  # type: ignore[misc]
    assert isinstance(settled["k"], Later)
    assert isinstance(await push(here, new()), Accepted)
    assert len(here.store.catalog.products) == count + 1


async def test_name_that_is_taken(shop: Make):
    """A name another product bears is refused in the remote's words."""
    here = shop()
    taken = next(iter(here.store.catalog.products.values())).row["name"]
    outcome = await push(here, new(name=taken))
    assert isinstance(outcome, Rejected)
    assert "409" in outcome.reason


async def test_product_that_is_gone(shop: Make):
    """A remembered product that was deleted is made anew."""
    here = shop()
    outcome = await push(here, new(), {"product": "999999", "variant": "0"})
    assert product(here, outcome).row["sku"] == "NEW-1"


@pytest.mark.parametrize(
    ("stem", "same"),
    [
        ("shoe__12345.1700000.jpg", True),
        ("shoe.jpg", True),
        ("shoes__1.jpg", False),
        ("a/b/shoe.png", True),
        ("", False),
    ],
)
def test_image_names(stem: str, same: bool):
    """An image that BigCommerce copied is known by the beginning of its name."""
    assert alike(catalog_wire.Image(id=1, image_file=stem), "https://img.example/x/Shoe.jpg?v=2") is same


@given(st.sampled_from(PRODUCT_FIELDS), st.text(max_size=40), st.lists(st.text(max_size=5), max_size=3))
def test_conversion_never_breaks(field: Field, text: str, texts: list[str]):
    """Any text becomes what the API takes, or a ValueError that names the field."""
    try:
        converted(field, Value(text=text, texts=tuple(texts)))
    except ValueError as wrong:
        told = str(wrong)
    else:
        told = field.label
    assert told.startswith(field.label)


def test_new_option_body():
    """A swatch carries its colors, other types no value data."""
    swatch = new_option("swatch", 1, "Color", ["Red"], {"Red": "#ff0000"})
    assert swatch["option_values"] == [{"label": "Red", "sort_order": 0, "value_data": {"colors": ["#ff0000"]}}]
    assert new_option("dropdown", 1, "Color", ["Red"], {"Red": "#ff0000"})["option_values"] == [
        {"label": "Red", "sort_order": 0}
    ]
