"""Regions, tokens, roles and buckets."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import omnichannel_amazon_simulator
import pytest
from omnichannel_amazon_simulator import control
from omnichannel_amazon_simulator.rates import RATES

pytestmark = pytest.mark.anyio
PARTICIPATIONS = "/sellers/v1/marketplaceParticipations"
CLIENT = "amzn1.application-oa2-client.0001"
CONSENT = "https://sellercentral-europe.amazon.com/apps/authorize/consent"
QUERY = {"application_id": "amzn1.sellerapps.app.0001", "state": "s-1", "selling_partner_id": "A1SELLER"}


async def test_a_consent_brings_a_code_that_is_good_once_and_for_five_minutes(api: Any) -> None:
    """The confirmed page sends the browser to the registered address with state, seller and a code of one use."""
    shown = await api.http.get(CONSENT, params=QUERY)
    assert "Confirm" in shown.text
    answer = await api.http.post(CONSENT, data=QUERY | {"confirm": "1"})
    assert answer.status_code == 302
    back = {key: value[0] for key, value in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    assert back["state"] == "s-1"
    assert back["selling_partner_id"] == "A1SELLER"
    form = {"grant_type": "authorization_code", "code": back["spapi_oauth_code"]}
    wrong = await api.lwa(**form, redirect_uri="https://elsewhere.example/")
    assert wrong.json()["error"] == "invalid_grant"
    first = (await api.lwa(**form)).json()
    assert first["refresh_token"].startswith("Atzr|")
    assert (await api.lwa(**form)).json()["error"] == "invalid_grant"
    late = await api.http.post(CONSENT, data=QUERY | {"confirm": "1"})
    await api.advance(301)
    code = parse_qs(urlsplit(late.headers["location"]).query)["spapi_oauth_code"][0]
    assert (await api.lwa(grant_type="authorization_code", code=code)).json()["error"] == "invalid_grant"


async def test_the_consent_page_knows_drafts_and_registered_addresses_only(api: Any) -> None:
    """A draft needs version=beta, an address must be registered, and a cancellation sends nobody anywhere."""
    await api.control("PUT", f"/apps/{CLIENT}", {"status": "DRAFT"})
    assert (await api.http.get(CONSENT, params=QUERY)).status_code == 400
    assert (await api.http.get(CONSENT, params=QUERY | {"version": "beta"})).status_code == 200
    foreign = QUERY | {"version": "beta", "redirect_uri": "https://evil.example/"}
    assert (await api.http.get(CONSENT, params=foreign)).status_code == 400
    cancelled = await api.http.post(CONSENT, data=QUERY | {"version": "beta", "cancel": "1"})
    assert cancelled.status_code == 200
    assert "location" not in cancelled.headers


async def test_the_appstore_comes_by_the_login_address(api: Any) -> None:
    """The appstore names a callback at Amazon, which goes on to the application with a code."""
    url = (await api.control("POST", f"/apps/{CLIENT}/appstore", {"seller_id": "A1SELLER"}))["url"]
    words = {key: value[0] for key, value in parse_qs(urlsplit(url).query).items()}
    query = {"state": "s-2", "amazon_state": words["amazon_state"]}
    answer = await api.http.get(words["amazon_callback_uri"], params=query)
    assert answer.status_code == 302
    assert "spapi_oauth_code=" in answer.headers["location"]


async def test_consent_by_control(api: Any) -> None:
    """A test confirms on the consent page without a browser; what the page would refuse is refused there, too."""
    asked = f"{CONSENT}?{urlencode({name: QUERY[name] for name in ('application_id', 'state')})}"
    url = (await api.control("POST", "/consent", {"url": asked, "seller_id": "A1SELLER"}))["url"]
    back = {key: value[0] for key, value in parse_qs(urlsplit(url).query).items()}
    assert (back["state"], back["selling_partner_id"]) == ("s-1", "A1SELLER")
    assert (await api.lwa(grant_type="authorization_code", code=back["spapi_oauth_code"])).status_code == 200
    refused = await api.http.post("/_control/consent", json={"url": asked, "seller_id": "NOBODY"})
    assert (refused.status_code, refused.json()["error"]) == (400, "ValueError: Nobody is signed in.")


async def test_lwa_tells_a_wrong_application_from_a_revoked_seller(api: Any) -> None:
    """A wrong secret is invalid_client, a rotated one lives for its overlap, a revoked seller is invalid_grant."""
    refused = await api.lwa(grant_type="refresh_token", refresh_token=api.refresh, client_secret="wrong")
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    await api.control("POST", f"/apps/{CLIENT}/secret", {"client_secret": "new", "overlap": 60})
    assert (await api.lwa(grant_type="refresh_token", refresh_token=api.refresh)).status_code == 200
    await api.advance(61)
    assert (await api.lwa(grant_type="refresh_token", refresh_token=api.refresh)).json()["error"] == "invalid_client"
    await api.control("POST", "/sellers/A1SELLER/grants", {"alive": False})
    form = {"grant_type": "refresh_token", "refresh_token": api.refresh, "client_secret": "new"}
    assert (await api.lwa(**form)).json()["error"] == "invalid_grant"


async def test_a_rotated_refresh_token_replaces_the_old_one_when_it_is_used(api: Any) -> None:
    """Both tokens work until the new one is used; then the old one is dead."""
    await api.control("PUT", f"/apps/{CLIENT}", {"rotate_refresh": True})
    old = api.refresh
    await api.renew()
    assert api.refresh != old
    assert (await api.lwa(grant_type="refresh_token", refresh_token=old)).status_code == 200
    await api.renew()
    assert (await api.lwa(grant_type="refresh_token", refresh_token=old)).json()["error"] == "invalid_grant"


async def test_an_authorization_ends_after_a_year(api: Any) -> None:
    """365 days after the consent the refresh token is refused."""
    await api.advance(365 * 86400)
    assert (await api.lwa(grant_type="refresh_token", refresh_token=api.refresh)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("given", "details"),
    [("nonsense", "revoked, malformed or invalid"), ("", None)],
)
async def test_a_bad_token_is_403(api: Any, given: str, details: str | None) -> None:
    """A malformed token is 403 with details; without a token the gateway misses it."""
    answer = await api("GET", PARTICIPATIONS, token=given)
    assert answer.status_code == 403
    error = answer.json()["errors"][0]
    assert error["code"] == ("Unauthorized" if details else "MissingAuthenticationToken")
    assert details is None or details in error["details"]


async def test_an_expired_token_is_403_and_says_so(api: Any) -> None:
    """After an hour the access token has expired."""
    await api.advance(3600)
    assert "has expired" in (await api.get(PARTICIPATIONS)).json()["errors"][0]["details"]


async def test_a_token_is_of_one_region(api: Any, american: Any) -> None:
    """The other region's host answers 403 without details; a path that does not exist is 403 too."""
    assert (await api.get(PARTICIPATIONS)).status_code == 200
    answer = await american("GET", PARTICIPATIONS, host="eu")
    assert (answer.status_code, answer.json()["errors"][0]["details"]) == (403, "")
    forwarded = {"x-amz-access-token": american.token, "x-forwarded-host": "sellingpartnerapi-eu.amazon.com"}
    elsewhere = await api.http.get(f"http://127.0.0.1{PARTICIPATIONS}", headers=forwarded)
    assert elsewhere.status_code == 403
    assert (await api.get("/no/such/path")).json()["errors"][0]["code"] == "MissingAuthenticationToken"


