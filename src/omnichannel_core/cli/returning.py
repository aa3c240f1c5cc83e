"""The way back of an authorization on this machine's loopback, without a web framework."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import anyio
import anyio.abc

from omnichannel_core import errors
from omnichannel_core.app import Omnichannel
from omnichannel_core.cli.opening import Options
from omnichannel_core.cli.output import say
from omnichannel_core.connections.authorizing import Returned
from omnichannel_core.driver import Call

PAGE = b"<!doctype html><title>omnichannel</title><p>You can close this window and go back to the command line."


async def authorize_on_loopback(
    house: Omnichannel, options: Options, driver: str, form: Mapping[str, Any], connection: int | None, port: int,
    draft: int | None = None,
) -> Returned:  # fmt: skip
    """Begin, wait for the browser, finish. Ten minutes at most; the draft stays for an hour whatever happens."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=port)
    calls, arrived = anyio.create_memory_object_stream[Call](1)
    async with listener, calls, arrived:
        local = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610 - anyio's, not a query
        begun = await house.connections.authorize(
            options.need_account(), driver, form, return_url=f"http://127.0.0.1:{local}/return", actor=options.actor,
            connection=connection, draft=draft,
        )  # fmt: skip
        say(f"Draft {begun.draft}. Open this address in a browser, and come back:\n  {begun.url}")
        call: Call | None = None
        with anyio.move_on_after(600):
            async with anyio.create_task_group() as group:
                group.start_soon(_serve, listener, calls)
                call = await arrived.receive()
                group.cancel_scope.cancel()
        if call is None:
            raise errors.AuthorizationDenied(
                f"Nobody came back from the marketplace within ten minutes: authorize again with --draft {begun.draft}."
            )
        return await house.connections.returned(call, account=options.need_account(), actor=options.actor)


async def _serve(listener: anyio.abc.Listener[anyio.abc.SocketStream], calls: Any) -> None:
    async def one(stream: anyio.abc.SocketStream) -> None:
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError, ValueError), anyio.move_on_after(30):
            await answered(stream)

    async def answered(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            head = b""
            while b"\r\n\r\n" not in head and len(head) < 16_384:
                head += await stream.receive()
            method, target, *_ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
            where = urlsplit(target)
            known = where.path == "/return" and method == "GET"
            status = b"200 OK" if known else b"404 Not Found"
            body = PAGE if known else b""
            await stream.send(
                b"HTTP/1.1 " + status + b"\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n"
                b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body
            )
            if known:
                await calls.send(Call(method="GET", path="return", query=dict(parse_qsl(where.query))))

    await listener.serve(one)
