"""Settings pages: defaults, own values, origins, options, versions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import attrs
import pytest
from pydantic import BaseModel, SecretStr, model_validator

from omnichannel_core import errors
from omnichannel_core.connections import forms
from omnichannel_core.connections.choices import option_places
from omnichannel_core.connections.settings import NOTICE, SettingsService, effective_forms
from omnichannel_core.driver import AuthorizationFlow, Checkup, Credentials, Driver, Session, Settings, SettingsPage, Ui
from omnichannel_core.model.connection import Connection
from omnichannel_core.model.lifecycle import Status
from omnichannel_core.records import Choice, Choices
from omnichannel_core.storage import settings as rows
from omnichannel_core.storage.bodies import encode
from omnichannel_core.storage.connections import Connections, Kept
from omnichannel_core.storage.keys import KeyRing
from omnichannel_core.storage.schema import account, record, secret
from omnichannel_core.storage.store import Store
from omnichannel_core.storage.vault import Vault

pytestmark = pytest.mark.anyio
CANARY = "canary-0815-secret"


class Filters(Settings):
    statuses: Annotated[frozenset[int], Ui(options="order_statuses")] = frozenset({3, 8})
    archived: bool = False
    above: int | None = None


class Carrier(BaseModel):
    code: Annotated[str, Ui(options="carriers")] = "Other"


class Mapped(Settings):
    providers: Mapping[str, Carrier] = {}
    stock: Annotated[Mapping[str, Annotated[str, Ui(options="locations")]], Ui(options="host.warehouses")] = {}


class Signed(Settings):
    key: SecretStr | None = None
    url: str = ""

    @model_validator(mode="after")
    def together(self) -> Signed:
        if self.key is not None and not self.url:
            raise ValueError("A key needs a URL.")
        return self


async def _check(session: Session) -> Checkup:
    return Checkup(title="")


def make(*pages: SettingsPage) -> Driver:
    """A driver with these pages."""
    return Driver(
        name="echo", title="Echo", version="1", distribution="echo", credentials=Credentials, pulls={}, pushes={},
        flow=AuthorizationFlow(check=_check), pages={page.name: page for page in pages},
    )  # fmt: skip


DRIVER = make(
    SettingsPage("filters", "Order filters", Filters, inherits=True),
    SettingsPage("mapped", "Mapping", Mapped, needs="locations"),
    SettingsPage("signed", "Signed", Signed, inherits=True),
)


@attrs.frozen
class House:
    """The parts that settings need, and short ways to use them."""

    store: Store
    vault: Vault
    host_lists: Mapping[str, Any]
    service: SettingsService = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "service", SettingsService(self))

    async def save(self, connection: int, typed: Mapping[str, Any], driver: Driver = DRIVER, **how: Any) -> Any:
        """SAVE."""
        plan = self.service.plan(driver, typed, **how)
        return await self.store.write(lambda tx: self.service.store(tx, "a", driver, connection, plan))

    async def own(self, connection: int, page: str) -> rows.StoredPage:
        """What is stored of a page."""
        found = await self.store.read(lambda tx: rows.stored_pages(tx, "a", "echo", connection, self.vault))
        stored = found[page].own
        assert stored is not None
        return stored

    async def origin(self, connection: int, page: str = "filters") -> tuple[Any, Mapping[str, str]]:
        """Form and origins in force."""
        found = (await self.service.origins("a", DRIVER, connection))[page]
        return found.form, found.origin

    def pull(self, connection: int, name: str, *values: str) -> None:
        """Store a pulled list."""
        items = {value: Choice(value=value, label=f"Label {value}") for value in values}
        row = {"connection_id": connection, "kind": "Choices", "remote_id": name}
        body = encode(Choices(id=name, items=items))
        self.store.write_now(lambda tx: tx.execute(record.insert().values(**row, body=body)))


@pytest.fixture
def house(store: Store) -> House:
    """Connections 1 and 2 of account a, 3 of account b."""

    def work(tx: Any) -> None:
        for owner in "ab":
            tx.execute(account.insert().values(id=owner, name=owner, created_at=0))
        for number, owner in ((1, "a"), (2, "a"), (3, "b")):
            seen = Connection(
                id=number, account=owner, driver="echo", name="x", status=Status.ACTIVE,
                created_at=datetime(2026, 1, 1, tzinfo=UTC),
            )  # fmt: skip
            Connections(tx, owner).add(
                Kept(seen=seen, credentials={}, grant=0, subject="", callback_key="", fence=0, arrived_at=None)
            )

    store.write_now(work)
    return House(store, Vault(KeyRing({"k1": b"k" * 32})), {"warehouses": lambda _: {"w1": "Main", "w2": "Side"}})


async def test_a_page_begins_with_the_drivers_defaults_and_inherits(house: House) -> None:
    """Before anything is saved, a page that can inherits, and every value is the driver's."""
    form, origin = await house.origin(1)
    assert form == Filters()
    assert set(origin.values()) == {"driver"}
    page = await house.service.page("a", DRIVER, 1, "filters")
    assert (page.can_inherit, page.inherits, page.version, page.trouble) == (True, True, 0, {})
    mapped = await house.service.page("a", DRIVER, 1, "mapped")
    assert (mapped.can_inherit, mapped.inherits) == (False, False)


