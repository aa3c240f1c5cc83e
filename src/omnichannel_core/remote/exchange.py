"""One request, one answer: deadline, size, decompression, and every failure as one of our errors."""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

import anyio
import attrs
import httpcore2

from omnichannel_core import errors
from omnichannel_core.driver import Answer
from omnichannel_core.remote.lanes import blocking
from omnichannel_core.remote.targets import Origin
from omnichannel_core.remote.transport import Transport

T = TypeVar("T")
MOST_BYTES = 50_000_000
MOST_FILE_BYTES = 5_000_000_000
_PIECE = 1 << 20
_GZIP = 31  # zlib's window bits for gzip alone
_NOT_SENT = (httpcore2.ConnectError, httpcore2.ConnectTimeout, httpcore2.PoolTimeout)
_BROKEN = (
    httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError, httpcore2.UnsupportedProtocol,
    OSError, EOFError, zlib.error, anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream,
)  # fmt: skip


@attrs.frozen(kw_only=True)
class Deadlines:
    """Seconds. `total`: for all tries of one `send`, with the waits between them."""

    connect: float = 10.0
    request: float = 60.0
    download: float = 3600.0
    total: float = 180.0


@attrs.define(kw_only=True)
class Outgoing:
    """A request ready to leave. `exactly`: find out to the byte whether it left; else connecting counts as leaving."""

    operation: str
    method: str
    origin: Origin
    path: bytes = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes | Path = attrs.field(default=b"", repr=False)
    exactly: bool = False
    sent: bool = False


async def exchange(transport: Transport, request: Outgoing, deadlines: Deadlines, most: int) -> Answer:
    """Send it and read the answer to its end.

    Raises:
        RemoteUnavailable: no answer, not in time, cut off, not HTTP, or larger than `most` bytes.
        AddressRefused: see the guard.
    """
    with _as_ours(request, deadlines.request):
        with anyio.fail_after(deadlines.request):
            response = await _sent(transport, request, deadlines)
            try:
                headers = _headers(response)
                content = b"".join([part async for part in _body(response, headers, most, request.operation)])
            finally:
                await response.aclose()
    return Answer(operation=request.operation, status=response.status, headers=headers, content=content)


async def download(
    transport: Transport, request: Outgoing, deadlines: Deadlines, to: Path, most: int, most_refusal: int
) -> Answer:
    """The same, the body going to a file, a megabyte at a time; it has its name only when it is complete.

    An answer that is no success is read into the answer, for `judge`, and leaves no file.
    """
    with _as_ours(request, deadlines.download):
        with anyio.fail_after(deadlines.download):
            response = await _sent(transport, request, deadlines)
            try:
                headers, content = _headers(response), b""
                if response.status >= 300:
                    parts = [part async for part in _body(response, headers, most_refusal, request.operation)]
                    content = b"".join(parts)
                else:
                    async with contextlib.aclosing(_body(response, headers, most, request.operation)) as parts_left:
                        await _to_file(parts_left, to)
            finally:
                await response.aclose()
    return Answer(operation=request.operation, status=response.status, headers=headers, content=content)


@contextlib.contextmanager
def _as_ours(request: Outgoing, seconds: float) -> Iterator[None]:
    """Nothing of the HTTP library gets out of here."""
    try:
        yield
    except httpcore2.LocalProtocolError:  # its text repeats the header it does not like
        raise errors.ContractBroken(
            f"{request.operation}: the request is not valid HTTP (method or headers); correct the driver."
        ) from None
    except TimeoutError:
        raise errors.RemoteUnavailable(f"{request.operation}: no complete answer in {seconds:g} s") from None
    except _BROKEN as cause:
        if isinstance(cause, _NOT_SENT):
            request.sent = False
            what = "cannot connect"
        else:
            what = "the connection broke" if request.sent else "cannot send"
        said = str(cause)[:200] or type(cause).__name__
        raise errors.RemoteUnavailable(f"{request.operation}: {what} ({said})") from cause


