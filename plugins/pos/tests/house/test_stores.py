"""A store brings its connection, and there is nothing to configure."""

from __future__ import annotations

from typing import Any

import pytest

from omnichannel_core import errors
from omnichannel_core.app import Omnichannel
from omnichannel_core.model.lifecycle import Status

pytestmark = pytest.mark.anyio


async def test_a_store_makes_its_connection(house: Omnichannel) -> None:
    """Adding a store gives an active connection named after it, its data model and its exchange directory."""
    saved = await house.stores.add("acme", " Berlin ", currency="CHF", gross_prices=False)
    assert saved.connection.name == "POS store Berlin"
    assert saved.connection.status is Status.ACTIVE
    assert saved.process is not None
    await house.processes.run_to_end("acme", saved.process.id)
    (store,) = await house.stores.list("acme")
    assert (store.id, store.name, store.currency, store.gross_prices) == (saved.connection.id, "Berlin", "CHF", False)
    assert sorted(one.name for one in store.exchange.iterdir()) == ["ack", "archive", "error", "in", "out"]
    sets = (await house.hub.attribute_sets("acme", connection=store.id, full=True)).items
    kinds = [one.record.extra["kind"] for one in sets if one.record is not None]
    assert (kinds.count("variant set"), kinds.count("attribute set")) == (2, 10)


async def test_nothing_to_configure(house: Omnichannel) -> None:
    """There is no credential and no settings page, and no connection without a store."""
    schema = await house.drivers.schema("acme", "pos")
    assert schema["credentials"].get("properties", {}) == {}
    assert schema["settings"] == {}
    with pytest.raises(errors.UsageError, match="add a store"):
        await house.connections.create("acme", "pos", "By hand")
    assert await house.connections.list("acme") == []


@pytest.mark.parametrize(
    ("typed", "field"), [({"name": " "}, "name"), ({"currency": "euro"}, "currency"), ({"address": "\0"}, "address")]
)
async def test_what_is_typed_is_checked(house: Omnichannel, typed: dict[str, Any], field: str) -> None:
    """A store that does not fit is refused by field, and nothing is stored."""
    with pytest.raises(errors.FormInvalid) as refused:
        await house.stores.add("acme", **{"name": "Berlin", **typed})
    assert set(refused.value.fields) == {field}
    assert await house.connections.list("acme") == []


async def test_edit(house: Omnichannel) -> None:
    """A renamed store renames its connection, unless a person gave that another name."""
    one = (await house.stores.add("acme", "Berlin")).connection.id
    edited = await house.stores.edit("acme", one, name="Bonn", address="Markt 1")
    assert (edited.name, edited.address, edited.connection) == ("Bonn", "Markt 1", "POS store Bonn")
    await house.connections.rename("acme", one, "Till")
    assert (await house.stores.edit("acme", one, name="Ulm")).connection == "Till"
    assert (await house.stores.get("acme", one)).address == "Markt 1"


async def test_tenancy(house: Omnichannel) -> None:
    """Another account neither sees, edits nor fills a store."""
    one = (await house.stores.add("acme", "Berlin")).connection.id
    assert await house.stores.list("other") == []
    for attempt in (
        house.stores.get("other", one),
        house.stores.edit("other", one, name="Mine"),
        house.stores.receive("other", one, {}),
    ):
        with pytest.raises(errors.NotFound):
            await attempt
