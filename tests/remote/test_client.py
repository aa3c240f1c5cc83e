"""The client against a real remote on loopback that behaves, misbehaves and goes away."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import anyio
import pytest
import stamina
from pydantic import SecretStr

from omnichannel_core import errors
from omnichannel_core.driver import Answer, Limit, Token
from omnichannel_core.remote.exchange import Deadlines

pytestmark = pytest.mark.anyio
QUICK = Deadlines(connect=2.0, request=0.3)


def reply(status: int = 200, body: bytes = b"{}", headers: dict[str, str] | None = None) -> Any:
    lines = "".join(f"{n}: {v}\r\n" for n, v in {"Content-Length": str(len(body)), **(headers or {})}.items())
    return lambda peer: peer.sendall(f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + body)


def silence(peer: socket.socket) -> None:
    peer.recv(1)


def reset(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    peer.close()


def hangup(peer: socket.socket) -> None:
    peer.shutdown(socket.SHUT_RDWR)


def raw(data: bytes, *, then_close: bool = True) -> Any:
    def act(peer: socket.socket) -> None:
        peer.sendall(data)
        if then_close:
            peer.shutdown(socket.SHUT_RDWR)

    return act


def drip(peer: socket.socket) -> None:
    peer.sendall(b"HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n")
    peer.settimeout(0.05)
    for _ in range(100):
        peer.sendall(b"x")
        try:
            if peer.recv(1) == b"":
                return
        except TimeoutError:
            continue


async def test_signed_request_and_its_answer(house: Any, remote: Any) -> None:
    """A request leaves signed, with its query and body, and its answer comes back with lower-case headers."""
    remote.acts = [reply(200, b'{"a":1}', {"X-Thing": "b"})]
    client = house.client()
    answer = await client.send(
        "put", "put", f"{remote.url}/v1?x=1", params={"y": "ä&"}, json={"n": 1}, headers={"X-A": "1"}
    )
    head, _, body = remote.requests[0].partition(b"\r\n\r\n")
    assert answer.decode(dict) == {"a": 1}
    assert answer.headers["x-thing"] == "b"
    assert head.startswith(b"PUT /v1?x=1&y=%C3%A4%26 HTTP/1.1")
    assert b"authorization: Bearer first-token-0123456789" in head
    assert b"x-a: 1" in head
    assert b"content-type: application/json" in head
    assert body == b'{"n":1}'


async def test_sockets_are_kept(house: Any, remote: Any) -> None:
    """Requests one after the other use one socket."""
    client = house.client()
    for _ in range(5):
        await client.send("get", "GET", f"{remote.url}/")
    assert (len(remote.requests), remote.sockets) == (5, 1)


async def test_released_transport_closes_its_sockets(house: Any, remote: Any) -> None:
    """A released transport keeps nothing open and can be used again."""
    client = house.client()
    await client.send("get", "GET", f"{remote.url}/")
    await client.transport.release()
    assert repr(client.transport) == "<Transport with 0 sockets>"
    await client.send("get", "GET", f"{remote.url}/")
    assert remote.sockets == 2


@pytest.mark.parametrize(
    "act",
    [
        silence, drip, reset, hangup,
        raw(b"HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\nshort"),
        raw(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"),
        raw(b"<html>not http</html>\r\n\r\n"),
        raw(b"HTTP/1.1 200 X\r\n" + b"A: b\r\n" * 40_000 + b"\r\n"),
        raw(b"HTTP/1.1 200 X\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", then_close=False),
        raw(b"HTTP/1.1 200 X\r\nContent-Encoding: br\r\nContent-Length: 5\r\n\r\nhello", then_close=False),
        reply(200, gzip.compress(b"x" * 3000)[:-9], {"Content-Encoding": "gzip"}),
        reply(200, b"x" * 200_001),
        reply(200, gzip.compress(b"\0" * 30_000_000), {"Content-Encoding": "gzip"}),
        raw(b"HTTP/1.1 200 X\r\n\r\n" + b"y" * 300_000),
    ],
    ids=["silent", "drip", "reset", "hangup", "truncated", "half-chunk", "no-http", "huge-head", "no-gzip", "brotli",
         "cut-gzip", "huge", "bomb", "endless"],
)  # fmt: skip
async def test_every_fault_is_one_typed_error(house: Any, remote: Any, act: Any) -> None:
    """Whatever a remote does wrong becomes RemoteUnavailable in time, and a POST is not repeated."""
    remote.acts = [act]
    client = house.client(deadlines=QUICK, max_bytes=200_000)
    with anyio.fail_after(5), pytest.raises(errors.RemoteUnavailable):
        await client.send("post", "POST", f"{remote.url}/", json={})
    assert client.left
    assert len(remote.requests) == 1


async def test_faults_are_repeated_when_repeatable(house: Any, remote: Any, clock: Any) -> None:
    """A GET is tried again after faults, at most four times in all, with growing pauses of the house's clock."""
    remote.acts = [reply(503), reset, hangup, reply(200, b"[]")]
    assert (await house.client().send("get", "GET", f"{remote.url}/")).content == b"[]"
    assert len(remote.requests) == 4
    assert [0.4 <= clock.naps[0] <= 0.7, 0.8 <= clock.naps[1] <= 1.1, 1.6 <= clock.naps[2] <= 1.9] == [True] * 3
    remote.acts = [reply(503)]
    with pytest.raises(errors.RemoteUnavailable):
        await house.client().send("get", "GET", f"{remote.url}/")
    assert len(remote.requests) == 8


