"""Checks, installs, signed calls and webhooks."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey
from omnichannel_bigcommerce.authorization import check, hooked, receive, subscribe, unsubscribe
from omnichannel_bigcommerce.credentials import BigCommerceCredentials
from omnichannel_bigcommerce.settings import OrderFilters

from omnichannel_core import errors
from omnichannel_core.driver import Arrived, Call, Changed, Left

pytestmark = pytest.mark.anyio
HASH, SECRET = "abc123", "s3cret-of-the-application-0123456789"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
Lone = Callable[..., Any]


def store(
    *, forbidden: tuple[str, ...] = (), identity: str = HASH, status: int = 200, clock: float = NOW
) -> Callable[[httpx2.Request], httpx2.Response]:
    def answer(request: httpx2.Request) -> httpx2.Response:
        path = request.url.path.removeprefix(f"/stores/{HASH}")
        assert request.headers["accept"] == "application/json"
        assert request.headers["x-auth-token"]
        if status != 200:
            return httpx2.Response(status, json=[{"status": status, "message": "no"}])
        if path == "/v2/time":
            return httpx2.Response(200, json={"time": clock})
        if path in forbidden:
            return httpx2.Response(403, json={"title": "You don't have a required scope to access the endpoint"})
        if path == "/v2/store":
            return httpx2.Response(200, json={"id": identity, "name": "Demo"})
        assert request.url.params["limit"] == "1"
        return httpx2.Response(204) if path == "/v2/orders" else httpx2.Response(200, json={"data": []})

    return answer


async def test_check(lone: Lone):
    """The check names the store, what works, and what is missing and why."""
    session = lone(store(forbidden=("/v3/pricelists", "/v3/orders/payment_actions/refunds")))
    found = await check(session)
    assert (found.title, found.account) == ("Demo", HASH)
    assert found.works == {"orders", "offers", "stock", "channels", "callbacks"}
    assert set(found.missing) == {"prices", "returns"}
    assert "scope" in found.missing["prices"]


async def test_check_without_store_information(lone: Lone):
    """A token that may not read the store's profile is still checked for the rest."""
    found = await check(lone(store(forbidden=("/v2/store",))))
    assert (found.title, found.account) == (HASH, "")
    assert "store information" in found.missing
    assert "orders" in found.works


async def test_check_without_statuses(lone: Lone):
    """No status switched on is said, and stops nothing else."""
    found = await check(lone(store(), OrderFilters(statuses=frozenset())))
    assert "nothing is imported" in found.missing["order import"]
    assert "orders" in found.works


async def test_check_of_another_store(lone: Lone):
    """A token of another store is refused although it works."""
    with pytest.raises(errors.CredentialsRejected, match="another store"):
        await check(lone(store(identity="other1")))


@pytest.mark.parametrize(("status", "error"), [(401, errors.CredentialsRejected), (503, errors.RemoteUnavailable)])
async def test_check_that_fails(lone: Lone, status: int, error: type[Exception]):
    """Wrong credentials and a store that is down are told apart."""
    with pytest.raises(error):
        await check(lone(store(status=status)))


async def test_check_says_clock_skew(lone: Lone, caplog: pytest.LogCaptureFixture):
    """Clocks that are far apart are said."""
    await check(lone(store(clock=NOW - 4000)))
    assert "4000 seconds apart" in caplog.text


def signed(secret: str = SECRET, algorithm: str = "HS256", **said: Any) -> str:
    claims = {
        "aud": "client-1", "iss": "bc", "sub": f"stores/{HASH}", "iat": NOW, "nbf": NOW - 5, "exp": NOW + 86400,
        "jti": "j1", "user": {"id": 7, "email": "u@example.com"}, "owner": {"id": 7}, "url": "/orders",
    } | said  # fmt: skip
    return jwt.encode({"alg": algorithm}, claims, OctKey.import_key(secret), algorithms=[algorithm])


def called(path: str, proof: str) -> Call:
    return Call(method="GET", path=path, query={"signed_payload_jwt": proof})


async def test_load(door: Lone):
    """A visit from the control panel arrives as the store it comes from."""
    (found,) = await receive(door(store()), called("/bigcommerce/load", signed()))
    assert isinstance(found, Arrived)
    assert (found.account, found.context, dict(found.fields)) == (HASH, {"url": "/orders"}, {})


async def test_uninstall(door: Lone):
    """An uninstall leaves, at the time it was signed, under any of the app's secrets."""
    for secret in (SECRET, "newer-" + SECRET):
        (found,) = await receive(door(store()), called("uninstall", signed(secret)))
        assert found == Left(account=HASH, at=datetime(2026, 3, 1, 12, tzinfo=UTC))


async def test_remove_user(door: Lone):
    """A removed user changes nothing, as nothing is kept about users."""
    assert await receive(door(store()), called("remove_user", signed())) == []