async def test_the_default_is_in_force_where_it_is_applied(house: House) -> None:
    """The account's default reaches all connections that apply it, at once, and says it is the default."""
    saved = await house.service.set_defaults("a", DRIVER, "filters", {"archived": True})
    assert saved.heirs == {"filters": (1, 2)}
    assert saved.pages["filters"] == (Filters(), Filters(archived=True))
    form, origin = await house.origin(1)
    assert form == Filters(archived=True)
    assert origin == {"statuses": "driver", "archived": "default", "above": "driver"}
    shown = (await house.service.defaults("a", DRIVER))["filters"]
    assert (shown.values["archived"], shown.origin["archived"], shown.can_inherit, shown.version) == (
        True, "default", False, 1,
    )  # fmt: skip
    assert (await house.service.effective("b", DRIVER, 3))["filters"] == Filters()
    with pytest.raises(errors.Conflict):
        await house.service.set_defaults("a", DRIVER, "filters", {"archived": False}, version=0)


async def test_own_values_begin_as_a_copy_and_the_default_never_shines_through(house: House) -> None:
    """Switching off copies the default; what the default becomes later does not reach the page any more."""
    await house.service.set_defaults("a", DRIVER, "filters", {"archived": True})
    assert await house.save(1, {}, inherits={"filters": False}) == {}
    form, origin = await house.origin(1)
    assert form == Filters(archived=True)
    assert origin == {"statuses": "driver", "archived": "own", "above": "driver"}
    await house.service.set_defaults("a", DRIVER, "filters", {"archived": False, "above": 9, "statuses": [1]})
    assert (await house.origin(1))[0] == Filters(archived=True)
    assert (await house.origin(2))[0] == Filters(archived=False, above=9, statuses=frozenset({1}))
    assert (await house.service.set_defaults("a", DRIVER, "filters", {"above": 10})).heirs == {"filters": (2,)}


async def test_applying_the_default_again_forgets_own_values(house: House) -> None:
    """Switching on brings the default back, ignores what is typed beside it, and own values are gone for good."""
    await house.save(1, {"filters": {"archived": True}})
    moved = await house.save(1, {"filters": {"above": 5, "nonsense": 1}}, inherits={"filters": True})
    assert moved["filters"] == (Filters(archived=True), Filters())
    await house.save(1, {}, inherits={"filters": False})
    assert (await house.origin(1))[0] == Filters()


async def test_only_what_was_set_is_own(house: House) -> None:
    """Own values hold what was set, also to nothing; the rest is the driver's, and can become it again."""
    await house.save(1, {"filters": {"statuses": [], "above": None}})
    assert (await house.own(1, "filters")).own == {"statuses": [], "above": None}
    form, origin = await house.origin(1)
    assert form.statuses == frozenset()
    assert origin == {"statuses": "own", "archived": "driver", "above": "own"}
    moved = await house.save(1, {}, unset={"filters": ["statuses"]})
    assert moved["filters"][1].statuses == frozenset({3, 8})
    assert (await house.own(1, "filters")).own == {"above": None}


async def test_saving_tells_which_pages_changed(house: House) -> None:
    """Saving answers with the pages whose values in force changed, and saving the same again changes nothing."""
    moved = await house.save(1, {"filters": {"above": "7"}, "signed": {"url": "u"}})
    assert moved == {"filters": (Filters(), Filters(above=7)), "signed": (Signed(), Signed(url="u"))}
    version = (await house.own(1, "filters")).version
    assert await house.save(1, {"filters": {"above": 7}}) == {}
    assert (await house.own(1, "filters")).version == version


