"""The rules of AUTHORIZE, on a driver whose marketplace is in memory: a good one holds, one thing wrong fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from omnichannel_core.driver import Call
from omnichannel_core.testing.conformance import DriverConformance, Remote, Verdict, certify

OUT, CANCELLED = "silver-authorize-goes-out-and-back", "gold-cancelled-authorizations-end"
CODE = '''
import anyio
from pydantic import SecretStr

from omnichannel_core import errors
from omnichannel_core.driver import (
    AuthorizationFlow, Checkup, Credentials, Grant, RemoteApi, Token, hookimpl, judge
)

KEPT = []


class TripCredentials(Credentials):
    """Nothing is typed."""

    seller: str = ""

    def remote_account(self):
        return self.seller

    def scope(self):
        return ""


async def check(session):
    await session.token()
    if not session[TripCredentials].seller:
        raise errors.CredentialsRejected("Whose?")
    return Checkup(title="A shop")


async def begin(session, trip):
    return f"https://shop.example/consent?state={trip.state}&back={trip.return_url}"


async def finish(session, trip, call):
    await session.compute(lambda: None)
    if "code" not in call.query:
        raise errors.AuthorizationDenied("It was cancelled: authorize again")
    await session.compute(lambda: None)
    return Grant(token=Token(value=SecretStr(call.query["code"])), credentials=TripCredentials(seller="me"))


@hookimpl
def credential_schema():
    return TripCredentials


@hookimpl
def authorization_flow():
    return AuthorizationFlow(check=check, begin=begin, finish=finish)


def sign(session, ask, token):
    return {}


@hookimpl
def remote_api():
    return RemoteApi(sign=sign, judge=judge, origins=lambda session: ["https://shop.example"], limits=[])


@hookimpl
def settings_pages():
    return []


@hookimpl
def sync_streams():
    return []
'''
NO = 'raise errors.AuthorizationDenied("It was cancelled: authorize again")'
WRONG = [
    (OUT, "without `trip.state`", "state={trip.state}&", "state=ours&"),
    (OUT, "give the https address", "https://shop.example/consent", "http://shop.example/consent"),
    (OUT, "with nothing in it", ('Grant(token=Token(value=SecretStr(call.query["code"])), credentials=TripCredentials('
     'seller="me"))'), "Grant()"),
    (OUT, "Whose", ', credentials=TripCredentials(seller="me")', ""),
    (OUT, "the fault goes unnoticed", NO, 'return Grant(token=Token(value=SecretStr("x")))'),
    (OUT, "raises RemoteRejected; raise AuthorizationDenied", NO, NO.replace("AuthorizationDenied", "RemoteRejected")),
    (OUT, "nobody ever sets out", "begin=begin, finish=finish", "finish=finish"),
    (CANCELLED, "finish, cancelled, leaves a task running", "    await session.compute(lambda: None)\n    return",
     ("    import asyncio\n    KEPT.append(asyncio.create_task(anyio.sleep(30)))\n"
     "    await session.compute(lambda: None)\n    return")),
    (CANCELLED, "finish, cancelled, raises AuthorizationDenied", "    await session.compute(lambda: None)\n    if",
     ("    try:\n        await session.compute(lambda: None)\n    except BaseException:\n"
     "        raise errors.AuthorizationDenied('no') from None\n    if")),
]  # fmt: skip


class Tripping(DriverConformance):
    """A marketplace whose consent page is this class."""

    driver = "tripping"
    loops = ("asyncio",)

    @contextmanager
    def open_remote(self) -> Iterator[Remote]:
        """Nothing."""
        yield Remote()

    def agreed(self, remote: Remote, url: str) -> Call:
        """A code for whoever comes."""
        state = dict(parse_qsl(urlsplit(url).query))["state"]
        return Call(method="GET", path="/back", query={"state": state, "code": "a-code-0123456789"})


def tried(plug: Any, code: str, rule: str, facts: type[DriverConformance] = Tripping) -> Any:
    """What the rule says of the driver."""
    files = {"omnichannel_tripping/__init__.py": "", "omnichannel_tripping/driver.py": code}
    plug.distribution("omnichannel-tripping", {"tripping": "omnichannel_tripping.driver"}, summary="Trips", code=files)
    return certify(facts(), only=[rule], catalog=plug.catalog()).tried[rule]


@pytest.mark.parametrize("rule", [OUT, CANCELLED])
def test_a_good_trip_holds(plug: Any, rule: str) -> None:
    """A flow that leads out with the state, brings a grant back and is told no in words holds, cancelled or not."""
    found = tried(plug, CODE, rule, type("Both", (Tripping,), {"loops": ("asyncio", "trio")}))
    assert found.verdict is Verdict.HOLDS, found.reason


@pytest.mark.parametrize(("rule", "says", "old", "new"), WRONG)
def test_a_trip_with_one_thing_wrong_is_caught(plug: Any, rule: str, says: str, old: str, new: str) -> None:
    """Whatever is wrong on the way out and back, the rule that is there for it fails and says what."""
    assert CODE.count(old) == 1
    found = tried(plug, CODE.replace(old, new), rule)
    assert found.verdict is Verdict.FAILS
    assert says in found.reason, found.reason


@pytest.mark.parametrize("rule", [OUT, CANCELLED])
def test_a_trip_nobody_agrees_on_is_not_shown(plug: Any, rule: str) -> None:
    """Facts that do not tell what a consent brings back hold the level, and are told what to say."""
    facts = type("Silent", (Tripping,), {"agreed": DriverConformance.agreed})
    found = tried(plug, CODE, rule, facts)
    assert found.verdict is Verdict.NOT_SHOWN
    assert "say `agreed`" in found.reason
