"""What the simulated shop sells. Amounts are whole cents."""

from __future__ import annotations

from dataclasses import dataclass

RATES = {1: 1900, 2: 700, 5: 0}  # UST_SCHLUESSEL -> hundredths of a percent


@dataclass(frozen=True)
class Article:
    """An article; `deposit` is the deposit on one piece."""

    sku: str
    name: str
    gtin: str
    group: str
    price: int
    tax: int = 1
    deposit: int = 0


ARTICLES = (
    Article("4711", "T-Shirt blau M", "2000000047119", "Textil", 1999),
    Article("4712", "Wandkalender 2031", "2000000047126", "Papier", 1250, 2),
    Article("4713", "Mineralwasser 0,5 l", "2000000047133", "Getränke", 120, 1, 25),
    Article("4714", 'Buch "Größe; und Maß"', "2000000047140", "Bücher", 2400, 2),
    Article("4715", "Kaffeebohnen 250 g", "2000000047157", "Lebensmittel", 649, 2),
    Article("4716", "Mütze", "2000000047164", "Textil", 1495),
    Article("4717", "Aufkleber", "2000000047171", "Papier", 5),
)


def net(gross: int, tax: int) -> int:
    """Net of a gross amount in cents, in thousandths of a cent."""
    return round(gross * 1000 * 10_000 / (10_000 + RATES[tax]))
