"""Authorizing: out to the marketplace and back into the same filled form; drafts hold what is on the way, sealed."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pydantic

from omnichannel_core import errors
from omnichannel_core.connections import checking, forms
from omnichannel_core.connections.parts import Parts
from omnichannel_core.connections.sessions import Sessions
from omnichannel_core.driver import Call, Driver, Grant, Token, Trip
from omnichannel_core.model.grant import DRAFT_LIFE, Draft
from omnichannel_core.model.lifecycle import Move, move
from omnichannel_core.storage import drafts
from omnichannel_core.storage.connections import Connections
from omnichannel_core.storage.numbers import next_number
from omnichannel_core.storage.store import Tx

if TYPE_CHECKING:
    from omnichannel_core.driver import Credentials

STATE_LIFE = timedelta(minutes=10)


@attrs.frozen
class Begun:
    """AUTHORIZE was pressed: send the browser to `url`; `draft` is the form it comes back to."""

    draft: int
    url: str


@attrs.frozen(kw_only=True)
class DraftForm:
    """An unfinished form for eyes: secrets only say whether they are set."""

    id: int
    driver: str
    name: str
    connection: int | None
    values: Mapping[str, Any]
    authorized: bool
    expires_at: datetime


@attrs.frozen(kw_only=True)
class Unfinished:
    """A form that somebody left: open it again by its id. `connection`: the one it re-authorizes; None is a create."""

    id: int
    driver: str
    name: str
    connection: int | None
    began_at: datetime
    expires_at: datetime


@attrs.frozen
class Returned:
    """The browser is back: the same form, and why it did not work where it did not."""

    form: DraftForm
    error: errors.OmnichannelError | None = None


@attrs.frozen
class Brought:
    """What a draft holds for a SAVE."""

    typed: Mapping[str, Any] = attrs.field(factory=dict, repr=False)
    token: Token | None = None
    draft: Draft | None = None


@attrs.define
class Authorizing:
    """Drafts, and the trips that fill them."""

    parts: Parts
    sessions: Sessions

    # --- out and back
    async def begin(
        self, account: str, driver: str, typed: Mapping[str, Any], *, return_url: str, actor: str = "", name: str = "",
        connection: int | None = None, draft: int | None = None,
    ) -> Begun:  # fmt: skip
        """AUTHORIZE: keep the form as typed, and tell where the browser goes.

        Args:
            return_url: the host's own, exact; registered with the marketplace.
            connection: re-authorize this one. draft: an earlier draft of the same form.

        Raises:
            FormInvalid: names the field AUTHORIZE needs. NotFound, MoveNotAllowed, NotAdmitted, UsageError.
        """
        declared = await self.sessions.driver(account, driver)
        if declared.flow.begin is None:
            raise errors.UsageError(f"Driver {driver!r} has no AUTHORIZE: type the credentials and save.")
        stored = await self._stored(account, declared, connection)
        before = await self.brought(account, declared, draft, actor, connection)
        form = forms.validate(declared.credentials, {**before.typed, **typed}, stored=stored, brought=before.typed)
        state = secrets.token_urlsafe(32)
        one = await self._new(account, driver, actor, connection, name, before.draft, form, return_url)
        trip = Trip(state=state, return_url=return_url, context=one.context)
        from omnichannel_core.remote.targets import stand_in  # the HTTP client's door: opened with the first connection

        begin = declared.flow.begin
        async with self.sessions.draft(account, declared, one.id, form) as work:
            url = await checking.asked("AUTHORIZE", lambda: begin(work.session, trip))
        plain = forms.plain_values(form)
        same = before.token if plain == dict(before.typed) else None  # another form's token is not this one's
        await self.parts.store.write(lambda tx: self._put(tx, one, plain, same, _hash(state)))
        return Begun(one.id, stand_in(url, self.parts.endpoints.get(driver, "")))

    async def finish(self, call: Call, *, account: str, actor: str = "", driver: str = "") -> Returned:
        """The browser is back at the return URL; `call.query` has the state.

        Args:
            driver: whose address it came to, where each driver has its own (RFC 9700 4.4.2.2); '' is not compared.

        Raises:
            AuthorizationDenied: the state is unknown, used, or another account's, user's or driver's. One of your own
                that is late brings the form back, with the reason.
        """
        now, state = self.parts.clock.now(), call.query.get("state", "")
        draft = await self.parts.store.write(lambda tx: drafts.take_state(tx, _hash(state), now))
        asked = (account, actor, driver or (draft.driver if draft else ""))
        foreign = draft is not None and (draft.account, draft.actor, draft.driver) != asked
        if draft is None or foreign:
            raise errors.AuthorizationDenied(
                "This answer belongs to no open AUTHORIZE of yours: press AUTHORIZE again."
            )
        declared = await self.sessions.driver(account, draft.driver)
        brought = await self.brought(account, declared, draft.id, actor, draft.connection)
        form = forms.validate(declared.credentials, brought.typed, brought=brought.typed)
        if _late(draft, now):
            late = errors.AuthorizationDenied("This answer came too late: press AUTHORIZE again.")
            return Returned(self._shown(draft, declared, form, brought.token), late)
        trip = Trip(state=state, return_url=draft.context.get("return_url", ""), context=draft.context)
        try:
            grant = await self._finish(account, declared, draft, form, trip, call)
        except errors.OmnichannelError as trouble:
            return Returned(self._shown(draft, declared, form, brought.token), trouble)
        filled, token = grant.credentials or form, grant.token or brought.token
        await self.parts.store.write(lambda tx: self._put(tx, draft, forms.plain_values(filled), token, ""))
        return Returned(self._shown(draft, declared, filled, token))

    async def _finish(
        self, account: str, driver: Driver, draft: Draft, form: Credentials, trip: Trip, call: Call
    ) -> Grant:
        finish = driver.flow.finish
        if finish is None:
            raise errors.ContractBroken(f"Driver {driver.name} begins an authorization and has no way to finish it.")
        async with self.sessions.draft(account, driver, draft.id, form) as work:
            for name, brought in call.query.items():  # codes
                if name not in driver.flow.plain:
                    work.client.redactor.add(brought)
            grant = await checking.asked("AUTHORIZE", lambda: finish(work.session, trip, call))
        filled = grant.credentials if isinstance(grant, Grant) else grant
        if not isinstance(grant, Grant) or not (filled is None or isinstance(filled, driver.credentials)):
            raise errors.ContractBroken(f"Driver {driver.name} brought home something else than a Grant.")
        return grant

    # --- drafts
    async def arrived(self, driver: str, remote_account: str, fields: Mapping[str, Any], token: Token | None,
                      context: Mapping[str, str]) -> tuple[int, str]:  # fmt: skip
        """The marketplace began: kept sealed, bound to nobody, until a signed-in user confirms.

        Shape of the answer: (the draft's id, the claim that only this browser is given).
        """
        now, claim = self.parts.clock.now(), secrets.token_urlsafe(32)

        def write(tx: Tx) -> int:
            one = Draft(
                id=next_number(tx, "connection"), account=None, driver=driver, context=dict(context),
                remote_account=remote_account, created_at=now, expires_at=now + DRAFT_LIFE,
            )  # fmt: skip
            self._put(tx, one, dict(fields), token, _hash(f"claim/{claim}"))
            return one.id

        return await self.parts.store.write(write), claim

    async def confirm(self, account: str, draft: int, *, claim: str, actor: str = "") -> DraftForm:
        """A signed-in user says: this is ours. Only now the draft has an account.

        Args:
            claim: what `receive` told the browser that came from the marketplace; ids can be guessed, claims cannot.

        Raises:
            NotFound: no such unconfirmed draft. NotAdmitted: the driver is not available in this account.
        """
        now, proof = self.parts.clock.now(), _hash(f"claim/{claim}")
        one = await self.parts.store.read(lambda tx: drafts.unconfirmed(tx, draft, proof, now))
        driver = await self.sessions.driver(account, one.driver)

        def write(tx: Tx) -> tuple[Draft, dict[str, pydantic.SecretStr]]:
            mine = attrs.evolve(drafts.unconfirmed(tx, draft, proof, now), account=account, actor=actor)
            held = self.parts.vault.get(tx, "", "draft", draft)
            self.parts.vault.drop(tx, "", "draft", draft)
            drafts.put(tx, mine)
            self.parts.vault.put(tx, account, "draft", draft, {k: v.get_secret_value() for k, v in held.items()})
            return mine, held

        mine, held = await self.parts.store.write(write)
        return self._view(mine, driver, json.loads(held["typed"].get_secret_value()), "token" in held)

    async def show(self, account: str, draft: int, *, actor: str = "") -> DraftForm:
        """The form as it was typed and filled.

        Raises:
            NotFound: over, somebody else's, or never there.
        """
        one = await self.parts.store.read(lambda tx: drafts.get(tx, account, draft, self.parts.clock.now()))
        driver = await self.sessions.driver(account, one.driver)
        brought = await self.brought(account, driver, draft, actor, one.connection)
        return self._view(one, driver, brought.typed, brought.token is not None)

    async def unfinished(self, account: str, *, actor: str = "") -> Sequence[Unfinished]:
        """This user's forms that AUTHORIZE or an install kept and nobody saved or rejected, the newest first."""
        now = self.parts.clock.now()
        found = await self.parts.store.read(lambda tx: drafts.unfinished(tx, account, actor, now))
        return [
            Unfinished(
                id=one.id, driver=one.driver, name=one.name, connection=one.connection, began_at=one.created_at,
                expires_at=one.expires_at,
            )
            for one in found
        ]  # fmt: skip

    async def discard(self, account: str, draft: int, *, actor: str = "") -> None:
        """Back: all is rejected, the token included.

        Raises:
            NotFound: over, somebody else's, or never there.
        """

        def write(tx: Tx) -> None:
            one = drafts.get(tx, account, draft, self.parts.clock.now())
            if one.actor != actor:
                raise errors.NotFound(f"There is no draft {draft} any more: begin again.")
            drafts.remove(tx, one)

        await self.parts.store.write(write)

    async def keep_token(self, brought: Brought) -> None:
        """A draft's token was renewed on the way: the new one, where the draft is still there."""
        one, token = brought.draft, brought.token
        if one is None or token is None:
            return

        def write(tx: Tx) -> None:
            if drafts.there(tx, one):
                held = {"token": json.dumps(_token_as(token))}
                self.parts.vault.put(tx, one.account or "", "draft", one.id, held)

        await self.parts.store.write(write)

    async def sweep(self) -> int:
        """Drafts that are over; how many."""
        return await self.parts.store.write(lambda tx: drafts.sweep(tx, self.parts.clock.now()))

    async def brought(
        self, account: str, driver: Driver, draft: int | None, actor: str, connection: int | None = None
    ) -> Brought:
        """What a draft holds.

        Raises:
            NotFound: over, another user's, another driver's or another connection's.
        """
        if draft is None:
            return Brought()

        def read(tx: Tx) -> tuple[Draft, dict[str, pydantic.SecretStr]]:
            one = drafts.get(tx, account, draft, self.parts.clock.now())
            return one, self.parts.vault.get(tx, account, "draft", draft)

        one, held = await self.parts.store.read(read)
        if one.actor != actor or one.driver != driver.name or one.connection != connection:
            raise errors.NotFound(f"There is no draft {draft} any more: begin again.")
        token = _token_of(json.loads(held["token"].get_secret_value())) if "token" in held else None
        return Brought(json.loads(held["typed"].get_secret_value()), token, one)

    async def _stored(self, account: str, driver: Driver, connection: int | None) -> Credentials | None:
        if connection is None:
            return None
        kept = await self.parts.store.read(lambda tx: Connections(tx, account).get(connection))
        move(connection, kept.seen.status, Move.AUTHORIZE)
        sealed = await self.parts.store.read(lambda tx: self.parts.vault.get(tx, account, "connection", connection))
        return forms.restore(driver.credentials, kept.credentials, sealed)

    async def _new(
        self, account: str, driver: str, actor: str, connection: int | None, name: str, before: Draft | None,
        form: Credentials, return_url: str,
    ) -> Draft:  # fmt: skip
        now = self.parts.clock.now()
        number = before.id if before else await self.parts.store.write(lambda tx: next_number(tx, "connection"))
        context = {**(before.context if before else {}), "return_url": return_url,
                   "state_until": (now + STATE_LIFE).isoformat()}  # fmt: skip
        name = name or (before.name if before else "")
        return Draft(
            id=number, account=account, driver=driver, actor=actor, connection=connection, name=name, context=context,
            remote_account=form.remote_account(), created_at=now, expires_at=now + DRAFT_LIFE,
        )  # fmt: skip

    def _put(self, tx: Tx, one: Draft, typed: Mapping[str, Any], token: Token | None, state_hash: str) -> None:
        drafts.put(tx, one, state_hash)
        held = {"typed": json.dumps(forms.revealed(typed))}
        self.parts.vault.drop(tx, one.account or "", "draft", one.id)
        if token is not None:
            held["token"] = json.dumps(_token_as(token))
        self.parts.vault.put(tx, one.account or "", "draft", one.id, held)

    def _shown(self, draft: Draft, driver: Driver, form: Credentials, token: Token | None) -> DraftForm:
        return self._view(draft, driver, forms.plain_values(form), token is not None)

    def _view(self, draft: Draft, driver: Driver, typed: Mapping[str, Any], authorized: bool) -> DraftForm:
        return DraftForm(
            id=draft.id, driver=draft.driver, name=draft.name, connection=draft.connection,
            values=forms.shown_values(driver.credentials, typed), authorized=authorized, expires_at=draft.expires_at,
        )  # fmt: skip


def _hash(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest() if state else "none"


def _late(draft: Draft, now: datetime) -> bool:
    until = draft.context.get("state_until")
    return until is None or datetime.fromisoformat(until) <= now


def _token_as(token: Token) -> dict[str, Any]:
    return {
        "value": token.value.get_secret_value(), "expires": token.expires.isoformat() if token.expires else None,
        "refresh": token.refresh.get_secret_value() if token.refresh else None, "scopes": sorted(token.scopes),
    }  # fmt: skip


def _token_of(kept: Mapping[str, Any]) -> Token:
    return Token(
        value=pydantic.SecretStr(kept["value"]),
        expires=datetime.fromisoformat(kept["expires"]) if kept["expires"] else None,
        refresh=pydantic.SecretStr(kept["refresh"]) if kept["refresh"] else None, scopes=frozenset(kept["scopes"]),
    )  # fmt: skip
