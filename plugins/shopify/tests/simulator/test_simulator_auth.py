"""Installation, tokens, scopes, protected customer data, states of a shop."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

pytestmark = pytest.mark.anyio
Api = Any
Client = Any
BACK = "https://host.example/back"
APP = {"client_id": "c1", "client_secret": "s1", "redirect_urls": [BACK], "app_url": "https://host.example/app"}
SHOP = "{ shop { id } }"
ORDER = "{ orders(first: 1) { nodes { id email note customer { id firstName } shippingAddress { city zip } } } }"


def signed(query: dict[str, str], secret: str) -> bool:
    """Guide 2.3: hex HMAC-SHA256 of the other parameters, sorted."""
    rest = "&".join(f"{k}={v}" for k, v in sorted(query.items()) if k != "hmac")
    return hmac.new(secret.encode(), rest.encode(), hashlib.sha256).hexdigest() == query["hmac"]


async def token(api: Api, **words: Any) -> Any:
    return await api.http.post("/admin/oauth/access_token", json={"client_id": "c1", "client_secret": "s1", **words})


async def code_of(api: Api, scope: str = "read_orders,write_products") -> str:
    """The merchant agrees on the consent page; the code."""
    asked = {"client_id": "c1", "scope": scope, "redirect_uri": BACK, "state": "nonce"}
    page = await api.http.get(f"/admin/oauth/authorize?{urlencode(asked)}")
    assert page.status_code == 200
    assert scope.split(",")[0] in page.text
    answer = await api.http.get(f"/admin/oauth/authorize/grant?{urlencode(asked)}")
    query = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    assert signed(query, "s1")
    assert query["state"] == "nonce"
    assert query["shop"] == "demo.myshopify.com"
    return query["code"]


@pytest.fixture
async def app(api: Api) -> Api:
    await api.control("POST", "/apps", APP)
    return api


async def test_a_code_gives_an_expiring_token_once(app: Api, client: Client) -> None:
    """The code works once and gives an access token of an hour and a refresh token of ninety days."""
    code = await code_of(app)
    said = (await token(app, code=code, expiring=1)).json()
    assert said["expires_in"] == 3600
    assert said["refresh_token_expires_in"] == 7_776_000
    assert said["scope"] == "read_orders,write_products"
    again = await token(app, code=code, expiring=1)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_request")
    mine = await client(said["access_token"])
    handles = (await mine.data("{ currentAppInstallation { accessScopes { handle } } }"))["currentAppInstallation"]
    assert [one["handle"] for one in handles["accessScopes"]] == ["read_orders", "write_products"]
    await app.control("POST", "/clock", {"advance": 3601})
    assert (await mine.raw(SHOP)).status_code == 401


async def test_s03_without_expiring_the_token_never_ends(app: Api, client: Client) -> None:
    """S3: a code exchanged the old way gives a token without an end, which is refused once expiring ones are due."""
    said = (await token(app, code=await code_of(app))).json()
    assert set(said) == {"access_token", "scope"}
    mine = await client(said["access_token"])
    assert (await mine.raw(SHOP)).status_code == 200
    await app.control("PUT", "/stores/demo", {"expiring_required": True})
    refused = await mine.raw(SHOP)
    assert refused.status_code == 403
    assert "Non-expiring access tokens" in refused.text
    exchange = "urn:ietf:params:oauth:grant-type:token-exchange"
    kind = "urn:shopify:params:oauth:token-type:offline-access-token"
    words = {"grant_type": exchange, "subject_token": said["access_token"], "subject_token_type": kind, "expiring": 1}
    fresh = (await token(app, **words)).json()
    assert fresh["expires_in"] == 3600
    assert (await mine.raw(SHOP)).status_code == 401
    assert (await (await client(fresh["access_token"])).raw(SHOP)).status_code == 200


async def test_a_wrong_client_or_redirect_is_refused(app: Api) -> None:
    """A wrong secret is `invalid_client`; a redirect URL that is not registered gets no consent page."""
    answer = await token(app, client_secret="wrong", code="x")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")
    page = await app.http.get("/admin/oauth/authorize?client_id=c1&redirect_uri=https://evil.example/")
    assert page.status_code == 400


async def test_refresh_tokens_rotate_with_grace(app: Api, client: Client) -> None:
    """The old refresh token can be retried until what replaced it is used; then it is dead."""
    first = (await token(app, code=await code_of(app), expiring=1)).json()
    refresh = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    lost = (await token(app, **refresh)).json()
    second = (await token(app, **refresh)).json()
    assert len({one["refresh_token"] for one in (first, lost, second)}) == 3
    assert (await token(app, grant_type="refresh_token", refresh_token=lost["refresh_token"])).status_code == 400
    assert (await (await client(second["access_token"])).raw(SHOP)).status_code == 200
    dead = await token(app, **refresh)
    assert (dead.status_code, dead.json()["error"]) == (400, "invalid_grant")
    assert (await token(app, grant_type="refresh_token", refresh_token=second["refresh_token"])).status_code == 200


async def test_a_second_grant_ends_the_first_chain(app: Api) -> None:
    """Only one chain of an app and shop can be refreshed."""
    first = (await token(app, code=await code_of(app), expiring=1)).json()
    await token(app, code=await code_of(app), expiring=1)
    dead = await token(app, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert dead.json()["error"] == "invalid_grant"


async def test_refresh_tokens_end_after_ninety_days(app: Api) -> None:
    """An idle refresh token is dead after its ninety days."""
    first = (await token(app, code=await code_of(app), expiring=1)).json()
    await app.control("POST", "/clock", {"advance": 90 * 86_400 + 1})
    dead = await token(app, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert dead.json()["error"] == "invalid_grant"


async def test_s02_answers_may_lack_what_they_should_hold(app: Api) -> None:
    """S2: a test can order a token answer without `expires_in` and with a blank refresh token."""
    await app.control("PUT", "/apps/c1", {"expires_in_missing": True, "refresh_blank": True})
    said = (await token(app, code=await code_of(app), expiring=1)).json()
    assert "expires_in" not in said
    assert said["refresh_token"] == ""


async def test_s04_client_credentials_of_the_same_organization(app: Api, client: Client) -> None:
    """S4: the merchant's own app gets tokens of a day by client credentials, another organization's does not."""
    refused = await token(app, grant_type="client_credentials")
    assert (refused.status_code, refused.json()["error"]) == (400, "shop_not_permitted")
    await app.control("PUT", "/apps/c1", {"organization": "acme"})
    await app.control("PUT", "/stores/demo", {"organization": "acme"})
    said = (await token(app, grant_type="client_credentials")).json()
    assert said["expires_in"] == 86_399
    assert "refresh_token" not in said
    assert (await (await client(said["access_token"])).raw(SHOP)).status_code == 200


async def test_the_app_store_opens_the_app_signed(app: Api) -> None:
    """An install that begins at Shopify arrives with shop, timestamp, host and HMAC by the oldest secret."""
    await app.control("PUT", "/apps/c1", {"secrets": ["new", "old"]})
    url = (await app.control("POST", "/apps/c1/open", {"shop": "demo"}))["url"]
    query = dict(parse_qsl(urlsplit(url).query))
    assert url.startswith("https://host.example/app?")
    assert signed(query, "old")
    assert not signed(query, "new")


async def test_consent_by_control(app: Api) -> None:
    """A test answers the consent page without a browser, with fewer scopes than asked for, or refuses."""
    words = urlencode({"client_id": "c1", "redirect_uri": BACK, "state": "x"})
    asked = f"https://demo.myshopify.com/admin/oauth/authorize?{words}"
    url = (await app.control("POST", "/apps/c1/consent", {"url": asked, "scopes": ["read_orders"]}))["url"]
    code = dict(parse_qsl(urlsplit(url).query))["code"]
    assert (await token(app, code=code)).json()["scope"] == "read_orders"
    no = (await app.control("POST", "/apps/c1/consent", {"url": asked, "deny": True}))["url"]
    assert "error=access_denied" in no


async def test_s06_uninstalled_means_no_token(app: Api, client: Client) -> None:
    """S6: after an uninstall tokens are dead and refreshing fails; a new install has tokens of its own."""
    first = (await token(app, code=await code_of(app), expiring=1)).json()
    await app.control("POST", "/apps/c1/uninstall", {"shop": "demo"})
    assert (await (await client(first["access_token"])).raw(SHOP)).status_code == 401
    dead = await token(app, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert dead.json()["error"] == "invalid_client"
    second = (await token(app, code=await code_of(app), expiring=1)).json()
    assert (await (await client(second["access_token"])).raw(SHOP)).status_code == 200


async def test_missing_scopes_are_told_by_field(api: Api) -> None:
    """A field beyond the scopes is null with ACCESS_DENIED, the rest is there; writing implies reading."""
    await api.control("PUT", "/stores/demo/access", {"scopes": ["write_orders"]})
    document = await api(
        '{ shop { id } orders(first: 1) { nodes { id } } product(id: "gid://shopify/Product/1") { id } }'
    )
    assert document["data"]["shop"] is not None
    assert document["data"]["orders"]["nodes"]
    (error,) = document["errors"]
    assert error["extensions"]["code"] == "ACCESS_DENIED"
    assert "`read_products` access scope" in error["message"]


async def test_without_read_all_orders_sixty_days_are_all(api: Api) -> None:
    """Without `read_all_orders` older orders are not there, and nothing says so."""
    old = await api.order(at=1_790_000_000 - 61 * 86_400)
    young = await api.order(at=1_790_000_000 - 59 * 86_400)
    text = "query O($id: ID!) { order(id: $id) { id } ordersCount { count } }"
    assert (await api.data(text, id=old)) == {"order": {"id": old}, "ordersCount": {"count": 62}}
    await api.control("PUT", "/stores/demo/access", {"scopes": ["read_orders"]})
    assert (await api.data(text, id=old)) == {"order": None, "ordersCount": {"count": 61}}
    assert (await api.data(text, id=young))["order"] == {"id": young}


async def test_s09_protected_customer_data_by_level(api: Api) -> None:
    """S9: level 0 blocks orders, level 1 nulls protected fields beside filled data and errors, level 2 shows all."""
    await api.control("PUT", "/stores/demo/access", {"level": 0})
    document = await api(ORDER)
    assert document["data"] is None
    assert "not approved to access the Order object" in document["errors"][0]["message"]
    await api.control("PUT", "/stores/demo/access", {"level": 1})
    document = await api(ORDER)
    (order,) = document["data"]["orders"]["nodes"]
    assert order["email"] is None
    assert order["customer"]["firstName"] is None
    assert order["shippingAddress"]["city"]
    assert ["orders", "nodes", 0, "email"] in [one["path"] for one in document["errors"]]
    assert {one["extensions"]["code"] for one in document["errors"]} == {"ACCESS_DENIED"}
    await api.control("PUT", "/stores/demo/access", {"protected": ["email"]})
    document = await api(ORDER)
    assert document["data"]["orders"]["nodes"][0]["email"]
    await api.control("PUT", "/stores/demo/access", {"level": 2})
    assert "errors" not in await api(ORDER)


@pytest.mark.parametrize(("status", "code"), [("frozen", 402), ("locked", 423), ("fraudulent", 403), ("gone", 404)])
async def test_shops_that_are_not_live(api: Api, status: str, code: int) -> None:
    """A shop that is frozen, locked, fraudulent or gone answers with its own status."""
    await api.control("PUT", "/stores/demo", {"status": status})
    assert (await api.raw(SHOP)).status_code == code


async def test_s16_a_renamed_shop_redirects(api: Api) -> None:
    """S16: a renamed shop points to its new host."""
    await api.control("PUT", "/stores/demo", {"status": "moved", "moved_to": "fresh.myshopify.com"})
    answer = await api.raw(SHOP)
    assert answer.status_code == 301
    assert answer.headers["location"] == "https://fresh.myshopify.com/admin/api/2026-10/graphql.json"


async def test_unknown_tokens_and_hosts(api: Api, client: Client) -> None:
    """A wrong token is 401 with `errors` as a text; a host that is no shop is 404."""
    answer = await (await client("wrong")).raw(SHOP)
    assert answer.status_code == 401
    assert answer.json()["errors"].startswith("[API] Invalid API key")
    assert (await (await client(shop="nowhere")).raw(SHOP)).status_code == 404


async def test_a_session_token_is_exchanged_while_it_is_good(app: Api, client: Client) -> None:
    """An embedded app is opened with a session token, which gives an offline token within its minute only."""
    await app.control("PUT", "/apps/c1", {"embedded": True})
    address = (await app.control("POST", "/apps/c1/open", {"shop": "demo"}))["url"]
    query = dict(parse_qsl(urlsplit(address).query))
    assert signed(query, "s1")
    words = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token": query["id_token"],
        "subject_token_type": "urn:ietf:params:oauth:token-type:id_token", "expiring": "1",
        "requested_token_type": "urn:shopify:params:oauth:token-type:offline-access-token",
    }  # fmt: skip
    said = (await token(app, **words)).json()
    assert said["expires_in"] == 3600
    assert (await (await client(said["access_token"])).raw(SHOP)).status_code == 200
    for wrong in ("a.b.c", "", query["id_token"][:-2]):
        refused = await token(app, **{**words, "subject_token": wrong})
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_subject_token")
    await app.control("POST", "/clock", {"advance": 61})
    assert (await token(app, **words)).json()["error"] == "invalid_subject_token"
