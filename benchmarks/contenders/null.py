"""Bytes only: asks page after page over one socket and throws them away. Shows what the server can give."""

from __future__ import annotations

import socket
import sys
from urllib.parse import urlsplit


def main(url: str) -> None:
    """Until a page is empty."""
    host = urlsplit(url)
    buffer = bytearray(4 << 20)
    with socket.create_connection((host.hostname, host.port)) as sock:
        page = 0
        while page == 0 or not empty(buffer):
            page += 1
            sock.sendall(f"GET /orders?page={page}&limit=250 HTTP/1.1\r\nHost: {host.netloc}\r\n\r\n".encode())
            receive(sock, buffer)


def empty(buffer: bytearray) -> bool:
    """Whether the answer at the buffer's start has no orders."""
    return buffer.startswith(b'{"data":[]', buffer.find(b"\r\n\r\n", 0, 4096) + 4)


def receive(sock: socket.socket, buffer: bytearray) -> None:
    """One answer, whole, into the buffer."""
    view = memoryview(buffer)
    have = 0
    while (end := buffer.find(b"\r\n\r\n", 0, have)) < 0:
        have += sock.recv_into(view[have:])
    at = buffer.index(b"Content-Length: ", 0, end) + 16
    whole = end + 4 + int(buffer[at : buffer.index(b"\r\n", at, end + 2)])
    while have < whole:
        got = sock.recv_into(view[have:])
        if not got:
            raise ConnectionError("the server hung up")
        have += got


if __name__ == "__main__":
    main(sys.argv[1])
