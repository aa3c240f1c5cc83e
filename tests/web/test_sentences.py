"""Sentences in German: the house's own are all there; those with values are found again, whatever was put there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnichannel_core.model import lifecycle
from omnichannel_core.testing.sentences import said_by
from omnichannel_core.web.rendering import HERE
from omnichannel_core.web.sentences import Catalog, Template, said

ROOMS = ("connections", "driver", "gate", "model", "remote", "storage", "web")
PROGRAMMERS = frozenset({
    "ContractBroken", "UsageError", "DriverBroken", "VaultSealed", "StorageError", "StoreOutdated",
})  # fmt: skip
MACHINES = ("web/api/openapi.py", "connections/repeating.py", "storage/engine.py", "storage/postgres.py")
OURS = Catalog.read(HERE / "locale", "sentences", "de")


def shown() -> set[str]:
    """What the house says to people."""
    found = {
        text for room in ROOMS for text, file in said_by(f"omnichannel_core.{room}", leave=PROGRAMMERS).items()
        if not f"{room}/{file}".startswith(MACHINES)
    }  # fmt: skip
    hints = getattr(lifecycle, "_HINTS").values()  # noqa: B009 - the table of moves keeps them to itself
    states = [str(one.value) for one in lifecycle.Status]
    return {*found, *hints, "wait until it is gone", *states, *(one.value for one in lifecycle.Move if "_" not in one)}


def test_complete() -> None:
    """Everything that the house says to people has German words, and no others are kept; no place is made up."""
    assert set(OURS.words) == shown()
    assert len(OURS.templates) > 50
    for key, words in OURS.words.items():
        assert {*Template.of(words, "").names} <= {*Template.of(key, "").names}, key


def test_values_are_kept() -> None:
    """What was put into a sentence is kept; where that is a sentence itself, it is said in German, too."""
    text = "These credentials belong to A1, not to B2: check both."
    assert said(text, [OURS]) == "Diese Zugangsdaten gehören zu A1, nicht zu B2: beides prüfen."
    inner = "Connection 7 is active: delete is not possible; disable it first."
    assert said(inner, [OURS]) == "Verbindung 7 ist aktiv: Löschen ist nicht möglich; zuerst deaktivieren."


def test_unknown_stays() -> None:
    """What no catalog knows is shown as it is, and so is what is no sentence any more."""
    for text in ("Whatever a remote said.", "", "Connection 7 is", "x" * 5_000):
        assert said(text, [OURS]) == text
    assert said("Fill in this field.", [Catalog(), OURS]) == "Dieses Feld ausfüllen."


def test_no_catalog(tmp_path: Path) -> None:
    """A driver without catalogs speaks English."""
    assert Catalog.read(tmp_path, "omnichannel", "de") == Catalog()


@given(st.lists(st.text(max_size=40), min_size=3, max_size=3))
def test_any_values(values: list[str]) -> None:
    """Whatever stands at the places comes out again, or the text is not taken for this sentence."""
    one = Template.of("Order {a} of {b}: {c}.", "{c} ({b}) {a}")
    text = "Order {} of {}: {}.".format(*values)
    found = one.places(text)
    assert found is not None
    assert "Order {a} of {b}: {c}.".format(**found) == text


@pytest.mark.timeout(10)
def test_hostile_text_is_fast() -> None:
    """No text of a remote makes the search slow."""
    for text in ("Connection  of account  has no " * 60, ": ; is " * 280, "{what}" * 300):
        for _ in range(20):
            said(text[:2_000], [OURS])


@pytest.mark.anyio
async def test_on_pages(site: Any) -> None:
    """A refusal, a reason and the errors of a form are German where the visitor is."""
    web = site.client(**{"accept-language": "de"})
    one = await site.connected()
    await site.house.connections.disable("acme", [one])
    assert "Eine Verbindung gibt es hier nicht" not in (await web.get(f"/connections/{one}")).text
    gone = await web.get("/connections/999")
    assert "hat keine Verbindung 999" in gone.text
    form = await web.post("/new", data={"name": "", "driver": "echo", "c.shop": "", "c.secret": ""})
    assert "Einen Namen eingeben." in form.text
    again = await web.post("/bulk", data={"action": "synchronize", "id": one})
    assert "ist inaktiv" in again.text
