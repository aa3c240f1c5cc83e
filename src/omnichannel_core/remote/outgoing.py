"""What a driver wants to send, as bytes and headers that cannot surprise anybody."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

import msgspec

from omnichannel_core import errors

_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})


def body_of(
    operation: str, json: object, form: Mapping[str, str] | None, content: bytes | Path
) -> tuple[bytes | Path, str]:
    """The body and its content type; '' where the driver has to say it.

    Raises:
        ContractBroken: more than one body, or one that cannot be encoded.
    """
    if (json is not None) + (form is not None) + bool(content) > 1:
        raise errors.ContractBroken(f"{operation}: a request has one of json, form and content; correct the driver.")
    if json is not None:
        try:
            return msgspec.json.encode(json), "application/json"
        except (TypeError, ValueError, msgspec.MsgspecError, RecursionError) as cause:
            raise errors.ContractBroken(
                f"{operation}: the JSON body cannot be encoded ({type(cause).__name__}); correct the driver."
            ) from cause
    if form is not None:
        return urlencode(form).encode("ascii"), "application/x-www-form-urlencoded"
    return content, ""


def size_of(operation: str, body: Path) -> int:
    """Bytes of a file to send."""
    try:
        return body.stat().st_size
    except OSError as cause:
        raise errors.ContractBroken(f"{operation}: the file {body.name} to send cannot be read.") from cause


def merge(operation: str, whole: dict[str, str], more: Mapping[str, str]) -> None:
    """Later ones win; what frames a request is ours, and nothing can smuggle in a line."""
    for name, value in more.items():
        lower = name.lower()
        fits = (
            isinstance(value, str) and value.isprintable() and value.isascii() and name.isascii() and name.isprintable()
        )
        if not fits or not name or lower in _OURS or ":" in name or " " in name:
            raise errors.ContractBroken(
                f"{operation}: header {lower!r} may not be set, or not to that; correct the driver."
            )
        whole[lower] = value
