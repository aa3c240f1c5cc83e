"""Opening a store with its vault: a key is made with a brand-new store only, and never again."""

from __future__ import annotations

import multiprocessing
import stat
from pathlib import Path

import pytest

from omnichannel_core import errors
from omnichannel_core.storage import keys
from omnichannel_core.storage.keys import KeyRing
from omnichannel_core.storage.opening import key_file, open_store
from omnichannel_core.storage.schema import secret
from omnichannel_core.storage.store import Store
from omnichannel_core.storage.vault import Vault


def opened(path: Path, ring: KeyRing | None = None) -> tuple[Store, Vault]:
    """A store with its vault."""
    store = Store(str(path))
    return store, open_store(store, ring)


def test_new_store_makes_its_key(tmp_path: Path) -> None:
    """A brand-new embedded store gets a key file, readable by its owner only, and opens with it again."""
    store, vault = opened(tmp_path / "a.db")
    file = key_file(store)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "a.db").stat().st_mode) == 0o600
    store.close()
    store, again = opened(tmp_path / "a.db")
    assert again.ring.keys == vault.ring.keys
    store.close()


def test_missing_key_file(tmp_path: Path) -> None:
    """A store whose key is missing is refused with the way out, and no new key is made, however often it is tried."""
    store, _ = opened(tmp_path / "a.db")
    store.close()
    file = key_file(store)
    kept = file.read_bytes()
    file.unlink()
    for _ in range(2):
        with pytest.raises(errors.VaultSealed, match="Restore it from its backup"):
            opened(tmp_path / "a.db")
        assert not file.exists()
    keys.create_file(file, KeyRing(dict([keys.new_key()])))
    with pytest.raises(errors.VaultSealed, match="which the host did not give"):
        opened(tmp_path / "a.db")
    file.write_bytes(kept)
    opened(tmp_path / "a.db")[0].close()


def test_wrong_key_is_found_at_open(tmp_path: Path) -> None:
    """Another key of the same id does not open the canary, and says so at once."""
    opened(tmp_path / "a.db", KeyRing({"k": bytes(32)}))[0].close()
    with pytest.raises(errors.VaultSealed, match="does not open"):
        opened(tmp_path / "a.db", KeyRing({"k": bytes(31) + b"x"}))


def test_key_file_open_to_others(tmp_path: Path) -> None:
    """A key file that others can read is refused, with the command that helps."""
    store, _ = opened(tmp_path / "a.db")
    store.close()
    key_file(store).chmod(0o640)
    with pytest.raises(errors.VaultSealed, match="chmod 600"):
        opened(tmp_path / "a.db")


def test_secrets_without_a_canary(tmp_path: Path) -> None:
    """A store with secrets and no canary is damaged: it gets neither a new canary nor a key file."""
    store, vault = opened(tmp_path / "a.db", KeyRing({"k": bytes(32)}))
    store.write_now(lambda tx: vault.put(tx, "acme", "connection", 1, {"secret": "hush"}))
    store.write_now(lambda tx: tx.execute(secret.delete().where(secret.c.owner_kind == "store")))
    store.close()
    with pytest.raises(errors.VaultSealed, match="damaged"):
        opened(tmp_path / "a.db")
    assert not key_file(store).exists()


def _open_once(path: str, answers: multiprocessing.Queue[str]) -> None:
    try:
        store, vault = opened(Path(path))
        store.close()
        answers.put(vault.ring.primary)
    except errors.OmnichannelError as trouble:
        answers.put(f"{type(trouble).__name__}: {trouble}")


def test_four_begin_together(tmp_path: Path) -> None:
    """Processes that open a brand-new store at the same time agree on one key."""
    context = multiprocessing.get_context("spawn")
    answers: multiprocessing.Queue[str] = context.Queue()
    workers = [context.Process(target=_open_once, args=(str(tmp_path / "a.db"), answers)) for _ in range(4)]
    for worker in workers:
        worker.start()
    found = {answers.get(timeout=60) for _ in workers}
    for worker in workers:
        worker.join(60)
    answers.close()
    answers.join_thread()
    assert len(found) == 1
    assert keys.from_file(tmp_path / "a.db.key").primary in found
