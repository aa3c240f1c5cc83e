"""The four settings pages: their fields, what they are unless somebody changes them, what they refuse."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from omnichannel_amazon.credentials import AmazonCredentials
from omnichannel_amazon.marketplaces import MARKETPLACES
from omnichannel_amazon.settings import PAGES, Carrier, Export, Offers, OrderImport, ShippingOptions, ShippingProviders
from pydantic import ValidationError

DE, FR = "A1PA6795UKMFR9", "A13V1IB3VIYZZH"
ORDERS = {
    "mfn": True, "prime_by_merchant": True, "mfn_from": None, "fba": True, "fba_shipped": True, "vcs": False,
    "fba_from": None, "packing_station": "address",
}  # fmt: skip
NOWHERE = dict.fromkeys(("shipments_b2b", "shipments_b2c", "invoices_b2b", "invoices_b2c"), frozenset[str]())


def test_pages():
    """Four pages, of which the first three have a default to apply, and all that is set unless somebody sets it."""
    assert [(page.title, page.inherits) for page in PAGES] == [
        ("Offers", True), ("Order import", True), ("Order export/invoice upload", True),
        ("Shipping provider mapping", False),
    ]  # fmt: skip
    assert Offers().model_dump() == {"fba_stock": False}
    assert OrderImport().model_dump() == ORDERS
    assert Export().model_dump() == NOWHERE
    assert Export().nothing()


@pytest.mark.parametrize(
    ("typed", "day"),
    [("01.11.2026", date(2026, 11, 1)), ("2026-11-01", date(2026, 11, 1)), ("", None), (None, None)],
)
def test_dates(typed: str | None, day: date | None):
    """A day is DD.MM.YYYY, or as it was stored; empty is none."""
    assert OrderImport(mfn_from=typed).mfn_from == day


@pytest.mark.parametrize("typed", ["32.01.2026", "11.2026", "1.1", "tomorrow"])
def test_no_dates(typed: str):
    """What is no day is refused."""
    with pytest.raises(ValidationError):
        OrderImport(fba_from=typed)


@pytest.mark.parametrize("business", [True, False])
def test_boxes(business: bool):
    """Each box is for one marketplace, one kind of buyer and one kind of document."""
    who = "b2b" if business else "b2c"
    for name, asks in (("shipments", Export.shipment), ("invoices", Export.invoice)):
        boxes = Export(**{f"{name}_{who}": {DE}})
        assert not boxes.nothing()
        said = {(m, b): asks(boxes, m, business=b) for m in (DE, FR) for b in (True, False)}
        assert [key for key, yes in said.items() if yes] == [(DE, business)]
        other = Export.invoice if asks is Export.shipment else Export.shipment
        assert not other(boxes, DE, business=business)


def test_every_shipping_option(official: Any):
    """Every service level of the official model, a default and gift wrap have a row."""
    if official is None:
        pytest.skip("THE OFFICIAL MODELS ARE NOT HERE (../shared/specs/amazon): service levels are NOT compared")
    model = official.operations["getOrder"][3]
    said = model["definitions"]["OrderFulfillment"]["properties"]["fulfillmentServiceLevel"]
    levels = {one.lower() for one in re.findall("`(\\w+)`", said["description"])}
    assert levels
    assert set(ShippingOptions.model_fields) == levels | {"default", "gift_wrap"}


@pytest.mark.parametrize(
    ("chosen", "service", "gift", "provider"),
    [
        ({"standard": "dhl"}, "STANDARD", False, "dhl"), ({"standard": "dhl"}, "NEXT_DAY", False, ""),
        ({"default": "ups"}, "NEXT_DAY", False, "ups"), ({"default": "ups"}, "A_LEVEL_OF_TOMORROW", False, "ups"),
        ({"standard": "dhl", "gift_wrap": "boutique"}, "STANDARD", True, "boutique"),
        ({"standard": "dhl"}, "STANDARD", True, "dhl"), ({}, "STANDARD", False, ""),
    ],
)  # fmt: skip
def test_provider(chosen: Mapping[str, str], service: str, gift: bool, provider: str):
    """Gift wrap before the service level, the default where nothing is chosen or the level is new."""
    assert ShippingProviders(options=ShippingOptions(**chosen)).provider(service, gift=gift) == provider


def test_carrier_other():
    """The code Other needs a name."""
    with pytest.raises(ValidationError, match="carrier name"):
        Carrier(code="other")
    assert Carrier(code="DHL").name == ""


def test_marketplaces():
    """The drop-down lists every marketplace once, under its region, and locked once it is saved."""
    field = AmazonCredentials.model_json_schema()["properties"]["marketplace"]
    assert {one["const"] for one in field["oneOf"]} == set(MARKETPLACES)
    groups = [one["group"] for one in field["oneOf"]]
    assert groups == sorted(groups, key=["Europe", "North America", "Far East"].index)
    assert len(groups) == len(MARKETPLACES) == 23
