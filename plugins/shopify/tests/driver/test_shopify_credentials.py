"""Shop addresses, ways in, tokens, the trip out and back."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from omnichannel_shopify import tokens
from omnichannel_shopify.authorization import LEVEL_1, LEVEL_2, SIXTY_DAYS, begin, check, disconnect, finish
from omnichannel_shopify.callbacks import TOPICS, receive, subscribe, unsubscribe
from omnichannel_shopify.client import Client
from omnichannel_shopify.credentials import (
    Organization,
    ShopifyApplication,
    ShopifyCredentials,
    StaticToken,
    shop_of,
)
from omnichannel_shopify.sync.orders import ORDERS, OrderCursor
from pydantic import SecretStr, ValidationError

from omnichannel_core import errors
from omnichannel_core.driver import Arrived, Call, Changed, Left, Token, Trip

pytestmark = pytest.mark.anyio
SHOP, SECRET = "demo.myshopify.com", "shpss_secret-of-the-application-0123456789"
Lone = Callable[..., Any]
FULL = [
    "write_orders",
    "read_customers",
    "read_all_orders",
    "write_returns",
    "write_products",
    "read_locations",
    "write_publications",
    "read_metaobject_definitions",
    "write_inventory",
    "write_merchant_managed_fulfillment_orders",
]


def installed(*scopes: str, domain: str = SHOP) -> dict[str, Any]:
    facts = {
        "id": "gid://shopify/Shop/1",
        "name": "Demo",
        "myshopifyDomain": domain,
        "currencyCode": "EUR",
        "ianaTimezone": "Europe/Berlin",
    }
    return {"shop": facts, "currentAppInstallation": {"accessScopes": [{"handle": one} for one in scopes]}}


def probe() -> dict[str, Any]:
    return {"orders": {"nodes": []}}


def signed(secret: str = SECRET, **query: str) -> Call:
    """What a browser brings from Shopify."""
    text = "&".join(f"{key}={value}" for key, value in sorted(query.items()))
    made = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return Call(method="GET", path="", query={**query, "hmac": made})


# --- the address
@pytest.mark.parametrize(
    "typed",
    [
        "demo",
        "Demo ",
        "demo.myshopify.com",
        "https://demo.myshopify.com",
        "http://DEMO.myshopify.com/admin?x=1",
        "https://admin.shopify.com/store/demo/orders?status=open",
        "demo.myshopify.com/",
        "demo.myshopify.com:443/a",
    ],
)
def test_any_spelling(typed: str):
    """Whatever address of the shop a person pastes becomes the one that Shopify knows."""
    assert ShopifyCredentials(shop=typed).shop == SHOP


@pytest.mark.parametrize(
    "typed", ["", "demo.example.com", "demo.myshopify.com.evil.example", "-x", "a b", "a@b.c", "."]
)
def test_no_shop(typed: str):
    """What is no shop of Shopify's is refused, so that no token can go elsewhere."""
    with pytest.raises(ValidationError):
        ShopifyCredentials(shop=typed)


async def test_signed_addresses_are_spelled_as_shopify_spells_them(lone: Lone):
    """Separators within a value are escaped before it is signed, so that no two addresses have the same signature."""
    session = lone()
    stamp = str(int(session.clock.now().timestamp()))
    text = f"note=a%26b%25&shop={SHOP}&timestamp={stamp}"
    made = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
    call = Call(method="GET", path="", query={"note": "a&b%", "shop": SHOP, "timestamp": stamp, "hmac": made})
    assert [one.account for one in await receive(session, call)] == [SHOP]
    text = f"a=1&b=2&shop={SHOP}&timestamp={stamp}"
    made = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
    merged = {"a": "1&b=2", "shop": SHOP, "timestamp": stamp, "hmac": made}
    with pytest.raises(errors.CallRefused):
        await receive(session, Call(method="GET", path="", query=merged))