@pytest.mark.parametrize(
    "url",
    [
        f"https://api.amazon.com{PARTICIPATIONS}",
        "https://sellingpartnerapi-eu.amazon.com/auth/o2/token",
        "https://sellercentral.amazon.example/apps/authorize/consent",
        "https://sellingpartnerapi-eu.amazon.com/tortuga/x",
    ],
)
async def test_each_host_has_its_own_paths(api: Any, url: str) -> None:
    """What belongs to another of Amazon's hosts is 404."""
    assert (await api.http.get(url, headers={"x-amz-access-token": api.token})).status_code == 404


async def test_participations_name_pseudo_marketplaces_and_vacations(api: Any) -> None:
    """The seller's own shops appear as marketplaces; a vacation and a missing participation are said."""
    await api.control("PUT", "/sellers/A1SELLER", {"suspended": ["A13V1IB3VIYZZH"], "not_participating": []})
    rows = (await api.get(PARTICIPATIONS)).json()["payload"]
    assert [row["marketplace"]["id"] for row in rows] == ["A1PA6795UKMFR9", "A38D8NSA03LJTC", "A13V1IB3VIYZZH"]
    assert rows[2]["participation"]["hasSuspendedListings"]


async def test_the_bucket_gives_its_burst_and_then_drips(api: Any) -> None:
    """Fifteen calls at once, then 429 without the rate header, and one more after a bucket's time."""
    for _ in range(15):
        answer = await api.get(PARTICIPATIONS)
        assert answer.headers["x-amzn-ratelimit-limit"] == "0.016"
    refused = await api.get(PARTICIPATIONS)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (429, "QuotaExceeded")
    assert "x-amzn-ratelimit-limit" not in refused.headers
    await api.advance(62.6)
    assert (await api.get(PARTICIPATIONS)).status_code == 200


async def test_figures_count_the_share_without_the_burst(api: Any) -> None:
    """One call a drip after the burst is a share of one; idle time lowers it."""
    for _ in range(15):
        await api.get(PARTICIPATIONS)
    for _ in range(4):
        await api.advance(62.5)
        assert (await api.get(PARTICIPATIONS)).status_code == 200
    (row,) = (await api.control("GET", "/sellers/A1SELLER/figures"))["buckets"]
    assert (row["used"], row["refused"], row["share"]) == (19, 0, 1.0)
    await api.advance(625)
    await api.renew()
    await api.get(PARTICIPATIONS)
    (row,) = (await api.control("GET", "/sellers/A1SELLER/figures"))["buckets"]
    assert row["share"] == pytest.approx(5 / 14, abs=0.001)


