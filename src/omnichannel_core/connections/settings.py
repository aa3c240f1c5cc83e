"""Settings: a driver's pages, *Apply from default*, what is in force and where each value comes from.

A page that inherits shows the account's default for that driver until it is switched to its own values, which begin as
a copy of the default; from then on the default never shines through. Own values hold only what was set: the rest is
the driver's own default.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import attrs
import pydantic

from omnichannel_core import errors
from omnichannel_core.connections import forms
from omnichannel_core.connections.choices import HOST, HostLists, option_places, options
from omnichannel_core.connections.pages import (
    Change,
    DefaultsSaved,
    Effective,
    Moved,
    Origin,
    PageAnswer,
    PagesAnswer,
    PageTitle,
    Plan,
)  # fmt: skip
from omnichannel_core.connections.parts import HostList
from omnichannel_core.driver import Driver
from omnichannel_core.records import Choice
from omnichannel_core.storage import settings as rows
from omnichannel_core.storage.settings import DEFAULTS, Layers, StoredPage
from omnichannel_core.storage.store import Store, Tx
from omnichannel_core.storage.vault import Vault

if TYPE_CHECKING:
    from omnichannel_core.driver import Settings, SettingsPage

NOTICE = "There are no settings available"


class Needs(Protocol):
    """What of the house's parts is used here."""

    @property
    def store(self) -> Store: ...
    @property
    def vault(self) -> Vault: ...
    @property
    def host_lists(self) -> Mapping[str, HostList]: ...


def effective_forms(driver: Driver, pages: Mapping[str, Layers]) -> dict[str, Settings]:
    """All pages in force, from what `stored_pages` read.

    Raises:
        FormInvalid: stored by an older version of the driver, and no longer valid.
    """
    return {name: _effective(page, pages.get(name, Layers())).form for name, page in driver.pages.items()}


