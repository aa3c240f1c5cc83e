"""Between what is typed, what is stored, and forms."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field, SecretStr, field_validator

from omnichannel_core import errors
from omnichannel_core.connections import forms
from omnichannel_core.driver import Credentials, Form, Locked, Settings, Ui

CANARY = "canary-4711-secret"


class Install(BaseModel):
    way: Literal["install"] = "install"
    access_token: Locked = None


class Organisation(BaseModel):
    way: Literal["organisation"]
    client_id: str
    client_secret: SecretStr


class Static(BaseModel):
    way: Literal["token"]
    access_token: SecretStr
    client_secret: SecretStr | None = None


class Shop(Credentials):
    shop: Annotated[str, Field(title="Shop", pattern=r"^[a-z]+$")]
    region: Annotated[Literal["eu", "us"], Ui(fixed=True)] = "eu"
    access: Annotated[Install | Organisation | Static, Field(discriminator="way")] = Install()


class Instance(BaseModel):
    host: Annotated[str, Ui(fixed=True)]
    password: SecretStr
    note: SecretStr | None = None


class Cloud(Credentials):
    staging: Instance
    production_mode: bool = False
    production: Annotated[Instance | None, Ui(when="production_mode")] = None
    keys: tuple[SecretStr, ...] = ()
    named: Mapping[str, SecretStr] = {}
    many: tuple[Instance, ...] = ()
    refresh: Annotated[SecretStr | None, Ui(locked=True)] = None


class Page(Settings):
    create: bool = False
    notify: Annotated[bool, Ui(when="create")] = False
    copy_to: Annotated[str, Ui(when="notify")] = ""
    after: datetime | None = None
    day: date | None = None
    above: int | None = None
    ids: frozenset[int] = frozenset({3, 1})
    words: frozenset[str] = frozenset()
    text: str | None = None


def stored(form: Form) -> Form:
    """What comes back after form was taken apart and stored as JSON."""
    plain, secrets = forms.plain_and_secrets(form)
    back = json.loads(json.dumps(plain))
    return forms.restore(type(form), back, {path: SecretStr(text) for path, text in secrets.items()})


def refused(form: type[Form], typed: Mapping[str, Any], **how: Any) -> dict[str, str]:
    """The fields that a form refuses."""
    with pytest.raises(errors.FormInvalid) as caught:
        forms.validate(form, typed, **how)
    assert CANARY not in str(caught.value) + repr(caught.value.fields)
    return caught.value.fields


CLOUD = {
    "staging": {"host": "a.example", "password": "p1"},
    "production_mode": True,
    "production": {"host": "b.example", "password": "p2", "note": "n"},
    "keys": ["k1", "k2"],
    "named": {"a.b": "s1", "a": "s2", "$secret": "s3", "back\\slash": "s4"},
    "many": [{"host": "c", "password": "p3"}, {"host": "d", "password": "p4"}],
}


def test_every_secret_leaves_the_form_and_comes_back() -> None:
    """Secrets in sections, choices, lists and mappings are taken out by path and put back where they were."""
    form = forms.validate(Cloud, CLOUD)
    plain, secrets = forms.plain_and_secrets(form)
    assert secrets["staging.password"] == "p1"
    assert secrets["keys.1"] == "k2"
    assert len(secrets) == 11
    assert not any(f'"{text}"' in json.dumps(plain) for text in secrets.values())
    assert stored(form) == form


@given(
    st.dictionaries(st.text(max_size=6), st.text(max_size=4), max_size=4),
    st.lists(st.text(max_size=4), max_size=3),
    st.text(max_size=5),
)
def test_any_names_and_values_survive(named: dict[str, str], keys: list[str], text: str) -> None:
    """Whatever mappings are keyed by and secrets hold, storing and restoring changes nothing."""
    form = Cloud(
        staging=Instance(host=text, password=SecretStr(text)),
        keys=tuple(map(SecretStr, keys)),
        named={name: SecretStr(value) for name, value in named.items()},
    )
    assert stored(form) == form


def test_what_looks_like_a_mark_is_a_value() -> None:
    """A field called secret, or a key that looks like the mark, is stored as itself."""

    class Odd(Form):
        secret: str
        words: Mapping[str, str] = {}

    form = Odd(secret="plain", words={"$secret": "x", "secret": "y", "$$": "z"})
    assert stored(form) == form


def test_unset_stays_unset() -> None:
    """What was never set is not stored, so that a later default of the driver applies; what was set to it is."""
    plain, _ = forms.plain_and_secrets(Page(above=None, create=False))
    assert plain == {"above": None, "create": False}
    assert stored(Page(above=None)).model_fields_set == {"above"}
    assert forms.plain_and_secrets(Shop(shop="a", access=Install()))[0]["access"] == {"way": "install"}


def test_sets_are_stored_in_order() -> None:
    """A set is stored sorted: the same values are the same text."""
    assert forms.plain_and_secrets(Page(words=frozenset("zyxabc")))[0] == {"words": sorted("zyxabc")}
    assert forms.plain_and_secrets(Page(ids=frozenset({10, 9, -1, 100})))[0] == {"ids": [-1, 9, 10, 100]}


def test_an_empty_secret_keeps_the_stored_one() -> None:
    """Absent, empty and shown-as-set secrets stay as stored, in sections, lists and mappings; typed ones replace."""
    old = forms.validate(Cloud, CLOUD)
    typed = {
        "staging": {"host": "a.example", "password": ""},
        "production_mode": True,
        "production": {"host": "b.example", "password": "new", "note": {"set": True}},
        "named": {"a.b": "", "a": "new2"},
        "many": [{"host": "d", "password": ""}, {"host": "c"}],
    }
    secrets = forms.plain_and_secrets(forms.validate(Cloud, typed, stored=old))[1]
    assert secrets == {
        "staging.password": "p1", "production.password": "new", "production.note": "n", "keys.0": "k1", "keys.1": "k2",
        "named.a\\.b": "s1", "named.a": "new2", "many.0.password": "p4", "many.1.password": "p3",
    }  # fmt: skip


def test_an_optional_secret_can_be_forgotten() -> None:
    """A secret sent as not set is forgotten where it may be missing, and missed where it may not."""
    old = forms.validate(Cloud, CLOUD)
    gone = forms.validate(
        Cloud, {**forms.shown(old), "production": {"host": "b.example", "note": {"set": False}}}, stored=old
    )
    assert gone.production is not None
    assert gone.production.note is None
    typed = {**forms.shown(old), "staging": {"host": "a.example", "password": {"set": False}}}
    assert set(refused(Cloud, typed, stored=old)) == {"staging.password"}


def test_what_is_shown_can_be_sent_back() -> None:
    """Sending back what was shown changes nothing."""
    for form in (forms.validate(Cloud, CLOUD), Shop(shop="a"), Page(above=3)):
        again = forms.validate(type(form), json.loads(json.dumps(forms.shown(form))), stored=form)
        assert again == form


def test_another_variant_does_not_inherit_secrets() -> None:
    """A secret of one variant never becomes the secret of the same name in another one."""
    old = forms.validate(Shop, {"shop": "a", "access": {"way": "organisation", "client_id": "i", "client_secret": "s"}})
    assert isinstance(old, Shop)
    now = forms.validate(Shop, {"shop": "a", "access": {"way": "token", "access_token": "t"}}, stored=old)
    assert isinstance(now.access, Static)
    assert now.access.client_secret is None
    kept = forms.validate(Shop, {"shop": "b", "access": {"way": "organisation", "client_id": "j"}}, stored=old)
    assert forms.plain_and_secrets(kept)[1] == {"access.client_secret": "s"}


def test_locked_fields_are_not_typed() -> None:
    """A locked field refuses what is typed, and keeps what the authorization brought."""
    assert set(refused(Shop, {"shop": "a", "access": {"way": "install", "access_token": CANARY}})) == {
        "access.access_token"
    }
    typed = {"staging": {"host": "h", "password": "p"}}
    assert set(refused(Cloud, {**typed, "refresh": CANARY})) == {"refresh"}
    old = Cloud(staging=Instance(host="h", password=SecretStr("p")), refresh=SecretStr("brought"))
    came = forms.validate(Cloud, {**typed, "refresh": CANARY}, brought={"refresh": CANARY})
    assert came.refresh == SecretStr(CANARY)
    assert forms.validate(Cloud, {**typed, "refresh": ""}, stored=old).refresh == SecretStr("brought")


def test_fixed_fields_stay_on_an_edit_and_move_before() -> None:
    """A fixed field refuses another value on an edit, at any depth; a draft may still change it."""
    old = forms.validate(Shop, {"shop": "a", "region": "eu"})
    assert refused(Shop, {"shop": "a", "region": "us"}, stored=old) == {"region": "This is set once, at create."}
    assert forms.validate(Shop, {"shop": "a", "region": "us"}, stored=old, editing=False).region == "us"
    us = forms.validate(Shop, {"shop": "a", "region": "us"})
    assert forms.validate(Shop, {"shop": "b"}, stored=us).region == "us"
    cloud = forms.validate(Cloud, CLOUD)
    assert set(refused(Cloud, {**CLOUD, "staging": {"host": "x", "password": ""}}, stored=cloud)) == {"staging.host"}


def test_hidden_fields_are_not_used() -> None:
    """Fields whose switch is off, or itself hidden, fall back to their default, whatever was typed in them."""
    form = forms.validate(Cloud, {**CLOUD, "production_mode": "false", "production": {"nonsense": CANARY}})
    assert form.production is None
    page = forms.validate(Page, {"create": False, "notify": True, "copy_to": "x"})
    assert (page.notify, page.copy_to, page.model_fields_set) == (False, "", {"create"})
    shown = forms.validate(Page, {"create": "on", "notify": "on", "copy_to": "x"})
    assert (shown.notify, shown.copy_to) == (True, "x")


@pytest.mark.parametrize(
    ("typed", "places"),
    [
        ({}, {"shop"}),
        ({"shop": ""}, {"shop"}),
        ({"shop": "  "}, {"shop"}),
        ({"shop": "A B"}, {"shop"}),
        ({"shop": "a", "who": CANARY}, {"who"}),
        ({"shop": "a", "region": CANARY}, {"region"}),
        ({"shop": "a", "access": {"way": CANARY}}, {"access"}),
        ({"shop": "a", "access": {}}, {"access"}),
        ({"shop": "a", "access": CANARY}, {"access"}),
        ({"shop": "a", "access": {"way": "organisation"}}, {"access.client_id", "access.client_secret"}),
        (
            {"shop": "a", "access": {"way": "organisation", "client_id": "i", "client_secret": "", "x": 1}},
            {"access.client_secret", "access.x"},
        ),
        ({"shop": 5, "access": {"way": "token", "access_token": [CANARY]}}, {"shop", "access.access_token"}),
    ],
)
def test_a_refusal_names_every_field_and_no_value(typed: dict[str, Any], places: set[str]) -> None:
    """Every wrong field is named by its dotted place, tags left out, and no message holds what was typed."""
    fields = refused(Shop, typed)
    assert set(fields) == places
    assert all(fields.values())


@pytest.mark.parametrize("typed", ["0", "86400", " 2026 ", "5.0", 0, 1.5, "31.02.2026", "1.1.26", "soon", True])
@pytest.mark.parametrize("name", ["day", "after"])
def test_what_is_no_date(name: str, typed: Any) -> None:
    """A date is a date: a bare number is not taken for seconds since 1970, and the refusal says how one is written."""
    assert refused(Page, {name: typed}) == {name: "Write a date like 21.11.2026."}


def test_places_in_lists_and_mappings_are_named() -> None:
    """An element of a list or mapping is named by its place or key."""
    typed = {"staging": {"host": "h", "password": "p"}, "many": [{"host": "c"}], "named": {"k": {"deep": 1}}}
    assert set(refused(Cloud, typed)) == {"many.0.password", "named.k"}


def test_a_drivers_message_is_shown_unless_it_holds_what_was_typed() -> None:
    """A validator's own words reach the person; when they repeat the value, they do not."""

    class Talker(Credentials):
        polite: str = ""
        leaky: SecretStr | None = None

        @field_validator("polite")
        @classmethod
        def words(cls, value: str) -> str:
            raise ValueError("Ask your shop's owner.")

        @field_validator("leaky")
        @classmethod
        def leak(cls, value: SecretStr | None) -> SecretStr | None:
            raise ValueError(f"bad: {value.get_secret_value() if value else ''}")

    fields = refused(Talker, {"polite": "x", "leaky": CANARY})
    assert fields == {"polite": "Ask your shop's owner.", "leaky": "This is not accepted."}
    with pytest.raises(errors.FormInvalid) as caught:
        forms.restore(Talker, {"leaky": {forms.MARK: "leaky"}}, {"leaky": SecretStr(CANARY)})
    assert CANARY not in repr(caught.value.fields)


