"""Tokens: codes exchanged, refresh tokens that rotate, client credentials, and old tokens migrated (guide 2.2, 2.3)."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from pydantic import SecretStr

from omnichannel_core import errors
from omnichannel_core.driver import Session, Token
from omnichannel_shopify.api import TOKEN, origin
from omnichannel_shopify.credentials import Organization, ShopifyApplication, ShopifyCredentials, StaticToken

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
OFFLINE = "urn:shopify:params:oauth:token-type:offline-access-token"
SESSION = "urn:ietf:params:oauth:token-type:id_token"
PRESS = "press AUTHORIZE"


class TokenAnswer(msgspec.Struct):
    """What the token endpoint says; absent `expires_in` means that it does not expire."""

    access_token: str = ""
    scope: str | None = None
    expires_in: float | None = None
    refresh_token: str | None = None
    error: str | None = None
    error_description: str | None = None


async def ask(session: Session, *, at: str = "", **body: object) -> Token:
    """One request to the token endpoint; repeatable, as Shopify takes the last refresh token again.

    Args:
        at: the shop's host, where no credentials name it yet.

    Raises:
        AuthorizationNeeded: what we hold gives no token. ApplicationRejected: the vendor's app is refused.
        CredentialsRejected: the merchant's own app is refused. RemoteUnavailable: no token in the answer.
    """
    url = f"{f'https://{at}' if at else origin(session)}/admin/oauth/access_token"
    answer = await session.http.send(
        TOKEN, "POST", url, json=body, token=None, repeatable="code" not in body, headers={"accept": "application/json"}
    )
    if answer.status >= 400:
        try:
            reason = msgspec.json.decode(answer.content, type=TokenAnswer).error or ""
        except (msgspec.DecodeError, UnicodeDecodeError):
            reason = ""
        _refuse(session, reason, answer.status, held="refresh_token" in body or "subject_token" in body)
    said = answer.decode(TokenAnswer)
    if not said.access_token:
        raise errors.RemoteUnavailable("token: Shopify's answer holds no token")
    return Token(
        value=SecretStr(said.access_token),
        expires=session.clock.now() + timedelta(seconds=said.expires_in) if said.expires_in else None,
        refresh=SecretStr(said.refresh_token) if said.refresh_token else None,
        scopes=frozenset(one for one in (said.scope or "").replace(" ", ",").split(",") if one),
    )


def _refuse(session: Session, reason: str, status: int, *, held: bool) -> None:
    """`held`: we asked with what this shop gave us; Shopify calls an app that was uninstalled an invalid client too."""
    mine = session.get(ShopifyCredentials)
    own = mine is not None and isinstance(mine.access, Organization)
    if own:
        if reason == "shop_not_permitted":
            raise errors.CredentialsRejected("The app and the shop are not of the same organization at Shopify")
        raise errors.CredentialsRejected("Shopify refuses the client id or secret, or the app is not installed")
    if reason == "invalid_client" and not held:
        raise errors.ApplicationRejected("Shopify refuses the application: correct its client id or secret")
    raise errors.AuthorizationNeeded(
        f"Shopify does not accept this authorization any more ({reason or status}): {PRESS}"
    )


def proof(session: Session) -> dict[str, str]:
    """The vendor's app, with its newest secret.

    Raises:
        ApplicationRejected: there is none.
    """
    app = session.get(ShopifyApplication)
    if app is None:
        raise errors.ApplicationRejected("No Shopify application came with the license: add one, or type a token")
    return {"client_id": app.client_id, "client_secret": app.client_secrets[0].get_secret_value()}


async def by_code(session: Session, code: str) -> Token:
    """The install's code, once: an offline token that expires, with a refresh token."""
    return await ask(session, **proof(session), code=code, expiring=1)


async def by_visit(session: Session, shop: str, id_token: str) -> Token | None:
    """An app that is shown within Shopify's admin is opened with a session token, good for a minute: exchanged for an
    offline token (guide 2.3). None where Shopify does not take it: the visitor authorizes as everybody else.

    Args:
        shop: verified, as the app's secret goes there.
    """
    try:
        return await ask(
            session, at=shop, **proof(session), grant_type=EXCHANGE, subject_token=id_token,
            subject_token_type=SESSION, requested_token_type=OFFLINE, expiring=1,
        )  # fmt: skip
    except (errors.AuthorizationNeeded, errors.RemoteUnavailable) as refused:
        session.log.info("The session token of a visit to %s brought no offline token: %s", shop, refused)
        return None


async def renew(session: Session, name: str, old: Token | None) -> Token:
    """The next token of this connection's way in."""
    access = session[ShopifyCredentials].access
    if isinstance(access, StaticToken):
        return Token(value=access.access_token)
    if isinstance(access, Organization):
        secret = access.client_secret.get_secret_value()
        body = {"client_id": access.client_id, "client_secret": secret, "grant_type": "client_credentials"}
        return await ask(session, **body)
    if old is None:
        raise errors.AuthorizationNeeded(f"There is no authorization by the shop yet: {PRESS}")
    if old.refresh is None:
        return await migrated(session, old)
    try:
        return await by_refresh(session, old.refresh)
    except errors.AuthorizationNeeded:
        if old.previous is None or old.previous == old.refresh:
            raise
        return await by_refresh(session, old.previous)


async def by_refresh(session: Session, refresh: SecretStr) -> Token:
    """A new access token and a new refresh token; this one stays good until the new one is used."""
    return await ask(
        session, **proof(session), grant_type="refresh_token", refresh_token=refresh.get_secret_value()
    )  # fmt: skip


async def migrated(session: Session, old: Token) -> Token:
    """A token that never expires, exchanged for one that does; Shopify then revokes the old one."""
    return await ask(
        session,
        **proof(session),
        grant_type=EXCHANGE,
        subject_token=old.value.get_secret_value(),
        subject_token_type=OFFLINE,
        requested_token_type=OFFLINE,
        expiring=1,
    )
