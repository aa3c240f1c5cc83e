"""Secrets come from stdin, a file or a hidden prompt; never from an argument."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from omnichannel_core.cli.opening import read_text


def is_secret(field: Mapping[str, Any]) -> bool:
    """Whether a field of a JSON schema is a secret."""
    if field.get("writeOnly") or field.get("format") == "password":
        return True
    return any(is_secret(one) for one in field.get("anyOf", ()))


def gather(
    schema: Mapping[str, Any],
    sets: tuple[str, ...],
    *,
    secrets_stdin: bool,
    secrets_file: str | None,
    editing: bool = False,
) -> dict[str, Any]:
    """The form's values: `--set field=value` (JSON where it is not text), secrets apart.

    Raises:
        click.UsageError: a secret as an argument, an unknown way, or a prompt without a terminal.
    """
    fields: Mapping[str, Any] = schema.get("properties", {})
    values: dict[str, Any] = {}
    for one in sets:
        name, sign, text = one.partition("=")
        if not sign:
            raise click.UsageError(f"--set {one!r} is not FIELD=VALUE.")
        if is_secret(fields.get(name, {})):
            raise click.UsageError(f"{name} is a secret: give it on stdin (--secrets-stdin), in a file or when asked.")
        values[name] = _value(fields.get(name, {}), text)
    values |= _given(secrets_stdin=secrets_stdin, secrets_file=secrets_file)
    if not editing:
        _ask(schema, fields, values)
    return values


def _given(*, secrets_stdin: bool, secrets_file: str | None) -> dict[str, Any]:
    if secrets_stdin and secrets_file:
        raise click.UsageError("Give secrets one way: --secrets-stdin or --secrets-file.")
    text = sys.stdin.read() if secrets_stdin else ""
    if secrets_file:
        text = read_text(Path(secrets_file), "--secrets-file")
    if not text.strip():
        return {}
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        found = dict(line.split("=", 1) for line in lines) if all("=" in line for line in lines) else None
    if not isinstance(found, dict):
        raise click.UsageError("Secrets are a JSON object, or lines of FIELD=VALUE.")
    return found


def _ask(schema: Mapping[str, Any], fields: Mapping[str, Any], values: dict[str, Any]) -> None:
    for name in schema.get("required", ()):
        if name in values or fields.get(name, {}).get("readOnly"):
            continue
        title = fields[name].get("title", name)
        if not sys.stdin.isatty():
            how = "--secrets-stdin or --secrets-file" if is_secret(fields[name]) else f"--set {name}=..."
            raise click.UsageError(f"{title} is missing: give {how}.")
        values[name] = click.prompt(title, hide_input=is_secret(fields[name]), err=True)


def _value(field: Mapping[str, Any], text: str) -> Any:
    kinds = {field.get("type")} | {one.get("type") for one in field.get("anyOf", ())}
    if text == "" and "null" in kinds:
        return None
    if kinds & {"integer", "number", "boolean", "array", "object"}:
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return text
    return text


def confirm(question: str, *, yes: bool) -> None:
    """Before something that cannot be taken back.

    Raises:
        click.UsageError: there is no terminal to ask on. click.Abort: no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} Say --yes to do it without a question.")
    click.confirm(question, abort=True, err=True)