async def _sent(transport: Transport, request: Outgoing, deadlines: Deadlines) -> httpcore2.Response:
    extensions: dict[str, Any] = {"timeout": {"connect": deadlines.connect}}
    if request.exactly:

        async def trace(event: str, _: Mapping[str, Any]) -> None:
            request.sent = request.sent or event.endswith("send_request_headers.started")

        extensions["trace"] = trace
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in request.headers.items()]
    origin = request.origin
    outgoing = httpcore2.Request(
        request.method,
        httpcore2.URL(scheme=origin.scheme.encode(), host=origin.host.encode(), port=origin.port, target=request.path),
        headers=headers,
        content=request.body if isinstance(request.body, bytes) else _pieces(request.body),
        extensions=extensions,
    )
    request.sent = not request.exactly
    return await transport.pool.handle_async_request(outgoing)


def _headers(response: httpcore2.Response) -> dict[str, str]:
    found: dict[str, str] = {}
    for raw, value in response.headers:
        name, text = raw.decode("latin-1").lower(), value.decode("latin-1")
        found[name] = f"{found[name]}, {text}" if name in found else text
    return found


async def _body(
    response: httpcore2.Response, headers: Mapping[str, str], most: int, operation: str
) -> AsyncGenerator[bytes, None]:
    """The body in pieces, decompressed, never more than `most` bytes in all (nor in memory: a bomb is cut short)."""
    encoding = headers.get("content-encoding", "identity").strip().lower()
    declared = headers.get("content-length", "")
    if encoding not in {"identity", "gzip", "x-gzip", ""}:
        raise errors.RemoteUnavailable(f"{operation}: the answer is encoded as something we did not ask for")
    if declared.isdecimal() and len(declared) < 20 and int(declared) > most:
        raise _too_large(operation, most)
    size, gunzip = 0, _Gunzip() if encoding in {"gzip", "x-gzip"} else None
    async with contextlib.aclosing(response.aiter_stream()) as stream:
        async for raw in stream:
            for part in (raw,) if gunzip is None else gunzip.parts(raw):
                size += len(part)
                if size > most:
                    raise _too_large(operation, most)
                yield part
    if gunzip is not None and not gunzip.complete:
        raise errors.RemoteUnavailable(f"{operation}: the compressed answer is cut off")


def _too_large(operation: str, most: int) -> errors.RemoteUnavailable:
    return errors.RemoteUnavailable(f"{operation}: the answer is larger than {most / 1e6:g} MB; ask for less at a time")


class _Gunzip:
    """Members of a gzip body, a megabyte of output at a time."""

    __slots__ = ("_begun", "_member")

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._begun = False

    @property
    def complete(self) -> bool:
        """No body at all (HEAD, 204), or one that ended where it should."""
        return self._member.eof or not self._begun

    def parts(self, raw: bytes) -> Iterator[bytes]:
        while raw:
            if self._member.eof:
                if not raw.strip(b"\0"):
                    return  # padding after the last member
                self._member = zlib.decompressobj(_GZIP)
            self._begun = True
            out = self._member.decompress(raw, _PIECE)
            if out:
                yield out
            raw = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            while not raw and out and len(out) >= _PIECE and not self._member.eof:
                out = self._member.decompress(b"", _PIECE)  # output held back though all input is taken
                if out:
                    yield out


async def _disk(path: Path, work: Callable[[], T]) -> T:
    """A step on a file in our own threads; the disk's trouble is not the remote's."""
    try:
        return await blocking("files", work)
    except OSError as cause:
        raise errors.StorageError(f"{path.name}: {cause.strerror or cause}; free the disk or its rights.") from cause


def _opened(path: Path, mode: str) -> BinaryIO:
    return cast("BinaryIO", path.open(mode))


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    file = await _disk(path, partial(_opened, path, "rb"))
    try:
        while piece := await _disk(path, partial(file.read, _PIECE)):
            yield piece
    finally:
        file.close()


async def _to_file(parts: AsyncIterator[bytes], to: Path) -> None:
    """Beside it first, then renamed; what is left of a failure is removed."""
    part = to.with_name(f"{to.name}.part")
    file = await _disk(part, partial(_opened, part, "wb"))
    try:
        try:
            held, size = list[bytes](), 0
            async for piece in parts:
                held.append(piece)
                size += len(piece)
                if size >= _PIECE:
                    await _disk(part, partial(file.writelines, held))
                    held, size = [], 0
            await _disk(part, partial(_finish, file, held, part, to))
        finally:
            file.close()
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _finish(file: BinaryIO, held: list[bytes], part: Path, to: Path) -> None:
    file.writelines(held)
    file.flush()
    os.fsync(file.fileno())
    file.close()
    part.replace(to)
