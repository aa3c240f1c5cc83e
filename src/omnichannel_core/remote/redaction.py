"""Secrets stay in: what is logged or raised goes through here first."""

from __future__ import annotations

import base64
import logging
import re
import threading
import weakref
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

HIDDEN = "[hidden]"
_PREFIX = 8  # a shown beginning of a secret this long is a leak as well (guide web-cli-hosts-packaging, goal S3)
_KEYS = (
    r"authorization|proxy-authorization|(?:set-)?cookie|x-auth-token|x-auth-client|x-shopify-access-token|x-amz-access-token"
    r"|(?:access|refresh|id|bearer|auth)[_-]?token|client[_-]?secret|api[_-]?key|private[_-]?key|pass(?:word|wd|phrase)"
    r"|secret|signature|x-amz-signature|x-amz-credential|x-amz-security-token|code_verifier|hmac|token"
)
_QUOTED, _BARE = r"(['\"])[^'\"\n]{0,4000}\4", r"(?:(?:bearer|basic)\s+)?[^\s,;&'\"})]{1,4000}"
_PAIR = re.compile(rf"(?i)(?<![\w-])(['\"]?)({_KEYS})\1(\s*[=:]\s*)(?:{_QUOTED}|{_BARE})")
_FORM = re.compile(r"(?i)\b(code|sig)=[^\s&'\"]{8,4000}")
_SCHEME = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}")
_URL = re.compile(r"(?i)\b(https?://)(?:[^\s/@'\"?#]*@)?([^\s?#'\"<>]*)(?:[?#][^\s'\"<>]*)?")
_CONTROLS = {code: repr(chr(code))[1:-1] for code in (*range(32), 127, *range(0x80, 0xA0), *range(0x202A, 0x202F),
    *range(0x2066, 0x206A), *range(0xD800, 0xE000), 0x2028, 0x2029, 0x200E, 0x200F) if code not in (9, 10)}  # fmt: skip

_HEAD = 4  # characters by which a spelling is found; looking through a line costs the same however many are known
_index: dict[str, dict[str, int]] = {}  # head -> spelling -> how many sessions know it
_lock = threading.Lock()


class Redactor:
    """Knows the secret values of one session and hides them, also encoded; they are forgotten with the session."""

    __slots__ = ("__weakref__", "_most", "_values")

    def __init__(self, values: Iterable[str] = (), *, most: int = 64) -> None:
        self._values: dict[str, tuple[str, ...]] = {}
        self._most = most
        weakref.finalize(self, _forget_all, self._values)
        for value in values:
            self.add(value)

    def add(self, value: str) -> None:
        """One more secret; the oldest is forgotten beyond the bound (renewed tokens)."""
        if len(value) < _HEAD or value in self._values:
            return
        spelled = tuple(_spellings(value))
        with _lock:
            for one in spelled:
                known = _index.setdefault(one[:_HEAD], {})
                known[one] = known.get(one, 0) + 1
        self._values[value] = spelled
        while len(self._values) > self._most:
            _forget(self._values.pop(next(iter(self._values))))

    def clean(self, text: str) -> str:
        """The text without any session's secrets, secret-looking pairs, queries of URLs, and control characters."""
        return clean(text)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<Redactor of {len(self._values)} secrets>"


def _forget(spelled: Iterable[str]) -> None:
    with _lock:
        for one in spelled:
            known = _index.get(one[:_HEAD], {})
            known[one] = known.get(one, 0) - 1
            if known[one] <= 0:
                del known[one]
            if not known:
                _index.pop(one[:_HEAD], None)


def _forget_all(values: dict[str, tuple[str, ...]]) -> None:
    for spelled in values.values():
        _forget(spelled)


def clean(text: str) -> str:
    """Without the secrets of every living session, and without what looks like one."""
    return generic(hide(text))


