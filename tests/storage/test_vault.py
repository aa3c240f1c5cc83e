"""The vault: a secret opens in its own place only, under its own key only."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from omnichannel_core import errors
from omnichannel_core.storage import keys
from omnichannel_core.storage.keys import KeyRing
from omnichannel_core.storage.schema import secret
from omnichannel_core.storage.store import Store
from omnichannel_core.storage.vault import Vault

OLD = KeyRing({"k1": bytes(32)})
BOTH = KeyRing({"k2": bytes(31) + b"2", "k1": bytes(32)})
NEW = KeyRing({"k2": bytes(31) + b"2"})
TWICE = f"k1:{'A' * 43}=\nk1:{'B' * 42}A="
PLACE = ("acme", "connection", "7", "secret")
PLACES = [("other", *PLACE[1:]), ("acme", "draft", "7", "secret"), ("acme", "connection", "8", "secret"),
          ("acme", "connection", "7", "other"), ("acmec", "onnection", "7", "secret")]  # fmt: skip


@given(st.text())
def test_there_and_back(text: str) -> None:
    """What is sealed comes back, and is not in its envelope."""
    vault = Vault(OLD)
    envelope = vault.seal(*PLACE, text)
    assert vault.unseal(*PLACE, envelope).get_secret_value() == text
    assert len(text) < 4 or text not in envelope


@pytest.mark.parametrize("place", PLACES)
def test_moved(place: tuple[str, str, str, str]) -> None:
    """An envelope that was moved to another account, owner or field does not open; the error names the place only."""
    vault = Vault(OLD)
    with pytest.raises(errors.VaultSealed, match="moved here") as caught:
        vault.unseal(*place, vault.seal(*PLACE, "hush"))
    assert "hush" not in str(caught.value)


@given(st.data())
def test_damaged(data: st.DataObject) -> None:
    """An envelope with any character changed or cut off is refused as such."""
    vault = Vault(OLD)
    envelope = vault.seal(*PLACE, "hush")
    at = data.draw(st.integers(0, len(envelope) - 1))
    damaged = data.draw(st.sampled_from([envelope[:at], envelope[:at] + "!" + envelope[at + 1 :]]))
    with pytest.raises(errors.VaultSealed):
        vault.unseal(*PLACE, damaged)


def test_moved_row(store: Store) -> None:
    """A row copied to another owner in the database refuses."""
    vault = Vault(OLD)
    store.write_now(lambda tx: vault.put(tx, "acme", "connection", 7, {"secret": "hush"}))
    store.write_now(lambda tx: tx.execute(secret.update().values(owner_id="8")))
    with pytest.raises(errors.VaultSealed, match="connection 8, field secret"):
        store.read_now(lambda tx: vault.get(tx, "acme", "connection", 8))


def test_rotate(store: Store) -> None:
    """Rotation seals every row anew, in portions, and counts; then the old key may go."""
    old, both, new = Vault(OLD), Vault(BOTH), Vault(NEW)
    store.write_now(old.plant_canary)
    for number in range(5):
        store.write_now(lambda tx, n=number: old.put(tx, "acme", "connection", n, {"secret": f"hush{n}"}))  # type: ignore[misc]
    with pytest.raises(errors.VaultSealed):
        store.read_now(new.open_canary)
    store.read_now(both.open_canary)
    assert store.read_now(both.census) == {"k1": 6}
    total, after = 0, None
    while True:
        count, after = store.write_now(lambda tx, at=after: both.rotate(tx, at, at_most=2))  # type: ignore[misc]
        total += count
        if after is None:
            break
    assert (total, store.read_now(both.census)) == (6, {"k2": 6})
    store.read_now(new.open_canary)
    assert store.read_now(lambda tx: new.get(tx, "acme", "connection", 4))["secret"].get_secret_value() == "hush4"


def test_derived_outlive_keys(store: Store) -> None:
    """What is derived stays the same when keys are rotated and the old one is taken away."""
    old, both, new = Vault(OLD), Vault(BOTH), Vault(NEW)
    store.write_now(old.plant_canary)
    store.read_now(old.open_canary)
    before = old.derive("callback/x")
    store.read_now(both.open_canary)
    store.write_now(both.rotate)
    store.read_now(new.open_canary)
    assert (both.derive("callback/x"), new.derive("callback/x")) == (before, before)
    assert new.derive("callback/y") != before


@pytest.mark.parametrize("backing", ["sqlite"], indirect=True)
def test_nothing_in_the_file(store: Store) -> None:
    """Neither the secret nor any part of it stands in the database's files."""
    vault, text = Vault(OLD), "hush-canary-4711"
    store.write_now(lambda tx: vault.put(tx, "acme", "connection", 7, {"secret": text}))
    store.write_now(lambda tx: tx.execute(sa.text("SELECT 1")))
    assert store.path is not None
    for file in store.path.parent.glob("store.db*"):
        if file.is_file():
            assert text.encode() not in file.read_bytes()


@pytest.mark.parametrize(
    "text", ["", "# only words", "k1", "k1:!!", "k1:aGk=", ":aGk=", "k 1:" + "A" * 43 + "=", TWICE]
)  # fmt: skip
def test_key_texts(text: str) -> None:
    """What is no list of `id:base64` of 32 bytes, each id once, is refused without repeating it."""
    with pytest.raises(errors.VaultSealed) as caught:
        keys.parse(text, "The file")
    assert "AAAA" not in str(caught.value)


def test_key_file_is_replaced_at_once(tmp_path: Path) -> None:
    """Replacing keeps the mode; creating never overwrites; a ring's repr names ids only."""
    path = tmp_path / "a.key"
    keys.create_file(path, OLD)
    with pytest.raises(errors.VaultSealed, match="not overwritten"):
        keys.create_file(path, NEW)
    keys.replace_file(path, BOTH)
    assert keys.from_file(path) == BOTH
    assert list(keys.from_file(path).keys) == ["k2", "k1"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert repr(BOTH) == "KeyRing(k2, k1)"