def test_a_form_that_breaks_is_its_drivers_fault() -> None:
    """What a form's own code raises becomes a broken contract without the values."""

    class Broken(Credentials):
        name: str = ""

        @field_validator("name")
        @classmethod
        def fail(cls, value: str) -> str:
            raise KeyError(value)

        @classmethod
        def upgrade(cls, stored: dict[str, Any]) -> dict[str, Any]:
            raise KeyError(CANARY)

    for call in (lambda: forms.validate(Broken, {"name": CANARY}), lambda: forms.restore(Broken, {}, {})):
        with pytest.raises(errors.ContractBroken) as caught:
            call()
        assert CANARY not in str(caught.value)
        assert caught.value.__suppress_context__


def test_upgrade_sees_stored_values_only() -> None:
    """An old name is lifted when it is restored, and refused when it is typed."""

    class Newer(Credentials):
        store: str = ""

        @classmethod
        def upgrade(cls, stored: dict[str, Any]) -> dict[str, Any]:
            return {"store": stored.pop("shop", ""), **stored}

    assert forms.restore(Newer, {"shop": "old"}, {}).store == "old"
    assert set(refused(Newer, {"shop": "old"})) == {"shop"}


def test_blanks_and_german_dates_are_understood() -> None:
    """An empty number or date is nothing, a date may be written with dots, an empty text stays a text."""
    page = forms.validate(Page, {"after": "21.11.2026", "day": "1.2.2026", "above": "", "text": "", "create": "true"})
    assert (page.after, page.day, page.above, page.text, page.create) == (
        datetime.fromisoformat("2026-11-21"), date(2026, 2, 1), None, "", True,
    )  # fmt: skip
    assert set(refused(Page, {"after": "31.02.2026", "above": "x"})) == {"after", "above"}


