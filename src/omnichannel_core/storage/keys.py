"""Where the vault's keys come from: an object, a file or the environment of the host; made only with a new store."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

import attrs

from omnichannel_core import errors

KEY_BYTES = 32


@attrs.frozen(repr=False)
class KeyRing:
    """AES-256 keys by id. The first is the primary one: it seals; all of them open."""

    keys: Mapping[str, bytes]

    def __attrs_post_init__(self) -> None:
        if not self.keys:
            raise errors.VaultSealed("A key ring needs at least one key.")
        for key_id, key in self.keys.items():
            if not key_id or not all(char.isalnum() or char in "-_" for char in key_id):
                raise errors.VaultSealed(f"Key id {key_id!r} is not made of letters, digits, - and _.")
            if len(key) != KEY_BYTES:
                raise errors.VaultSealed(f"Key {key_id} has {len(key)} bytes, not {KEY_BYTES}.")

    @property
    def primary(self) -> str:
        """The id of the key that seals."""
        return next(iter(self.keys))

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self.keys)})"


def new_key() -> tuple[str, bytes]:
    """An id and 32 random bytes."""
    return f"k{secrets.token_hex(4)}", secrets.token_bytes(KEY_BYTES)


def parse(text: str, source: str) -> KeyRing:
    """`id:base64` pairs, separated by commas or lines, the primary one first; lines with # are comments.

    Raises:
        VaultSealed: not of that form; names the source and never the text.
    """
    found: dict[str, bytes] = {}
    for part in (piece.strip() for line in text.splitlines() if not line.startswith("#") for piece in line.split(",")):
        if not part:
            continue
        key_id, _, encoded = part.partition(":")
        if key_id in found:
            raise errors.VaultSealed(f"{source} has key {key_id} twice: each id is one key.")
        try:
            found[key_id] = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error) as cause:
            raise errors.VaultSealed(f"{source}: key {len(found) + 1} is not `id:base64`.") from cause
    if not found:
        raise errors.VaultSealed(f"{source} has no key; it needs lines of `id:base64`.")
    return KeyRing(found)


def from_file(path: Path) -> KeyRing:
    """A file of the host, mode 0600.

    Raises:
        VaultSealed: not there, readable by others, or not of the form.
    """
    try:
        mode = path.stat().st_mode & 0o777
        text = path.read_text()
    except OSError as cause:
        raise errors.VaultSealed(
            f"Key file {path} cannot be read: {cause.strerror}. Restore it from backup."
        ) from cause
    if mode & 0o077:
        raise errors.VaultSealed(f"Key file {path} is open to others (mode {mode:o}): run chmod 600.")
    return parse(text, f"Key file {path}")


def from_environment(name: str = "OMNICHANNEL_KEYS") -> KeyRing | None:
    """An environment variable, None when it is not set. Called by hosts and the command line, never by the house."""
    text = os.environ.get(name)
    return parse(text, f"Environment variable {name}") if text else None


def create_file(path: Path, keys: KeyRing | None = None) -> KeyRing:
    """A new file, mode 0600, that must not be there yet.

    Raises:
        VaultSealed: it is there already.
    """
    ring = keys or KeyRing(dict([new_key()]))
    lines = "".join(f"{key_id}:{base64.b64encode(key).decode()}\n" for key_id, key in ring.keys.items())
    text = (
        "# Keys of the vault. Without them no secret can be opened. Keep a copy apart from the store's backup.\n"
        + lines
    )
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as cause:
        raise errors.VaultSealed(f"Key file {path} is there already and is not overwritten.") from cause
    with os.fdopen(file, "w") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    return ring


def replace_file(path: Path, ring: KeyRing) -> None:
    """The same file with other keys, at once or not at all."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    create_file(beside, ring)
    beside.replace(path)
