"""Canaries: secrets that occur nowhere else in the world, and the search for them in every spelling."""

from __future__ import annotations

import base64
import html
import json
import secrets
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

import attrs

SHOWN = 12  # a secret's first characters are as bad as all of it


def canary(prefix: str = "") -> str:
    """A new one, with characters that every encoding spells differently."""
    return f'{prefix}{secrets.token_urlsafe(15)}+/="{secrets.token_urlsafe(9)}'


def spellings(secret: str) -> dict[str, bytes]:
    """By name: how it could be written."""
    raw = secret.encode()
    head = secret.removeprefix(secret.partition("-")[0] + "-") if secret.partition("-")[0].isalpha() else secret
    found = {
        "plain": raw, "url": quote(secret, safe="").encode(), "form": quote_plus(secret).encode(),
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(), "json": json.dumps(secret)[1:-1].encode(),
        "html": html.escape(secret).encode(),
        "utf-16": secret.encode("utf-16-le"), "repr": repr(secret)[1:-1].encode(), "cut off": head[:SHOWN].encode(),
    }  # fmt: skip
    for lead in range(3):
        for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
            text = encode(b"\0" * lead + raw).rstrip(b"=")
            found[f"{name} at {lead}"] = text[(0, 2, 3)[lead] : len(text) - 1]
    return found


@attrs.define
class Search:
    """What was found where.

    Attributes:
        secrets: by what they are.
    """

    secrets: Mapping[str, str] = attrs.field(repr=False)
    found: dict[str, int] = attrs.field(factory=dict)
    looked: dict[str, int] = attrs.field(factory=dict)  # bytes by place
    _needles: list[tuple[str, str, bytes]] = attrs.field(factory=list, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        for what, secret in self.secrets.items():
            self._needles += [(what, how, needle) for how, needle in spellings(secret).items()]

    def look(self, place: str, text: str | bytes, *, but: Iterable[str] = ()) -> None:
        """In one text; `place` is its kind and, after a colon, which."""
        data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        kind = place.partition(":")[0]
        self.looked[kind] = self.looked.get(kind, 0) + len(data)
        for what, how, needle in self._needles:
            if what not in but and needle in data:
                key = f"{place}: {what}, {how}"
                self.found[key] = self.found.get(key, 0) + 1