async def test_retries_can_be_switched_off(house: Any, remote: Any) -> None:
    """A host that switches stamina off gets one try."""
    remote.acts = [reply(503)]
    stamina.set_active(False)
    try:
        with pytest.raises(errors.RemoteUnavailable):
            await house.client().send("get", "GET", f"{remote.url}/")
    finally:
        stamina.set_active(True)
    assert len(remote.requests) == 1


async def test_repeatable_by_word(house: Any, remote: Any) -> None:
    """A POST said to be repeatable is repeated and never counts as left; a PUT said not to be is not."""
    remote.acts = [reply(500), reply(200), reply(500), reply(200)]
    client = house.client()
    await client.send("post", "POST", f"{remote.url}/", repeatable=True)
    assert not client.left
    with pytest.raises(errors.RemoteUnavailable):
        await client.send("put", "PUT", f"{remote.url}/", repeatable=False)
    assert client.left
    assert len(remote.requests) == 3


async def test_nothing_left_when_nobody_listens(house: Any, remote: Any) -> None:
    """A POST that never got onto a socket has not left, and was tried again."""
    url = remote.url
    remote.stop()
    client = house.client()
    with pytest.raises(errors.RemoteUnavailable, match="cannot connect"):
        await client.send("post", "POST", f"{url}/", json={})
    assert not client.left
    assert len(house.clock.naps) == 3


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, errors.CredentialsRejected), (403, errors.AccessMissing), (422, errors.RemoteRejected),
     (429, errors.RateLimited), (302, errors.RemoteRejected)],
)  # fmt: skip
async def test_a_refused_post_has_not_arrived(house: Any, remote: Any, status: int, error: type[Exception]) -> None:
    """What the remote refused is known not to be done: `left` stays as it was; no redirect is followed."""
    remote.acts = [reply(status, b"", {"Location": f"{remote.url}/other"})]
    client = house.client()
    house.tokens.other = None
    with pytest.raises(error):
        await client.send("post", "POST", f"{remote.url}/", json={})
    assert not client.left
    assert len(remote.requests) == 1
    remote.acts = [reply(200)]
    await client.send("post", "POST", f"{remote.url}/", json={})
    assert client.left
    client.left = False
    assert not client.left


async def test_cancelled_post_counts_as_left(house: Any, remote: Any) -> None:
    """A POST cancelled while its answer is awaited may have arrived."""
    remote.acts = [silence]
    client = house.client()
    with anyio.move_on_after(0.2) as scope:
        await client.send("post", "POST", f"{remote.url}/", json={})
    assert scope.cancelled_caught
    assert client.left


async def test_token_is_renewed_once(house: Any, remote: Any) -> None:
    """A refused token is replaced once and the request repeated with the other one."""
    remote.acts = [reply(401), reply(200)]
    await house.client().send("post", "POST", f"{remote.url}/", json={})
    assert house.tokens.asked == ["first-token-0123456789"]
    assert b"Bearer other-token-0123456789" in remote.requests[1]
    remote.acts, house.tokens.token = [reply(401)], Token(value=SecretStr("third-token-0123456789"))
    with pytest.raises(errors.CredentialsRejected):
        await house.client().send("get", "GET", f"{remote.url}/")
    assert len(house.tokens.asked) == 2
    assert len(remote.requests) == 4


