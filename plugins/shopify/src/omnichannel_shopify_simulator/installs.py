"""Apps, their installations in shops, and tokens (guide 2.2, 2.3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from omnichannel_shopify_simulator import access

if TYPE_CHECKING:
    from omnichannel_shopify_simulator.bucket import Bucket
    from omnichannel_shopify_simulator.bulk import Bulk
    from omnichannel_shopify_simulator.webhooks import Hook

ACCESS_LIFE, REFRESH_LIFE, CLIENT_LIFE, RETRY_LIFE = 3600, 90 * 86_400, 86_399, 30 * 86_400


@dataclass(slots=True)
class App:
    """What a vendor (or a merchant's organization) registered.

    Attributes:
        secrets: client secrets, newest first; webhooks and addresses are signed with the oldest one.
        redirect_urls: exactly one of them is where an authorization returns to; empty admits any.
        app_url: where Shopify's admin opens and installs it.
        embedded: it is opened within the admin, with a session token (`id_token`).
        public: its tokens that never expire are refused once the store's `expiring_required` is set.
        organization: client credentials work in stores of the same one only.
        level: protected customer data: 0 nothing, 1 objects, 2 also `protected` fields.
        expires_in_missing: the token endpoint leaves `expires_in` out, or blanks the refresh token.
    """

    client_id: str
    client_secret: str = ""
    secrets: list[str] = field(default_factory=list)
    title: str = "Connector"
    scopes: list[str] | None = None
    redirect_urls: list[str] = field(default_factory=list)
    app_url: str = ""
    embedded: bool = False
    public: bool = True
    organization: str = ""
    level: int = 2
    protected: list[str] | None = None
    expires_in_missing: bool = False
    refresh_blank: bool = False

    def __post_init__(self) -> None:
        if not self.secrets:
            self.secrets = [self.client_secret]

    @property
    def signing_secret(self) -> str:
        """The oldest one that was not revoked (guide 2.14)."""
        return self.secrets[-1]


@dataclass(slots=True)
class Token:
    """An access token; `expires` None for one that never does."""

    value: str
    expires: float | None
    refresh: str = ""
    used: int = 0


@dataclass(slots=True)
class Refresh:
    """A refresh token. `replaced` is the pair it was exchanged for; it stays good until that is used."""

    value: str
    expires: float
    first_used: float | None = None
    replaced: str = ""
    dead: bool = False


class Install:
    """An app in a shop: rights, tokens, cost bucket, subscriptions, bulk operations, memory of keys."""

    def __init__(self, app: App, number: int, scopes: frozenset[str], bucket: Bucket, at: float) -> None:
        self.app, self.number, self.scopes, self.bucket, self.at = app, number, scopes, bucket, at
        self.level = app.level
        self.protected = frozenset(access.KINDS if app.protected is None else app.protected)
        if app.level < 2:
            self.protected = frozenset()
        self.alive = True
        self.tokens: dict[str, Token] = {}
        self.refreshes: dict[str, Refresh] = {}
        self.hooks: dict[int, Hook] = {}
        self.bulks: dict[int, Bulk] = {}
        self.keys: dict[str, dict[str, Any]] = {}

    def row(self) -> dict[str, Any]:
        """AppInstallation."""
        app = {
            "id": f"gid://shopify/App/{self.number}",
            "title": self.app.title,
            "handle": self.app.title.lower().replace(" ", "-"),
        }
        return {
            "id": f"gid://shopify/AppInstallation/{self.number}",
            "app": app,
            "accessScopes": [{"handle": one} for one in sorted(self.scopes)],
        }

    def token(self, value: str, now: float) -> Token | None:
        """The living token of that value; its use ends the grace of the refresh token before."""
        found = self.tokens.get(value) if self.alive else None
        if found is None or (found.expires is not None and found.expires <= now):
            return None
        found.used += 1
        if found.used == 1 and found.refresh:
            self.settle(found.refresh)
        return found

    def settle(self, refresh: str) -> None:
        """The pair with that refresh token is in use: those before it end."""
        for one in self.refreshes.values():
            if one.replaced == refresh:
                one.dead = True

    def kill(self) -> None:
        """Uninstalled: tokens and subscriptions are gone."""
        self.alive = False
        self.tokens.clear()
        self.refreshes.clear()
        self.hooks.clear()