@pytest.mark.parametrize(
    "proof",
    [
        signed(aud="other"),
        signed(iss="evil"),
        signed(sub="stores/../x"),
        signed(sub=""),
        signed(exp=NOW - 3600),
        signed(nbf=NOW + 3600),
        signed(exp="tomorrow"),
        signed("wrong-secret-wrong-secret-wrong-secret"),
        signed(algorithm="HS512"),
        signed().rsplit(".", 1)[0] + ".",
        base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=") + "." + signed().split(".")[1] + ".",
        "",
        "a.b.c",
    ],
)
@pytest.mark.parametrize("path", ["load", "uninstall", "remove_user"])
async def test_forged_calls(door: Lone, path: str, proof: str):
    """A call with another audience, issuer, subject, time, key or algorithm is refused."""
    with pytest.raises(errors.CallRefused):
        await receive(door(store()), called(path, proof))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(proof=st.text(max_size=60))
async def test_noise_is_refused(door: Lone, proof: str):
    """No text breaks the verification of a call."""
    with pytest.raises(errors.CallRefused):
        await receive(door(store()), called("load", proof))


INSTALL = {
    "code": "qr6h",
    "scope": "store_v2_orders store_v2_products",
    "context": f"stores/{HASH}",
    "account_uuid": "u",
}


def exchange(
    status: int = 200, **said: Any
) -> tuple[Callable[[httpx2.Request], httpx2.Response], list[dict[str, Any]]]:
    seen = list[dict[str, Any]]()

    def answer(request: httpx2.Request) -> httpx2.Response:
        assert str(request.url) == "https://login.bigcommerce.com/oauth2/token"
        assert "x-auth-token" not in request.headers
        seen.append(json.loads(request.content))
        body = {"access_token": "fresh", "scope": "store_v2_orders", "context": f"stores/{HASH}", "user": {"id": 1}}
        return httpx2.Response(status, json=body | said)

    return answer, seen


async def test_install(door: Lone):
    """An install exchanges its code once, with the newest secret and the registered address, and fills both fields."""
    answer, seen = exchange()
    (found,) = await receive(door(answer), Call(method="GET", path="auth", query=INSTALL))
    assert isinstance(found, Arrived)
    assert found.account == HASH
    form = BigCommerceCredentials.model_validate(dict(found.fields))
    assert (form.store_hash, form.access_token.get_secret_value()) == (HASH, "fresh")
    assert "fresh" not in repr(found)
    assert seen == [
        {
            "client_id": "client-1",
            "client_secret": "newer-" + SECRET,
            "code": "qr6h",
            "context": f"stores/{HASH}",
            "scope": INSTALL["scope"],
            "grant_type": "authorization_code",
            "redirect_uri": "https://host.example/in/bigcommerce/u7/auth",
        }
    ]


@pytest.mark.parametrize(
    ("answered", "error"),
    [
        ({"status": 400}, errors.AuthorizationDenied),
        ({"status": 401}, errors.ApplicationRejected),
        ({"status": 503}, errors.RemoteUnavailable),
        ({"scope": None}, errors.AuthorizationDenied),
        ({"context": "stores/other1"}, errors.AuthorizationDenied),
        ({"access_token": ""}, errors.AuthorizationDenied),
    ],
)
async def test_install_refused(door: Lone, answered: dict[str, Any], error: type[Exception]):
    """A refused code, another store or a token without scope never becomes an install."""
    answer, _ = exchange(**answered)
    with pytest.raises(error) as caught:
        await receive(door(answer), Call(method="GET", path="auth", query=INSTALL))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "wrong", [{"context": "{context}"}, {"context": "stores/../x"}, {"code": ""}, {"scope": ""}, {"context": ""}]
)
async def test_install_malformed(door: Lone, wrong: dict[str, str]):
    """An install without a real store, code or scope asks for nothing."""
    answer, seen = exchange()
    with pytest.raises(errors.CallRefused):
        await receive(door(answer), Call(method="GET", path="auth", query=INSTALL | wrong))
    assert seen == []


async def test_install_with_less_scope(door: Lone):
    """An install that grants less than the app is registered with is refused before its code is spent."""
    answer, seen = exchange()
    session = door(answer)
    app = next(form for form in session.forms.values() if type(form).__name__ == "BigCommerceApplication")
    session.set(app.model_copy(update={"scopes": frozenset({"store_inventory"})}))
    with pytest.raises(errors.AuthorizationDenied, match="store_inventory"):
        await receive(session, Call(method="GET", path="auth", query=INSTALL))
    assert seen == []


def event(scope: str = "store/order/updated", **said: Any) -> dict[str, Any]:
    return {
        "producer": f"stores/{HASH}", "hash": "h1", "created_at": NOW, "store_id": "11", "scope": scope,
        "data": {"type": "order", "id": 250},
    } | said  # fmt: skip