def test_what_is_pasted_is_trimmed():
    """Blanks and line ends around what is pasted are no part of it; blanks alone are nothing."""
    own = Organization(way="organization", client_id=" id\n", client_secret=" secret\t")
    assert (own.client_id, own.client_secret.get_secret_value()) == ("id", "secret")
    old = StaticToken(way="token", access_token="\nshpat_x ", api_secret=" key\n")
    assert (old.access_token.get_secret_value(), old.api_secret.get_secret_value()) == ("shpat_x", "key")
    app = ShopifyApplication(client_id=" id ", client_secrets=(" new\n", "old "))
    assert (app.client_id, [one.get_secret_value() for one in app.client_secrets]) == ("id", ["new", "old"])
    with pytest.raises(ValidationError):
        StaticToken(way="token", access_token="  ")


@pytest.mark.parametrize("typed", ["shpat_abc…", "shpat abc", "shpat_a\nb"])
def test_a_token_that_can_be_none(typed: str):
    """A token with characters that no header takes is refused where it is typed, without being repeated."""
    with pytest.raises(ValidationError, match="copy it again") as refused:
        StaticToken(way="token", access_token=typed)
    assert typed not in str(refused.value)


@given(st.text(max_size=60))
def test_spelling_is_stable(typed: str):
    """Whatever is typed, the normalized address is normalized already, and an accepted one is a shop's."""
    once = shop_of(typed)
    assert shop_of(once) == once or not once.endswith(".myshopify.com")
    try:
        made = ShopifyCredentials(shop=typed)
    except ValidationError:
        return
    assert made.shop.endswith(".myshopify.com")
    assert ShopifyCredentials(shop=made.shop) == made


def test_secrets_hide():
    """Neither form shows a secret."""
    static = ShopifyCredentials(shop="demo", access=StaticToken(way="token", access_token="shpat_abc"))
    app = ShopifyApplication(client_id="c", client_secrets=(SecretStr(SECRET),))
    assert "shpat_abc" not in repr(static)
    assert SECRET not in repr(app)


# --- out and back
async def test_begin_asks_for_the_scopes(lone: Lone):
    """AUTHORIZE leads to the typed shop's consent page with state, scopes and the exact return address."""
    url = await begin(lone(), Trip(state="s" * 43, return_url="https://host.example/back"))
    where = urlsplit(url)
    query = dict(parse_qsl(where.query))
    assert (where.netloc, where.path) == (SHOP, "/admin/oauth/authorize")
    assert query == {
        "client_id": "client-1",
        "redirect_uri": "https://host.example/back",
        "state": "s" * 43,
        "scope": "read_orders,write_products",
    }


async def test_finish_exchanges_the_code(lone: Lone, shop: Any):
    """The code becomes a token that expires, with its refresh token and scopes."""
    session = lone()
    shop.on(
        "token",
        {
            "access_token": "shpat_new",
            "scope": "read_orders,write_products",
            "expires_in": 3600,
            "refresh_token": "shprt_new",
            "refresh_token_expires_in": 7776000,
        },
    )
    stamp = str(int(session.clock.now().timestamp()))
    got = await finish(
        session, Trip(state="s", return_url="u"), signed(shop=SHOP, code="c1", state="s", timestamp=stamp)
    )
    assert got.token is not None
    assert got.token.value.get_secret_value() == "shpat_new"
    assert got.token.expires == session.clock.now() + timedelta(hours=1)
    assert got.token.scopes == {"read_orders", "write_products"}
    assert shop.tokens == [{"client_id": "client-1", "client_secret": "newer-" + SECRET, "code": "c1", "expiring": 1}]


@pytest.mark.parametrize(
    "change",
    [
        {"shop": "other.myshopify.com"},
        {"shop": "demo.myshopify.com.evil.example"},
        {"hmac": "0" * 64},
        {"timestamp": "old"},
        {"timestamp": "1"},
        {"code": ""},
        {"error": "access_denied"},
    ],
)
async def test_finish_refuses(lone: Lone, shop: Any, change: dict[str, str]):
    """A trip that comes back forged, late, refused or from another shop brings nothing home."""
    session = lone()
    fresh = {"shop": SHOP, "code": "c", "timestamp": str(int(session.clock.now().timestamp()))}
    call = signed(**{**fresh, **{key: value for key, value in change.items() if key != "hmac"}})
    if "hmac" in change:
        call = Call(method="GET", path="", query={**call.query, **change})
    with pytest.raises(errors.AuthorizationDenied):
        await finish(session, Trip(state="s", return_url="u"), call)
    assert shop.tokens == []


