"""What records are made of. Strategies without parts of their own are made once: making them takes long."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

import msgspec
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from omnichannel_core.records import Address, Money

S = TypeVar("S", bound=msgspec.Struct)
DIGITS: Mapping[str, int] = {"EUR": 2, "USD": 2, "GBP": 2, "PLN": 2, "JPY": 0, "KWD": 3}
"""ISO 4217: some currencies, and their digits after the decimal point."""
COUNTRIES = ("DE", "US", "GB", "FR", "PL", "JP")
BEGIN, END = datetime(2020, 1, 1), datetime(2030, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone
ZONES = [UTC, *(timezone(timedelta(minutes=n)) for n in (-480, -210, 60, 120, 330, 540))]
NAMED = string.ascii_lowercase + string.digits


@cache
def ids() -> SearchStrategy[str]:
    """Of records and their parts; SKUs and words of a remote as well."""
    return st.text(NAMED, min_size=1, max_size=8)


@cache
def texts(most: int = 20) -> SearchStrategy[str]:
    """What people type, in any script; every store can hold it (no NUL, no lone surrogate)."""
    return st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), max_size=most)


@cache
def emails() -> SearchStrategy[str]:
    """At a domain that nobody has (RFC 2606)."""
    return st.just("") | ids().map(lambda name: f"{name}@mail.example")


@cache
def moments() -> SearchStrategy[datetime]:
    """With a zone of whole minutes, in the twenties."""
    return st.datetimes(BEGIN, END, timezones=st.sampled_from(ZONES))


@cache
def currencies() -> SearchStrategy[str]:
    """With two digits, none and three."""
    return st.sampled_from(tuple(DIGITS))


@cache
def amounts(currency: str, least: int = 0, most: int = 100_000) -> SearchStrategy[Money]:
    """From `least` to `most` of the currency's smallest units, with its digits."""
    return st.integers(least, most).map(lambda units: money(units, currency))


def money(units: int, currency: str) -> Money:
    """So many of the smallest units."""
    return Money(Decimal(units).scaleb(-DIGITS.get(currency, 2)), currency)


def units(given: object) -> int:
    """The other way round; what is left open is nothing."""
    return int(given.amount.scaleb(DIGITS.get(given.currency, 2))) if isinstance(given, Money) else 0


@cache
def quantities(least: int = 1, most: int = 20) -> SearchStrategy[Decimal]:
    """Whole numbers."""
    return st.integers(least, most).map(Decimal)


@cache
def revisions() -> SearchStrategy[str]:
    """Sorting as text as they do as numbers; '' for none."""
    return st.just("") | st.integers(0, 9_999).map(lambda number: f"{number:04}")


@cache
def extras() -> SearchStrategy[Mapping[str, str]]:
    """What a remote says besides."""
    return st.dictionaries(ids(), texts(), max_size=2)


def addresses(**given: Any) -> SearchStrategy[Address]:
    """Of a person somewhere."""
    return built(
        Address, given, id=ids(), first_name=texts(), last_name=texts(), company=texts(), street1=texts(),
        street2=texts(), city=texts(), region=texts(), postal_code=texts(10), country=st.sampled_from(COUNTRIES),
        phone=texts(10), email=emails(), extra=extras(),
    )  # fmt: skip


def by_id(one: SearchStrategy[Any], least: int = 0, most: int = 3) -> SearchStrategy[Mapping[str, Any]]:
    """Parts, each under its own id."""
    several = st.lists(one, min_size=least, max_size=most, unique_by=lambda part: str(part.id))
    return several.map(lambda found: {part.id: part for part in found})


def fixed(value: Any) -> SearchStrategy[Any]:
    """A strategy as it is, a value always."""
    return value if isinstance(value, SearchStrategy) else st.just(value)


def built(
    kind: type[S], given: Mapping[str, Any], named: Callable[[S], str] | None = None, /, **fields: Any
) -> SearchStrategy[S]:
    """Of values and strategies for fields; those given win. `named` makes the id where none is given.

    Raises:
        TypeError: there is no such field.
    """
    known = {one.name for one in msgspec.structs.fields(kind)}
    if strangers := sorted(given.keys() - known):
        raise TypeError(f"{kind.__name__} has no field {', '.join(strangers)}.")
    chosen = {**({"id": "-"} if named else {}), **fields, **given}
    made = st.fixed_dictionaries({name: fixed(value) for name, value in chosen.items()})
    found = made.map(lambda said: kind(**said))
    if named is None or "id" in given:
        return found
    return found.map(lambda one: msgspec.structs.replace(one, id=named(one)))
