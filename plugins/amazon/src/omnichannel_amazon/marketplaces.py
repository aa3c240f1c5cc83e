"""The marketplaces of Amazon, their regions and consent hosts (guide amazon 1.1, 1.2)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from omnichannel_core.driver import Session


class Marketplace(NamedTuple):
    """One marketplace. `zone` is where its days begin; `currency` until its participation says otherwise."""

    name: str
    country: str
    region: str
    consent: str
    currency: str
    locale: str
    zone: str


def _at(name: str, region: str, consent: str, currency: str, locale: str, zone: str) -> Marketplace:
    return Marketplace(name, locale[3:], region, f"sellercentral{consent}", currency, locale, zone)


EUROPE = "-europe.amazon.com"
MARKETPLACES: Mapping[str, Marketplace] = {
    "A2EUQ1WTGCTBG2": _at("Amazon.ca", "na", ".amazon.ca", "CAD", "en_CA", "America/Toronto"),
    "ATVPDKIKX0DER": _at("Amazon.com", "na", ".amazon.com", "USD", "en_US", "America/Los_Angeles"),
    "A1AM78C64UM0Y8": _at("Amazon.com.mx", "na", ".amazon.com.mx", "MXN", "es_MX", "America/Mexico_City"),
    "A2Q3Y263D00KWC": _at("Amazon.com.br", "na", ".amazon.com.br", "BRL", "pt_BR", "America/Sao_Paulo"),
    "A28R8C7NBKEWEA": _at("Amazon.ie", "eu", ".amazon.ie", "EUR", "en_IE", "Europe/Dublin"),
    "A1RKKUPIHCS9HS": _at("Amazon.es", "eu", EUROPE, "EUR", "es_ES", "Europe/Madrid"),
    "A1F83G8C2ARO7P": _at("Amazon.co.uk", "eu", EUROPE, "GBP", "en_GB", "Europe/London"),
    "A13V1IB3VIYZZH": _at("Amazon.fr", "eu", EUROPE, "EUR", "fr_FR", "Europe/Paris"),
    "AMEN7PMS3EDWL": _at("Amazon.com.be", "eu", ".amazon.com.be", "EUR", "fr_BE", "Europe/Brussels"),
    "A1805IZSGTT6HS": _at("Amazon.nl", "eu", ".amazon.nl", "EUR", "nl_NL", "Europe/Amsterdam"),
    "A1PA6795UKMFR9": _at("Amazon.de", "eu", EUROPE, "EUR", "de_DE", "Europe/Berlin"),
    "APJ6JRA9NG5V4": _at("Amazon.it", "eu", EUROPE, "EUR", "it_IT", "Europe/Rome"),
    "A2NODRKZP88ZB9": _at("Amazon.se", "eu", ".amazon.se", "SEK", "sv_SE", "Europe/Stockholm"),
    "AE08WJ6YKNBMC": _at("Amazon.co.za", "eu", ".amazon.co.za", "ZAR", "en_ZA", "Africa/Johannesburg"),
    "A1C3SOZRARQ6R3": _at("Amazon.pl", "eu", ".amazon.pl", "PLN", "pl_PL", "Europe/Warsaw"),
    "ARBP9OOSHTCHU": _at("Amazon.eg", "eu", ".amazon.eg", "EGP", "ar_EG", "Africa/Cairo"),
    "A33AVAJ2PDY3EV": _at("Amazon.com.tr", "eu", ".amazon.com.tr", "TRY", "tr_TR", "Europe/Istanbul"),
    "A17E79C6D8DWNP": _at("Amazon.sa", "eu", ".amazon.sa", "SAR", "ar_SA", "Asia/Riyadh"),
    "A2VIGQ35RCS4UG": _at("Amazon.ae", "eu", ".amazon.ae", "AED", "en_AE", "Asia/Dubai"),
    "A21TJRUUN4KGV": _at("Amazon.in", "eu", ".amazon.in", "INR", "en_IN", "Asia/Kolkata"),
    "A19VAU5U5O7RUS": _at("Amazon.sg", "fe", ".amazon.sg", "SGD", "en_SG", "Asia/Singapore"),
    "A39IBJ37TRP1C6": _at("Amazon.com.au", "fe", ".amazon.com.au", "AUD", "en_AU", "Australia/Sydney"),
    "A1VC38T7YXB528": _at("Amazon.co.jp", "fe", ".amazon.co.jp", "JPY", "ja_JP", "Asia/Tokyo"),
}
"""By id. Whatever else a seller participates in ("Non-Amazon DE"...) is no marketplace to ask for (guide 1.2)."""

REGIONS: Mapping[str, str] = {"eu": "Europe", "na": "North America", "fe": "Far East"}
FBA_CHANNEL: Mapping[str, str] = {"eu": "AMAZON_EU", "na": "AMAZON_NA", "fe": "AMAZON_JP"}

MarketplaceId = Enum("MarketplaceId", {key: key for key in MARKETPLACES}, type=str)  # type: ignore[misc]


def by_region() -> list[dict[str, str]]:
    """The drop-down's entries, grouped by region: `{"const", "title", "group"}`."""
    rows = sorted(MARKETPLACES.items(), key=lambda row: (list(REGIONS).index(row[1].region), row[1].name))
    return [{"const": key, "title": one.name, "group": REGIONS[one.region]} for key, one in rows]


def home(region: str) -> str:
    """The API's address in a region (guide 1.1)."""
    return f"https://sellingpartnerapi-{region}.amazon.com"


def zone(marketplace: str) -> ZoneInfo:
    """Where a marketplace's days begin."""
    return ZoneInfo(MARKETPLACES[marketplace].zone)


def place_of(session: Session) -> Marketplace:
    """The marketplace of a session's connection."""
    from omnichannel_amazon.credentials import AmazonCredentials

    return MARKETPLACES[session[AmazonCredentials].marketplace]
