"""The command line in this process, and in a child; the echo driver licensed by its own commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner, Result

from omnichannel_core.cli.commands import cli

DRIVERS = Path(__file__).parent.parent / "drivers"
SECRET = "hush-echo"
CONNECTION = {
    "id": {"type": "integer"},
    "name": {"type": "string"},
    "status": {"enum": ["active", "inactive", "deleting"]},
    "health": {"enum": ["ok", "attention", "waiting", "suspended"]},
    "health_reason": {"type": "string"},
    "order_return_errors": {"type": "boolean"},
    "driver": {"type": "string"},
    "account": {"type": "string"},
    "created_at": {"type": "string"},
    "last_synced_at": {"type": ["string", "null"]},
}
DRIVER = {
    **{name: {"type": "string"} for name in ("name", "title", "version", "distribution", "reason")},
    **{name: {"type": "boolean"} for name in ("compatible", "licensed", "installed", "available")},
}
CHILD = """
import os, signal, sys
sys.path[:0] = [{site!r}, {echo!r}]
from omnichannel_core.records import Order
from omnichannel_echo import remote

class Orders(list):
    def __getitem__(self, at):
        if {interrupt} and isinstance(at, slice) and at.start >= 4:
            os.kill(os.getpid(), signal.SIGINT)
        return super().__getitem__(at)

remote.SHOPS["a"] = remote.Remote(orders=Orders(Order(id=str(n)) for n in range(1, {orders} + 1)))
from omnichannel_core.cli import main
main()
"""


def exact(keys: Mapping[str, Any]) -> dict[str, Any]:
    """A schema of an object with exactly these keys."""
    return {"type": "object", "properties": dict(keys), "required": list(keys), "additionalProperties": False}


@attrs.define
class Line:
    """`line("connections", "list")` runs a command on one store; `line.json(...)` reads its one document."""

    CONNECTION = exact(CONNECTION)
    DRIVER = exact(DRIVER)
    folder: Path
    site: Path
    account: str = "acme"

    @property
    def environment(self) -> dict[str, str]:
        """Where store, account and trust are."""
        return {
            "OMNICHANNEL_DB": str(self.folder / "s.db"), "OMNICHANNEL_ACCOUNT": self.account,
            "OMNICHANNEL_TRUST": str(self.folder / "public.json"), "TERM": "xterm",
        }  # fmt: skip

    def __call__(self, *args: str | int | Path, code: int | None = 0, typed: str = "") -> Result:
        """Run, and look at the exit code (None: any)."""
        result = CliRunner().invoke(cli, [str(one) for one in args], input=typed, env=self.environment)
        assert code is None or result.exit_code == code, (
            args,
            result.exit_code,
            result.stdout,
            result.stderr,
            result.exception,
        )
        return result

    def json(self, *args: str | int | Path, code: int = 0, typed: str = "") -> Any:
        """The same with --json: exactly one document in one line."""
        (document,) = self("--json", *args, code=code, typed=typed).stdout.splitlines()
        return json.loads(document)

    def error(self, *args: str | int | Path, code: int, typed: str = "") -> Any:
        """The key of the error that a failing command tells on stderr, with nothing on stdout."""
        result = self("--json", *args, code=code, typed=typed)
        assert result.stdout == ""
        return json.loads(result.stderr.splitlines()[-1])["error"]

    def license(self, driver: str = "echo", **options: str) -> Path:
        """A license by the vendor's commands, in a file."""
        more = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)]
        text = self("licenses", "issue", self.folder / "private.json", "--for", "acme", "--driver", driver,
                    "--distribution", f"omnichannel-{driver}", *more).stdout  # fmt: skip
        file = self.folder / f"{driver}.license"
        file.write_text(text)
        return file

    def create(self, name: str = "Shop a") -> int:
        """A connection to the echo driver's shop a."""
        made = self.json("connections", "create", "echo", name, "--set", "shop=a", "--secrets-stdin",
                         typed=f"secret={SECRET}\n")  # fmt: skip
        return int(made["id"])

    def child(self, *args: str | int, interrupt: bool = False, orders: int = 6, **more: Any) -> subprocess.Popen[bytes]:
        """The same in a process of its own, where shop a has orders."""
        code = CHILD.format(site=str(self.site), echo=str(DRIVERS / "echo"), interrupt=interrupt, orders=orders)
        given = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
        command = [sys.executable, "-c", code, *map(str, args)]
        return subprocess.Popen(command, env={**os.environ, **self.environment}, **given)


@pytest.fixture
def line(plug: Any, tmp_path: Path) -> Line:
    """An account, and a vendor's keys."""
    made = Line(tmp_path, plug.site)
    made("licenses", "keygen", tmp_path / "private.json", tmp_path / "public.json")
    made("accounts", "add", "acme")
    return made


@pytest.fixture
def echo(line: Line, shop: Any) -> Line:
    """The echo driver in account acme; its shop a is empty."""
    line("licenses", "add", line.license())
    line("drivers", "install", "echo")
    return line
