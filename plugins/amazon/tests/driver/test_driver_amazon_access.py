"""Login with Amazon, the check, and pain points of access and polling (guide 15)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from omnichannel_amazon.authorization import begin, check, finish, is_amazon
from omnichannel_amazon.credentials import AmazonApplication, AmazonCredentials
from omnichannel_amazon.settings import Export
from omnichannel_amazon.sync.orders import ORDERS
from pydantic import SecretStr, ValidationError

from omnichannel_core import errors
from omnichannel_core.driver import Call, Trip
from omnichannel_core.records import Order

pytestmark = pytest.mark.anyio
DE, FR, US = "A1PA6795UKMFR9", "A13V1IB3VIYZZH", "ATVPDKIKX0DER"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
Make = Callable[..., Any]
TRIP = Trip(state="s" * 43, return_url="https://host.example/back")


@pytest.mark.parametrize(("place", "host"), [(DE, "sellercentral-europe.amazon.com"), (US, "sellercentral.amazon.com")])
@pytest.mark.parametrize("draft", [True, False])
async def test_consent_url(lone: Make, place: str, host: str, draft: bool):
    """The consent page is the marketplace's own, and only a draft app says beta."""
    session = lone(lambda request: None)
    session.set(AmazonCredentials(marketplace=place))
    session.set(session[AmazonApplication].model_copy(update={"draft": draft}))
    where = urlsplit(await begin(session, TRIP))
    assert (where.netloc, where.path) == (host, "/apps/authorize/consent")
    assert ("version" in parse_qs(where.query)) is draft


async def test_another_seller(lone: Make):
    """A consent of another seller than the typed one is refused before any code is exchanged."""
    session = lone(lambda request: None)
    query = {"selling_partner_id": "A9OTHER", "spapi_oauth_code": "c", "state": TRIP.state}
    with pytest.raises(errors.AuthorizationDenied, match="A9OTHER"):
        await finish(session, TRIP, Call(method="GET", path="/back", query=query))
    assert not session.sent


async def test_check(amazon: Make):
    """The check names the shop, what works, and when the authorization ends."""
    here = amazon()
    await here.authorize()
    found = await check(here.session)
    assert {"orders", "BUYER", "RECIPIENT", "offers"} <= found.works
    assert "authorization" in found.expires
    assert "order export" in found.missing


async def test_ends_are_announced(amazon: Make):
    """The authorization ends a year after it was given, the application's secret when its owner says."""
    here = amazon()
    await here.authorize()
    ends, app = NOW + timedelta(days=9), here.session[AmazonApplication]
    here.session.set(app.model_copy(update={"secret_expires": ends}))
    found = await check(here.session)
    assert found.expires == {
        "authorization": NOW + timedelta(days=365), "client secret of the application": ends,
    }  # fmt: skip


async def test_one_box_is_enough(amazon: Make):
    """That nothing is exported is said only while no box is checked."""
    here = amazon(Export(invoices_b2b={DE}))
    await here.authorize()
    assert "order export" not in (await check(here.session)).missing


async def test_self_authorization(amazon: Make):
    """A pasted refresh token of a private app works without AUTHORIZE, also in place of an authorization that ended."""
    here = amazon()
    words = {"client_id": here.client}
    for _ in range(2):
        own = (await here.control("POST", "/authorize", words))["refresh_token"]
        here.session.set(here.session[AmazonCredentials].model_copy(update={"own_refresh_token": SecretStr(own)}))
        assert (await check(here.session)).works
        await here.control("POST", "/grants", {"alive": False})
        with pytest.raises(errors.AuthorizationNeeded):
            await check(here.session)


async def test_nothing_to_renew_with(amazon: Make):
    """Neither authorized nor a token pasted: AUTHORIZE is asked for."""
    with pytest.raises(errors.AuthorizationNeeded, match="AUTHORIZE"):
        await check(amazon().session)


async def test_rotated_secret(amazon: Make):
    """During a rotation an older secret still works."""
    here = amazon()
    await here.authorize()
    old = here.session[AmazonApplication]
    here.session.set(old.model_copy(update={"client_secrets": (SecretStr("not-yet"), *old.client_secrets)}))
    assert (await check(here.session)).works


async def test_wrong_secret_is_the_operators(amazon: Make):
    """invalid_client is said to the operator, never to the merchant."""
    here = amazon()
    await here.authorize()
    old = here.session[AmazonApplication]
    here.session.set(old.model_copy(update={"client_secrets": (SecretStr("wrong"),)}))
    with pytest.raises(errors.ApplicationRejected):
        await check(here.session)


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://amazon.com/apps/authorize/confirm/app", True),
        ("https://sellercentral.amazon.de/apps/authorize/confirm/app", True),
        ("http://amazon.com/apps/authorize/confirm/app", False),
        ("https://amazon.com.evil.example/apps/authorize/confirm/app", False),
        ("https://evilamazon.com/apps/authorize/confirm/app", False),
        ("https://amazon.com@evil.example/apps/authorize/confirm/app", False),
        ("https://amazon.com/apps/authorize/confirm/other", False),
    ],
)
def test_appstore_callback(url: str, good: bool):
    """Only Amazon's own address for our app is gone back to."""
    assert is_amazon(url, "app") is good


def test_unknown_marketplace():
    """A marketplace that is none, such as a pseudo one, is refused in the form."""
    with pytest.raises(ValidationError):
        AmazonCredentials(marketplace="A38D8NSA03LJTC")


async def test_pain_02_missing_role_takes_nothing_else(amazon: Make):
    """Without the restricted roles orders still come, and the check says what is missing."""
    here = amazon(orders=30, days=20)
    await here.authorize(roles=["orders", "listing", "fba"])
    found = await check(here.session)
    assert {"BUYER", "RECIPIENT"} <= set(found.missing)
    here.session.works = found.works
    await here.run(ORDERS)
    assert here.session.records(Order)


async def test_pain_02_check_without_an_answer(amazon: Make):
    """A check for which the bucket has nothing left takes no address away, neither here nor from other marketplaces."""
    here = amazon(orders=20, days=10, marketplaces=[DE, FR])
    await here.authorize()
    await here.control("POST", "//faults", {"kind": "status", "operation": "searchOrders", "status": 429})
    found = await check(here.sessions[FR])
    assert "orders" in found.missing
    here.sessions[FR].works = found.works
    await here.run(ORDERS)
    for place in (DE, FR):
        orders = here.sessions[place].records(Order).values()
        assert orders
        assert all(one.addresses["ship"].city for one in orders)


async def test_pain_08_invalid_grant(amazon: Make):
    """A revoked authorization means: authorize again."""
    here = amazon()
    await here.authorize()
    await here.control("POST", "/grants", {"alive": False})
    with pytest.raises(errors.AuthorizationNeeded):
        await check(here.session)


async def test_pain_09_expired_token_is_403(amazon: Make):
    """An expired access token is renewed once and the request repeated, unnoticed."""
    here = amazon(orders=20, days=10)
    await here.authorize()
    cursors = await here.run(ORDERS)
    await here.control("POST", "/expire")
    await here.control("POST", "/orders", {"kind": "mfn", "id": "new"})
    await here.advance(1200)
    await here.run(ORDERS, cursors)
    assert "new" in here.session.records(Order)
    assert here.seller.requests["searchOrders 403"] == 1


async def test_pain_01_within_the_bucket(amazon: Make):
    """A first import is never refused for its rate, and asks for a hundred orders at once."""
    here = amazon(orders=400, days=80)
    await here.authorize()
    await here.run(ORDERS)
    assert len(here.asked("searchOrders")) < 20
    assert len(here.session.records(Order)) > 300
