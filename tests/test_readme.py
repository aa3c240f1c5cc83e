"""The README's code runs as it stands."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import omnichannel_core
from omnichannel_core.app import Omnichannel
from omnichannel_core.gate import vendor
from omnichannel_core.testing import simulator

README = (Path(__file__).parent.parent / "README.md").read_text()
HOST, DRIVER = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def license_files(driver: str, distribution: str) -> dict[str, Any]:
    """Files of the vendor in the current folder; its public keys."""
    private, public = vendor.keygen()
    keys = vendor.key_set(public)
    text = vendor.issue(private, account="acme", driver=driver, distribution=distribution, now=datetime.now(UTC))
    Path("vendor.jwks").write_text(json.dumps(keys))
    Path("license.txt").write_text(text)
    return keys


def test_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The host of the first screen connects a store and prints its orders."""
    monkeypatch.chdir(tmp_path)
    license_files("bigcommerce", "omnichannel-bigcommerce")
    Path("token.txt").write_text("the-token-of-the-store\n")
    with simulator.running("bigcommerce") as address:
        made = {"hash": "abc123", "token": "the-token-of-the-store", "orders": 12, "products": 5, "quota": 450}
        simulator.control(address, "stores", made)
        elsewhere = partial(Omnichannel, endpoints={"bigcommerce": address})
        monkeypatch.setattr(omnichannel_core, "Omnichannel", elsewhere)
        exec(compile(HOST, "README.md", "exec"), {"__name__": "host"})
    assert len(capsys.readouterr().out.splitlines()) > 3


class Shop(BaseHTTPRequestHandler):
    """Three orders behind a key."""

    def do_GET(self) -> None:
        """Either the shop or its orders."""
        good = self.headers["x-api-key"] == "hush"
        after = int(self.path.partition("after=")[2] or 0)
        rows: Any = [{"id": number, "status": "open"} for number in (1, 2, 3) if number > after]
        body = json.dumps({"name": "Little shop"} if self.path == "/shop" else rows).encode()
        self.send_response(200 if good else 401)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def address() -> Iterator[str]:
    """The shop on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_driver(plug: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """The driver of the first screen is licensed, installed, and pulls a shop's orders."""
    monkeypatch.chdir(tmp_path)
    plug.distribution("omnichannel-little", {"little": "little_driver"}, code={"little_driver.py": DRIVER})
    keys, text = license_files("little", "omnichannel-little"), Path("license.txt").read_text()

    async def main() -> list[str]:
        async with Omnichannel("shop.db", trust=keys, catalog=plug.catalog(), endpoints={"little": address}) as house:
            await house.accounts.add("acme")
            await house.licenses.add("acme", text)
            await house.drivers.install("acme", "little")
            typed = {"url": "https://little.example", "key": "hush"}
            saved = await house.connections.create("acme", "little", "Little", typed)
            assert saved.process is not None
            await house.processes.wait("acme", saved.process.id)
            return [one.number for one in (await house.hub.orders("acme")).items]

    assert sorted(asyncio.run(main())) == ["1", "2", "3"]


def test_short() -> None:
    """Host and driver stay as short as the first screen."""
    assert len([line for line in HOST.splitlines() if line.strip()]) <= 17
    lines = [line for line in DRIVER.splitlines() if line.strip() and not line.startswith(("import", "from"))]
    assert len(lines) <= 20
