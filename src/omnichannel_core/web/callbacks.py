"""Where marketplaces reach us. Two hops: the public one asks nobody who he is; the second, on our own site, does.

A browser that comes back from a marketplace may come without the host's session (SameSite), or within a frame of the
marketplace. So the public page binds nothing: it verifies, keeps what came as a draft that belongs to nobody, and leads
to a page of ours outside the frame, where `resolve` says who is there and a person confirms. What proves that it is the
same browser never stands in an address: it goes by a form into a cookie that scripts and other sites cannot read.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode

from starlette.responses import JSONResponse, RedirectResponse, Response

from omnichannel_core import errors
from omnichannel_core.connections.authorizing import DraftForm, Unfinished
from omnichannel_core.connections.calling import CallAnswer
from omnichannel_core.driver import Call
from omnichannel_core.web.actors import Permission
from omnichannel_core.web.guarding import CSP, Door, cross_site
from omnichannel_core.web.pages.listing import numbers
from omnichannel_core.web.problems import Refused, status_of
from omnichannel_core.web.visits import Visit

KEY = re.compile(r"[A-Za-z0-9_-]{32}")
ORIGIN = re.compile(r"https://(\*\.)?[a-z0-9.-]{1,250}(:\d{1,5})?")
COOKIE = "omnichannel_claim"
LIFE = 3600


# --- the public hop
async def receive(visit: Visit) -> Response:
    """A call of a marketplace: a server's webhook, or a browser that comes to install or to visit."""
    driver, rest = visit.text("driver"), str(visit.request.path_params.get("rest", ""))
    first, _, after = rest.partition("/")
    key, path = (first, after) if KEY.fullmatch(first) else ("", rest)
    request = visit.request
    call = Call(
        method=request.method, path=path, query=dict(request.query_params), body=await visit.body(),
        headers={name.lower(): value for name, value in request.headers.items()},
    )  # fmt: skip
    browser = _is_browser(visit)
    try:
        answer = await visit.house.connections.receive(driver, call, key)
    except errors.OmnichannelError as trouble:
        status = status_of(trouble)
        if not browser:
            return JSONResponse({"key": trouble.key}, status)
        return visit.page("arrived.html", status, answer=None, trouble=trouble, driver=driver)
    if not browser:
        return JSONResponse({}, answer.status)
    return visit.page("arrived.html", headers=framed(answer), answer=answer, trouble=None, driver=driver)


def _is_browser(visit: Visit) -> bool:
    """Whether somebody looks at the answer."""
    headers = visit.request.headers
    return visit.request.method == "GET" and (
        headers.get("sec-fetch-mode") == "navigate" or "text/html" in headers.get("accept", "")
    )


def framed(answer: CallAnswer) -> dict[str, str]:
    """Only this page may be framed, and only by origins that the driver declares."""
    origins = [one for one in answer.framed_by if ORIGIN.fullmatch(one)]
    if not origins:
        return {}
    return {
        "Content-Security-Policy": CSP.replace("frame-ancestors 'none'", f"frame-ancestors {' '.join(origins)}"),
        "Cross-Origin-Opener-Policy": "unsafe-none",
    }


async def returned(visit: Visit) -> Response:
    """The browser is back from AUTHORIZE; a host's strict session cookie only comes along from our own page."""
    query = urlencode(list(visit.request.query_params.multi_items()))
    onward = visit.url(f"/oauth/{visit.text('driver')}/finish") + (f"?{query}" if query else "")
    return visit.page("onward.html", headers={"Referrer-Policy": "no-referrer"}, onward=onward)


# --- the second hop
async def finish(visit: Visit) -> Response:
    """Takes the state, which is this actor's and used once; back to the same filled form."""
    if visit.request.headers.get("sec-fetch-site") == "cross-site":
        raise Refused(403, "This address is only reached from our own page.")
    query, driver = dict(visit.request.query_params), visit.text("driver")
    if len(query) != len(visit.request.query_params.multi_items()):
        raise errors.AuthorizationDenied("The marketplace's answer says something twice: press AUTHORIZE again.")
    call = Call(method="GET", path="return", query=query)
    try:
        found = await visit.house.connections.returned(call, account=visit.account, actor=visit.actor.id, driver=driver)
    except errors.AuthorizationDenied as trouble:  # of no open AUTHORIZE: back to a form of the one who asks, if any
        mine = await visit.house.connections.unfinished(visit.account, actor=visit.actor.id)
        return _not_authorized(visit, trouble, next((one for one in mine if one.driver == driver), None))
    if found.error is not None:
        return _not_authorized(visit, found.error, found.form)
    return RedirectResponse(_form(visit, found.form), 303)


def _form(visit: Visit, draft: DraftForm | Unfinished) -> str:
    if draft.connection is None:
        return visit.url("/new", draft=draft.id)
    return visit.url(f"/connections/{draft.connection}", draft=draft.id, tab="credentials")


def _not_authorized(visit: Visit, trouble: errors.OmnichannelError, form: DraftForm | Unfinished | None) -> Response:
    back = _form(visit, form) if form is not None else ""
    return visit.page("not_authorized.html", status_of(trouble), trouble=trouble, back=back)


async def claim(visit: Visit) -> Response:
    """From the public page, by a form, out of the frame: the claim becomes this browser's cookie."""
    if cross_site(visit.request):
        raise Refused(403, "This was sent by another site's page, which may not do that.")
    sent = await visit.form()
    (draft,) = numbers([sent.get("draft", "")])
    response = RedirectResponse(visit.url(f"/install/{draft}"), 303)
    response.set_cookie(
        COOKIE, str(sent.get("claim", ""))[:200], max_age=LIFE, path=visit.url("/install") or "/", httponly=True,
        samesite="lax", secure=visit.request.url.scheme == "https",
    )  # fmt: skip
    return response


async def install(visit: Visit) -> Response:
    """Who is there, and does he want it?"""
    return visit.page("install.html", draft=visit.number(), account=await visit.house.accounts.get(visit.account))


async def confirm(visit: Visit) -> Response:
    """Yes: only now the draft belongs to somebody."""
    proof = visit.request.cookies.get(COOKIE, "")
    found = await visit.house.connections.confirm(visit.account, visit.number(), claim=proof, actor=visit.actor.id)
    response = visit.go("/new", draft=found.id)
    response.delete_cookie(COOKIE, path=visit.url("/install"))
    return response


MANAGE = Permission.MANAGE
DOORS = (
    Door(method="GET", path="/callbacks/{driver}/{rest:path}", handler=receive, permission=None, machine=True),
    Door(method="POST", path="/callbacks/{driver}/{rest:path}", handler=receive, permission=None, machine=True),
    Door(method="GET", path="/callbacks/{driver}", handler=receive, permission=None, machine=True),
    Door(method="POST", path="/callbacks/{driver}", handler=receive, permission=None, machine=True),
    Door(method="GET", path="/oauth/{driver}", handler=returned, permission=None),
    Door(method="GET", path="/oauth/{driver}/finish", handler=finish, permission=MANAGE),
    Door(method="POST", path="/install", handler=claim, permission=None),
    Door(method="GET", path="/install/{id:int}", handler=install, permission=MANAGE),
    Door(method="POST", path="/install/{id:int}", handler=confirm, permission=MANAGE),
)
