"""Packing stations: buyers write number and customer number anywhere; the setting says where they go (guide 5.4)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

STATION = re.compile(
    r"\b(?:dhl[\s-]*)?(packstation|paketbox|postfiliale|filiale)\s*(?:nr\.?|no\.?|#)?\s*(\d{3})\b", re.IGNORECASE
)
PREFIX = r"(?:\b(?:post(?:nummer|-?nr\.?)|kundennummer|customer\s*no\.?)\s*:?\s*)?"
CUSTOMER = re.compile(PREFIX + r"(?<!\d)(\d{6,10})(?!\d)", re.IGNORECASE)
COUNTRIES = frozenset({"DE", "AT"})


class Place(NamedTuple):
    """The lines of an address at a packing station. `found` is False where no station was recognized."""

    name: str
    company: str
    street: str
    more: str
    found: bool
    customer: str


def arranged(name: str, company: str, lines: Sequence[str], *, layout: str) -> Place:
    """Station and customer number where the setting wants them; what is left of the lines stays, in their order.

    Args:
        lines: the address lines. layout: `address` or `company`, where the customer number goes.
    """
    fields = [name, company, *lines]
    station = next((hit for text in fields if (hit := STATION.search(text))), None)
    if station is None:
        kept = [text for text in lines if text]
        return Place(name, company, kept[0] if kept else "", ", ".join(kept[1:]), False, "")
    fields = [STATION.sub(" ", text) for text in fields]
    customer = next((hit.group(1) for text in fields if (hit := CUSTOMER.search(text))), "")
    if customer:
        fields = [CUSTOMER.sub(lambda hit: " " if hit.group(1) == customer else hit.group(), text) for text in fields]
    person, firm, *rest = [re.sub(r"\s{2,}", " ", text).strip(" ,;-/") for text in fields]
    left = ", ".join(dict.fromkeys(text for text in rest if text))
    street = f"{station.group(1).capitalize()} {station.group(2)}"
    if layout == "company":
        more = ", ".join(text for text in (firm, left) if text) if customer else left
        return Place(person, customer or firm, street, more, True, customer)
    more = ", ".join(text for text in (customer, left) if text)
    return Place(person, firm, street, more, True, customer)