# --- tokens
async def test_s02_refresh_without_expiry_or_refresh_token(lone: Lone, shop: Any):
    """S2: an answer without expires_in is a token that does not expire, and a blank refresh token is none."""
    shop.on("token", {"access_token": "shpat_2", "scope": "read_orders", "refresh_token": ""})
    got = await tokens.renew(lone(), "access", Token(value=SecretStr("a"), refresh=SecretStr("shprt_1")))
    assert got.expires is None
    assert got.refresh is None


async def test_refresh_falls_back_to_the_previous(lone: Lone, shop: Any):
    """A refresh token that is dead is followed by the one before it, once."""
    dead = httpx2.Response(400, json={"error": "invalid_grant"})
    shop.on(
        "token", lambda body: dead if body["refresh_token"] == "shprt_2" else {"access_token": "x", "expires_in": 9}
    )
    old = Token(value=SecretStr("a"), refresh=SecretStr("shprt_2"), previous=SecretStr("shprt_1"))
    assert (await tokens.renew(lone(), "access", old)).value.get_secret_value() == "x"
    shop.on("token", dead)
    with pytest.raises(errors.AuthorizationNeeded):
        await tokens.renew(lone(), "access", old)


async def test_s03_non_expiring_token_is_migrated(lone: Lone, shop: Any):
    """S3: a token that Shopify no longer takes because it never expires is exchanged for one that does."""
    session = lone()
    session.held = Token(value=SecretStr("shpat_old"))
    refusal = httpx2.Response(
        403, json={"errors": "Non-expiring access tokens are no longer accepted for the Admin API."}
    )
    shop.on("ConnectionCheck", [refusal, installed(*FULL)])
    shop.on("CustomerDataProbe", probe())
    shop.on("token", {"access_token": "shpat_new", "expires_in": 3600, "refresh_token": "shprt_new"})
    await check(session)
    assert shop.tokens[0]["subject_token"] == "shpat_old"
    assert shop.tokens[0]["grant_type"].endswith("token-exchange")
    assert [one.get("x-shopify-access-token") for one in shop.headers[:2]] == ["shpat_old", "shpat_new"]


async def test_s04_client_credentials(lone: Lone, shop: Any):
    """S4: an app of the merchant's own organization asks for its token of 24 hours by itself."""
    access = Organization(way="organization", client_id="mine", client_secret=SecretStr("my-secret"))
    session = lone(ShopifyCredentials(shop=SHOP, access=access), application=False)
    session.held = None
    shop.on("ConnectionCheck", installed(*FULL))
    shop.on("CustomerDataProbe", probe())
    shop.on("token", {"access_token": "shpat_day", "expires_in": 86399, "scope": "write_orders"})
    await check(session)
    assert shop.tokens == [{"client_id": "mine", "client_secret": "my-secret", "grant_type": "client_credentials"}]


async def test_client_credentials_refused(lone: Lone, shop: Any):
    """A refused own app is the merchant's matter, and says when the shop is of another organization."""
    access = Organization(way="organization", client_id="mine", client_secret=SecretStr("my-secret"))
    session = lone(ShopifyCredentials(shop=SHOP, access=access))
    shop.on("token", httpx2.Response(400, json={"error": "shop_not_permitted"}))
    with pytest.raises(errors.CredentialsRejected, match="organization"):
        await tokens.renew(session, "access", None)


async def test_static_token(lone: Lone, shop: Any):
    """A pasted token is sent as it is, and one that is refused is refused for good."""
    access = StaticToken(way="token", access_token=SecretStr(" shpat_mine "))
    session = lone(ShopifyCredentials(shop=SHOP, access=access), application=False)
    session.held = None
    shop.on("ConnectionCheck", httpx2.Response(401, json={"errors": "[API] Invalid API key or access token"}))
    with pytest.raises(errors.CredentialsRejected):
        await check(session)
    assert [one["x-shopify-access-token"] for one in shop.headers] == ["shpat_mine"]