def test_the_schema_is_json_schema_in_order() -> None:
    """A form's schema is valid JSON Schema, secrets are write-only passwords, order and x-ui are the declared ones."""
    said = json.loads(json.dumps(forms.schema(Cloud)))
    Draft202012Validator.check_schema(said)
    assert list(said["properties"]) == list(Cloud.model_fields)
    assert said["$defs"]["Instance"]["properties"]["password"] | {"title": ""} == {
        "format": "password", "writeOnly": True, "type": "string", "title": "",
    }  # fmt: skip
    assert said["properties"]["production"]["x-ui"] == {"when": "production_mode"}
    assert said["properties"]["refresh"]["readOnly"] is True
    assert forms.schema(Page)["properties"]["ids"]["default"] == [1, 3]

    class Nothing(Credentials):
        """No field at all."""

    assert forms.schema(Nothing)["properties"] == {}


def test_nothing_shown_is_secret() -> None:
    """What is shown of a form says of each secret only whether it is set."""
    form = forms.validate(Cloud, {**CLOUD, "staging": {"host": "h", "password": CANARY}})
    shown = forms.shown(form)
    assert shown["staging"] == {"host": "h", "password": {"set": True}, "note": {"set": False}}
    assert shown["keys"] == [{"set": True}, {"set": True}]
    assert shown["refresh"] == {"set": False}
    assert CANARY not in json.dumps(shown) + repr(form)
    assert CANARY in set(forms.secret_values(form))


def test_a_proof_is_of_secrets_alone() -> None:
    """The same secrets give the same proof, other secrets or another key another one, other plain values none."""
    one = forms.validate(Cloud, CLOUD)
    same = forms.validate(Cloud, {**CLOUD, "staging": {"host": "other", "password": "p1"}})
    other = forms.validate(Cloud, {**CLOUD, "keys": ["k1k2"]})
    assert forms.proof(one) == forms.proof(same)
    assert len({forms.proof(one), forms.proof(other), forms.proof(one, b"key")}) == 3
