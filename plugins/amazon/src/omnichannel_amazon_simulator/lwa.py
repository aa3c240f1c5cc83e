"""Login with Amazon: `POST /auth/o2/token` (guide 2.3)."""

from __future__ import annotations

from urllib.parse import parse_qsl

from omnichannel_amazon_simulator.answers import Answer, Call, reply
from omnichannel_amazon_simulator.errors import Refused
from omnichannel_amazon_simulator.tokens import NOTIFICATIONS, ROTATION, TOKEN_LIFE, App, Grant

PATH = "/auth/o2/token"
CACHE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def no(error: str, description: str, status: int = 400) -> Refused:
    return Refused(status, error, description, body={"error": error, "error_description": description})


def exchange(call: Call) -> Answer:
    """Tokens for a code, a refresh token or the application itself.

    Raises:
        Refused: with LWA's own body `{"error", "error_description"}`.
    """
    if call.method != "POST":
        raise no("invalid_request", "The request method must be POST", 405)
    if not call.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise no("invalid_request", "The Content-Type must be application/x-www-form-urlencoded")
    form = dict(parse_qsl(call.body.decode("latin-1"), keep_blank_values=True))
    kind = form.get("grant_type", "")
    if not kind:
        raise no("invalid_request", "The request is missing a required parameter : grant_type")
    if kind not in _KINDS:
        raise no("unsupported_grant_type", "The authorization grant type is not supported by the authorization server")
    answer = reply(_KINDS[kind](call, _app(call, form), form))
    answer.headers |= CACHE
    return answer


def _app(call: Call, form: dict[str, str]) -> App:
    app = call.world.apps.get(form.get("client_id", ""))
    if app is None or not app.accepts(form.get("client_secret", ""), call.now):
        raise no("invalid_client", "Client authentication failed", 401)
    return app


def _needed(form: dict[str, str], name: str) -> str:
    if not form.get(name):
        raise no("invalid_request", f"The request is missing a required parameter : {name}")
    return form[name]


def _tokens(call: Call, grant: Grant, refresh: str) -> dict[str, object]:
    token = call.world.wallet.access_token(grant.client_id, call.now, grant)
    return {
        "access_token": token.value,
        "refresh_token": refresh,
        "token_type": "bearer",
        "expires_in": int(TOKEN_LIFE),
    }


def _code(call: Call, app: App, form: dict[str, str]) -> dict[str, object]:
    wallet, text = call.world.wallet, _needed(form, "code")
    code = wallet.codes.get(text)
    wrong_uri = code is not None and form.get("redirect_uri", code.redirect_uri) != code.redirect_uri
    foreign = code is None or code.grant.client_id != app.client_id
    if code is None or foreign or wrong_uri or code.used or call.now > code.expires:
        raise no("invalid_grant", "The request has an invalid grant parameter : code")
    code.used = True
    return _tokens(call, code.grant, wallet.refresh_token(code.grant))


def _refresh(call: Call, app: App, form: dict[str, str]) -> dict[str, object]:
    wallet, text = call.world.wallet, _needed(form, "refresh_token")
    grant = wallet.refresh.get(text)
    if grant is None or grant.client_id != app.client_id or not grant.lives(call.now):
        raise no(
            "invalid_grant",
            "The request has an invalid grant parameter : refresh_token. "
            "User may have revoked or didn't grant the permission.",
        )
    if app.rotate_refresh:
        for old in grant.refresh[: grant.refresh.index(text)]:  # whoever uses the new one has it
            wallet.refresh.pop(old, None)
        grant.refresh = grant.refresh[grant.refresh.index(text) :]
        text = wallet.refresh_token(grant)
    return _tokens(call, grant, text)


def _grantless(call: Call, app: App, form: dict[str, str]) -> dict[str, object]:
    scope = _needed(form, "scope")
    if scope not in {NOTIFICATIONS, ROTATION}:
        raise no("invalid_scope", f"The request has an invalid scope parameter : {scope}")
    token = call.world.wallet.access_token(app.client_id, call.now, scope=scope)
    return {"access_token": token.value, "token_type": "bearer", "expires_in": int(TOKEN_LIFE)}


_KINDS = {"authorization_code": _code, "refresh_token": _refresh, "client_credentials": _grantless}