async def test_refused_application(lone: Lone, shop: Any):
    """An application refused on the way back is the operator's matter; with a held token it was uninstalled there."""
    shop.on("token", httpx2.Response(401, json={"error": "invalid_client"}))
    with pytest.raises(errors.ApplicationRejected):
        await tokens.by_code(lone(), "code")
    with pytest.raises(errors.AuthorizationNeeded):
        await tokens.renew(lone(), "access", Token(value=SecretStr("a"), refresh=SecretStr("b")))


async def test_s06_reinstall_brings_another_token(lone: Lone, shop: Any):
    """S6: coming back from Shopify always brings the token of this install, whatever was held before."""
    session = lone()
    shop.on("token", [{"access_token": "one", "expires_in": 9}, {"access_token": "two", "expires_in": 9}])
    stamp = str(int(session.clock.now().timestamp()))
    trip, call = Trip(state="s", return_url="u"), signed(shop=SHOP, code="c", timestamp=stamp)
    first, second = await finish(session, trip, call), await finish(session, trip, call)
    assert first.token is not None
    assert second.token is not None
    assert [one.token.value.get_secret_value() for one in (first, second)] == ["one", "two"]


async def test_s07_two_shops_two_tokens(lone: Lone, shop: Any):
    """S7: two sessions in one process each sign with their own token."""
    shop.on("NewestOrder", {"orders": {"nodes": []}})
    from omnichannel_shopify.client import Client

    one, two = lone(), lone()
    one.held, two.held = Token(value=SecretStr("t1")), Token(value=SecretStr("t2"))
    for session in (one, two, one):
        await Client(session).send("NewestOrder")
    assert [one["x-shopify-access-token"] for one in shop.headers] == ["t1", "t2", "t1"]


# --- the check
async def test_s21_check_names_what_is_missing(lone: Lone, shop: Any):
    """S21: granted scopes are compared capability by capability; a writing scope brings the reading one along."""
    shop.on("ConnectionCheck", installed("write_orders", "read_products", "read_locations"))
    shop.on("CustomerDataProbe", probe())
    found = await check(lone())
    assert (found.title, found.account) == ("Demo", SHOP)
    assert {"orders", "cancellations", "refunds"} <= found.works
    assert "write_inventory" in found.missing["stock"]
    assert "AUTHORIZE" in found.missing["offers"]
    assert found.missing["order history"] == SIXTY_DAYS
    assert any("2026-10" in what for what in found.expires)


async def test_s09_protected_data_levels(lone: Lone, shop: Any):
    """S9: no orders at all, hidden fields, and everything visible are told apart by asking for one order."""
    shop.on("ConnectionCheck", installed(*FULL))
    refusal = {
        "message": "This app is not approved to access the Order object.",
        "extensions": {"code": "ACCESS_DENIED"},
    }
    shop.on("CustomerDataProbe", {"data": None, "errors": [refusal]})
    found = await check(lone())
    assert found.missing == {"orders": LEVEL_1, "customer data": LEVEL_1}
    hidden = {
        "message": "This app is not approved to use the email field.",
        "path": ["orders", "nodes", 0, "email"],
        "extensions": {"code": "ACCESS_DENIED"},
    }
    shop.on("CustomerDataProbe", {"data": {"orders": {"nodes": [{"id": "gid://shopify/Order/1"}]}}, "errors": [hidden]})
    assert (await check(lone())).missing == {"customer data": LEVEL_2}
    shop.on("CustomerDataProbe", probe())
    assert (await check(lone())).missing == {}


async def test_s15_answered_version_is_checked(lone: Lone, shop: Any, caplog: pytest.LogCaptureFixture):
    """S15: where Shopify silently serves another version no answer is believed; what a mutation did is still read."""
    shop.version = "2027-01"
    shop.on("ConnectionCheck", installed(*FULL))
    with pytest.raises(errors.ContractBroken, match="2027-01"):
        await check(lone())
    shop.on("NewestOrder", {"orders": {"nodes": []}})
    with pytest.raises(errors.ContractBroken, match="2027-01"):
        await ORDERS.pull(lone(), OrderCursor())
    shop.on("Uninstall", {"appUninstall": {"app": None, "userErrors": []}})
    await Client(lone()).mutate("Uninstall", "appUninstall")
    assert [one.levelname for one in caplog.records if "2027-01" in one.message] == ["ERROR"]


