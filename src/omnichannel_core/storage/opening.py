"""Opening a store with its vault: keys are made with a brand-new embedded store, and never again."""

from __future__ import annotations

from pathlib import Path

from omnichannel_core import errors
from omnichannel_core.storage import keys, migrations
from omnichannel_core.storage.keys import KeyRing
from omnichannel_core.storage.schema import secret
from omnichannel_core.storage.store import Store, Tx
from omnichannel_core.storage.vault import CANARY, Vault


def key_file(store: Store) -> Path:
    """Where an embedded store's own key lies."""
    if store.path is None:
        raise errors.VaultSealed(
            "A store on a server has no key of its own: give keys=KeyRing(...), a file or the environment."
        )
    return store.path.with_name(store.path.name + ".key")


def open_store(store: Store, ring: KeyRing | None) -> Vault:
    """Blocking: open, migrate, find the key, open the canary.

    Raises:
        VaultSealed: no key, or another one than the store's. StoreOutdated. StorageError.
    """
    path = None if ring is not None else key_file(store)
    store.open()
    try:
        migrations.ensure(store)
        vault = _known(store, ring, path) or store.write_now(lambda tx: _new(tx, ring, path))
        store.read_now(vault.open_canary)
    except BaseException:
        store.close()
        raise
    return vault


def _known(store: Store, ring: KeyRing | None, path: Path | None) -> Vault | None:
    """The vault of a store that was opened before; None for a new one."""
    if not store.read_now(_has_canary):
        return None
    if ring is None and path is not None and not path.exists():
        raise errors.VaultSealed(
            f"The key file {path} of this store is missing. Restore it from its backup, or give the key by "
            "OMNICHANNEL_KEYS or --key-file. Without it no secret can be opened; a new key would not help."
        )
    return Vault(ring or _own_key(path))


def _new(tx: Tx, ring: KeyRing | None, path: Path | None) -> Vault:
    """Once, whoever opens a new store first: key and canary in one write, so that two who begin agree.

    Raises:
        VaultSealed: the store has secrets and no canary; it is never given a new one.
    """
    if not _has_canary(tx) and _has_secrets(tx):
        raise errors.VaultSealed("The store has secrets and no canary: it is damaged. Restore it from its backup.")
    made = ring is None and path is not None and not path.exists()
    vault = Vault(keys.create_file(path) if made and path is not None else ring or _own_key(path))
    if not _has_canary(tx):
        vault.plant_canary(tx)
    return vault


def _own_key(path: Path | None) -> KeyRing:
    assert path is not None  # noqa: S101 - no ring was given, so the path is known
    return keys.from_file(path)


def _has_secrets(tx: Tx) -> bool:
    return tx.execute(secret.select().limit(1)).first() is not None


def _has_canary(tx: Tx) -> bool:
    account, owner, owner_id, field = CANARY
    query = secret.select().filter_by(account_id=account, owner_kind=owner, owner_id=owner_id, field=field)
    return tx.execute(query).first() is not None