def hide(text: str) -> str:
    """Without known secrets: plain, url-encoded, base64 at any offset, hex, and cut off after 8 characters."""
    parts, done, at, end = list[str](), 0, 0, len(text)
    while at < end:
        known = _index.get(text[at : at + _HEAD])
        length = max((_shown(text, at, one) for one in tuple(known)), default=0) if known else 0
        if length:
            parts += (text[done:at], HIDDEN)
            at = done = at + length
        else:
            at += 1
    return "".join((*parts, text[done:])) if parts else text


def _shown(text: str, at: int, spelled: str) -> int:
    """How many characters of a spelling stand here; 0 when fewer than may be shown."""
    if text.startswith(spelled, at):
        return len(spelled)
    if len(spelled) <= _PREFIX or not text.startswith(spelled[:_PREFIX], at):
        return 0
    length = _PREFIX
    while length < len(spelled) and text.startswith(spelled[length], at + length):
        length += 1
    return length


def generic(text: str) -> str:
    """What can be hidden without knowing the secret; line breaks of remote texts cannot forge a log line."""
    text = _URL.sub(r"\1\2", text)
    text = _PAIR.sub(rf"\1\2\1\3{HIDDEN}", text)
    text = _SCHEME.sub(rf"\1 {HIDDEN}", text)
    text = _FORM.sub(rf"\1={HIDDEN}", text)
    return text.translate(_CONTROLS)


class RedactingFilter(logging.Filter):
    """For a logger or, better, a handler: a line is finished, cleaned, and handed on; tracebacks too."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always True; the record is changed in place."""
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001  a broken log call must not break the work
            message = str(record.msg)
        record.msg, record.args = clean(message).replace("\n", "\\n"), None
        if record.exc_info:
            record.exc_text = clean(_formatter.formatException(record.exc_info))
            record.exc_info = None
        if record.stack_info:
            record.stack_info = clean(record.stack_info)
        return True


_formatter = logging.Formatter()


_filter = RedactingFilter()
_BELOW = ("omnichannel_core", "httpcore2", "httpx2")


def logger(name: str) -> logging.Logger:
    """A logger whose lines are cleaned before any handler sees them.

    A logger's filter is not asked for its children's lines, so every logger needs its own: the house takes loggers it
    makes at run time (drivers' ones) from here, and `install` serves those of its modules.
    """
    found = logging.getLogger(name)
    if _filter not in found.filters:
        found.addFilter(_filter)
    return found


def install() -> None:
    """Clean the lines of all loggers of the house and of its HTTP library that exist by now. May be called again."""
    for name in [*_BELOW, *logging.root.manager.loggerDict]:
        if name.partition(".")[0] in _BELOW:
            logger(name)


def _spellings(value: str) -> set[str]:
    raw = value.encode("utf-8", "surrogateescape")
    spelled = {value, quote(value, safe=""), quote_plus(value), repr(value)[1:-1]}
    for lead in range(3):  # base64 of a text that contains the value, wherever it begins
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(b"\0" * lead + raw).decode().rstrip("=")
            inner = text[(0, 2, 3)[lead] : len(text) - (1 if (lead + len(raw)) % 3 else 0)]
            if len(inner) >= _PREFIX:
                spelled.add(inner)
    spelled.add(raw.hex())
    return {one for one in spelled if len(one) >= _HEAD}


def shown(problem: BaseException) -> None:
    """What remotes and drivers wrote into an error and those it came from is shown to people: without secrets."""
    seen: set[int] = set()
    one: BaseException | None = problem
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        one.args = tuple(clean(part).replace("\n", " ") if isinstance(part, str) else part for part in one.args)
        for name in ("code", "capability"):
            if isinstance(getattr(one, name, None), str):
                setattr(one, name, clean(getattr(one, name)))
        one = one.__cause__ or one.__context__


def reveal(value: Any) -> str:
    """The text of a pydantic SecretStr, or of a plain one."""
    return str(value.get_secret_value()) if hasattr(value, "get_secret_value") else str(value)