async def test_s16_renamed_shop_is_not_followed_with_the_token(lone: Lone, shop: Any):
    """S16: a redirect is never followed with the token; where the shop is now is said."""
    moved = {"location": "https://new-name.myshopify.com/admin/api/2026-10/graphql.json"}
    shop.on("ConnectionCheck", httpx2.Response(301, headers=moved))
    with pytest.raises(errors.AuthorizationNeeded, match=r"new-name\.myshopify\.com"):
        await check(lone())
    shop.on("ConnectionCheck", httpx2.Response(302, headers={"location": "https://evil.example/"}))
    with pytest.raises(errors.RemoteRejected):
        await check(lone())
    assert len(shop.headers) == 2


# --- calls
def delivery(topic: str, body: object, *, secret: str = SECRET, shop: str = SHOP, family: str = "x-shopify-") -> Call:
    raw = json.dumps(body).encode()
    made = base64.b64encode(hmac.digest(secret.encode(), raw, "sha256")).decode()
    said = {
        "topic": topic,
        "hmac-sha256": made,
        "shop-domain": shop,
        "webhook-id": "w1",
        "triggered-at": "2026-11-01T11:00:00.5Z",
    }
    return Call(method="POST", path="", headers={f"{family}{name}": value for name, value in said.items()}, body=raw)


async def test_install_begun_at_shopify(lone: Lone):
    """An install or visit that Shopify signed names the shop; a form is filled with it."""
    session = lone()
    stamp = str(int(session.clock.now().timestamp()))
    (found,) = await receive(session, signed(shop=SHOP, timestamp=stamp, host="aG9zdA"))
    assert isinstance(found, Arrived)
    assert (found.account, found.fields) == (SHOP, {"shop": SHOP})
    with pytest.raises(errors.CallRefused):
        await receive(session, signed(secret="other", shop=SHOP, timestamp=stamp))
    await session.clock.sleep(120)
    with pytest.raises(errors.CallRefused):
        await receive(session, signed(shop=SHOP, timestamp=stamp))


async def test_embedded_visit_brings_a_token(lone: Lone, shop: Any):
    """A visit within Shopify's admin brings a session token: exchanged for an offline one, or gone without."""
    session = lone()
    session.forms.pop(ShopifyCredentials)  # nobody knows the shop yet
    shop.on("token", {"access_token": "shpat_new", "expires_in": 3600, "refresh_token": "shprt_new"})
    stamp = str(int(session.clock.now().timestamp()))
    visit = signed(shop=SHOP, timestamp=stamp, embedded="1", id_token="a.b.c")
    (found,) = await receive(session, visit)
    assert isinstance(found, Arrived)
    assert found.token is not None
    assert (found.token.value.get_secret_value(), found.token.expires is not None) == ("shpat_new", True)
    (asked,) = shop.tokens
    assert (asked["subject_token"], asked["subject_token_type"].rpartition(":")[2]) == ("a.b.c", "id_token")
    assert str(session.sent[-1].url).startswith(f"https://{SHOP}/")
    shop.on("token", httpx2.Response(400, json={"error": "invalid_subject_token"}))
    (found,) = await receive(session, visit)
    assert isinstance(found, Arrived)
    assert found.token is None
    with pytest.raises(errors.CallRefused):
        await receive(session, signed(secret="other", shop=SHOP, timestamp=stamp, id_token="a.b.c"))
    assert len(shop.tokens) == 2, "nothing is exchanged for who is not Shopify"


