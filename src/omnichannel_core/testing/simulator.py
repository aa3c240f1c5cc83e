"""Running a marketplace's simulator: found by entry point, in a child process, on loopback.

`python -m omnichannel_core.testing.simulator bigcommerce` prints its address as its first line.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from typing import Any

from omnichannel_core import errors

GROUP = "omnichannel_core.simulators"


def names() -> list[str]:
    """Simulators that are there."""
    return sorted(point.name for point in metadata.entry_points(group=GROUP))


@contextmanager
def running(name: str, *, port: int = 0, options: Mapping[str, Any] | None = None) -> Iterator[str]:
    """A simulator in a child process; its address, such as http://127.0.0.1:40123. It ends with the block.

    Raises:
        NotFound: no distribution ships one of that name. UsageError: it did not start.
    """
    if name not in names():
        raise errors.NotFound(f"No distribution ships a simulator {name!r}. There: {', '.join(names()) or 'none'}.")
    command = [sys.executable, "-m", __name__, name, "--port", str(port), "--options", json.dumps(dict(options or {}))]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None  # noqa: S101 - a pipe was asked for
        address = child.stdout.readline().strip()
        if not address.startswith("http://127.0.0.1:"):
            raise errors.UsageError(f"The simulator {name!r} did not start: needs its extra `simulator`.")
        yield address
    finally:
        child.terminate()
        child.wait(10)
        for pipe in (child.stdout, child.stdin):
            if pipe is not None:
                pipe.close()


def control(address: str, path: str, body: Mapping[str, Any] | None = None, method: str = "") -> Any:
    """Blocking: one call of a simulator's control API at `/_control/...`; JSON in and out."""
    data = None if body is None else json.dumps(dict(body)).encode()
    request = urllib.request.Request(  # noqa: S310 - the simulator's own loopback address
        f"{address}/_control/{path}", data=data, method=method or ("GET" if body is None else "POST"),
        headers={"content-type": "application/json"},
    )  # fmt: skip
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=60) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def listening(port: int = 0) -> socket.socket:
    """A socket on loopback for an event loop to serve on; port 0 is any.

    Its protocol is named, because event loops switch Nagle's delay (40 ms an answer) off only where they know it.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    return listener


def _serve(name: str, port: int, options: Mapping[str, Any]) -> None:
    import uvicorn

    (point,) = metadata.entry_points(group=GROUP, name=name)
    app = point.load()(**options)
    listener = listening(port)
    sys.stdout.write(f"http://127.0.0.1:{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    config = uvicorn.Config(  # a simulator says the date itself, or not at all: the machine's is not that of its clock
        app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=1, date_header=False
    )
    uvicorn.Server(config).run(sockets=[listener])


def main() -> None:
    """The child."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--options", default="{}")
    given = parser.parse_args()
    _serve(given.name, given.port, json.loads(given.options))


if __name__ == "__main__":
    main()