async def test_retry_after_is_honored(house: Any, remote: Any, clock: Any) -> None:
    """A short wait the remote asks for is slept, not less and hardly more; a long one is raised with its seconds."""
    remote.acts = [reply(429, b"", {"Retry-After": "7"}), reply(200), reply(429, b"", {"Retry-After": "120"})]
    client = house.client()
    await client.send("get", "GET", f"{remote.url}/")
    assert 7.0 <= sum(clock.naps) <= 8.0
    with pytest.raises(errors.RateLimited) as raised:
        await client.send("get", "GET", f"{remote.url}/")
    assert raised.value.wait == 120.0
    assert len(remote.requests) == 3


async def test_slow_down_holds_everybody_under_the_limit(house: Any, remote: Any, clock: Any) -> None:
    """After a long 429 another connection to the same account does not even ask."""
    limits = (Limit(name="all", rate=100.0, burst=100.0),)
    remote.acts = [reply(429, b"", {"Retry-After": "90"}), reply(200)]
    with pytest.raises(errors.RateLimited):
        await house.client(limits=limits).send("get", "GET", f"{remote.url}/")
    with pytest.raises(errors.RateLimited) as raised:
        await house.client(limits=limits).send("get", "GET", f"{remote.url}/")
    assert raised.value.wait == pytest.approx(90.0, abs=1.0)
    assert len(remote.requests) == 1
    await house.client(limits=limits, account="other shop").send("get", "GET", f"{remote.url}/")


async def test_signed_requests_go_only_to_declared_origins(house: Any, remote: Any) -> None:
    """A signed request to any other scheme, host or port is refused before anything is connected."""
    client = house.client()
    other = [
        f"http://localhost:{remote.port}/",
        f"https://127.0.0.1:{remote.port}/",
        "http://127.0.0.1/",
        "http://127.0.0.1:1/",
    ]
    for url in other:
        with pytest.raises(errors.ContractBroken, match="not declared"):
            await client.send("get", "GET", url)
    assert remote.sockets == 0
    await client.send("get", "GET", f"{remote.url}/", token=None)
    assert b"authorization" not in remote.requests[0].lower()


async def test_an_override_takes_every_request(house: Any, remote: Any) -> None:
    """With an endpoint of the host's, all origins lead there, path kept and host named, and only it goes there."""
    house.allow, house.origins = (), ("https://api.example.com",)
    client = house.client(override=remote.url)
    await client.send("get", "GET", "https://api.example.com/a/b?c=d")
    await client.send("get", "GET", "https://elsewhere.example.com:8443/e", token=None)
    assert [one.split(b" ")[1] for one in remote.requests] == [b"/a/b?c=d", b"/e"]
    assert f"host: 127.0.0.1:{remote.port}".encode() in remote.requests[0]
    assert b"x-forwarded-host: api.example.com\r\n" in remote.requests[0]
    assert b"x-forwarded-host: elsewhere.example.com:8443\r\n" in remote.requests[1]
    with pytest.raises(errors.ContractBroken):
        await client.send("get", "GET", "https://elsewhere.example.com/")
    with pytest.raises(errors.AddressRefused):
        await house.client().send("get", "GET", f"{remote.url}/", token=None)


@pytest.mark.parametrize(
    "text", ["http://example.com", "https://example.com/path", "ftp://127.0.0.1", "127.0.0.1:80", ""]
)
def test_override_must_be_an_origin(text: str) -> None:
    """An endpoint is an origin, and plain http on loopback only."""
    from omnichannel_core.remote.targets import override_of

    with pytest.raises(errors.UsageError):
        override_of(text)


async def test_a_hostile_judge_breaks_the_contract(house: Any, remote: Any) -> None:
    """Whatever else escapes `judge`, `sign`, `origins` or a limit's reader is ContractBroken, without secrets."""

    def bad(*_: Any) -> Any:
        raise ValueError("token=first-token-0123456789")

    def usage(_: Answer) -> None:
        raise errors.UsageError("not for drivers")

    for broken in ({"judge": bad}, {"sign": bad}, {"judge": usage}, {"limits": (Limit(name="x", read=bad),)}):
        with pytest.raises(errors.ContractBroken) as raised:
            await house.client(**broken).send("get", "GET", f"{remote.url}/")
        assert "first-token" not in str(raised.value)


