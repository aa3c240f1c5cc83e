"""The same request twice is done once: answers kept by the idempotency key that the asker chose."""

from __future__ import annotations

import hashlib
import hmac

import attrs

from omnichannel_core import errors
from omnichannel_core.connections.parts import Parts
from omnichannel_core.storage.answers import Answers, Stored
from omnichannel_core.storage.store import Tx

KEY_MAX = 255


@attrs.frozen
class Repeating:
    """`house.answers`. Keys belong to one actor in one account and are kept for a day."""

    parts: Parts

    async def begin(self, account: str, actor: str, key: str, request: bytes) -> Stored | None:
        """None: go on, and `end` or `drop` it; else what was answered before.

        Raises:
            UsageError: the key is not usable. Conflict: it was used for another request, or that one is not answered.
        """
        if not 1 <= len(key) <= KEY_MAX or not key.isprintable():
            raise errors.UsageError(f"An idempotency key is 1 to {KEY_MAX} printable characters.")
        pepper = self.parts.vault.derive("idempotency").encode()
        digest = hmac.new(pepper, request, hashlib.sha256).hexdigest()

        def work(tx: Tx) -> Stored | None:
            mine = Answers(tx, account, actor)
            known = mine.get(key)
            if known is None:
                mine.begin(key, digest, self.parts.clock.now())
            elif known.request != digest:
                raise errors.Conflict(f"The idempotency key {key!r} was used for another request: choose a new one.")
            elif known.status == 0:
                raise errors.Conflict(
                    f"The request with idempotency key {key!r} is under way, or was interrupted: look what became of "
                    "it before you send it with a new key."
                )
            return known

        return await self.parts.store.write(work)

    async def end(self, account: str, actor: str, key: str, status: int, body: str) -> None:
        """Keep what was answered."""
        await self.parts.store.write(lambda tx: Answers(tx, account, actor).end(key, status, body))

    async def drop(self, account: str, actor: str, key: str) -> None:
        """Nothing was done: the same key may be used again."""
        await self.parts.store.write(lambda tx: Answers(tx, account, actor).drop(key))
