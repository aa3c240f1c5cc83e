"""Requests and answers, wire shapes, and what plain HTTP statuses mean."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Generic, TypeVar

import attrs
import msgspec

from omnichannel_core import errors

T = TypeVar("T")
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


@attrs.frozen(kw_only=True)
class Ask:
    """A request about to leave, as `sign` sees it."""

    operation: str
    method: str
    url: str = attrs.field(repr=False)
    body: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen(kw_only=True)
class Answer:
    """What came back, read to the end, within the size limit. Header names are lower case."""

    operation: str
    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    content: bytes = attrs.field(repr=False)

    def decode(self, shape: type[T]) -> T:
        """The body as a wire shape (msgspec).

        Raises:
            RemoteUnavailable: it is not that (HTML, truncated, empty): the remote's trouble, not the record's.
        """
        try:
            return msgspec.json.decode(self.content, type=shape)
        except UNREADABLE as cause:
            raise errors.RemoteUnavailable(f"{self.operation}: answer {self.status} is not readable") from cause

    def rows(self, shape: type[T], *, at: str = "") -> Rows[T]:
        """A list of rows, each as `shape`; what does not fit is kept apart with its bytes and the reason.

        Args:
            at: the member that holds the list; '' when the body itself is the list.

        Raises:
            RemoteUnavailable: the body as a whole is not such a list.
        """
        try:
            whole: list[T] = self._list(msgspec.json.decode(self.content, type=_shape_of(shape, at)), at)
        except msgspec.ValidationError:
            return _one_by_one(self, shape, at)
        except UNREADABLE as cause:
            raise errors.RemoteUnavailable(f"{self.operation}: answer {self.status} is not readable") from cause
        return Rows(good=whole)

    @staticmethod
    def _list(found: Any, at: str) -> list[Any]:
        rows: list[Any] = getattr(found, at) if at else found
        return rows


@attrs.frozen
class Unreadable:
    """One row that is not of the wire shape: `raw` JSON, `reason` without its values."""

    raw: bytes
    reason: str


@attrs.frozen
class Rows(Generic[T]):
    """The rows of one answer."""

    good: Sequence[T]
    bad: Sequence[Unreadable] = ()

    def __len__(self) -> int:
        return len(self.good) + len(self.bad)


_SHAPES: dict[tuple[object, str], type] = {}


def _shape_of(shape: object, at: str) -> type:
    """`list[shape]`, or a struct holding one at `at`; made once per pair."""
    if (shape, at) not in _SHAPES:
        rows: Any = list[shape]  # type: ignore[valid-type]
        _SHAPES[shape, at] = msgspec.defstruct("Envelope", [(at, rows)]) if at else rows
    return _SHAPES[shape, at]


def _one_by_one(answer: Answer, shape: type[T], at: str) -> Rows[T]:
    try:
        raws: list[msgspec.Raw] = Answer._list(msgspec.json.decode(answer.content, type=_shape_of(msgspec.Raw, at)), at)
    except UNREADABLE as cause:
        raise errors.RemoteUnavailable(f"{answer.operation}: answer {answer.status} is not readable") from cause
    good, bad, decoder = list[T](), list[Unreadable](), msgspec.json.Decoder(shape)
    for raw in raws:
        try:
            good.append(decoder.decode(raw))
        except msgspec.ValidationError as cause:
            bad.append(Unreadable(bytes(raw), str(cause)))
    return Rows(good, bad)


def judge(answer: Answer) -> None:
    """Plain HTTP (RFC 9110 15). Drivers call it last, after what their marketplace means otherwise.

    Raises:
        CredentialsRejected (401), AccessMissing (403), RateLimited (429), RemoteUnavailable (5xx, 408, 425),
        RemoteRejected (other 3xx and 4xx).
    """
    status, what = answer.status, f"{answer.operation}: {answer.status}"
    if status < 300:
        return
    if status == 401:
        raise errors.CredentialsRejected(f"{what}: the remote does not accept the credentials")
    if status == 403:
        raise errors.AccessMissing(f"{what}: a permission is missing", answer.operation)
    if status == 429:
        raise errors.RateLimited(f"{what}: the remote says slow down", retry_after(answer))
    if status >= 500 or status in (408, 425):
        raise errors.RemoteUnavailable(f"{what}: the remote is in trouble", retry_after(answer))
    raise errors.RemoteRejected(f"{what}: refused", str(status))


def retry_after(answer: Answer) -> float | None:
    """Seconds of the Retry-After header (RFC 9110 10.2.3: seconds or a date), None when absent or unreadable."""
    text = answer.headers.get("retry-after", "").strip()
    if not text:
        return None
    if re.fullmatch(r"[0-9]{1,20}(\.[0-9]{0,20})?", text):
        return float(text)
    try:
        at = parsedate_to_datetime(text)
        sent = parsedate_to_datetime(answer.headers["date"]) if "date" in answer.headers else datetime.now(UTC)
        return max(0.0, (at - sent).total_seconds())
    except (ValueError, TypeError):
        return None
