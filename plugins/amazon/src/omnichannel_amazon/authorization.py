"""Login with Amazon: consent, exchange, refresh, self-authorization; and the check (guide amazon 2, 3.2)."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

from pydantic import SecretStr

from omnichannel_amazon import wire
from omnichannel_amazon.api import LWA
from omnichannel_amazon.client import Client, iso
from omnichannel_amazon.credentials import AmazonApplication, AmazonCredentials
from omnichannel_amazon.marketplaces import MARKETPLACES, home
from omnichannel_amazon.settings import Export
from omnichannel_core import errors
from omnichannel_core.driver import AuthorizationFlow, Call, Checkup, Grant, Session, Token, Trip

LIFE = timedelta(days=365)
"""Of a seller's authorization; nothing tells it, so it is counted from the day it was given (guide 2.4)."""

APPSTORE = re.compile(r"(?:[a-z0-9-]+\.)*amazon\.(?:com|ca|de|fr|it|es|nl|se|pl|ie|eg|sa|ae|in|sg)"
                      r"|(?:[a-z0-9-]+\.)*amazon\.(?:com\.(?:mx|br|be|tr|au)|co\.(?:uk|za|jp))")  # fmt: skip
PERSONAL = {
    "BUYER": "orders come without the buyer's name",
    "RECIPIENT": "orders come without address",
    "TAX": "orders come without the buyer's VAT id",
}
"""includedData that needs a restricted role of the app."""


# --- tokens -------------------------------------------------------------------------------------------------------
def application(session: Session) -> AmazonApplication:
    """The vendor's app.

    Raises:
        ApplicationRejected: there is none.
    """
    app = session.get(AmazonApplication)
    if app is None:
        raise errors.ApplicationRejected("Amazon needs the vendor's application: it comes with the license, add it")
    return app


async def lwa(session: Session, **form: str) -> Token:
    """The token end point, with the newest client secret first: during a rotation an older one may still be good.

    Raises:
        ApplicationRejected: the application's fault, never the merchant's.
        AuthorizationNeeded: Amazon no longer accepts the authorization. RemoteUnavailable.
    """
    app = application(session)
    for secret in app.client_secrets:
        proof = {"client_id": app.client_id, "client_secret": secret.get_secret_value()}
        answer = await session.http.send("token", "POST", LWA, form={**form, **proof}, token=None)
        said = answer.decode(wire.Lwa)
        if said.error == "invalid_client":
            continue
        _refuse(said, form["grant_type"])
        refresh = SecretStr(said.refresh_token) if said.refresh_token else None
        expires = session.clock.now() + timedelta(seconds=said.expires_in)
        return Token(value=SecretStr(said.access_token), expires=expires, refresh=refresh)
    raise errors.ApplicationRejected(
        "Amazon refuses the application's client id or secret (invalid_client): replace the application"
    )


def _refuse(said: wire.Lwa, grant_type: str) -> None:
    if not said.error and said.access_token:
        return
    if said.error == "invalid_grant" and grant_type == "authorization_code":
        raise errors.AuthorizationDenied(
            "Amazon refuses the authorization code: it was used before or is older than five minutes. Authorize again"
        )
    if said.error == "invalid_grant":
        raise errors.AuthorizationNeeded("Amazon no longer accepts this authorization (invalid_grant): authorize again")
    if said.error in ("server_error", "temporarily_unavailable") or not said.error:
        raise errors.RemoteUnavailable("token: Login with Amazon is in trouble")
    raise errors.ApplicationRejected(f"token: Login with Amazon refuses the application's request ({said.error[:60]})")


async def renew(session: Session, name: str, old: Token | None) -> Token:
    """`access`, or `rdt:<path>` for a restricted document: both under the house's lease.

    Raises:
        AuthorizationNeeded: there is nothing to renew it with, or Amazon no longer accepts it.
    """
    if name.startswith("rdt:"):
        return await restricted(session, name.removeprefix("rdt:"))
    own = session[AmazonCredentials].own_refresh_token
    refresh = (old.refresh if old else None) or own
    if refresh is None:
        raise errors.AuthorizationNeeded("This connection is not authorized: press AUTHORIZE")
    try:
        return await _refreshed(session, refresh)
    except errors.AuthorizationNeeded:
        if own is None or own.get_secret_value() == refresh.get_secret_value():
            raise
        return await _refreshed(session, own)  # a newly pasted token takes the place of one that ended


async def _refreshed(session: Session, refresh: SecretStr) -> Token:
    new = await lwa(session, grant_type="refresh_token", refresh_token=refresh.get_secret_value())
    return new if new.refresh else Token(value=new.value, expires=new.expires, refresh=refresh)


async def restricted(session: Session, path: str) -> Token:
    """A restricted data token for one document (`createRestrictedDataToken`)."""
    body = {"restrictedResources": [{"method": "GET", "path": path}]}
    url = f"{home(session[AmazonCredentials].region)}/tokens/2021-03-01/restrictedDataToken"
    answer = await session.http.send("createRestrictedDataToken", "POST", url, json=body, repeatable=True)
    said = answer.decode(wire.Restricted)
    expires = session.clock.now() + timedelta(seconds=said.expires_in)
    return Token(value=SecretStr(said.restricted_data_token), expires=expires)


