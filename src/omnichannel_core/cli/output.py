"""What the command line shows: tables for eyes, JSON for machines."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from omnichannel_core import errors

if TYPE_CHECKING:
    from omnichannel_core.model.connection import Connection
    from omnichannel_core.model.license import License
    from omnichannel_core.model.process import Process

CONNECTION = ("id", "name", "status", "health", "health_reason", "order_return_errors", "driver", "account",
              "created_at", "last_synced_at")  # fmt: skip
DRIVER = ("name", "title", "version", "distribution", "compatible", "licensed", "installed", "available", "reason")
_HIDDEN = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")  # what a terminal acts on or cannot show


def jsonable(value: Any) -> Any:
    """Whatever the house gives, as JSON: times in ISO 8601, amounts as text, spans in days."""
    import attrs
    import msgspec

    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, timedelta):
        return value / timedelta(days=1)
    if isinstance(value, msgspec.Struct):
        return json.loads(msgspec.json.encode(value))
    if attrs.has(type(value)):
        return {field.name: jsonable(getattr(value, field.name)) for field in attrs.fields(type(value))}
    if isinstance(value, Mapping):
        return {str(name): jsonable(one) for name, one in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(jsonable(one) for one in value)
    if isinstance(value, list | tuple):
        return [jsonable(one) for one in value]
    return value


def connection_json(seen: Connection) -> dict[str, Any]:
    """The keys a connection has for machines."""
    return {name: jsonable(getattr(seen, name)) for name in CONNECTION}


def driver_json(listed: object) -> dict[str, Any]:
    """The keys a driver has for machines."""
    return {name: getattr(listed, name) for name in DRIVER}


def license_json(held: License, *, text: bool) -> dict[str, Any]:
    """What a license says; its own text only for machines."""
    said = {name: one for name, one in jsonable(held).items() if name not in ("text", "grace")}
    return {**said, "grace_days": held.grace.days, **({"text": held.text} if text else {})}


def dumps(value: Any) -> str:
    """JSON in one line; what could steer a terminal is escaped."""
    text = json.dumps(jsonable(value), ensure_ascii=False)
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def emit(value: Any) -> None:
    """One JSON document on stdout."""
    click.echo(dumps(value))


def clean(text: str) -> str:
    """Without control characters; lines stay lines."""
    return "".join(char if char == "\n" or char.isprintable() else " " for char in text)


def process_json(process: Process) -> dict[str, Any]:
    """The keys a process has for machines."""
    return {
        "id": process.id, "kind": process.kind, "connection": process.connection, "state": process.state.value,
        "done": process.done, "total": process.total, "message": process.message, "error_key": process.error_key,
        "error": process.error, "attempts": process.attempts, "created_at": process.created_at.isoformat(),
        "run_at": process.run_at.isoformat(),
        "finished_at": process.finished_at.isoformat() if process.finished_at else None,
    }  # fmt: skip


def show(value: Any, *, as_json: bool) -> None:
    """One thing."""
    if as_json:
        emit(value)
        return
    shown = jsonable(value)
    if isinstance(shown, Mapping):
        width = max((len(name) for name in shown), default=0)
        for name, one in shown.items():
            click.echo(f"{name.replace('_', ' '):<{width}}  {_cell(one)}".rstrip())
    else:
        click.echo(_cell(shown))


def rows(found: Sequence[Any], columns: Sequence[str], *, as_json: bool, empty: str) -> None:
    """Many things: a table, or one JSON list."""
    listed = [jsonable(one) for one in found]
    if as_json:
        emit(listed)
        return
    if not listed:
        click.echo(empty, err=True)
        return
    table = [[column.replace("_", " ").upper() for column in columns]]
    table += [[_cell(one.get(column)) for column in columns] for one in listed]
    widths = [max(len(row[at]) for row in table) for at in range(len(columns))]
    for row in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, Mapping | list):
        return dumps(value)
    return clean(str(value)).replace("\n", " ")


def say(text: str) -> None:
    """For a person, on stderr."""
    click.echo(clean(text), err=True)


def told(text: str, answer: Any, *, as_json: bool) -> None:
    """What was done: words for a person, or the answer for a machine."""
    if as_json:
        emit(answer)
    else:
        say(text)


def say_error(trouble: errors.OmnichannelError, *, as_json: bool) -> None:
    """What, which, what now."""
    fields: Mapping[str, str] = trouble.fields if isinstance(trouble, errors.FormInvalid) else {}
    if as_json:
        click.echo(dumps({"error": trouble.key, "message": str(trouble), "fields": fields}), err=True)
        return
    say(f"Error: {trouble}")
    for name, wrong in fields.items():
        say(f"  {name}: {wrong}")


class Progress:
    """A line that is rewritten on a terminal, and nothing elsewhere."""

    def __init__(self, *, quiet: bool = False) -> None:
        terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._on = terminal and not quiet
        self._width = 0

    def show(self, process: Process) -> None:
        """Where a process stands."""
        if not self._on:
            return
        part = f" of {process.total}" if process.total else ""
        where = process.message or process.error or process.done
        text = _cell(f"  {process.kind} {process.state}: {where}{part if process.done else ''}")[:110]
        click.echo("\r" + text.ljust(self._width), err=True, nl=False)
        self._width = len(text)

    def end(self) -> None:
        """The line is done."""
        if self._on and self._width:
            click.echo("\r" + " " * self._width + "\r", err=True, nl=False)
            self._width = 0
