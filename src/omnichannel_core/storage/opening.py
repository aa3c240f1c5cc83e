"""Opening a store with its vault: keys are made with a brand-new embedded store, and never again."""

from __future__ import annotations

from pathlib import Path

from omnichannel_core import errors
from omnichannel_core.storage import keys, migrations
from omnichannel_core.storage.keys import KeyRing
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
        vault = Vault(ring or _own_key(store, path))
        store.write_now(lambda tx: _canary(tx, vault)) if not store.read_now(_has_canary) else None
        store.read_now(vault.open_canary)
    except BaseException:
        store.close()
        raise
    return vault


def _own_key(store: Store, path: Path | None) -> KeyRing:
    assert path is not None  # noqa: S101 - no ring was given, so the path is known
    if path.exists():
        return keys.from_file(path)
    if store.read_now(_has_canary):
        raise errors.VaultSealed(
            f"The key file {path} of this store is missing. Restore it from its backup, or give the key by "
            "OMNICHANNEL_KEYS or --key-file. Without it no secret can be opened; a new key would not help."
        )
    return keys.create_file(path)


def _canary(tx: Tx, vault: Vault) -> None:
    """Once, whoever opens a new store first; a store that already has secrets is never given a new canary."""
    if not _has_canary(tx):
        if vault.census(tx):
            raise errors.VaultSealed("The store has secrets and no canary: it is damaged. Restore it from its backup.")
        vault.plant_canary(tx)


def _has_canary(tx: Tx) -> bool:
    from omnichannel_core.storage.schema import secret

    account, owner, owner_id, field = CANARY
    query = secret.select().filter_by(account_id=account, owner_kind=owner, owner_id=owner_id, field=field)
    return tx.execute(query).first() is not None