async def test_a_stale_save_is_a_conflict_with_the_difference(house: House) -> None:
    """Who saves over another version is told which fields differ, secrets left out, and nothing is stored."""
    await house.save(1, {"signed": {"url": "u", "key": CANARY}}, versions={"signed": 0})
    with pytest.raises(errors.Conflict) as stale:
        await house.save(1, {"signed": {"url": "v", "key": CANARY + "2"}}, versions={"signed": 0})
    assert stale.value.difference == {"signed.url": ("u", "v"), "signed.key": ({"set": True}, {"set": True})}
    assert CANARY not in str(stale.value)
    assert (await house.own(1, "signed")).own["url"] == "u"
    await house.save(1, {"signed": {"url": "v"}}, versions={"signed": 1})
    with pytest.raises(errors.Conflict):
        await house.store.write(
            lambda tx: rows.put_page(tx, house.vault, "a", "echo", 1, "signed", rows.StoredPage(version=2))
        )


async def test_secrets_of_settings_are_sealed_and_kept(house: House) -> None:
    """A page's secret is sealed, kept when left empty, copied with the default, and forgotten with the page."""
    await house.service.set_defaults("a", DRIVER, "signed", {"url": "u", "key": CANARY})
    await house.save(1, {"signed": {"url": "v", "key": ""}})
    form = (await house.service.effective("a", DRIVER, 1))["signed"]
    assert form == Signed(url="v", key=SecretStr(CANARY))
    assert CANARY not in json.dumps(dict((await house.own(1, "signed")).own))
    page = await house.service.page("a", DRIVER, 1, "signed")
    assert page.values["key"] == {"set": True}
    assert CANARY not in repr(page)
    without = await house.store.read(lambda tx: effective_forms(DRIVER, rows.stored_pages(tx, "a", "echo", 1)))
    assert without["signed"] == Signed(url="v")
    await house.store.write(lambda tx: rows.forget(tx, "a", 1))
    left = await house.store.read(lambda tx: [row.owner_id for row in tx.execute(secret.select())])
    assert left == ["0/echo/signed"]


async def test_what_is_wrong_is_named_by_page_and_field(house: House) -> None:
    """A plan refuses wrong fields at once; what only goes wrong together with what is stored, when it is saved."""
    with pytest.raises(errors.FormInvalid) as refused:
        house.service.plan(DRIVER, {"filters": {"above": "x", "who": 1}, "signed": {"url": "u"}})
    assert set(refused.value.fields) == {"filters.above", "filters.who"}
    with pytest.raises(errors.FormInvalid) as together:
        await house.save(1, {"filters": {"above": 1}, "signed": {"key": CANARY}})
    assert together.value.fields == {"signed.form": "A key needs a URL."}
    assert (await house.origin(1))[0] == Filters()
    await house.save(1, {"signed": {"url": "u"}})
    await house.save(1, {"signed": {"key": CANARY}})
    for wrong in ({"nothing": {}}, {"filters ": {}}):
        with pytest.raises(errors.NotFound):
            house.service.plan(DRIVER, wrong)


async def test_no_settings_is_an_answer(house: House) -> None:
    """A driver without pages, or whose pages are all hidden, answers with the notice."""
    answer = await house.service.pages("a", make(), 1)
    assert (answer.pages, answer.notice) == ((), NOTICE)
    hidden = make(SettingsPage("mapped", "Mapping", Mapped, needs="locations"))
    assert (await house.service.pages("a", hidden, 1)).notice == NOTICE
    assert await house.service.defaults("a", hidden) == {}


async def test_a_page_is_hidden_while_its_list_is_empty(house: House) -> None:
    """A page that needs a list is in the menu only while that list has entries; the order is the declared one."""
    assert [one.name for one in (await house.service.pages("a", DRIVER, 1)).pages] == ["filters", "signed"]
    house.pull(1, "locations", "l1")
    assert [one.name for one in (await house.service.pages("a", DRIVER, 1)).pages] == ["filters", "mapped", "signed"]
    assert [one.name for one in (await house.service.pages("a", DRIVER, 2)).pages] == ["filters", "signed"]