class SettingsService:
    """Reads and writes settings of connections, and the account's defaults of a driver."""

    def __init__(self, parts: Needs) -> None:
        self._store, self._vault, self._hosts = parts.store, parts.vault, HostLists(parts.host_lists)

    # --- in force
    async def effective(self, account: str, driver: Driver, connection_id: int) -> dict[str, Settings]:
        """All pages in force.

        Raises:
            FormInvalid: as for `effective_forms`.
        """
        return await self._store.read(lambda tx: self.effective_in(tx, account, driver, connection_id))

    def effective_in(self, tx: Tx, account: str, driver: Driver, connection_id: int) -> dict[str, Settings]:
        """The same in the caller's transaction."""
        return effective_forms(driver, self._read(tx, account, driver, connection_id))

    async def origins(self, account: str, driver: Driver, connection_id: int) -> dict[str, Effective]:
        """All pages in force, with the origin of each value.

        Raises:
            NotFound: no such connection of that driver in this account. FormInvalid.
        """
        found = await self._store.read(lambda tx: self._seen(tx, account, driver, connection_id))
        return {name: _effective(page, found.get(name, Layers())) for name, page in driver.pages.items()}

    # --- shown
    async def pages(self, account: str, driver: Driver, connection_id: int) -> PagesAnswer:
        """The menu: pages whose list is empty are hidden; none at all is an answer.

        Raises:
            NotFound: no such connection of that driver in this account.
        """
        found = await self._store.read(lambda tx: self._seen(tx, account, driver, connection_id))
        wanted = {page.needs for page in driver.pages.values() if page.needs}
        lists = await self._lists(account, driver, connection_id, wanted)
        shown = [
            PageTitle(name=name, title=page.title, can_inherit=page.inherits and connection_id != DEFAULTS,
                      inherits=_inherits(page, found.get(name, Layers()), connection_id))
            for name, page in driver.pages.items()
            if (not page.needs or lists.get(page.needs)) and (page.inherits or connection_id != DEFAULTS)
        ]  # fmt: skip
        return PagesAnswer(pages=tuple(shown), notice="" if shown else NOTICE)

    async def page(self, account: str, driver: Driver, connection_id: int, name: str) -> PageAnswer:
        """One page. Costs no remote call: options are the lists as last pulled, and the host's.

        Raises:
            NotFound: no such page, or no such connection of that driver in this account.
        """
        page = _page(driver, name)
        found = await self._store.read(lambda tx: self._seen(tx, account, driver, connection_id))
        layers = found.get(name, Layers())
        now, trouble = _tolerant(page, layers, connection_id)
        lists = await self._lists(account, driver, connection_id, set(option_places(page.form).values()))
        return PageAnswer(
            name=name, title=page.title, schema=forms.schema(page.form), values=forms.shown(now.form),
            origin=now.origin, can_inherit=page.inherits and connection_id != DEFAULTS, inherits=now.inherits,
            version=now.version, options=options(now.form, lists), trouble=trouble,
        )  # fmt: skip

    # --- saved
    def plan(
        self, driver: Driver, settings: Mapping[str, Mapping[str, Any]], inherits: Mapping[str, bool] | None = None, *,
        unset: Mapping[str, Collection[str]] | None = None, versions: Mapping[str, int] | None = None,
    ) -> Plan:  # fmt: skip
        """Changes by page, checked as far as that goes without what is stored.

        Raises:
            NotFound: no such page. FormInvalid: fields are named `page.field`.
        """
        inherits, unset, versions = inherits or {}, unset or {}, versions or {}
        pages = dict.fromkeys([*settings, *inherits, *unset])
        wrong: dict[str, str] = {}
        for name in pages:
            typed = settings.get(name)
            if typed is not None and not inherits.get(name):
                wrong |= _wrong(_page(driver, name), typed)
            _page(driver, name)
        if wrong:
            raise errors.FormInvalid(f"The settings are not valid: check {', '.join(wrong)}.", wrong)
        return Plan({
            name: Change(typed=settings.get(name), unset=tuple(unset.get(name, ())), inherits=inherits.get(name),
                         version=versions.get(name))
            for name in pages
        })  # fmt: skip

    def store(self, tx: Tx, account: str, driver: Driver, connection_id: int, plan: Plan) -> Moved:
        """Write a plan in the caller's transaction; the pages whose values in force changed, before and after.

        Raises:
            Conflict: a page was saved meanwhile; with the difference.
            FormInvalid: fields are named `page.field`.
        """
        found = self._read(tx, account, driver, connection_id)
        moved: dict[str, tuple[Settings, Settings]] = {}
        for name, change in plan.pages.items():
            page, layers = _page(driver, name), found.get(name, Layers())
            before = _tolerant(page, layers, connection_id)[0]
            stored = _changed(page, layers, before, change, connection_id)
            if stored is not None:
                rows.put_page(tx, self._vault, account, driver.name, connection_id, name, stored)
                after = _effective(page, attrs.evolve(layers, own=stored), connection_id)
                if after.form != before.form:
                    moved[name] = (before.form, after.form)
        return moved

    # --- the account's defaults
    async def defaults(self, account: str, driver: Driver) -> dict[str, PageAnswer]:
        """The defaults of all pages that can be applied from them."""
        found = await self.pages(account, driver, DEFAULTS)
        return {one.name: await self.page(account, driver, DEFAULTS, one.name) for one in found.pages}

    async def set_defaults(
        self, account: str, driver: Driver, page: str, values: Mapping[str, Any], *, unset: Collection[str] = (),
        version: int | None = None,
    ) -> DefaultsSaved:  # fmt: skip
        """Save the default of a page; connections that apply it have it in force at once.

        Raises:
            NotFound, UsageError (the page has no default), FormInvalid, Conflict.
        """
        plan = self.plan(
            driver, {page: values}, unset={page: unset}, versions=None if version is None else {page: version}
        )
        return await self._store.write(lambda tx: self.store_defaults(tx, account, driver, plan))

    def store_defaults(self, tx: Tx, account: str, driver: Driver, plan: Plan) -> DefaultsSaved:
        """The same in the caller's transaction."""
        for name in plan.pages:
            if not _page(driver, name).inherits:
                raise errors.UsageError(f"The page {name} of {driver.name} has no default: set it on each connection.")
        moved = self.store(tx, account, driver, DEFAULTS, plan)
        return DefaultsSaved(moved, {name: tuple(rows.heirs(tx, account, driver.name, name)) for name in moved})

    # --- parts of it
    def _read(self, tx: Tx, account: str, driver: Driver, connection_id: int) -> dict[str, Layers]:
        return rows.stored_pages(tx, account, driver.name, connection_id, self._vault)

    def _seen(self, tx: Tx, account: str, driver: Driver, connection_id: int) -> dict[str, Layers]:
        if connection_id != DEFAULTS:
            rows.check_connection(tx, account, driver.name, connection_id)
        return self._read(tx, account, driver, connection_id)

    async def _lists(
        self, account: str, driver: Driver, connection_id: int, names: Collection[str]
    ) -> Mapping[str, Mapping[str, Choice]]:
        pulled = [name for name in names if not name.startswith(HOST)]
        kept = await self._hosts.get(account, [name for name in names if name.startswith(HOST)])
        if not pulled:
            return kept
        found = await self._store.read(lambda tx: rows.pulled_lists(tx, account, driver.name, connection_id, pulled))
        return {**kept, **found}