@pytest.mark.parametrize(
    ("topic", "body", "stream", "ids"),
    [
        (
            "orders/updated",
            {"id": 7, "admin_graphql_api_id": "gid://shopify/Order/7"},
            "orders",
            ["gid://shopify/Order/7"],
        ),
        ("refunds/create", {"id": 3, "order_id": 9007199254740993}, "orders", ["gid://shopify/Order/9007199254740993"]),
        (
            "returns/approve",
            {"order": {"admin_graphql_api_id": "gid://shopify/Order/5"}},
            "orders",
            ["gid://shopify/Order/5"],
        ),
        ("orders/edited", {"order_edit": {"order_id": 5}}, "orders", ["gid://shopify/Order/5"]),
        ("bulk_operations/finish", {"status": "completed"}, "orders", []),
        ("locations/update", {"id": 1}, "data-model", []),
        ("app/scopes_update", {}, "", []),
    ],
)
@pytest.mark.parametrize("family", ["x-shopify-", "shopify-"])
async def test_s23_webhooks(lone: Lone, topic: str, body: object, stream: str, ids: list[str], family: str):
    """S23: a delivery of either family of headers says which stream and which exact ids to look at."""
    (found,) = await receive(lone(), delivery(topic, body, family=family))
    assert isinstance(found, Changed)
    assert (found.stream, list(found.ids), found.key) == (stream, ids, "w1")


async def test_s17_s18_webhook_signature(lone: Lone):
    """S17, S18: raw bytes are verified against both secrets; anything else is refused."""
    session = lone()
    for secret in (SECRET, "newer-" + SECRET):
        assert await receive(session, delivery("orders/updated", {"id": 1}, secret=secret))
    good = delivery("orders/updated", {"id": 1})
    for changed in (
        delivery("orders/updated", {"id": 1}, secret="else"),
        Call(method="POST", path="", headers=good.headers, body=good.body.replace(b" ", b"")),
        delivery("orders/updated", {"id": 1}, shop="other.myshopify.com"),
    ):
        with pytest.raises(errors.CallRefused):
            await receive(session, changed)


async def test_uninstalled_and_redaction(lone: Lone):
    """An uninstall carries its time; a customer's redaction that names no orders erases nothing."""
    session = lone()
    (left,) = await receive(session, delivery("app/uninstalled", {}))
    assert isinstance(left, Left)
    assert left.at is not None
    assert (left.at.hour, left.erase) == (11, None)
    assert await receive(session, delivery("customers/redact", {"orders_to_redact": []})) == []
    (some,) = await receive(session, delivery("customers/redact", {"orders_to_redact": [5]}))
    (every,) = await receive(session, delivery("shop/redact", {}))
    assert isinstance(some, Left)
    assert isinstance(every, Left)
    assert (some.erase, every.erase) == (["gid://shopify/Order/5"], [])
    assert await receive(session, delivery("customers/data_request", {})) == []


async def test_subscriptions(lone: Lone, shop: Any):
    """Missing subscriptions are made, ours are taken back, and other addresses are left alone."""
    session = lone()
    there = [
        {"id": "gid://shopify/W/1", "topic": "ORDERS_CREATE", "uri": session.callback_url},
        {"id": "gid://shopify/W/2", "topic": "ORDERS_PAID", "uri": "https://else.example/"},
    ]
    shop.on("Subscriptions", {"webhookSubscriptions": {"nodes": there, "pageInfo": {"hasNextPage": False}}})
    shop.on("Subscribe", {"webhookSubscriptionCreate": {"webhookSubscription": None, "userErrors": []}})
    shop.on("Unsubscribe", {"webhookSubscriptionDelete": {"userErrors": []}})
    await subscribe(session)
    assert {one["topic"] for one in session.asked("Subscribe")} == set(TOPICS) - {"ORDERS_CREATE"}
    await unsubscribe(session)
    assert [one["id"] for one in session.asked("Unsubscribe")] == ["gid://shopify/W/1"]


async def test_no_secret_no_subscription(lone: Lone, shop: Any):
    """Without a secret to prove deliveries none are asked for."""
    access = StaticToken(way="token", access_token=SecretStr("shpat_x"))
    await subscribe(lone(ShopifyCredentials(shop=SHOP, access=access), application=False))
    assert shop.headers == []


async def test_disconnect_after_uninstall(lone: Lone, shop: Any):
    """Deleting a connection whose app is there takes back webhooks and the app."""
    shop.on("Subscriptions", {"webhookSubscriptions": {"nodes": [], "pageInfo": {"hasNextPage": False}}})
    shop.on("Uninstall", {"appUninstall": {"app": {"id": "a"}, "userErrors": []}})
    session = lone()
    await disconnect(session)
    assert [one.operation for one in session.sent] == ["Subscriptions", "Uninstall"]
