"""Made-up buyers and their addresses, chosen by a number; nobody of them exists."""

from __future__ import annotations

from omnichannel_amazon_simulator.answers import Row

_FIRST = {
    "DE": ("Jürgen", "Käthe", "Sören", "Anneliese", "Björn", "Müzeyyen", "Lukas", "Frauke"),
    "FR": ("Zoé", "François", "Hélène", "Loïc", "Amélie", "Gaël"),
    "JP": ("太郎", "花子", "健一", "美咲"),
    "": ("Alex", "Sam", "Robin", "Kim", "Zoë", "José"),
}
_LAST = {
    "DE": ("Müller", "Groß", "Öztürk", "Weiß", "von der Lühe", "Schäfer", "Jäger"),
    "FR": ("Lefèvre", "Noël", "Garçon", "Dubois"),
    "JP": ("山田", "佐藤", "髙橋", "鈴木"),
    "": ("Smith", "O'Neill", "García", "Novák", "Kowalski"),
}
_CITIES = {
    "DE": (("München", "80331", "Sonnenstraße"), ("Köln", "50667", "Domgäßchen"), ("Erfurt", "99084", "Anger")),
    "FR": (("Besançon", "25000", "rue des Écoles"), ("Paris", "75011", "boulevard Voltaire")),
    "JP": (("大阪市", "530-0001", "梅田"), ("東京都千代田区", "100-0005", "丸の内")),
    "US": (("Springfield", "62701", "Evergreen Ave"), ("Portland", "97205", "SW Main St")),
    "GB": (("Leeds", "LS1 4AP", "Park Row"), ("York", "YO1 7HH", "Stonegate")),
    "": (("Springfield", "10115", "Main Street"), ("Łódź", "90-001", "Piotrkowska")),
}
_STATE = {"US": "IL", "JP": "大阪府", "CA": "ON"}


def _pick(table: dict[str, tuple[str, ...]], country: str, number: int) -> str:
    rows = table.get(country, table[""])
    return rows[number % len(rows)]


def name(country: str, person: int) -> str:
    first, last = _pick(_FIRST, country, person), _pick(_LAST, country, person // 7)
    return f"{last} {first}" if country == "JP" else f"{first} {last}"


def email(person: int, domain: str) -> str:
    """The anonymized address that Amazon forwards."""
    return f"{person * 2654435761 % 10**10:010x}@marketplace.{domain.removeprefix('www.')}"


def phone(person: int) -> str:
    return f"+49 30 {5550000 + person % 10000}"


def address(country: str, person: int, kind: str, layout: int = 0, company: str = "") -> Row:
    """The deliveryAddress of `kind`; `layout` 1 to 4 writes a packing station into another field each."""
    places = _CITIES.get(country, _CITIES[""])
    city, code, street = places[person % len(places)]
    row: Row = {
        "name": name(country, person),
        "addressLine1": f"{street} {person % 120 + 1}",
        "city": city,
        "postalCode": code,
        "countryCode": country,
        "addressType": kind,
    }
    if country in _STATE:
        row["stateOrRegion"] = _STATE[country]
    if person % 5 == 0:
        row["addressLine2"] = f"c/o {name(country, person + 3)} \N{PARTY POPPER}" if person % 25 == 0 else "2. OG links"
    if company:
        row["companyName"] = company
    return row | (_station(person, layout) if layout else {})


def _station(person: int, layout: int) -> Row:
    station, number = f"Packstation {person % 900 + 100}", str(10_000_000 + person % 89_999_999)
    return {
        1: {"addressLine1": station, "addressLine2": number},
        2: {"addressLine1": number, "addressLine2": station},
        3: {"addressLine1": f"DHL-{station}", "companyName": f"Postnummer {number}"},
        4: {"addressLine1": station, "name": f"{name('DE', person)} {number}"},
    }[layout]