def _page(driver: Driver, name: str) -> SettingsPage:
    found = driver.pages.get(name)
    if found is None:
        raise errors.NotFound(
            f"{driver.name} has no settings page {name!r}; it has {', '.join(driver.pages) or 'none'}."
        )
    return found


def _inherits(page: SettingsPage, layers: Layers, connection_id: int) -> bool:
    return page.inherits and connection_id != DEFAULTS and (layers.own is None or layers.own.inherits)


def _effective(page: SettingsPage, layers: Layers, connection_id: int = -1) -> Effective:
    inherits = _inherits(page, layers, connection_id)
    source = layers.default if inherits else layers.own
    form = page.form() if source is None else forms.restore(page.form, source.own, source.secrets)
    return _told(form, layers, inherits, connection_id)


def _told(form: Settings, layers: Layers, inherits: bool, connection_id: int) -> Effective:
    whose: Origin = "default" if inherits or connection_id == DEFAULTS else "own"
    origin: dict[str, Origin] = {
        name: whose if name in form.model_fields_set else "driver" for name in type(form).model_fields
    }
    return Effective(form=form, origin=origin, inherits=inherits, version=layers.own.version if layers.own else 0)


def _tolerant(page: SettingsPage, layers: Layers, connection_id: int) -> tuple[Effective, dict[str, str]]:
    """As far as this version of the driver takes what is stored; what it does not take is left out and told."""
    trouble: dict[str, str] = {}
    while True:
        try:
            return _effective(page, layers, connection_id), trouble
        except errors.FormInvalid as refused:
            gone = {field.partition(".")[0] for field in refused.fields}
            fewer = Layers(_without(layers.own, gone), _without(layers.default, gone))
            trouble |= refused.fields
            if fewer == layers:  # nothing can be named: the driver's defaults
                inherits = _inherits(page, layers, connection_id)
                return _told(page.form(), layers, inherits, connection_id), trouble
            layers = fewer


def _without(stored: StoredPage | None, fields: Collection[str]) -> StoredPage | None:
    if stored is None:
        return None
    return attrs.evolve(stored, own={name: one for name, one in stored.own.items() if name not in fields})


def _changed(
    page: SettingsPage, layers: Layers, before: Effective, change: Change, connection_id: int
) -> StoredPage | None:
    """The page's new row; None when the change changes nothing."""
    inherits = bool(change.inherits) and page.inherits and connection_id != DEFAULTS
    if change.inherits is None and change.typed is None and not change.unset:
        inherits = before.inherits
    new = None if inherits else _typed_over(page, before.form, change)
    if change.version is not None and change.version != before.version:
        raise _stale(page, before.form, new)
    if inherits == before.inherits and (new is None or _alike(new, before.form)):
        return None
    plain, hidden = ({}, {}) if new is None else forms.plain_and_secrets(new)
    sealed = {path: pydantic.SecretStr(text) for path, text in hidden.items()}
    return StoredPage(own=plain, secrets=sealed, inherits=inherits, version=before.version + 1)


def _alike(new: Settings, old: Settings) -> bool:
    return new == old and new.model_fields_set == old.model_fields_set


def _typed_over(page: SettingsPage, now: Settings, change: Change) -> Settings:
    """What is set already (of a page that inherited: the default's copy), less what is unset, and what was typed."""
    kept = {name: getattr(now, name) for name in now.model_fields_set if name not in change.unset}
    base = page.form.model_construct(_fields_set=set(kept), **kept)
    try:
        return forms.validate(page.form, {**kept, **(change.typed or {})}, stored=base, editing=False)
    except errors.FormInvalid as refused:
        fields = {f"{page.name}.{field}": said for field, said in refused.fields.items()}
        raise errors.FormInvalid(f"{page.title}: check {', '.join(refused.fields)}.", fields) from None


def _stale(page: SettingsPage, now: Settings, new: Settings | None) -> errors.Conflict:
    there, typed = forms.shown(now), {} if new is None else forms.shown(new)
    difference = {
        f"{page.name}.{name}": (there[name], typed[name]) for name in typed if getattr(now, name) != getattr(new, name)
    }
    what = f"; what you typed differs in {', '.join(difference)}" if difference else ""
    return errors.Conflict(f"{page.title} has been saved by somebody else meanwhile{what}. Load it again.", difference)


def _wrong(page: SettingsPage, typed: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with typed fields whatever is stored; what may be missing, or wrong together, is seen later."""
    try:
        forms.validate(page.form, typed)
    except errors.FormInvalid as refused:
        return {
            f"{page.name}.{field}": said
            for field, said in refused.fields.items()
            if field != "form" and said != forms.MISSING
        }
    return {}
