"""Seller Central: the consent page, and the appstore's way to it (guide 2.2).

`GET /apps/authorize/consent` is a page with two forms. *Confirm* posts to the same address and answers 302 to the
application; *Cancel* answers a page. Who is signed in is the seller of `?selling_partner_id=` or, without it, the one
that the control API signed in. With `&confirm=1` the page confirms at once.
"""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit

from omnichannel_amazon_simulator.answers import Answer, Call
from omnichannel_amazon_simulator.tokens import App

CONSENT = "/apps/authorize/consent"
CONFIRM = "/apps/authorize/confirm/"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1>{body}</body></html>"""


def page(title: str, body: str, status: int = 200) -> Answer:
    return Answer(status, PAGE.format(title=escape(title), body=body).encode(), "text/html; charset=utf-8")


def refused(why: str) -> Answer:
    """Seller Central says it on a page; nothing comes back to the application."""
    return page("We're sorry", f"<p id=error>{escape(why)}</p>", 400)


def answer(call: Call) -> Answer:
    """The consent page, a confirmation or a cancellation."""
    words = dict(call.query)
    if call.method == "POST":
        words |= dict(parse_qsl(call.body.decode("latin-1"), keep_blank_values=True))
    if call.path.startswith(CONFIRM):
        words["application_id"] = call.path.removeprefix(CONFIRM)
    app = _named(call, words)
    problem = _problem(call, app, words)
    if problem or app is None:
        return refused(problem)
    if words.get("cancel"):
        return page("Authorization canceled", "<p>You did not authorize the application.</p>")
    if words.get("confirm") or call.path.startswith(CONFIRM):
        return _confirmed(call, app, words)
    return _form(call, app, words)


def agreed(call: Call, url: str, seller_id: str = "") -> str:
    """Where a browser goes that confirms on the page at `url`, signed in as this seller.

    Raises:
        ValueError: the page does not offer it.
    """
    query = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    words = query | ({"selling_partner_id": seller_id} if seller_id else {})
    app = _named(call, words)
    problem = _problem(call, app, words)
    if problem or app is None:
        raise ValueError(problem)
    return _confirmed(call, app, words).headers["Location"]


def _named(call: Call, words: dict[str, str]) -> App | None:
    return next((each for each in call.world.apps.values() if each.application_id == words.get("application_id")), None)


def _problem(call: Call, app: App | None, words: dict[str, str]) -> str:
    if app is None:
        return "The application could not be found."
    if app.status == "DRAFT" and words.get("version") != "beta":
        return "The application is not published: MD1000."
    if app.status != "DRAFT" and words.get("version") == "beta":
        return "The application has no beta version: MD9100."
    if not words.get("state"):
        return "The parameter state is missing."
    uri = words.get("redirect_uri")
    if uri is not None and uri not in app.redirect_uris:
        return "The redirect URI is not one of the application's: MD5101."
    if uri is None and not app.redirect_uris:
        return "The application has no redirect URI."
    if _seller(call, words) not in call.world.sellers:
        return "Nobody is signed in."
    return ""


def _seller(call: Call, words: dict[str, str]) -> str:
    sellers = call.world.sellers
    return words.get("selling_partner_id") or call.world.signed_in or next(iter(sellers), "")


def _form(call: Call, app: App, words: dict[str, str]) -> Answer:
    kept = "".join(
        f'<input type="hidden" name="{escape(key)}" value="{escape(value)}">'
        for key, value in words.items()
        if key in {"application_id", "state", "redirect_uri", "version"}
    )
    seller = escape(_seller(call, words))
    roles = "".join(f"<li>{escape(role)}</li>" for role in sorted(app.roles))
    body = (
        f'<form method="post" action="{CONSENT}">{kept}'
        f"<p>{escape(app.application_id)} asks for access to the account:</p><ul>{roles}</ul>"
        f'<p><label>Signed in as <input name="selling_partner_id" value="{seller}"></label></p>'
        '<button name="confirm" value="1">Confirm</button> <button name="cancel" value="1">Cancel</button></form>'
    )
    return page("Authorize application", body)


def _confirmed(call: Call, app: App, words: dict[str, str]) -> Answer:
    """302 to the application with a code of five minutes."""
    uri = words.get("redirect_uri") or app.redirect_uris[0]
    seller = _seller(call, words)
    wallet = call.world.wallet
    grant = wallet.grant(app, seller, call.world.sellers[seller].options.roles, call.now)
    code = wallet.code(grant, uri, call.now)
    query = urlencode({"state": words["state"], "selling_partner_id": seller, "spapi_oauth_code": code})
    where = f"{uri}{'&' if urlsplit(uri).query else '?'}{query}"
    return Answer(302, b"", "", {"Location": where, "Referrer-Policy": "no-referrer"})


def appstore(call: Call, app: App, seller_id: str) -> str:
    """Where the appstore sends a seller's browser first: the application's login URI."""
    state = call.world.wallet.text("", 32)
    words = {
        "amazon_callback_uri": f"https://amazon.com{CONFIRM}{app.application_id}",
        "amazon_state": state,
        "selling_partner_id": seller_id,
    }
    words |= {"version": "beta"} if app.status == "DRAFT" else {}
    return f"{app.login_uri}?{urlencode(words)}"