async def test_messages_of_drivers_hide_secrets(house: Any, remote: Any) -> None:
    """A secret that a remote repeats into an error is not shown."""

    def echo(answer: Answer) -> None:
        raise errors.RemoteRejected(f"bad thing: {answer.content.decode()}", "x")

    remote.acts = [reply(200, b"you sent first-token-0123456789\nFAKE LINE and top-secret-value")]
    with pytest.raises(errors.RemoteRejected) as raised:
        await house.client(judge=echo, secrets=["top-secret-value"]).send("get", "GET", f"{remote.url}/")
    assert str(raised.value) == "bad thing: you sent [hidden] FAKE LINE and [hidden]"
    assert raised.value.code == "x"


@pytest.mark.parametrize("name", ["Host", "Content-Length", "Transfer-Encoding", "X Y", "X:", "Ü", ""])
async def test_framing_headers_are_ours(house: Any, remote: Any, name: str) -> None:
    """A driver cannot set what frames a request, nor smuggle a line into it."""
    with pytest.raises(errors.ContractBroken):
        await house.client().send("get", "GET", f"{remote.url}/", headers={name: "1"})
    with pytest.raises(errors.ContractBroken) as raised:
        await house.client().send("get", "GET", f"{remote.url}/", headers={"X-Key": "secret\r\nX-Evil: 1"})
    assert "secret" not in str(raised.value)
    assert remote.sockets == 0


async def test_bodies(house: Any, remote: Any, tmp_path: Path) -> None:
    """Forms, bytes and files arrive whole; two bodies, or one nobody can encode, break the contract."""
    file = tmp_path / "feed.xml"
    file.write_bytes(b"<x/>" * 700_000)
    client = house.client()
    await client.send("form", "POST", f"{remote.url}/", form={"a": "b c&d"})
    await client.send("bytes", "POST", f"{remote.url}/", content=b"\0\1", headers={"Content-Type": "application/x"})
    await client.send("file", "POST", f"{remote.url}/", content=file)
    await client.send("none", "POST", f"{remote.url}/")
    bodies = [one.partition(b"\r\n\r\n")[2] for one in remote.requests]
    assert bodies[0] == b"a=b+c%26d"
    assert b"content-type: application/x-www-form-urlencoded" in remote.requests[0]
    assert bodies[1:] == [b"\0\1", file.read_bytes(), b""]
    assert b"content-length: 0" in remote.requests[3]
    for wrong in ({"json": 1, "content": b"x"}, {"json": object()}, {"content": tmp_path / "gone"}):
        with pytest.raises(errors.ContractBroken):
            await client.send("wrong", "POST", f"{remote.url}/", **wrong)


@pytest.mark.parametrize(
    "url", ["ftp://x/", "/path", "http://", "http://u:p@127.0.0.1/", "http://[::1", "http://a b/", "x"]
)
async def test_what_is_no_web_address(house: Any, remote: Any, url: str) -> None:
    """Anything that is not a plain http or https address is refused, and not repeated in full."""
    with pytest.raises(errors.AddressRefused):
        await house.client().send("get", "GET", url, token=None)


async def test_gzip_is_unpacked(house: Any, remote: Any) -> None:
    """A compressed answer arrives unpacked, also one in several members, also an empty one."""
    body = gzip.compress(b"[1,") + gzip.compress(b"2]") + b"\0\0"
    remote.acts = [reply(200, body, {"Content-Encoding": "gzip"}), reply(204, b"", {"Content-Encoding": "gzip"})]
    client = house.client()
    assert (await client.send("get", "GET", f"{remote.url}/")).decode(list) == [1, 2]
    assert (await client.send("get", "GET", f"{remote.url}/")).content == b""
    assert b"accept-encoding: gzip" in remote.requests[0]


