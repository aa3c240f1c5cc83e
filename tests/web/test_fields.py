"""Forms drawn from a driver's JSON Schema, and read back from what a browser sends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal

import attrs
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field as Of
from pydantic import SecretStr
from starlette.datastructures import FormData

from omnichannel_core.connections import forms
from omnichannel_core.driver import Locked, Settings, Ui
from omnichannel_core.driver.forms import Form
from omnichannel_core.web.pages.fields import Drawing, Field, flat
from omnichannel_core.web.pages.reading import plain, read


class ByToken(Form):
    """One way in."""

    way: Literal["token"]
    token: SecretStr


class ByInstall(Form):
    """Another."""

    way: Literal["install"] = "install"
    access: Locked = None


class Row(Form):
    """A line of a table."""

    code: str = ""
    secret: SecretStr | None = None
    unit: Literal["piece", "box"] = "piece"
    many: int = 1
    whole: bool = True


class Everything(Settings):
    """Every kind of field there is."""

    text: str = ""
    number: int = 0
    share: float | None = None
    on: bool = False
    choice: Literal["a", "b"] = "a"
    some: frozenset[Literal["x", "y"]] = frozenset()
    listed: Annotated[frozenset[str], Ui(options="places")] = frozenset()
    day: date | None = None
    at: datetime | None = None
    words: tuple[str, ...] = ()
    section: Row = Row()
    rows: tuple[Row, ...] = ()
    by_key: Annotated[Mapping[str, Row], Ui(options="host.shipping")] = {}
    way: Annotated[ByInstall | ByToken, Of(discriminator="way")] = ByInstall()
    hidden: SecretStr | None = None
    kept: Annotated[str, Ui(locked=True)] = "kept"


SCHEMA = forms.schema(Everything)
OPTIONS = {
    "listed": [{"value": one, "label": one.upper()} for one in ("p", "q")],
    "by_key": [{"value": one, "label": one.upper()} for one in ("dhl", "ups")],
}
DRAWING = Drawing(root=SCHEMA, prefix="s", options=OPTIONS)


def sent(found: Sequence[Field]) -> Iterator[tuple[str, str]]:
    """What a browser sends of a form that nobody touched."""
    for one in found:
        if one.locked or one.kind == "secret":
            continue
        if one.kind in ("section", "rows", "mapping"):
            if one.kind == "section" and one.value:
                yield one.name, str(one.value)
            yield from sent(one.parts)
        elif one.kind == "variant":
            yield one.name, one.value
            for part in one.parts:
                yield from sent(part.parts)
        elif one.kind == "choices":
            yield from ((one.name, value) for value in one.value)
        elif one.kind == "switch":
            yield from [(one.name, "on")] if one.value else []
        else:
            yield one.name, str(one.value)


WORD = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=8)
ROW = st.builds(lambda code: Row(code=code), WORD)
FORMS = st.builds(
    Everything, text=WORD, number=st.integers(-(10**9), 10**9), on=st.booleans(), choice=st.sampled_from(["a", "b"]),
    some=st.frozensets(st.sampled_from(["x", "y"])), listed=st.frozensets(st.sampled_from(["p", "q", "gone"])),
    day=st.none() | st.dates(date(1900, 1, 1), date(2999, 1, 1)), words=st.lists(WORD, max_size=3).map(tuple),
    section=ROW, rows=st.lists(ROW, max_size=3).map(tuple),
    by_key=st.dictionaries(st.sampled_from(["dhl", "ups", "gone"]), ROW, max_size=2),
)  # fmt: skip


@given(FORMS)
def test_untouched(form: Everything) -> None:
    """A form that is sent back as it was shown means the same."""
    shown = forms.shown(form)
    typed = read(DRAWING, SCHEMA, FormData(list(sent(DRAWING.fields(SCHEMA, shown)))))
    again = forms.validate(Everything, typed, editing=False)
    assert forms.shown(again) == shown


def test_kinds() -> None:
    """Each type has its drawing; a locked field has no input that could be sent."""
    kinds = {one.name: one.kind for one in DRAWING.fields(SCHEMA, {})}
    assert kinds == {
        "s.text": "text", "s.number": "number", "s.share": "number", "s.on": "switch", "s.choice": "select",
        "s.some": "choices", "s.listed": "choices", "s.day": "date", "s.at": "moment", "s.words": "texts",
        "s.section": "section", "s.rows": "rows", "s.by_key": "mapping", "s.way": "variant", "s.hidden": "secret",
        "s.kept": "text",
    }  # fmt: skip
    assert "kept" not in read(DRAWING, SCHEMA, FormData([("s.kept", "forged")]))


def test_dates_as_they_are_written() -> None:
    """Days and moments are read as they are shown."""
    typed = read(DRAWING, SCHEMA, FormData([("s.day", "24.12.2025"), ("s.at", "24.12.2025 18:30")]))
    form = forms.validate(Everything, typed, editing=False)
    assert form.day == date(2025, 12, 24)
    assert form.at == datetime.fromisoformat("2025-12-24T18:30:00+00:00")


def test_one_of_several_ways() -> None:
    """Of a choice between sections only the chosen one is read; its secret is not shown again."""
    typed = read(DRAWING, SCHEMA, FormData([("s.way", "token"), ("s.way.token.token", "hush")]))
    assert typed["way"] == {"way": "token", "token": "hush"}
    assert plain(DRAWING, SCHEMA, typed)["way"] == {"way": "token"}


def test_secrets_are_not_shown_again() -> None:
    """Whatever was typed, what is shown again has no secret, nested ones neither."""
    typed: dict[str, Any] = {
        "hidden": "hush-1", "section": {"code": "a", "secret": "hush-2"},
        "rows": [{"code": "b", "secret": "hush-3"}], "by_key": {"dhl": {"secret": "hush-4"}},
    }  # fmt: skip
    shown = plain(DRAWING, SCHEMA, typed)
    assert "hush" not in repr(shown)
    assert shown["section"] == {"code": "a"}
    assert "hush" not in repr(list(flat(DRAWING.fields(SCHEMA, shown))))


def test_groups() -> None:
    """Options go under the group that the schema or the pulled list names, in the order of its first one."""
    rows = [{"const": "us", "title": "United States", "group": "America"}, {"const": "de", "group": "Europe"},
            {"const": "ca", "title": "Canada", "group": "America"}, {"const": "xx"}]  # fmt: skip
    schema = {
        "properties": {
            "place": {"type": "string", "enum": ["us", "de", "ca", "xx"], "oneOf": rows},
            "carrier": {"type": "string"},
        }
    }
    listed = [{"value": "dhl", "label": "DHL", "extra": {"group": "Europe"}}, {"value": "ups", "label": "UPS"}]
    drawing = Drawing(root=schema, prefix="s", options={"carrier": listed}, editing=True)
    place, carrier = drawing.fields(schema, {"place": "us"})
    assert [(name, [one.value for one in some]) for name, some in place.groups] == [
        ("America", ["us", "ca"]), ("Europe", ["de"]), ("", ["xx"]),
    ]  # fmt: skip
    assert [(name, [one.label for one in some]) for name, some in carrier.groups] == [
        ("Europe", ["DHL"]),
        ("", ["UPS"]),
    ]
    assert place.worded == "United States"


def test_list_not_pulled_yet() -> None:
    """What is chosen from a list that is not there yet is shown as words, and not as gone; with a list it is gone."""
    schema = forms.schema(Everything)
    values = {"listed": ["PARTIALLY_PAID"]}
    gone = [{"value": "PARTIALLY_PAID", "label": "PARTIALLY_PAID", "missing": True}]
    (before,) = [one for one in Drawing(root=schema, prefix="s", options={"listed": gone}).fields(schema, values)
                 if one.name == "s.listed"]  # fmt: skip
    assert (before.hollow, [(one.label, one.missing) for one in before.options]) == (True, [("Partially paid", False)])
    there = {"listed": [{"value": "PAID", "label": "Paid"}]}
    (after,) = [one for one in Drawing(root=schema, prefix="s", options=there).fields(schema, values)
                if one.name == "s.listed"]  # fmt: skip
    assert (after.hollow, after.options[-1].missing) == (False, True)


def test_long_tables() -> None:
    """However many rows a table has, none is left out on the way back."""
    many = [f"c{number}" for number in range(700)]
    drawing = attrs.evolve(DRAWING, options={**OPTIONS, "by_key": [{"value": one, "label": one} for one in many]})
    form = Everything(rows=tuple(Row(code=one) for one in many), by_key={one: Row(code=one) for one in many})
    typed = read(drawing, SCHEMA, FormData(list(sent(drawing.fields(SCHEMA, forms.shown(form))))))
    assert [one["code"] for one in typed["rows"]] == many
    assert list(typed["by_key"]) == many