async def test_options_come_from_lists_and_missing_values_stay(house: House) -> None:
    """Options are pulled or the host's, by place; a stored value that is in no list stays and is marked."""
    house.pull(1, "locations", "l1", "l2")
    house.pull(1, "carriers", "dhl")
    await house.save(1, {"mapped": {"stock": {"w1": "l1", "w9": "gone"}, "providers": {"p": {"code": "dhl"}}}})
    page = await house.service.page("a", DRIVER, 1, "mapped")
    assert page.options["stock"] == [
        {"value": "w1", "label": "Main"},
        {"value": "w2", "label": "Side"},
        {"value": "w9", "label": "w9", "missing": True},
    ]
    assert page.options["stock.*"][-1] == {"value": "gone", "label": "gone", "missing": True}
    assert page.options["providers.*.code"] == [{"value": "dhl", "label": "Label dhl"}]
    filters = await house.service.page("a", DRIVER, 1, "filters")
    assert [one["value"] for one in filters.options["statuses"]] == ["3", "8"]
    house.pull(1, "order_statuses", "8", "9")
    filters = await house.service.page("a", DRIVER, 1, "filters")
    assert [(one["value"], "missing" in one) for one in filters.options["statuses"]] == [
        ("8", False), ("9", False), ("3", True),
    ]  # fmt: skip
    default = (await house.service.defaults("a", DRIVER))["filters"]
    assert [one["value"] for one in default.options["statuses"]] == ["8", "9", "3"]
    json.dumps([attrs.asdict(page), attrs.asdict(filters)])


async def test_a_failing_host_list_falls_back_to_its_last_answer(store: Store, house: House, caplog: Any) -> None:
    """A host's list that cannot be had now is what it last was; the page opens all the same."""
    answers = [{"w1": "Main"}]
    failing = House(store, house.vault, {"warehouses": lambda _: answers.pop()})
    for _ in range(2):
        page = await failing.service.page("a", DRIVER, 1, "mapped")
        assert page.options["stock"] == [{"value": "w1", "label": "Main"}]
    assert "host.warehouses" in caplog.text


async def test_what_an_older_driver_stored_is_shown_as_far_as_it_goes(house: House) -> None:
    """A page whose stored values no longer fit still opens, says what does not, and can be saved anew."""
    await house.save(1, {"filters": {"above": 4, "archived": True}})

    class Newer(Settings):
        archived: bool = False
        above: bool = False

    newer = make(SettingsPage("filters", "Order filters", Newer, inherits=True))
    page = await house.service.page("a", newer, 1, "filters")
    assert set(page.trouble) == {"above"}
    assert page.values == {"archived": True, "above": False}
    with pytest.raises(errors.FormInvalid):
        await house.service.effective("a", newer, 1)
    await house.save(1, {"filters": {"above": True}}, newer)
    assert (await house.service.effective("a", newer, 1))["filters"] == Newer(archived=True, above=True)


async def test_other_accounts_and_drivers_are_not_found(house: House) -> None:
    """Settings of another account's connection, or of another driver's, are not found."""
    for owner, driver, connection in (("a", DRIVER, 3), ("b", DRIVER, 1), ("a", attrs.evolve(DRIVER, name="x"), 1)):
        for call in (house.service.pages, house.service.origins):
            with pytest.raises(errors.NotFound):
                await call(owner, driver, connection)
    with pytest.raises(errors.NotFound):
        await house.service.page("a", DRIVER, 1, "nothing")
    with pytest.raises(errors.UsageError):
        await house.service.set_defaults("a", DRIVER, "mapped", {})


async def test_a_conflict_survives_being_carried(house: House) -> None:
    """A conflict keeps its difference when it is copied between processes."""
    import pickle

    carried = pickle.loads(pickle.dumps(errors.Conflict("stale", {"a": (1, 2)})))
    assert (str(carried), carried.difference) == ("stale", {"a": (1, 2)})


def test_places_of_options_are_found_at_any_depth() -> None:
    """Options of fields, keys, elements and sections are found by their dotted place."""
    assert option_places(Mapped) == {
        "providers.*.code": "carriers", "stock": "host.warehouses", "stock.*": "locations",
    }  # fmt: skip
    assert forms.schema(Mapped)["properties"]["stock"]["additionalProperties"]["x-ui"] == {"options": "locations"}
