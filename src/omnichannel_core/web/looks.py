"""Filters, sort and columns as they stand in addresses."""

from __future__ import annotations

import re
from collections.abc import Sequence

import attrs

from omnichannel_core import errors
from omnichannel_core.model.view import Filter, Look

_FORM = re.compile(
    r"(?P<column>[a-z_]{1,40}) {0,3}(?P<operator><=|>=|!=|=|<|>|~| between | like ) {0,3}(?P<value>.{0,600})", re.DOTALL
)


def changed(look: Look, where: Sequence[str], sort: Sequence[str], columns: str) -> Look:
    """A look with these instead of its own.

    Raises:
        FormInvalid: a filter is not of the form.
    """
    if where:
        look = attrs.evolve(look, filters=tuple(_filter(at, one) for at, one in enumerate(where)))
    if sort:
        look = attrs.evolve(look, sort=tuple(sort))
    if columns:
        look = attrs.evolve(look, columns=tuple(one.strip() for one in columns.split(",")))
    return look


def _filter(at: int, text: str) -> Filter:
    found = _FORM.fullmatch(text)
    if found is None:
        raise errors.FormInvalid(
            "A filter is not of the form.",
            {f"where.{at}": "Write it like status=active or created_at between 2026-01-01..2026-02-01."},
        )
    operator, value = found["operator"].strip(), found["value"].strip()
    operator = "like" if operator == "~" else operator
    low, _, high = value.partition("..") if operator == "between" else (value, "", "")
    return Filter(column=found["column"], operator=operator, value=low, value2=high)  # type: ignore[arg-type]
