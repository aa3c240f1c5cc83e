"""Whose shop it is and what the token may do; out to Shopify and back (guide 2.2 to 2.4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from omnichannel_core import errors
from omnichannel_core.driver import AuthorizationFlow, Call, Checkup, Grant, Session, Trip
from omnichannel_shopify import tokens
from omnichannel_shopify.api import VERSION, denied, origin
from omnichannel_shopify.callbacks import unsubscribe
from omnichannel_shopify.client import Client
from omnichannel_shopify.credentials import Install, ShopifyApplication, ShopifyCredentials, StaticToken
from omnichannel_shopify.settings import OrderFilters
from omnichannel_shopify.signing import check_address
from omnichannel_shopify.wire import Wire

VERSION_ENDS = datetime(2027, 10, 1, 17, tzinfo=UTC)
"""When 2026-10 is no longer served (guide 2.1)."""

NON_EXPIRING_END = datetime(2027, 1, 1, tzinfo=UTC)
WINDOW = timedelta(days=60)

NEEDS: Mapping[str, tuple[str, ...]] = {
    "orders": ("read_orders",),
    "returns": ("read_orders", "read_returns"),
    "data-model": ("read_products", "read_locations", "read_publications", "read_metaobject_definitions"),
    "offers": ("write_products", "write_publications"),
    "prices": ("write_products",),
    "stock": ("write_inventory", "read_locations", "read_products"),
    "shipments": ("read_orders", "write_merchant_managed_fulfillment_orders"),
    "cancellations": ("write_orders",),
    "refunds": ("write_orders",),
    "customers": ("read_customers",),
    "order history": ("read_all_orders",),
}
"""Capability -> scopes, all of which it needs (specs shopify/driver-subset_2026-10.access-scopes.json)."""

SIXTY_DAYS = (
    "Only orders of the last 60 days are visible, and Shopify does not say so in its answers: the scope "
    "read_all_orders is not granted (Shopify has to approve it, then press AUTHORIZE again)"
)
LEVEL_1 = "Shopify has not approved this app for protected customer data: it shows no orders at all"
LEVEL_2 = (
    "Shopify hides customers' names, addresses, phone numbers or e-mail addresses from this app: orders are imported "
    "without them until the app is approved for these fields"
)


class Plan(Wire):
    """What the merchant pays for."""

    public_display_name: str = ""
    shopify_plus: bool = False


class Shop(Wire):
    """The shop itself."""

    id: str = ""
    name: str = ""
    myshopify_domain: str = ""
    currency_code: str = ""
    enabled_presentment_currencies: list[str] = []
    iana_timezone: str = ""
    taxes_included: bool = False
    weight_unit: str = ""
    plan: Plan | None = None


class Scope(Wire):
    """One granted scope."""

    handle: str = ""


class Installation(Wire):
    """The app in this shop."""

    access_scopes: list[Scope] = []


class CheckData(Wire):
    """Data of `ConnectionCheck`."""

    shop: Shop
    current_app_installation: Installation | None = None


async def check(session: Session) -> Checkup:
    """The shop, the granted scopes compared with what each capability needs, and customer data probed.

    Raises:
        ContractBroken: Shopify answers with another API version than the one this driver is written for.
    """
    client = Client(session)
    found = await client.ask("ConnectionCheck", CheckData)
    scopes = frozenset(one.handle for one in (found.current_app_installation or Installation()).access_scopes)
    missing = lacking(session, granted(scopes))
    if "orders" not in missing:
        missing |= await hidden_data(client)
    return Checkup(
        title=found.shop.name,
        works=frozenset(NEEDS) - frozenset(missing),
        missing=missing,
        expires=await endings(session),
        account=found.shop.myshopify_domain.lower(),
    )


def granted(scopes: frozenset[str]) -> frozenset[str]:
    """With the reading scope that each writing one brings along."""
    return scopes | frozenset(f"read_{one.removeprefix('write_')}" for one in scopes if one.startswith("write_"))


def lacking(session: Session, scopes: frozenset[str]) -> dict[str, str]:
    """Capability -> what is missing and what now."""
    again = (
        "press AUTHORIZE again" if isinstance(session[ShopifyCredentials].access, Install) else "grant it to the app"
    )
    found = dict[str, str]()
    for capability, needed in NEEDS.items():
        absent = [one for one in needed if one not in scopes]
        if absent:
            found[capability] = f"Scope {', '.join(absent)} is not granted: {again}"
    if "order history" in found:
        found["order history"] = SIXTY_DAYS
    return found


async def hidden_data(client: Client) -> dict[str, str]:
    """Nothing tells which protected fields are granted: the newest order is asked for them."""
    try:
        answer = await client.send("CustomerDataProbe")
    except errors.AccessMissing:
        return {"orders": LEVEL_1, "customer data": LEVEL_1}
    hidden = [one for one in denied(answer) if "access scope" not in one.message]  # a scope is named by itself
    return {"customer data": LEVEL_2} if hidden else {}


async def endings(session: Session) -> dict[str, datetime]:
    """What ends when: the API version, and for an installed app the authorization."""
    found = {f"Shopify API version {VERSION}": VERSION_ENDS}
    access = session[ShopifyCredentials].access
    if isinstance(access, Install):
        token = await session.token()
        if token.expires is None:
            found["token that never expires"] = NON_EXPIRING_END
    elif isinstance(access, StaticToken):
        session.log.info("Static tokens of public apps end on 01/01/2027; those of custom apps stay")
    return found


async def begin(session: Session, trip: Trip) -> str:
    """AUTHORIZE: Shopify's consent page of the shop, for an offline token.

    Raises:
        AuthorizationDenied: this way in needs no authorization by the browser. ApplicationRejected: no application.
    """
    if not isinstance(session[ShopifyCredentials].access, Install):
        raise errors.AuthorizationDenied("These credentials need no AUTHORIZE: save them")
    app = session.get(ShopifyApplication)
    if app is None:
        raise errors.ApplicationRejected("No Shopify application came with the license: add one, or type a token")
    asked = {"client_id": app.client_id, "redirect_uri": trip.return_url, "state": trip.state}
    if app.scopes:
        asked["scope"] = ",".join(sorted(app.scopes))
    return f"{origin(session)}/admin/oauth/authorize?{urlencode(asked)}"


async def finish(session: Session, trip: Trip, call: Call) -> Grant:
    """The browser is back with a code: signed, fresh, and of the shop that was typed.

    Raises:
        AuthorizationDenied: refused there, forged, late, or of another shop.
    """
    if "error" in call.query:
        raise errors.AuthorizationDenied("The shop did not agree: press AUTHORIZE to try again")
    try:
        shop = check_address(session, call)
    except errors.CallRefused as forged:
        raise errors.AuthorizationDenied(f"{forged}: press AUTHORIZE again") from forged
    if shop != session[ShopifyCredentials].shop:
        raise errors.AuthorizationDenied(
            f"{shop} answered, which is not the shop that was typed: press AUTHORIZE again"
        )
    if not call.query.get("code"):
        raise errors.AuthorizationDenied("Shopify sent no code: press AUTHORIZE again")
    return Grant(token=await tokens.by_code(session, call.query["code"]))


async def disconnect(session: Session) -> None:
    """Before delete: our webhooks go, and with them the vendor's app where it was installed for this."""
    await unsubscribe(session)
    if isinstance(session[ShopifyCredentials].access, Install):
        try:
            await Client(session).mutate("Uninstall", "appUninstall", repeatable=True)
        except (errors.CredentialsRejected, errors.RemoteRejected):
            session.log.info("The app was uninstalled before")


def horizon(session: Session, now: datetime) -> datetime | None:
    """Orders before that moment are not visible; None: all are, or the check has not told."""
    return now - WINDOW if session.works and "order history" not in session.works else None


def warn_of_window(session: Session, filters: OrderFilters, begins: datetime | None) -> None:
    """Said out loud where an import is to reach further back than the shop lets us see."""
    seen = horizon(session, session.clock.now())
    if seen is not None and (begins is None or begins < seen):
        session.log.warning("%s", SIXTY_DAYS)


FLOW = AuthorizationFlow(
    check=check, begin=begin, finish=finish, renew=tokens.renew, disconnect=disconnect,
    plain=frozenset({"shop", "timestamp"}),
)  # fmt: skip
