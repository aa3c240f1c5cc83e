"""Applications, authorizations and tokens: who may do what, until when (guide 2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

ROLES = frozenset(
    {"orders", "listing", "pricing", "fba", "shipping", "tax_invoicing", "tax_remittance", "finance", "insights"}
)
"""Inventory and Order Tracking, Product Listing, Pricing, Amazon Fulfillment, Direct-to-Consumer Shipping (restricted),
Tax Invoicing (restricted), Tax Remittance (restricted), Finance and Accounting, Selling Partner Insights."""

CODE_LIFE = 300.0
TOKEN_LIFE = 3600.0
GRANT_LIFE = 365 * 86400.0
NOTIFICATIONS = "sellingpartnerapi::notifications"
ROTATION = "sellingpartnerapi::client_credential:rotation"
PREFIX = {"access": "Atza|IwEBI", "refresh": "Atzr|IwEBI", "rdt": "Atz.sprdt|IwEBI"}


@dataclass(slots=True)
class App:
    """A registered application.

    Attributes:
        client_secrets: all that are accepted, newest first; rotation adds one and dates the end of the others.
        secret_ends: secret -> Unix seconds after which it is refused.
        status: DRAFT (consent needs `version=beta`) or PUBLISHED.
        rotate_refresh: every refresh brings another refresh token; the old one dies with the next use of the new one.
        rates: operation -> [rate, burst] per application, over all its sellers.
    """

    client_id: str
    client_secret: str
    application_id: str
    redirect_uris: list[str] = field(default_factory=list)
    login_uri: str = ""
    status: str = "PUBLISHED"
    roles: list[str] = field(default_factory=lambda: sorted(ROLES))
    rotate_refresh: bool = False
    rates: dict[str, list[float]] = field(default_factory=dict)
    secret_ends: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = set(self.roles) - ROLES
        if unknown or self.status not in {"DRAFT", "PUBLISHED"}:
            raise ValueError(f"app: no such role {min(unknown)}" if unknown else f"app: no such status {self.status}")
        self.secret_ends.setdefault(self.client_secret, float("inf"))

    def accepts(self, secret: str, now: float) -> bool:
        return self.secret_ends.get(secret, 0.0) > now

    def rotate(self, secret: str, overlap: float, now: float) -> None:
        """A new secret; the others go on for `overlap` seconds."""
        for old, end in self.secret_ends.items():
            self.secret_ends[old] = min(end, now + overlap)
        self.client_secret = secret
        self.secret_ends[secret] = float("inf")


@dataclass(slots=True)
class Grant:
    """A seller's authorization of an application; ends after 365 days."""

    id: int
    client_id: str
    seller_id: str
    roles: frozenset[str]
    since: float
    alive: bool = True
    refresh: list[str] = field(default_factory=list)

    def lives(self, now: float) -> bool:
        return self.alive and now < self.since + GRANT_LIFE


@dataclass(slots=True)
class Code:
    """An authorization code: five minutes, one use."""

    grant: Grant
    redirect_uri: str
    expires: float
    used: bool = False


@dataclass(slots=True)
class Token:
    """An access token; `resources` are those a restricted data token is good for: (method, path, data elements)."""

    value: str
    client_id: str
    expires: float
    grant: Grant | None = None
    scope: str = ""
    alive: bool = True
    resources: tuple[tuple[str, str, tuple[str, ...]], ...] = ()


class Wallet:
    """Everything that was given out."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.grants: list[Grant] = []
        self.codes: dict[str, Code] = {}
        self.refresh: dict[str, Grant] = {}
        self.access: dict[str, Token] = {}

    def text(self, kind: str, length: int = 120) -> str:
        """A token with the characters that clients trip over."""
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        return PREFIX.get(kind, "") + "".join(self.random.choices(alphabet, k=length))

    def grant(self, app: App, seller_id: str, roles: list[str] | None, now: float) -> Grant:
        """A new authorization; those that there are stay (guide 2.1)."""
        admitted = frozenset(app.roles if roles is None else roles)
        made = Grant(len(self.grants) + 1, app.client_id, seller_id, admitted, now)
        self.grants.append(made)
        return made

    def code(self, grant: Grant, redirect_uri: str, now: float) -> str:
        name = self.text("", 20)
        self.codes[name] = Code(grant, redirect_uri, now + CODE_LIFE)
        return name

    def refresh_token(self, grant: Grant) -> str:
        made = self.text("refresh")
        self.refresh[made] = grant
        grant.refresh.append(made)
        return made

    def access_token(self, client_id: str, now: float, grant: Grant | None = None, **words: Any) -> Token:
        made = Token(self.text(words.pop("kind", "access")), client_id, now + TOKEN_LIFE, grant, **words)
        self.access[made.value] = made
        return made

    def of(self, seller_id: str) -> list[Grant]:
        return [grant for grant in self.grants if grant.seller_id == seller_id]
