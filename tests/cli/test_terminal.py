"""What a shell and a terminal see: signals, pipes, progress, completion, the time of --help."""

from __future__ import annotations

import os
import pty
import resource
import signal
import subprocess
import sys
from typing import Any

from click.testing import CliRunner

from omnichannel_core import errors
from omnichannel_core.cli.commands import GROUPS, cli

COMMAND = [sys.executable, "-m", "omnichannel_core.cli"]


def test_an_interrupted_sync_goes_back_into_the_queue(echo: Any) -> None:
    """Ctrl-C during a sync exits 130; the process is queued again and goes on from what it committed."""
    number = echo.create()
    with echo.child("--json", "connections", "sync", number, interrupt=True, orders=40) as child:
        out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (130, b""), err
    assert b"Traceback" not in err
    process = echo.json("processes", "list")[0]
    assert (process["kind"], process["state"]) == ("synchronize", "queued")
    kept = len(echo.json("hub", "orders"))
    assert 0 < kept < 40
    with echo.child("--json", "connections", "sync", number, orders=40) as child:
        child.communicate(timeout=60)
    assert child.returncode == 0
    assert len(echo.json("hub", "orders")) == 40


def test_a_worker_ends_well_when_told_to(echo: Any) -> None:
    """SIGTERM ends a worker with exit 0."""
    with echo.child("--json", "worker") as child:
        assert b"Working" in child.stderr.readline()
        child.send_signal(signal.SIGTERM)
        out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (0, b'{"stopped": "SIGTERM"}\n'), err


def test_a_reader_that_goes_away_is_no_trouble(line: Any) -> None:
    """A closed pipe ends a command without a word."""
    reader, writer = os.pipe()
    os.close(reader)
    with line.child("--json", "accounts", "list", stdout=writer) as child:
        os.close(writer)
        _, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (0, b"")


def test_progress_is_for_terminals(echo: Any) -> None:
    """On a terminal a line is rewritten and wiped; stdout has only the document, also there."""
    number = echo.create()
    here, there = pty.openpty()
    with echo.child("connections", "sync", number, orders=40, stderr=there) as child:
        os.close(there)
        seen = _all(here)
        out, _ = child.communicate(timeout=60)
    assert (child.returncode, out) == (0, b"")
    assert b"\r  synchronize" in seen
    assert b"synchronize succeeded" in seen
    with echo.child("connections", "sync", number, orders=40) as child:
        _, err = child.communicate(timeout=60)
    assert b"\r" not in err


def _all(terminal: int) -> bytes:
    seen = b""
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # Linux says EIO when the other side is closed
            part = b""
        if not part:
            os.close(terminal)
            return seen
        seen += part


def test_remote_words_do_not_steer_the_terminal(echo: Any, shop: Any) -> None:
    """Control characters of a remote reach neither tables, messages nor JSON."""
    number = echo.create()
    shop.trouble = errors.RemoteRejected("bad \x1b]0;title\x07 \x9b2J \u202e end")
    outputs = [
        echo("connections", "sync", number, code=1),
        echo("processes", "list"),
        echo("--json", "processes", "list"),
        echo("connections", "check", number, code=1),
        echo("--json", "connections", "check", number, code=1),
    ]
    for text in [part for one in outputs for part in (one.stdout, one.stderr)]:
        assert not set(text) & set("\x1b\x07\x9b\u202e")
    assert "title" in outputs[1].stdout
    assert echo.json("processes", "list")[0]["error"] == r"bad \x1b]0;title\x07 \x9b2J \u202e end"  # kept as seen


def test_help_is_quick_and_needs_no_store() -> None:
    """--help costs under 150 ms of processor time, and neither it nor a group's loads the database library."""
    spent = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*COMMAND, "--help"], check=True, capture_output=True, timeout=60)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(spent) < 0.15
    done = subprocess.run([sys.executable, "-X", "importtime", *COMMAND[1:], "connections", "--help"], check=True,
                          capture_output=True, timeout=60, text=True)  # fmt: skip
    assert "sqlalchemy" not in done.stderr
    assert "pydantic" not in done.stderr


def test_the_shell_completes_names() -> None:
    """bash gets its script, and names of groups, commands and options."""
    script = _completed("bash_source")
    assert "_omnichannel_completion" in script
    assert _completed("bash_complete", COMP_WORDS="omnichannel con", COMP_CWORD="1") == "plain,connections\n"
    commands = _completed("bash_complete", COMP_WORDS="omnichannel connections ", COMP_CWORD="2")
    assert "plain,authorize" in commands.splitlines()
    assert "--no-wait" in _completed("bash_complete", COMP_WORDS="omnichannel connections sync --", COMP_CWORD="3")


def _completed(how: str, **more: str) -> str:
    environment = {"_OMNICHANNEL_COMPLETE": how, **more}
    result = CliRunner().invoke(cli, [], prog_name="omnichannel", env=environment, complete_var="_OMNICHANNEL_COMPLETE")
    assert result.exit_code == 0, result.output
    return result.stdout


def test_every_group_has_its_help() -> None:
    """Each group that is listed can be asked for help."""
    listed = CliRunner().invoke(cli, ["--help"]).stdout
    for name in GROUPS:
        assert name in listed
        assert CliRunner().invoke(cli, [name, "--help"]).exit_code == 0