def hook(body: Any, secret: str = "only-we-know", **headers: str) -> Call:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Call(method="POST", path="", headers={"x-omnichannel-secret": secret, **headers}, body=raw)


REFUNDED = {"type": "order", "id": 250, "refund": {"refund_id": 3}}
TRANSACTION = {"type": "transaction", "order_id": "250", "transaction_id": "9"}


@pytest.mark.parametrize(
    ("body", "meaning"),
    [
        (event(), [Changed(stream="orders", ids=["250"], key="h1")]),
        (event("store/order/archived"), [Changed(stream="orders", ids=["250"], key="h1")]),
        (
            event("store/order/refund/created", data=REFUNDED),
            [Changed(stream="orders", ids=["250"], key="h1"), Changed(stream="returns", ids=["3"], key="h1:refund")],
        ),
        (event("store/order/transaction/created", data=TRANSACTION), [Changed(stream="orders", ids=["250"], key="h1")]),
        (event("store/information/updated"), [Changed(stream="data-model", key="h1")]),
        (event("store/app/uninstalled"), [Left(account=HASH, at=datetime(2026, 3, 1, 12, tzinfo=UTC))]),
        (event("store/cart/created"), []),
    ],
)
async def test_webhooks(lone: Lone, body: dict[str, Any], meaning: list[Any]):
    """A webhook says which thing to look at again, and nothing of what it is."""
    assert list(hooked(lone(store()), hook(body))) == meaning


@pytest.mark.parametrize(
    "call",
    [
        hook(event(), secret="wrong"),
        hook(event(), secret="ünïcode"),
        Call(method="POST", path="", body=json.dumps(event()).encode()),
        hook(b"not json"),
        hook(b"[]"),
        hook(event(producer="stores/other1")),
    ],
)
async def test_webhooks_refused(lone: Lone, call: Call):
    """Without our secret, readable body and own store there is no webhook."""
    with pytest.raises(errors.CallRefused):
        hooked(lone(store()), call)


def signature(body: bytes, at: float, secret: str = SECRET) -> dict[str, str]:
    stamp = str(int(at))
    made = hmac.digest(secret.encode(), b"msg_1." + stamp.encode() + b"." + body, "sha256")
    given = f"v1,bm90IGl0 v1,{base64.b64encode(made).decode()}"
    return {"webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": given}


async def test_signed_webhooks(lone: Lone):
    """A signature made with our secret must be fresh; one made with another's secret is no reason to refuse."""
    session, raw = lone(store()), json.dumps(event()).encode()
    assert hooked(session, hook(raw, **signature(raw, NOW - 100)))
    assert hooked(session, hook(raw, **signature(raw, NOW - 9000, "of-the-api-account")))
    with pytest.raises(errors.CallRefused, match="out of date"):
        hooked(session, hook(raw, **signature(raw, NOW - 9000)))


class HookShop:
    """The hooks of one API account."""

    def __init__(self, *there: dict[str, Any]) -> None:
        self.hooks = {row["id"]: row for row in there}

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        one = request.url.path.rsplit("/", 1)[-1]
        if request.method == "GET":
            return httpx2.Response(200, json={"data": list(self.hooks.values())})
        if request.method == "DELETE":
            return httpx2.Response(200 if self.hooks.pop(int(one), None) else 404, json={})
        body = json.loads(request.content)
        assert body["headers"] == {"x-omnichannel-secret": "only-we-know"}
        row = {"id": int(one) if request.method == "PUT" else 100 + len(self.hooks), **body}
        self.hooks[row["id"]] = row
        return httpx2.Response(200, json={"data": row})


MINE = "https://host.example/in/bigcommerce/u7"


async def test_subscribing(lone: Lone):
    """Missing hooks are made, sleeping ones woken, strangers left alone; a second time changes nothing."""
    shop = HookShop(
        {"id": 1, "scope": "store/order/*", "destination": MINE, "is_active": False},
        {"id": 2, "scope": "store/app/uninstalled", "destination": "https://else.example/", "is_active": True},
    )
    session = lone(shop)
    await subscribe(session)
    assert sorted((h["scope"], h["destination"] == MINE, h["is_active"]) for h in shop.hooks.values()) == [
        ("store/app/uninstalled", False, True),
        ("store/app/uninstalled", True, True),
        ("store/information/updated", True, True),
        ("store/order/*", True, True),
    ]
    before = len(session.sent)
    await subscribe(session)
    assert [ask.method for ask in session.sent[before:]] == ["GET"]
    await unsubscribe(session)
    assert [h["id"] for h in shop.hooks.values()] == [2]


async def test_no_hooks_without_https(lone: Lone):
    """Where the host has no https address nothing is asked of BigCommerce."""
    session = lone(HookShop())
    session.callback_url = "http://127.0.0.1:8000/in/x"
    await subscribe(session)
    assert session.sent == []
