"""Filters, sort and columns of the list, as options."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import click

from omnichannel_core.cli.opening import Options
from omnichannel_core.model.view import DEFAULT_COLUMNS, Filter, Look

if TYPE_CHECKING:
    from omnichannel_core.app import Omnichannel

F = TypeVar("F", bound=Callable[..., Any])
_FORM = re.compile(r"^(?P<column>[a-z_]+)\s*(?P<operator><=|>=|!=|=|<|>|~| between | like )\s*(?P<value>.*)$")


def options(command: F) -> F:
    """--where, --sort, --columns, --view."""
    command = click.option("--where", multiple=True, metavar="'COLUMN=VALUE'",
                           help="= != < <= > >= like, or between A..B; may be repeated.")(command)  # fmt: skip
    command = click.option("--sort", multiple=True, metavar="[-]COLUMN", help="- is descending; may be repeated.")(
        command
    )
    command = click.option("--columns", default=None, metavar="A,B,C", help="Which columns, in which order.")(command)
    return click.option("--view", type=int, default=None, help="Through a saved view.")(command)


def look_of(where: tuple[str, ...], sort: tuple[str, ...], columns: str | None, start: Look) -> Look:
    """A look with these changes.

    Raises:
        click.UsageError: a filter is not of the form.
    """
    look = start
    if where:
        look = attrs.evolve(look, filters=tuple(_filter(one) for one in where))
    if sort:
        look = attrs.evolve(look, sort=sort)
    if columns:
        look = attrs.evolve(look, columns=tuple(one.strip() for one in columns.split(",")))
    return look


async def wanted(
    house: Omnichannel,
    options: Options,
    where: tuple[str, ...],
    sort: tuple[str, ...],
    columns: str | None,
    view: int | None,
) -> Look:
    """The view's look, or the plain one, with the options over it."""
    start = Look(columns=DEFAULT_COLUMNS)
    if view is not None:
        start = (await house.views.get(options.need_account(), options.actor, view)).look
    return look_of(where, sort, columns, start)


def _filter(text: str) -> Filter:
    found = _FORM.match(text)
    if found is None:
        raise click.UsageError(
            f"--where {text!r}: write it like 'status=active' or 'created_at between 2026-01-01..2026-02-01'."
        )
    operator, value = found["operator"].strip(), found["value"].strip()
    if operator == "~":
        operator = "like"
    low, _, high = value.partition("..") if operator == "between" else (value, "", "")
    return Filter(column=found["column"], operator=operator, value=low, value2=high)  # type: ignore[arg-type]
