"""The vault: secrets at rest. AES-GCM, key id in the envelope, bound to account, owner kind, owner id and field."""

from __future__ import annotations

import base64
import hmac
import os
from collections.abc import Mapping

import pydantic
import sqlalchemy as sa

from omnichannel_core import errors
from omnichannel_core.storage.keys import KeyRing
from omnichannel_core.storage.schema import secret
from omnichannel_core.storage.store import Tx

CANARY = ("", "store", "canary", "canary")
_MARK = "the vault opens/"


class Vault:
    """Seals and opens with the host's keys. `v1.<key id>.<base64(nonce + ciphertext)>`."""

    def __init__(self, ring: KeyRing) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # native code, loaded with the first vault

        self.ring = ring
        self._root: bytes | None = None  # of this store; known once the canary was opened
        self._ciphers = {key_id: AESGCM(key) for key_id, key in ring.keys.items()}

    # --- one value
    def seal(self, account: str, owner: str, owner_id: str | int, field: str, text: str) -> str:
        """The envelope of a text, usable in that place only."""
        nonce, key_id = os.urandom(12), self.ring.primary
        sealed = self._ciphers[key_id].encrypt(
            nonce, text.encode(), _bound(key_id, account, owner, str(owner_id), field)
        )
        return f"v1.{key_id}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def unseal(self, account: str, owner: str, owner_id: str | int, field: str, envelope: str) -> pydantic.SecretStr:
        """What was sealed in that place.

        Raises:
            VaultSealed: unknown key, another place, or damaged; names the place, never the value.
        """
        from cryptography.exceptions import InvalidTag

        place = f"{owner} {owner_id}, field {field}"
        version, _, rest = envelope.partition(".")
        key_id, _, body = rest.partition(".")
        if version != "v1" or key_id not in self._ciphers:
            raise errors.VaultSealed(f"The secret of {place} needs key {key_id!r}, which the host did not give.")
        try:
            raw = base64.urlsafe_b64decode(body)
            opened = self._ciphers[key_id].decrypt(
                raw[:12], raw[12:], _bound(key_id, account, owner, str(owner_id), field)
            )
        except (InvalidTag, ValueError) as cause:
            raise errors.VaultSealed(f"The secret of {place} does not open: damaged, or moved here.") from cause
        return pydantic.SecretStr(opened.decode())

    def derive(self, purpose: str) -> str:
        """A secret that follows from a purpose: the same at every start, whatever keys come and go.

        It grows from a root that is sealed with the canary; before that is opened, from the ring's oldest key.
        """
        key = self._root or list(self.ring.keys.values())[-1]
        return hmac.digest(key, f"omnichannel-core/{purpose}".encode(), "sha256").hex()

    @property
    def pepper(self) -> bytes:
        """For digests of secrets, which must not be guessed from a stolen store."""
        return self.derive("proof").encode()

    # --- rows
    def put(self, tx: Tx, account: str, owner: str, owner_id: str | int, values: Mapping[str, str]) -> None:
        """Store the values of these fields, over what is there."""
        for field, text in values.items():
            place = {"account_id": account, "owner_kind": owner, "owner_id": str(owner_id), "field": field}
            tx.execute(secret.delete().filter_by(**place))
            sealed = self.seal(account, owner, owner_id, field, text)
            tx.execute(secret.insert().values(**place, key_id=self.ring.primary, sealed=sealed))

    def get(self, tx: Tx, account: str, owner: str, owner_id: str | int) -> dict[str, pydantic.SecretStr]:
        """All fields of an owner."""
        rows = tx.execute(
            sa.select(secret.c.field, secret.c.sealed).filter_by(
                account_id=account, owner_kind=owner, owner_id=str(owner_id)
            )
        )
        return {field: self.unseal(account, owner, owner_id, field, sealed) for field, sealed in rows}

    @staticmethod
    def drop(tx: Tx, account: str, owner: str, owner_id: str | int, fields: tuple[str, ...] | None = None) -> None:
        """Forget an owner's secrets, or some fields of them."""
        gone = secret.delete().filter_by(account_id=account, owner_kind=owner, owner_id=str(owner_id))
        tx.execute(gone if fields is None else gone.where(secret.c.field.in_(fields)))

    # --- the whole store
    def plant_canary(self, tx: Tx) -> None:
        """With a brand-new store: what every later start must be able to open, and the root of what is derived."""
        self.put(tx, CANARY[0], CANARY[1], CANARY[2], {CANARY[3]: _MARK + os.urandom(32).hex()})

    def open_canary(self, tx: Tx) -> None:
        """At every start.

        Raises:
            VaultSealed: another key than the store's, or no canary.
        """
        found = self.get(tx, *CANARY[:3]).get(CANARY[3])
        if found is None or not found.get_secret_value().startswith(_MARK):
            raise errors.VaultSealed(
                "The store has no canary: it was not made by this vault. Give the store's own key."
            )
        self._root = bytes.fromhex(found.get_secret_value().removeprefix(_MARK))

    def rotate(
        self, tx: Tx, after: tuple[str, ...] | None = None, at_most: int = 500
    ) -> tuple[int, tuple[str, ...] | None]:
        """Seal anew, with the primary key, up to so many rows; how many, and where to go on (None: done)."""
        columns = (secret.c.account_id, secret.c.owner_kind, secret.c.owner_id, secret.c.field)
        query = sa.select(*columns, secret.c.sealed).where(secret.c.key_id != self.ring.primary)
        if after is not None:
            query = query.where(sa.tuple_(*columns) > sa.tuple_(*after))
        rows = tx.execute(query.order_by(*columns).limit(at_most)).all()
        for account, owner, owner_id, field, sealed in rows:
            opened = self.unseal(account, owner, owner_id, field, sealed)
            self.put(tx, account, owner, owner_id, {field: opened.get_secret_value()})
        return len(rows), tuple(rows[-1][:4]) if len(rows) == at_most else None

    def census(self, tx: Tx) -> dict[str, int]:
        """How many secrets each key holds."""
        rows = tx.execute(sa.select(secret.c.key_id, sa.func.count()).group_by(secret.c.key_id))
        return {str(key_id): int(count) for key_id, count in rows}


def _bound(key_id: str, account: str, owner: str, owner_id: str, field: str) -> bytes:
    """Length-prefixed, so that no two places look alike."""
    parts = ("omnichannel-core", "v1", key_id, account, owner, owner_id, field)
    return b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
