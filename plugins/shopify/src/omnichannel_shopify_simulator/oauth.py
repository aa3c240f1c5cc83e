"""The token endpoint and the consent page of a shop (guide 2.3)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import msgspec

from omnichannel_shopify_simulator import access, visits
from omnichannel_shopify_simulator.answers import Answer, Call, Refused, reply
from omnichannel_shopify_simulator.installs import (
    ACCESS_LIFE,
    CLIENT_LIFE,
    REFRESH_LIFE,
    RETRY_LIFE,
    App,
    Install,
    Refresh,
    Token,
)

if TYPE_CHECKING:
    from omnichannel_shopify_simulator.store import Store
    from omnichannel_shopify_simulator.world import World

Row = dict[str, Any]
CODE_LIFE = 60.0
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
SESSION = "urn:ietf:params:oauth:token-type:id_token"
OFFLINE = "urn:shopify:params:oauth:token-type:offline-access-token"


def signed(app: App, words: dict[str, str]) -> str:
    """Parameters with their `hmac`: hex HMAC-SHA256 of the sorted `k=v` joined by `&`, by the oldest secret."""
    text = "&".join(f"{key}={value}" for key, value in sorted(words.items()))
    digest = hmac.new(app.signing_secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return urlencode({**words, "hmac": digest})


def host_word(store: Store) -> str:
    """The parameter `host`: base64 without padding."""
    return base64.b64encode(f"admin.shopify.com/store/{store.name}".encode()).decode().rstrip("=")


def opened(store: Store, app: App, now: float, **more: str) -> str:
    """Where the admin's browser goes when the app is installed or opened."""
    words = {"shop": store.domain, "host": host_word(store), "timestamp": str(int(now)), **more}
    if app.embedded:
        words |= {"embedded": "1", "id_token": visits.session_token(store, app, now)}
    joint = "&" if "?" in app.app_url else "?"
    return f"{app.app_url}{joint}{signed(app, words)}"


def _asked(call: Call) -> tuple[App, str, frozenset[str], str]:
    """App, redirect URL, scopes and state of an authorization. Raises Refused: Shopify would show an error page."""
    app = call.world.apps.get(call.query.get("client_id", ""))
    if app is None:
        raise Refused(400, "Oauth error invalid_request: Could not find Shopify API application with api_key")
    back = call.query.get("redirect_uri", "")
    if not back or (app.redirect_urls and back not in app.redirect_urls):
        raise Refused(400, "Oauth error invalid_request: The redirect_uri is not whitelisted")
    wanted = call.query.get("scope")
    scopes = frozenset(wanted.replace(" ", "").split(",")) if wanted else None
    if scopes is None:
        scopes = access.ALL_SCOPES if app.scopes is None else frozenset(app.scopes)
    return app, back, scopes, call.query.get("state", "")


def consent_page(call: Call) -> Answer:
    """`GET /admin/oauth/authorize`: what the app wants, and two links."""
    app, _, scopes, _ = _asked(call)
    items = "".join(f"<li>{escape(one)}</li>" for one in sorted(scopes))
    words = urlencode(call.query)
    yes, no = escape(f"{call.path}/grant?{words}"), escape(f"{call.path}/deny?{words}")
    page = (
        f"<!doctype html><html lang=en><title>Install {escape(app.title)}</title><h1>Install {escape(app.title)}?</h1>"
        f"<p>{escape(call.store.domain)}</p><ul>{items}</ul>"
        f'<p><a id=install href="{yes}">Install app</a> <a id=cancel href="{no}">Cancel</a></p></html>'
    )
    return Answer(200, page.encode(), "text/html; charset=utf-8")


def consented(call: Call, scopes: frozenset[str] | None = None) -> str:
    """The merchant agrees: the address the browser is sent to, with code, state, timestamp and HMAC."""
    app, back, wanted, state = _asked(call)
    code = call.world.secret("")
    call.world.codes[code] = (app.client_id, call.store.name, wanted if scopes is None else scopes, call.now)
    words = {"code": code, "shop": call.store.domain, "host": host_word(call.store), "timestamp": str(int(call.now))}
    if state:
        words["state"] = state
    return f"{back}{'&' if '?' in back else '?'}{signed(app, words)}"


def denied(call: Call) -> str:
    """The merchant cancels."""
    _, back, _, state = _asked(call)
    return f"{back}{'&' if '?' in back else '?'}{urlencode({'error': 'access_denied', 'state': state})}"


def _no(error: str, description: str, status: int = 400) -> Refused:
    return Refused(status, {"error": error, "error_description": description})


def exchange(call: Call) -> Answer:
    """`POST /admin/oauth/access_token`: by code, refresh token, client credentials or another token.

    Raises:
        Refused: 400 `invalid_request`, `invalid_client`, `invalid_grant`, `invalid_subject_token`.
    """
    words = _words(call)
    app = call.world.apps.get(str(words.get("client_id", "")))
    if app is None or words.get("client_secret") not in app.secrets:
        raise _no("invalid_client", "The client id or secret is wrong")
    kind = words.get("grant_type")
    if kind == "refresh_token":
        return _answer(app, *_refreshed(call, app, str(words.get("refresh_token", ""))))
    if kind == "client_credentials":
        return _by_client(call, app)
    if kind == EXCHANGE and words.get("subject_token_type") == SESSION:
        return _answer(app, *_by_visit(call, app, words))
    if kind == EXCHANGE:
        return _answer(app, *_migrated(call, app, words))
    return _answer(app, *_by_code(call, app, words))