async def test_download(house: Any, remote: Any, tmp_path: Path) -> None:
    """A download lands under its name only when complete; a refusal or a broken one leaves nothing."""
    to, body = tmp_path / "report.csv", bytes(range(256)) * 20_000
    remote.acts = [
        reply(200, body[:1000] + body[1000:], {"Content-Encoding": "identity"}), reply(404, b"gone"),
        raw(b"HTTP/1.1 200 X\r\nContent-Length: 9000000\r\n\r\n" + body), reply(200, b"x" * 6_000_000),
    ]  # fmt: skip
    client = house.client(max_file_bytes=5_500_000)
    answer = await client.download("report", f"{remote.url}/", to)
    assert (answer.content, to.read_bytes()) == (b"", body)
    to.unlink()
    with pytest.raises(errors.RemoteRejected):
        await client.download("report", f"{remote.url}/", to)
    stamina.set_active(False)
    try:
        for _ in range(2):
            with pytest.raises(errors.RemoteUnavailable):
                await client.download("report", f"{remote.url}/", to)
    finally:
        stamina.set_active(True)
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240
    remote.acts = [reply(200, b"x")]
    with pytest.raises(errors.StorageError):
        await client.download("report", f"{remote.url}/", tmp_path / "no" / "folder")


async def test_requests_under_way_are_counted_across_connections(house: Any, remote: Any) -> None:
    """Two connections to one account share the number of requests under way at once; another account has its own."""

    lock, busy, busiest = threading.Lock(), 0, 0

    def slow(peer: socket.socket) -> None:
        nonlocal busy, busiest
        with lock:
            busy += 1
            busiest = max(busy, busiest)
        peer.settimeout(0.05)
        with contextlib.suppress(TimeoutError):
            peer.recv(1)
        peer.settimeout(None)
        with lock:  # before the answer, which makes room for the next request
            busy -= 1
        reply(200)(peer)

    remote.acts = [slow]
    limits = (Limit(name="together", concurrent=2),)
    clients = [house.client(limits=limits) for _ in range(4)]
    async with anyio.create_task_group() as tasks:
        for client in clients * 2:
            tasks.start_soon(client.send, "get", "GET", f"{remote.url}/")
    assert (len(remote.requests), busiest) == (8, 2)


async def test_a_driver_without_an_api(house: Any, remote: Any) -> None:
    """Without `remote_api` requests are unsigned, judged as plain HTTP, and cannot be signed."""
    client = house.client()
    client.api = None
    with pytest.raises(errors.ContractBroken, match="remote_api"):
        await client.send("get", "GET", f"{remote.url}/")
    assert (await client.send("get", "GET", f"{remote.url}/", token=None)).status == 200


async def test_nothing_here_shows_a_secret(house: Any, remote: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the parts of the client nor any log line at DEBUG shows a token, a signature or a query."""
    caplog.set_level("DEBUG")
    client = house.client(secrets=[SecretStr("typed-secret-value")])
    await client.send("get", "GET", f"{remote.url}/?key=typed-secret-value", headers={"X-Key": "typed-secret-value"})
    parts = (client, client.redactor, client.transport, client.limiter, client.tokens.token, house.limiter)
    shown = " ".join([*map(repr, parts), *map(str, parts), caplog.text])
    assert "typed-secret-value" not in shown
    assert "first-token" not in shown


async def test_a_thousand_clients_are_cheap(house: Any, clock: Any) -> None:
    """A connection's way out costs a few kilobytes until it is used."""
    house.client()
    tracemalloc.start()
    try:
        before, kept = tracemalloc.get_traced_memory()[0], [house.client(account=str(number)) for number in range(1000)]
        each = (tracemalloc.get_traced_memory()[0] - before) / len(kept)
    finally:
        tracemalloc.stop()
    assert each < 6_000


def test_browsers_go_to_a_stand_in() -> None:
    """AUTHORIZE leads to a simulator on loopback under the real host's name, and past any other endpoint untouched."""
    from omnichannel_core.remote.targets import stand_in

    real = "https://seller.example.com/consent?state=a%26b"
    assert stand_in(real, "http://127.0.0.1:8080") == "http://seller.example.com.localhost:8080/consent?state=a%26b"
    for endpoint in ("", "https://proxy.example.com", "https://127.0.0.1:8443"):
        assert stand_in(real, endpoint) == real
    assert stand_in("http://localhost:1/x", "http://127.0.0.1:8080") == "http://localhost:1/x"
