"""Tokens of grants: renewed ahead of time, under a lease, one refresh however many ask."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

import anyio
import attrs

from omnichannel_core import errors
from omnichannel_core.driver import Clock, Token
from omnichannel_core.storage.grants import Grants, StoredToken
from omnichannel_core.storage.store import Store
from omnichannel_core.storage.vault import Vault

AHEAD = timedelta(seconds=120)
LEASE = timedelta(seconds=180)  # longer than two requests' deadlines
POLL = 0.05
Renew = Callable[[str, Token | None], Awaitable[Token]]
_log = logging.getLogger(__name__)


@attrs.define
class Tokens:
    """Of the whole house; a grant's token is remembered in memory until it is about to end."""

    store: Store
    vault: Vault
    clock: Clock
    _fresh: dict[tuple[int, str], tuple[StoredToken, Token]] = attrs.field(factory=dict, repr=False)
    _locks: dict[tuple[int, str], anyio.Lock] = attrs.field(factory=dict, repr=False)

    async def get(
        self, account: str, grant: int, name: str, renew: Renew | None, *, refused: Token | None = None
    ) -> Token | None:
        """A token that is good for a while; None when there is none and nothing to renew it with.

        Args:
            refused: the remote did not accept this one; another is wanted even if it is not over.

        Raises:
            AuthorizationNeeded: nothing stored gives a token.
            whatever `renew` raises.
        """
        key = (grant, name)
        known = self._fresh.get(key)
        if known is not None and self._good(known[0], refused):
            return known[1]
        lock = self._locks.setdefault(key, anyio.Lock())
        async with lock:
            while True:
                stored = await self.store.read(lambda tx: Grants(tx, account, self.vault).token(grant, name))
                if stored is not None and (self._good(stored, refused) or renew is None):
                    return self._keep(grant, name, stored)
                if renew is None:
                    return None
                if await self._leased(account, grant, name):
                    return await self._renew(account, grant, name, renew, stored, refused)
                await self.clock.sleep(POLL)

    def forget(self, grant: int) -> None:
        """The grant has changed or is gone."""
        for key in [key for key in self._fresh if key[0] == grant]:
            del self._fresh[key]

    def _good(self, stored: StoredToken, refused: Token | None) -> bool:
        """Not refused, and not about to end: a quarter of its life ahead, two minutes at most."""
        if refused is not None and stored.value.get_secret_value() == refused.value.get_secret_value():
            return False
        if stored.expires is None:
            return True
        ahead = AHEAD if stored.renewed is None else min(AHEAD, (stored.expires - stored.renewed) / 4)
        return stored.expires > self.clock.now() + ahead

    async def _leased(self, account: str, grant: int, name: str) -> bool:
        me, now = self.store.presence.name, self.clock.now()

        def lease(grants: Grants) -> str:
            return grants.lease(grant, name, me, now, now + LEASE)

        owner = await self.store.write(lambda tx: lease(Grants(tx, account, self.vault)))
        if owner != me and self.store.is_sqlite and not self.store.presence.alive(owner):
            await self.store.write(lambda tx: Grants(tx, account, self.vault).release(grant, name, owner))
        return owner == me

    async def _renew(
        self, account: str, grant: int, name: str, renew: Renew, seen: StoredToken | None, refused: Token | None
    ) -> Token:
        """With the lease in hand. Who had it before may have renewed since we looked."""
        stored = await self.store.read(lambda tx: Grants(tx, account, self.vault).token(grant, name))
        if stored is not None and self._good(stored, refused):
            await self._release(account, grant, name, "")
            return self._keep(grant, name, stored)
        try:
            new = await _twice(renew, name, None if stored is None else _token(stored))
        except errors.AttentionNeeded as refusal:
            moved = await self.store.read(lambda tx: Grants(tx, account, self.vault).token(grant, name))
            if moved is not None and stored is not None and moved.version != stored.version:
                await self._release(account, grant, name, "")
                return self._keep(grant, name, moved)
            await self._release(account, grant, name, refusal.key)
            raise
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._release(account, grant, name, "")
            raise
        with anyio.CancelScope(shield=True):
            await self._store(account, grant, name, new)
        return self._fresh[grant, name][1]

    async def _store(self, account: str, grant: int, name: str, new: Token) -> None:
        """Stored before use: a rotated refresh token must not be lost."""
        kept = StoredToken(
            value=new.value,
            refresh=new.refresh,
            expires=new.expires,
            scopes=new.scopes,
            granted=new.granted,
            renewed=self.clock.now(),
        )
        try:
            await self.store.write(lambda tx: Grants(tx, account, self.vault).put(grant, name, kept))
            stored = await self.store.read(lambda tx: Grants(tx, account, self.vault).token(grant, name))
        except errors.NotFound:
            stored = None
        if stored is None:
            raise errors.AuthorizationNeeded(
                "The authorization was taken away while it was renewed: press AUTHORIZE again."
            )
        _log.info("token %s of grant %s renewed", name, grant)
        self._keep(grant, name, stored)

    def _keep(self, grant: int, name: str, stored: StoredToken) -> Token:
        token = _token(stored)
        self._fresh[grant, name] = (stored, token)
        return token

    async def _release(self, account: str, grant: int, name: str, trouble: str) -> None:
        me = self.store.presence.name
        await self.store.write(lambda tx: Grants(tx, account, self.vault).release(grant, name, me, trouble))


async def _twice(renew: Renew, name: str, old: Token | None) -> Token:
    """No answer to a refresh is unknown: once more with the same token, which remotes with a grace accept."""
    try:
        return await renew(name, old)
    except errors.RateLimited:
        raise
    except errors.RemoteUnavailable:
        return await renew(name, old)


def _token(stored: StoredToken) -> Token:
    return Token(
        value=stored.value, refresh=stored.refresh, previous=stored.previous, expires=stored.expires,
        scopes=stored.scopes, granted=stored.granted,
    )  # fmt: skip
