"""The loopback server: pre-rendered pages by sendfile, one loop without a framework, on a core of its own.

`GET /orders?page=1&limit=250[&updated_since=RFC3339]`, `GET /t/N/orders?...` (tenant N begins at another page of the
same orders), `GET /stats` (requests counted since the start). It prints its port as one JSON line and ends when its
standard input is closed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import selectors
import socket
import sys
import time
from collections import deque
from datetime import datetime
from heapq import heappop, heappush
from pathlib import Path
from urllib.parse import parse_qsl

from benchmarks import cache, orders

REQUEST = re.compile(rb"GET (?:/t/(\d+))?/(orders|stats)(?:\?(\S*))? HTTP/1\.1\r\n")
HEAD = "HTTP/1.1 {} OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
BUFFER = 4 << 20


class Pages:
    """Answers of one set: `total` orders for each tenant, out of the rendered file."""

    def __init__(self, path: Path, total: int) -> None:
        self.file = os.open(path, os.O_RDONLY)
        self.total = total
        self.requests = 0
        self._pages = -(-total // orders.PAGE)
        self._ends = [0, *cache.ends(path)]

    def answer(self, tenant: int, what: str, query: dict[str, str]) -> list[bytes | tuple[int, int]]:
        """The parts of an answer: bytes, or (offset, count) of the file."""
        if what == "stats":
            return whole(200, json.dumps({"requests": self.requests}).encode())
        self.requests += 1
        number, limit = int(query.get("page", "1")), int(query.get("limit", str(orders.PAGE)))
        if limit != orders.PAGE or number < 1:
            return whole(422, json.dumps({"error": f"limit is {orders.PAGE}, page counts from 1"}).encode())
        first = orders.since(datetime.fromisoformat(query["updated_since"])) if "updated_since" in query else 0
        if first:
            return self._changed(number, min(first, self.total))
        if number > self._pages or number * orders.PAGE > self.total:
            start = min((number - 1) * orders.PAGE, self.total)
            return whole(200, b'{"data":' + orders.render(start, self.total) + self._meta(number, 0))
        page = (tenant * self._pages + number - 1) % (len(self._ends) - 1)
        offset, end = self._ends[page], self._ends[page + 1]
        tail = self._meta(number, 0)
        head = HEAD.format(200, end - offset + len(tail)).encode()
        return [head, (offset, end - offset), tail]

    def _changed(self, number: int, first: int) -> list[bytes | tuple[int, int]]:
        """Pages that begin anywhere are rendered here: they are few in an incremental run."""
        start = min(first + (number - 1) * orders.PAGE, self.total)
        body = orders.render(start, min(start + orders.PAGE, self.total))
        return whole(200, b'{"data":' + body + self._meta(number, first))

    def _meta(self, number: int, first: int) -> bytes:
        total = self.total - first
        count = max(0, min(orders.PAGE, total - (number - 1) * orders.PAGE))
        return (
            f',"meta":{{"pagination":{{"total":{total},"count":{count},"per_page":{orders.PAGE},'
            f'"current_page":{number},"total_pages":{-(-total // orders.PAGE)}}}}}}}'
        ).encode()


def whole(status: int, body: bytes) -> list[bytes | tuple[int, int]]:
    """An answer without a piece of the file."""
    return [HEAD.format(status, len(body)).encode() + body]


class Talk:
    """One client's connection: what came and is no request yet, what is still to be sent."""

    __slots__ = ("incoming", "outgoing", "sock", "writing")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.incoming = b""
        self.outgoing: deque[bytes | tuple[int, int]] = deque()
        self.writing = False

    def flush(self, file: int) -> bool:
        """Sends what the socket takes; whether all is sent."""
        while self.outgoing:
            part = self.outgoing.popleft()
            try:
                if isinstance(part, bytes):
                    sent = self.sock.send(part, socket.MSG_MORE if self.outgoing else 0)
                    rest: bytes | tuple[int, int] = part[sent:]
                    more = sent < len(part)
                else:
                    sent = os.sendfile(self.sock.fileno(), file, *part)
                    rest = (part[0] + sent, part[1] - sent)
                    more = sent < part[1]
            except BlockingIOError:
                self.outgoing.appendleft(part)
                return False
            if more:
                self.outgoing.appendleft(rest)
        return True


class Server:
    """The loop. `latency` is the seconds that every answer is held back."""

    def __init__(self, pages: Pages, latency: float) -> None:
        self._pages = pages
        self._latency = latency
        self._selector = selectors.DefaultSelector()
        self._late: list[tuple[float, int, Talk, list[bytes | tuple[int, int]]]] = []
        self._count = 0

    def serve(self, listening: socket.socket) -> None:
        """Until standard input is closed."""
        listening.setblocking(False)
        self._selector.register(listening, selectors.EVENT_READ)
        self._selector.register(sys.stdin, selectors.EVENT_READ)
        while True:
            pause = max(0.0, self._late[0][0] - time.monotonic()) if self._late else None
            for key, mask in self._selector.select(pause):
                if key.fileobj is sys.stdin:
                    return
                if key.data is None:
                    self._accept(listening)
                    continue
                try:
                    if mask & selectors.EVENT_READ:
                        self._read(key.data)
                    if mask & selectors.EVENT_WRITE:
                        self._send(key.data)
                except (ConnectionError, ValueError):
                    self._close(key.data)
            self._due()

    def _accept(self, listening: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                sock, _ = listening.accept()
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
                self._selector.register(sock, selectors.EVENT_READ, Talk(sock))

    def _read(self, talk: Talk) -> None:
        data = talk.sock.recv(65536)
        if not data:
            raise ConnectionResetError
        talk.incoming += data
        while (end := talk.incoming.find(b"\r\n\r\n")) >= 0:
            request, talk.incoming = talk.incoming[: end + 4], talk.incoming[end + 4 :]
            match = REQUEST.match(request)
            if match is None:
                parts = whole(404, b'{"error":"no such path"}')
            else:
                query = dict(parse_qsl((match[3] or b"").decode()))
                parts = self._pages.answer(int(match[1] or 0), match[2].decode(), query)
            if self._latency:
                self._count += 1
                heappush(self._late, (time.monotonic() + self._latency, self._count, talk, parts))
            else:
                talk.outgoing.extend(parts)
                self._send(talk)

    def _due(self) -> None:
        now = time.monotonic()
        while self._late and self._late[0][0] <= now:
            _, _, talk, parts = heappop(self._late)
            if talk.sock.fileno() < 0:
                continue
            talk.outgoing.extend(parts)
            try:
                self._send(talk)
            except ConnectionError:
                self._close(talk)

    def _send(self, talk: Talk) -> None:
        writing = not talk.flush(self._pages.file)
        if writing != talk.writing:
            talk.writing = writing
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if writing else 0)
            self._selector.modify(talk.sock, events, talk)

    def _close(self, talk: Talk) -> None:
        if talk.sock.fileno() >= 0:
            self._selector.unregister(talk.sock)
            talk.sock.close()


def main() -> None:
    """Serves until standard input is closed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=Path, required=True)
    parser.add_argument("--orders", type=int, required=True, help="orders of each tenant")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds an answer")
    asked = parser.parse_args()
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listening:
        print(json.dumps({"port": listening.getsockname()[1]}), flush=True)
        Server(Pages(asked.pages, asked.orders), asked.latency).serve(listening)


if __name__ == "__main__":
    main()
