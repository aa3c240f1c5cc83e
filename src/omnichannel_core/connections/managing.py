"""Managing: create, show, rename, edit."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import anyio
import attrs

from omnichannel_core import errors
from omnichannel_core.connections import checking, forms, synchronizing
from omnichannel_core.connections.authorizing import Authorizing, Brought
from omnichannel_core.connections.pages import DefaultsSaved, Plan
from omnichannel_core.connections.parts import Parts
from omnichannel_core.connections.sessions import Sessions, Work
from omnichannel_core.connections.settings import SettingsService
from omnichannel_core.connections.switching import Switching
from omnichannel_core.connections.widening import widen
from omnichannel_core.driver import Checkup, Driver, Token
from omnichannel_core.model.connection import Connection, clean_name
from omnichannel_core.model.lifecycle import Health, Move, Status, move
from omnichannel_core.model.process import Process
from omnichannel_core.records import Record
from omnichannel_core.storage import audits, bodies, drafts
from omnichannel_core.storage.connections import Connections, Kept
from omnichannel_core.storage.grants import Grants, StoredToken
from omnichannel_core.storage.numbers import next_number
from omnichannel_core.storage.schedules import Schedules
from omnichannel_core.storage.store import Tx

if TYPE_CHECKING:
    from omnichannel_core.driver import Credentials


@attrs.frozen
class Saved:
    """What SAVE did: the connection, and the sync it triggered (None: nothing to synchronize)."""

    connection: Connection
    process: Process | None = None


@attrs.define
class Managing:
    """What a person types and saves."""

    parts: Parts
    sessions: Sessions
    settings: SettingsService
    authorizing: Authorizing
    switching: Switching

    # --- show
    async def get(self, account: str, connection_id: int) -> Connection:
        """One.

        Raises:
            NotFound: not in this account.
        """
        return (await self.parts.store.read(lambda tx: Connections(tx, account).get(connection_id))).seen

    async def list(self, account: str) -> Sequence[Connection]:
        """All of an account, by id; for many, filtered or sorted, see the listing."""
        kept = await self.parts.store.read(lambda tx: Connections(tx, account).all())
        return [one.seen for one in kept]

    async def credentials(self, account: str, connection_id: int) -> Mapping[str, Any]:
        """The credentials form for eyes: secrets only say whether they are set."""
        async with self.sessions.open(account, connection_id) as work:
            return forms.shown(work.session[work.driver.credentials])

    # --- create
    async def create(
        self, account: str, driver: str, name: str, credentials: Mapping[str, Any] | None = None, *,
        settings: Mapping[str, Mapping[str, Any]] | None = None, draft: int | None = None, actor: str = "",
        made_for: Record | None = None,
    ) -> Saved:  # fmt: skip
        """SAVE of a new connection: checked first; a check that fails leaves nothing but the draft it came from.

        Args:
            credentials: what was typed, by field name; with a draft, over what the draft holds.
            settings: own values by page, where they differ from the defaults.
            draft: of AUTHORIZE, or of an install that began at the marketplace; its id becomes the connection's.
            made_for: the thing of the host a driver without a form makes connections for (a store).

        Raises:
            FormInvalid, NotAdmitted, errors a driver may raise (CredentialsRejected...), NotFound (draft over).
        """
        clean = clean_name(name)
        declared = await self.sessions.driver(account, driver)
        _fits(declared, made_for)
        brought = await self.authorizing.brought(account, declared, draft, actor)
        form = forms.validate(declared.credentials, {**brought.typed, **(credentials or {})}, brought=brought.typed)
        plan = self.settings.plan(declared, settings or {})
        connection_id = (
            draft if draft is not None else await self.parts.store.write(lambda tx: next_number(tx, "connection"))
        )
        async with self.sessions.draft(
            account, declared, connection_id, form, token=brought.token, name=clean, subject=made_for
        ) as work:
            found, brought = await self._check(work, brought)
        checking.same_person(form, found)
        seen = Connection(
            id=connection_id, account=account, driver=driver, name=clean, status=Status.ACTIVE,
            remote_account=form.remote_account() or found.account, channel=form.channel(),
            created_at=self.parts.clock.now(),
        )  # fmt: skip
        seen = checking.with_checkup(seen, found, self.parts.clock.now())

        def write(tx: Tx) -> Process | None:
            self._insert(tx, declared, seen, form, brought, made_for)
            self.settings.store(tx, account, declared, connection_id, plan)
            audits.note(tx, account, self.parts.clock.now(), "connection created", str(connection_id), actor=actor)
            if declared.pulls:
                return synchronizing.submit(tx, self.parts, account, connection_id, initial=True)
            return None

        process = await self.parts.store.write(write)
        self.parts.queue.nudge()
        await self.parts.events.tell("connection_created", connection=seen)
        await self.switching.subscribe(seen)
        return Saved(seen, process)

    async def _check(self, work: Work, brought: Brought) -> tuple[Checkup, Brought]:
        """What the remote says, and what a draft holds after it: a token renewed on the way is not lost."""
        try:
            found = await checking.run(work)
        finally:
            if work.carried is not None and work.carried is not brought.token:
                brought = attrs.evolve(brought, token=work.carried)
                with anyio.CancelScope(shield=True):
                    await self.authorizing.keep_token(brought)
        return found, brought

    def _insert(
        self, tx: Tx, driver: Driver, seen: Connection, form: Credentials, brought: Brought, made_for: Record | None
    ) -> None:
        plain, hidden = forms.plain_and_secrets(form)
        grants = Grants(tx, seen.account, self.parts.vault)
        grant = grants.ensure(
            driver.name, seen.remote_account or f"connection/{seen.id}", forms.proof(form, self.parts.vault.pepper)
        )
        _used_up(tx, brought)
        if brought.token is not None:
            grants.put(grant, "access", _stored(brought.token, granted=self.parts.clock.now()))
        self.sessions.tokens.forget(grant)
        subject = f"{type(made_for).__name__}:{bodies.encode(made_for).decode()}" if made_for else ""
        Connections(tx, seen.account).add(
            Kept(seen=seen, credentials=plain, grant=grant, subject=subject, callback_key=secrets.token_urlsafe(24),
                 fence=0, arrived_at=self.parts.clock.now())
        )  # fmt: skip
        self.parts.vault.put(tx, seen.account, "connection", seen.id, hidden)
        schedules = Schedules(tx, seen.account)
        for stream in driver.pulls.values():
            schedules.set(
                seen.id, stream.name, synchronizing.default_minutes(stream), self.parts.clock.now(), own=False
            )

    # --- edit
    async def rename(self, account: str, connection_id: int, name: str) -> Connection:
        """A name alone neither checks nor syncs, and needs no driver."""
        return (await self.edit(account, connection_id, name=name)).connection

    async def edit(
        self, account: str, connection_id: int, *, name: str | None = None,
        credentials: Mapping[str, Any] | None = None, settings: Mapping[str, Mapping[str, Any]] | None = None,
        inherits: Mapping[str, bool] | None = None,
        version: int | None = None, versions: Mapping[str, int] | None = None, draft: int | None = None,
        move_account: bool = False, actor: str = "",
    ) -> Saved:  # fmt: skip
        """SAVE of an edit: name, credentials and settings, all or nothing.

        Args:
            credentials: the whole form; an empty secret keeps the stored one.
            settings: own values by page. inherits: *Apply from default* by page.
            version: the connection's, as it was when the form was opened; None is not compared.
            versions: the same by settings page; the difference is in the Conflict.
            draft: of an AUTHORIZE for this connection.
            move_account: allow credentials of another remote account.

        Raises:
            NotFound, MoveNotAllowed, FormInvalid, Conflict (stale), RemoteAccountChanged, NotAdmitted,
            errors a driver may raise.
        """
        kept = await self._kept(account, connection_id)
        if version is not None and version != kept.seen.version:
            raise errors.Conflict(f"Connection {connection_id} has changed meanwhile: load it again.")
        seen = attrs.evolve(kept.seen, name=kept.seen.name if name is None else clean_name(name))
        if credentials is None and not settings and not inherits and draft is None:
            move(connection_id, kept.seen.status, Move.RENAME)
            return await self._save(account, kept, seen, [], actor)
        move(connection_id, kept.seen.status, Move.EDIT)
        driver = await self.sessions.driver(account, seen.driver)
        brought = await self.authorizing.brought(account, driver, draft, actor, connection_id)
        typed = None if credentials is None and draft is None else {**brought.typed, **(credentials or {})}
        plan = self.settings.plan(driver, settings or {}, inherits or {}, versions=versions)
        return await self._edit(account, kept, seen, driver, typed, brought, plan, move_account, actor)

    async def arrived(self, account: str, connection_id: int, fields: Mapping[str, Any], token: Token | None) -> Saved:
        """The marketplace brought new credentials or a new token of the same account: in force after a check.

        Raises:
            as for `edit`.
        """
        kept = await self._kept(account, connection_id)
        move(connection_id, kept.seen.status, Move.EDIT)
        driver = await self.sessions.driver(account, kept.seen.driver)
        typed = {**kept_values(driver, kept), **fields}
        brought = Brought(typed=typed, token=token)
        return await self._edit(
            account, kept, kept.seen, driver, typed, brought, Plan({}), move_account=False, actor="marketplace"
        )

    async def _kept(self, account: str, connection_id: int) -> Kept:
        return await self.parts.store.read(lambda tx: Connections(tx, account).get(connection_id))

    async def _edit(
        self, account: str, kept: Kept, seen: Connection, driver: Driver, typed: Mapping[str, Any] | None,
        brought: Brought, plan: Plan, move_account: bool, actor: str,
    ) -> Saved:  # fmt: skip
        form, found = None, None
        if typed is not None:
            form, found, brought = await self._checked(account, kept, driver, typed, brought)
            seen = checking.same_account(seen, form, found, move_account)
        elif plan.pages:
            async with self.sessions.open(account, seen.id) as work:
                found = await checking.run(work)
        if found is not None:
            seen = checking.with_checkup(seen, found, self.parts.clock.now())
        changed = [what for what, there in (("credentials", form), ("settings", plan.pages)) if there]

        def write(tx: Tx) -> None:
            if form is not None:
                self._replace_credentials(tx, account, seen, kept.grant, driver, form, brought)
            widen(tx, account, driver, seen.id, self.settings.store(tx, account, driver, seen.id, plan))

        return await self._save(account, kept, seen, changed, actor, write, form)

    async def _checked(
        self, account: str, kept: Kept, driver: Driver, typed: Mapping[str, Any], brought: Brought
    ) -> tuple[Credentials, Checkup, Brought]:
        """The new credentials, after the remote accepted them."""
        sealed = await self.parts.store.read(lambda tx: self.parts.vault.get(tx, account, "connection", kept.seen.id))
        stored: Credentials | None
        try:
            stored = forms.restore(driver.credentials, kept.credentials, sealed)
        except errors.FormInvalid:
            stored = None  # of an older driver: everything is typed anew
        form = forms.validate(driver.credentials, typed, stored=stored, brought=brought.typed)
        pepper = self.parts.vault.pepper
        same = stored is not None and form.remote_account() == stored.remote_account()
        if brought.token is None and stored and same and forms.proof(form, pepper) == forms.proof(stored, pepper):
            async with self.sessions.open(account, kept.seen.id) as work:
                work.session.forms[driver.credentials] = form
                return form, await checking.run(work), brought
        token = brought.token
        async with self.sessions.draft(account, driver, kept.seen.id, form, token=token, name=kept.seen.name) as work:
            found, brought = await self._check(work, brought)
            return form, found, brought

    def _replace_credentials(
        self, tx: Tx, account: str, seen: Connection, was: int, driver: Driver, form: Credentials, brought: Brought
    ) -> None:
        _used_up(tx, brought)
        plain, hidden = forms.plain_and_secrets(form)
        grants = Grants(tx, account, self.parts.vault)
        grant = grants.ensure(
            driver.name,
            seen.remote_account or f"connection/{seen.id}",
            forms.proof(form, self.parts.vault.pepper),
        )
        if brought.token is not None:
            grants.put(grant, "access", _stored(brought.token, granted=self.parts.clock.now()))
        mine = Connections(tx, account)
        now = self.parts.clock.now()  # what is told later of an uninstall before this is over
        mine.replace(attrs.evolve(mine.get(seen.id), credentials=plain, grant=grant, arrived_at=now))
        self.parts.vault.drop(tx, account, "connection", seen.id)
        self.parts.vault.put(tx, account, "connection", seen.id, hidden)
        if grant != was:
            grants.sweep(was)
        self.sessions.tokens.forget(grant)
        if seen.calls_trouble:  # these may have what was missing
            mine.subscribe_again(seen.id, self.parts.clock.now())

    async def _save(
        self, account: str, kept: Kept, seen: Connection, changed: Sequence[str], actor: str, also: Any = None,
        form: Credentials | None = None,
    ) -> Saved:  # fmt: skip
        seen = attrs.evolve(seen, version=kept.seen.version + 1)

        def write(tx: Tx) -> tuple[Connection, Process | None]:
            if also is not None:
                also(tx)
            mine = Connections(tx, account)
            now = mine.get(seen.id)
            wanted = attrs.evolve(seen, status=now.seen.status)
            if not changed or now.seen.health is Health.SUSPENDED:  # a name alone says nothing about health
                wanted = attrs.evolve(wanted, health=now.seen.health, health_reason=now.seen.health_reason)
            mine.replace(attrs.evolve(now, seen=wanted), was=kept.seen.version)
            audits.note(tx, account, self.parts.clock.now(), "connection edited", str(seen.id), actor=actor,
                        detail={"changed": list(changed) or ["name"]})  # fmt: skip
            if changed and wanted.status is Status.ACTIVE:
                return wanted, synchronizing.submit(tx, self.parts, account, seen.id)
            return wanted, None

        saved, process = await self.parts.store.write(write)
        if form is not None:
            await self.sessions.forget(seen.id)
        self.parts.queue.nudge()
        await self.parts.events.tell("connection_edited", connection=saved, changed=list(changed) or ["name"])
        return Saved(saved, process)

    async def set_defaults(
        self, account: str, driver: str, page: str, values: Mapping[str, Any], *, unset: Sequence[str] = (),
        version: int | None = None,
    ) -> DefaultsSaved:  # fmt: skip
        """The account's default of a page; connections that apply it have it at once, and are synchronized.

        Raises:
            NotAdmitted, UsageError (the page has no default), FormInvalid, Conflict.
        """
        declared = await self.sessions.driver(account, driver)
        versions = None if version is None else {page: version}
        plan = self.settings.plan(declared, {page: values}, unset={page: unset}, versions=versions)

        def write(tx: Tx) -> DefaultsSaved:
            saved = self.settings.store_defaults(tx, account, declared, plan)
            for heir in saved.heirs.get(page, ()) if saved.pages else ():
                widen(tx, account, declared, heir, saved.pages)
                if Connections(tx, account).get(heir).seen.status is Status.ACTIVE:
                    synchronizing.submit(tx, self.parts, account, heir)
            return saved

        saved = await self.parts.store.write(write)
        self.parts.queue.nudge()
        return saved


def _stored(token: Token, *, granted: Any) -> StoredToken:
    return StoredToken(
        value=token.value,
        refresh=token.refresh,
        expires=token.expires,
        scopes=token.scopes,
        granted=granted,
        renewed=granted,
    )


def _fits(driver: Driver, made_for: Record | None) -> None:
    """A driver made for a thing of the host gets one; no other driver does."""
    wanted = driver.flow.made_for
    if wanted is not None and not isinstance(made_for, wanted):
        raise errors.UsageError(
            f"Connections of {driver.name} are made for a {wanted.__name__}, not by a form: add a store instead."
        )
    if wanted is None and made_for is not None:
        raise errors.UsageError(f"Connections of {driver.name} are made by a form, not for a thing of the host.")


def _used_up(tx: Tx, brought: Brought) -> None:
    """A draft is saved once.

    Raises:
        NotFound: it was saved or discarded meanwhile.
    """
    if brought.draft is not None and not drafts.remove(tx, brought.draft):
        raise errors.NotFound(f"There is no draft {brought.draft.id} any more: begin again.")


def kept_values(driver: Driver, kept: Kept) -> Mapping[str, Any]:
    """What is stored and not secret, as a person would leave it in the form."""
    fields = driver.credentials.model_fields
    return {name: value for name, value in kept.credentials.items() if name in fields and not isinstance(value, dict)}
