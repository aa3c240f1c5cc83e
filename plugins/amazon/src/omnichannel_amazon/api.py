"""How Amazon wants to be talked to: signature, judgement, origin, limits (guide amazon 2.5, 3)."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping, Sequence

import msgspec

from omnichannel_amazon.credentials import AmazonCredentials
from omnichannel_amazon.marketplaces import home
from omnichannel_core import errors
from omnichannel_core.driver import Answer, Ask, Limit, Reading, RemoteApi, Session, Token, judge

LWA = "https://api.amazon.com/auth/o2/token"
AGENT = f"OmnichannelCore/0.1 (Language=Python/{platform.python_version()}; Platform={platform.system() or 'unknown'})"
BAD_TOKEN = re.compile(r"token.*(revoked|malformed|invalid|expired)|expired.*token", re.IGNORECASE)
SECRET = re.compile(r"Atz[ar.][\w|.-]{10,}")


class Problem(msgspec.Struct):
    """One entry of `errors` (any model, `Error`)."""

    code: str | None = None
    message: str | None = None
    details: str | None = None


class Problems(msgspec.Struct):
    """The error envelope; old APIs have it beside `payload` (guide 3.1)."""

    errors: list[Problem] | None = None


def problems(answer: Answer) -> Sequence[Problem]:
    """What the answer says is wrong; none where it is HTML or empty."""
    try:
        return msgspec.json.decode(answer.content, type=Problems).errors or ()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()


def said(answer: Answer) -> str:
    """The same in one line, with the request id that Amazon's support asks for."""
    texts = [" ".join(part for part in (one.code, one.message, one.details) if part) for one in problems(answer)]
    ident = answer.headers.get("x-amzn-requestid", "")
    words = SECRET.sub("…", "; ".join(dict.fromkeys(text for text in texts if text)))[:400]
    return words + (f" [request {ident}]" if ident else "")


def sign(session: Session, ask: Ask, token: Token | None) -> Mapping[str, str]:
    """One header and a name; no AWS signature is wanted any more."""
    proof = {"x-amz-access-token": token.value.get_secret_value()} if token else {}
    return {**proof, "accept": "application/json", "user-agent": AGENT}


def judge_amazon(answer: Answer) -> None:
    """What a status means here.

    Raises:
        CredentialsRejected: 401, or 403 that names the token: an expired one is 403 here, and never means revoked.
        AccessMissing: any other 403: a role, a region, a marketplace that is not the seller's.
        RateLimited (429), RemoteUnavailable (5xx, 408, 425), RemoteRejected (other 4xx) with Amazon's own words.
    """
    status, operation = answer.status, answer.operation
    if status < 300 or (operation == "token" and status in (400, 401)):
        return
    what, words = f"{operation}: {status}", said(answer)
    if operation in FILES:
        _judge_file(answer)
    if status == 403:
        if any(BAD_TOKEN.search(f"{one.message} {one.details}") for one in problems(answer)):
            raise errors.CredentialsRejected(f"{what}: Amazon does not take the access token ({words})")
        raise errors.AccessMissing(f"{what}: a role of the app or a marketplace is missing ({words})", operation)
    if status == 429:
        raise errors.RateLimited(f"{what}: Amazon says slow down", slow(operation))
    if 400 <= status < 500 and status not in (401, 408, 425):
        raise errors.RemoteRejected(f"{what}: {words or 'refused'}", str(status))
    judge(answer)


def _judge_file(answer: Answer) -> None:
    """A presigned address: whatever it refuses, its five minutes are over or it was altered (guide 10)."""
    if answer.status == 429 or answer.status >= 500:
        judge(answer)
    raise errors.RemoteRejected(f"{answer.operation}: {answer.status}: the address is no longer good", "expired")


FILES = frozenset({"reportFile", "feedFile", "feedResult", "schemaFile"})
"""Presigned addresses: without token, without headers of ours."""

RATES: Mapping[str, tuple[float, float]] = {
    "searchOrders": (0.0056, 20),
    "getOrder": (0.5, 30),
    "confirmShipment": (2, 10),
    "getMarketplaceParticipations": (0.016, 15),
    "getListingsItem": (5, 10),
    "putListingsItem": (5, 10),
    "patchListingsItem": (5, 5),
    "deleteListingsItem": (5, 5),
    "searchListingsItems": (5, 5),
    "searchDefinitionsProductTypes": (5, 10),
    "getDefinitionsProductType": (5, 10),
    "createFeedDocument": (0.5, 15),
    "createFeed": (0.0083, 15),
    "getFeed": (2, 15),
    "getFeeds": (0.0222, 10),
    "getFeedDocument": (0.0222, 10),
    "createReport": (0.0167, 15),
    "getReport": (2, 15),
    "getReports": (0.0222, 10),
    "getReportDocument": (0.0167, 15),
    "createRestrictedDataToken": (1, 10),
}
"""Requests per second and burst of each operation, per application and seller (rate-limits.tsv of the models)."""


LISTINGS_FEED = "createListingsFeed"
"""createFeed of a JSON_LISTINGS_FEED: such feeds have a limit of their own, five in five minutes (guide 8.4)."""


def slow(operation: str) -> float:
    """Seconds after a 429, which names none: until one more request is there, five minutes at most (guide 3.3)."""
    if operation == LISTINGS_FEED:
        return 60.0
    return min(300.0, 1 / RATES[operation][0]) if operation in RATES else 5.0


def read_rate(answer: Answer) -> Reading | None:
    """`x-amzn-RateLimit-Limit`: the seller's own rate; absent on 403 and 429, and sometimes elsewhere."""
    try:
        rate = float(answer.headers.get("x-amzn-ratelimit-limit", ""))
    except ValueError:
        return None
    return Reading(rate=rate) if 0 < rate < 10_000 else None


def hyphened(operation: str) -> str:
    """`searchOrders` as a limit is called: search-orders."""
    return re.sub(r"(?<!^)([A-Z])", r"-\1", operation).lower()


def origins(session: Session) -> Sequence[str]:
    """The region's host, and no other: tokens are good for one region."""
    return (home(session[AmazonCredentials].region),)


API = RemoteApi(
    sign=sign,
    judge=judge_amazon,
    origins=origins,
    limits=(
        *(
            Limit(name=hyphened(name), rate=rate, burst=burst, operations=frozenset({name}), read=read_rate)
            for name, (rate, burst) in RATES.items()
        ),
        Limit(name="listings-feeds", burst=5, window=300.0, operations=frozenset({LISTINGS_FEED})),
        Limit(name="lwa", concurrent=1, operations=frozenset({"token"}), per="application"),
    ),
)