def _words(call: Call) -> Row:
    try:
        if "json" in call.headers.get("content-type", ""):
            return call.object()
        return dict(parse_qsl(call.body.decode()))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _no("invalid_request", "The body is not readable") from error


def _by_code(call: Call, app: App, words: Row) -> tuple[Install, Token, Refresh | None]:
    found = call.world.codes.pop(str(words.get("code", "")), None)
    if found is None or found[:2] != (app.client_id, call.store.name) or call.now - found[3] > CODE_LIFE:
        raise _no("invalid_request", "The authorization code was not found or was already used")
    install = call.store.install(app, found[2], call.now)
    return (install, *issue(call.world, install, call.now, expiring=str(words.get("expiring", "0")) in {"1", "true"}))


def issue(
    world: World, install: Install, now: float, *, expiring: bool, instead: Refresh | None = None
) -> tuple[Token, Refresh | None]:
    """A new offline token. One chain can be refreshed: a new grant ends the refresh tokens before it."""
    if instead is None:
        for one in install.refreshes.values():
            one.dead = True
    if not expiring:
        token = Token(world.secret("shpat_"), None)
        install.tokens[token.value] = token
        return token, None
    refresh = Refresh(world.secret("shprt_"), now + REFRESH_LIFE)
    token = Token(world.secret("shpat_"), now + ACCESS_LIFE, refresh.value)
    install.refreshes[refresh.value] = refresh
    install.tokens[token.value] = token
    return token, refresh


def _refreshed(call: Call, app: App, value: str) -> tuple[Install, Token, Refresh | None]:
    install = call.store.installs.get(app.client_id)
    if install is None or not install.alive:
        raise _no("invalid_client", "The app is not installed in this shop")
    old = install.refreshes.get(value)
    late = old is not None and old.first_used is not None and call.now - old.first_used > RETRY_LIFE
    if old is None or old.dead or late or old.expires <= call.now:
        raise _no("invalid_grant", "The refresh token is not valid")
    install.settle(value)
    if old.replaced:  # a retry: the pair that was lost is not good any more
        install.refreshes[old.replaced].dead = True
    token, refresh = issue(call.world, install, call.now, expiring=True, instead=old)
    old.first_used = call.now if old.first_used is None else old.first_used
    old.replaced = refresh.value if refresh else ""
    return install, token, refresh


def _by_client(call: Call, app: App) -> Answer:
    if not app.organization or app.organization != call.store.options.organization:
        raise _no("shop_not_permitted", "Client credentials cannot be performed on this shop.")
    scopes = access.ALL_SCOPES if app.scopes is None else frozenset(app.scopes)
    install = call.store.install(app, scopes, call.now, keep=True)
    token = Token(call.world.secret("shpat_"), call.now + CLIENT_LIFE)
    install.tokens[token.value] = token
    return reply({"access_token": token.value, "scope": ",".join(sorted(install.scopes)), "expires_in": CLIENT_LIFE})


def _by_visit(call: Call, app: App, words: Row) -> tuple[Install, Token, Refresh | None]:
    """A session token becomes an offline one; the admin has installed an app that is opened within it."""
    if words.get("requested_token_type") != OFFLINE:
        raise _no("invalid_request", "Only offline tokens are given here")
    if not visits.is_visit(call.store, app, str(words.get("subject_token", "")), call.now):
        raise _no("invalid_subject_token", "The session token is not valid")
    scopes = access.ALL_SCOPES if app.scopes is None else frozenset(app.scopes)
    install = call.store.install(app, scopes, call.now, keep=True)
    return (install, *issue(call.world, install, call.now, expiring=str(words.get("expiring", "0")) in {"1", "true"}))


def _migrated(call: Call, app: App, words: Row) -> tuple[Install, Token, Refresh | None]:
    """A token that never expires becomes one that does; the old one is revoked."""
    install = call.store.installs.get(app.client_id)
    old = install.tokens.get(str(words.get("subject_token", ""))) if install else None
    if install is None or old is None or old.expires is not None or words.get("subject_token_type") != OFFLINE:
        raise _no("invalid_subject_token", "The subject token is not valid")
    if str(words.get("expiring", "0")) not in {"1", "true"}:
        raise _no("invalid_request", "expiring must be 1")
    del install.tokens[old.value]
    return (install, *issue(call.world, install, call.now, expiring=True))


def _answer(app: App, install: Install, token: Token, refresh: Refresh | None) -> Answer:
    document: Row = {"access_token": token.value, "scope": ",".join(sorted(install.scopes))}
    if refresh is not None:
        document |= {
            "expires_in": ACCESS_LIFE,
            "refresh_token": "" if app.refresh_blank else refresh.value,
            "refresh_token_expires_in": REFRESH_LIFE,
        }
    if app.expires_in_missing:
        document.pop("expires_in", None)
    return reply(document)
