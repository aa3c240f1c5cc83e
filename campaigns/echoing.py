"""A remote on loopback that sends back whatever it got, with the status it is asked for."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        given = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        said = json.dumps({"path": self.path, "body": given, "headers": dict(self.headers.items())}).encode()
        status = int(parse_qs(urlsplit(self.path).query).get("status", ["200"])[0])
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(said)))
        for name in ("x-key", "x-token"):
            if name in self.headers:
                self.send_header(f"{name}-again", self.headers[name])
        self.end_headers()
        self.wfile.write(said)

    do_POST = do_PUT = do_GET  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Nothing: its own log is not the house's."""


def serve() -> ThreadingHTTPServer:
    """Serving in a thread until `shutdown`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