# --- out and back -------------------------------------------------------------------------------------------------
async def begin(session: Session, trip: Trip) -> str:
    """The consent page of the marketplace's own Seller Central, or back to the appstore where the trip began there.

    Raises:
        ApplicationRejected: no application. AuthorizationDenied: the appstore's callback is not Amazon's.
    """
    app = application(session)
    query = {"state": trip.state, "redirect_uri": trip.return_url, **({"version": "beta"} if app.draft else {})}
    back = trip.context.get("amazon_callback_uri")
    if back:
        if not is_amazon(back, app.application_id):
            raise errors.AuthorizationDenied("The address to go back to is not Amazon's: begin at AUTHORIZE instead")
        return f"{back}?{urlencode({**query, 'amazon_state': trip.context.get('amazon_state', '')})}"
    host = MARKETPLACES[session[AmazonCredentials].marketplace].consent
    return f"https://{host}/apps/authorize/consent?{urlencode({'application_id': app.application_id, **query})}"


def is_amazon(url: str, application_id: str) -> bool:
    """Whether an appstore callback is Amazon's and for our app; anything else would make us an open redirector."""
    where = urlsplit(url)
    mine = where.path == f"/apps/authorize/confirm/{application_id}"
    plain = not (where.query or where.fragment or where.username or where.port)
    return where.scheme == "https" and mine and plain and APPSTORE.fullmatch(where.hostname or "") is not None


async def finish(session: Session, trip: Trip, call: Call) -> Grant:
    """The code for tokens, once; the Seller ID is filled in where it was left empty.

    Raises:
        AuthorizationDenied: cancelled, signed in as another seller, or the code is refused.
    """
    typed = session[AmazonCredentials]
    seller, code = call.query.get("selling_partner_id", ""), call.query.get("spapi_oauth_code", "")
    if not seller or not code:
        raise errors.AuthorizationDenied("Amazon brought no authorization: it was cancelled. Authorize again")
    if typed.seller_id and typed.seller_id != seller:
        raise errors.AuthorizationDenied(
            f"Signed in to Amazon as seller {seller}, but this connection is for {typed.seller_id}: sign out in Seller "
            "Central and authorize again, or correct the Seller ID"
        )
    token = await lwa(session, grant_type="authorization_code", code=code, redirect_uri=trip.return_url)
    return Grant(token=token, credentials=typed.model_copy(update={"seller_id": seller}))


# --- check --------------------------------------------------------------------------------------------------------
async def check(session: Session) -> Checkup:
    """Participations first, then whose listings the token may read, then one probe per capability.

    Raises:
        AccessMissing: the seller does not sell on the marketplace. CredentialsRejected: the Seller ID is another's.
        AuthorizationNeeded: not authorized, or no longer.
    """
    client, app = Client(session), application(session)
    if not client.mine.seller_id:
        raise errors.AuthorizationNeeded("The Seller ID is empty: type it, or press AUTHORIZE, which fills it in")
    here = {one.marketplace.id: one for one in await client.participations()}.get(client.marketplace)
    if here is None or not here.participation.is_participating:
        name = MARKETPLACES[client.marketplace].name
        raise errors.AccessMissing(f"This seller does not sell on {name}: choose another marketplace", "marketplace")
    works, missing = set[str](), dict[str, str]()
    await _probe_listings(client, works, missing)
    await _probe_orders(client, works, missing)
    if here.participation.has_suspended_listings:
        missing["listings"] = "Listings are suspended on this marketplace (vacation): see Seller Central"
    export = session.get(Export)
    if export is not None and export.nothing():
        missing["order export"] = "No box is checked in Order export/invoice upload: nothing is exported"
    token = await session.token()
    ends = {"authorization": token.granted + LIFE} if token.granted else {}
    ends |= {"client secret of the application": app.secret_expires} if app.secret_expires else {}
    account = client.mine.remote_account() if "offers" in works else ""
    title = here.store_name or here.marketplace.name
    return Checkup(title=title, works=frozenset(works), missing=missing, expires=ends, account=account)


async def _probe_listings(client: Client, works: set[str], missing: dict[str, str]) -> None:
    """The one question that a foreign Seller ID is refused (guide 3.2); participations do not tell whose they are."""
    try:
        await client.search_listings("summaries", {"pageSize": "1"})
        works |= {"offers", "stock", "prices"}
    except errors.AccessMissing as refused:
        missing["offers"] = f"{refused}. Is the Seller ID right, and has the app the role Product Listing?"
    except errors.RemoteRejected as refused:
        missing["offers"] = str(refused)


async def _probe_orders(client: Client, works: set[str], missing: dict[str, str]) -> None:
    """All that is wished for at once; where that is refused, one by one what of it is: the bucket is small. What could
    not be asked (a first import uses the bucket up for hours) is not taken for refused: orders come with it."""
    since = iso(client.session.clock.now() - timedelta(hours=1))
    query = {"createdAfter": since, "marketplaceIds": client.marketplace, "maxResultsPerPage": "1"}
    try:
        await client.orders({**query, "includedData": ",".join(PERSONAL)})
        works |= {"orders", *PERSONAL}
        return
    except errors.AccessMissing:
        pass
    except errors.RemoteError as trouble:
        works |= {*PERSONAL}
        missing["orders"] = str(trouble)
        return
    except errors.RemoteRejected as trouble:
        missing["orders"] = str(trouble)
        return
    for part in ("", *PERSONAL):
        try:
            await client.orders({**query, **({"includedData": part} if part else {})})
            works.add(part or "orders")
        except errors.AccessMissing as refused:
            lost = f"{PERSONAL[part]}: the app lacks a restricted role" if part else str(refused)
            missing[part or "orders"] = f"{lost}. Add the role to the app, then authorize again"
            if not part:
                return
        except errors.RemoteError as trouble:
            missing[part or "orders"] = str(trouble)
            return


FLOW = AuthorizationFlow(check=check, begin=begin, finish=finish, renew=renew, plain=frozenset({"selling_partner_id"}))