async def test_a_dynamic_plan_changes_the_bucket_and_the_header(api: Any) -> None:
    """A faster plan of one seller shows in the header and in the bucket."""
    await api.get(PARTICIPATIONS)
    plan = {"getMarketplaceParticipations": {"rate": 2, "burst": 30}}
    await api.control("PUT", "/sellers/A1SELLER/rates", plan)
    assert (await api.get(PARTICIPATIONS)).headers["x-amzn-ratelimit-limit"] == "2.0"
    taken = {"client_id": CLIENT, "operation": "getMarketplaceParticipations", "tokens": 30}
    await api.control("POST", "/sellers/A1SELLER/take", taken)
    assert (await api.get(PARTICIPATIONS)).status_code == 429


async def test_an_application_may_have_a_limit_over_all_its_sellers(api: Any) -> None:
    """With a limit per application, one seller's requests throttle another's."""
    words = {"client_id": "c2", "client_secret": "s2", "application_id": "amzn1.sellerapps.app.2"}
    await api.control("POST", "/apps", words | {"rates": {"getAccount": [1, 2]}})
    statuses = []
    for seller, region in (("A1SELLER", "eu"), ("A2SELLER", "na"), ("A1SELLER", "eu")):
        given = await api.control("POST", f"/sellers/{seller}/authorize", {"client_id": "c2"})
        form = {"client_id": "c2", "client_secret": "s2", "refresh_token": given["refresh_token"]}
        token = (await api.lwa(grant_type="refresh_token", **form)).json()["access_token"]
        statuses.append((await api("GET", "/sellers/v1/account", host=region, token=token)).status_code)
    assert statuses == [200, 200, 429]


async def test_faults_hit_what_they_name(api: Any) -> None:
    """A status in the API's shape, a page of a proxy, an answer that is lost after the deed."""
    await api.control(
        "POST",
        "/faults",
        [
            {
                "kind": "status",
                "operation": "getMarketplaceParticipations",
                "status": 503,
                "code": "ServiceUnavailable",
            },
            {"kind": "html", "path": "/sellers/v1", "status": 502},
            {"kind": "drop_after", "operation": "getMarketplaceParticipations"},
        ],
    )
    first = await api.get(PARTICIPATIONS)
    assert (first.status_code, first.json()["errors"][0]["code"]) == (503, "ServiceUnavailable")
    assert (await api.get(PARTICIPATIONS)).headers["content-type"] == "text/html"
    with pytest.raises(httpx2.RemoteProtocolError):
        await api.get(PARTICIPATIONS)
    assert (await api.get(PARTICIPATIONS)).status_code == 200
    log = (await api.control("GET", "/log?operation=getMarketplaceParticipations"))["requests"]
    assert [entry["status"] for entry in log] == [503, 502, 0, 200]


async def test_lwa_fails_in_its_own_shape(api: Any) -> None:
    """A fault of the token endpoint has LWA's body."""
    await api.control("POST", "/faults", {"kind": "status", "operation": "token", "status": 503, "code": "slow"})
    answer = await api.lwa(grant_type="refresh_token", refresh_token=api.refresh)
    assert (answer.status_code, answer.json()["error"]) == (503, "slow")


def test_the_control_api_is_documented() -> None:
    """Every control operation is named in the package's docstring, without what is said once above."""
    text = omnichannel_amazon_simulator.__doc__ or ""
    for route in control.ROUTER.routes:
        words = route.template.removeprefix("/_control/").removeprefix("sellers/{seller}").strip("/")
        assert words in text, route.template
        assert any(route.method in line for line in text.splitlines() if words in line), route


def test_the_rates_are_the_official_ones() -> None:
    """Every default rate and burst is that of the operation's own usage plan."""
    here = Path(__file__).parents[4]
    path = next((p for up in here.parents if (p := up / "shared/specs/amazon/rate-limits.tsv").is_file()), None)
    if path is None:
        pytest.skip("THE OFFICIAL DEFINITIONS ARE NOT HERE: the rates are NOT compared")
    rows = [line.split("\t") for line in path.read_text().splitlines()[1:]]
    official = {row[3]: (float(row[4]), int(row[5])) for row in rows if row[0] != "ordersV0"}
    official |= {"getOrder": (0.5, 30), "confirmShipment": (2, 10)}
    described = {"getDefinitionsProductType", "searchDefinitionsProductTypes"}  # in guide amazon 3.3 only
    assert RATES.keys() - official.keys() == described
    assert {name: rate for name, rate in RATES.items() if name not in described} == {
        name: official[name] for name in RATES if name not in described
    }
