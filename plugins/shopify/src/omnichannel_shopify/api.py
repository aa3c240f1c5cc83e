"""How Shopify wants to be talked to: signature, judgement in layers, origin, cost bucket (guide 2.5, 2.6)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from omnichannel_core import errors
from omnichannel_core.driver import Answer, Ask, Limit, Reading, RemoteApi, Session, Token, judge, retry_after
from omnichannel_shopify.credentials import SHOP, ShopifyCredentials
from omnichannel_shopify.operations import OPERATIONS
from omnichannel_shopify.wire import Envelope, Trouble

VERSION = "2026-10"
TOKEN, FILE = "token", "bulkFile"
SECRET = re.compile(r"\bshp\w{2,4}_\w+|(?=\w*\d)(?=\w*[A-Za-z])[\w-]{28,}")
WAITING = frozenset({"INTERNAL_SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE", "SHOP_INACTIVE", "UNAVAILABLE"})
NON_EXPIRING = "non-expiring access tokens"


def origin(session: Session) -> str:
    """`https://name.myshopify.com`."""
    return f"https://{session[ShopifyCredentials].shop}"


def sign(session: Session, ask: Ask, token: Token | None) -> Mapping[str, str]:
    """The one header that proves who asks."""
    return {"x-shopify-access-token": token.value.get_secret_value()} if token is not None else {}


def envelope(answer: Answer) -> Envelope:
    """Data, errors and cost; an empty one when the answer is not GraphQL's."""
    try:
        return msgspec.json.decode(answer.content, type=Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Envelope()


def troubles(said: Envelope) -> list[Trouble]:
    """`errors` as a list, whether it came as one, as a text or as an object."""
    try:
        found = msgspec.json.decode(said.errors, type=list[Trouble] | str | dict[str, msgspec.Raw] | None)
    except msgspec.DecodeError:
        return [Trouble(message="errors of an unknown shape")]
    if isinstance(found, str):
        return [Trouble(message=found)]
    if isinstance(found, dict):
        return [Trouble(message=" ".join(f"{name}: {bytes(raw).decode()}" for name, raw in found.items()))]
    return found or []


def read_cost(answer: Answer) -> Reading | None:
    """The bucket after this answer, throttled ones too."""
    found = envelope(answer).extensions
    now = found.cost.throttle_status if found and found.cost else None
    if found is None or found.cost is None or now is None or now.maximum_available <= 0:
        return None
    return Reading(
        left=max(0.0, now.currently_available),
        burst=now.maximum_available,
        rate=now.restore_rate or None,
        spent=found.cost.actual_query_cost,
    )


def words(text: str) -> str:
    """A remote's words for a message: one line, no token, not endless."""
    return SECRET.sub("…", " ".join(text.split()))[:400]


def judge_shopify(answer: Answer) -> None:
    """HTTP first, then the `errors` of a 200; `userErrors` are the caller's.

    Partial data (fields we may not see are null, and an error names each) is no error here: see `denied`.

    Raises:
        RateLimited, RemoteUnavailable, CredentialsRejected, AccessMissing, AuthorizationNeeded, RemoteRejected;
        ContractBroken: our own text does not fit the schema, or a search filter was not understood.
    """
    if answer.operation == TOKEN and 400 <= answer.status < 404:
        return  # `tokens.ask` knows what the reason means
    if answer.operation == FILE and 300 <= answer.status < 400:
        return  # unsigned, and followed by `Client.file`
    if answer.status >= 300:
        _judge_http(answer)
    if answer.operation not in OPERATIONS:
        return
    said = envelope(answer)
    for trouble in troubles(said):
        _judge_trouble(answer, said, trouble)
    searched = (said.extensions.search or []) if said.extensions else []
    if any(one.warnings for one in searched):
        what = f"{answer.operation}: Shopify did not understand a search filter and would return everything"
        if answer.operation == "VariantsBySku":
            raise errors.RemoteRejected(what, "SEARCH")
        raise errors.ContractBroken(f"{what}; correct the driver.")
    if said.data == msgspec.Raw(b"null"):
        raise errors.RemoteUnavailable(f"{answer.operation}: answer {answer.status} holds no data")


def _judge_http(answer: Answer) -> None:
    status, what = answer.status, f"{answer.operation}: {answer.status}"
    text = words("; ".join(one.message for one in troubles(envelope(answer))))
    told = f" ({text})" if text else ""
    if status < 400:
        _judge_moved(answer, what)
    elif answer.operation == FILE and status < 500 and status not in (408, 425, 429):
        raise errors.RemoteRejected(f"{what}: the file is not there", str(status))
    if status == 403 and NON_EXPIRING in text.lower():
        raise errors.CredentialsRejected(f"{what}: Shopify no longer takes tokens that never expire")
    match status:
        case 402:
            raise errors.RemoteUnavailable(f"{what}: the shop is frozen until its owner pays Shopify", 3600.0)
        case 403:
            raise errors.AccessMissing(f"{what}: a permission is missing{told}", answer.operation)
        case 404 if answer.operation in OPERATIONS or answer.operation == TOKEN:
            raise errors.CredentialsRejected(f"{what}: there is no such shop; correct the Shop URL")
        case 423:
            raise errors.RemoteUnavailable(f"{what}: Shopify has locked the shop", 3600.0)
        case 430:
            raise errors.RateLimited(f"{what}: Shopify's security system refuses for now", retry_after(answer) or 60.0)
        case _ if 400 <= status < 500 and status not in (401, 408, 425, 429):
            raise errors.RemoteRejected(f"{what}: {text or 'refused'}", str(status))
    judge(answer)


def _judge_moved(answer: Answer, what: str) -> None:
    """A token follows no redirect: where the shop is now is said instead (guide 3, S16)."""
    host = (urlsplit(answer.headers.get("location", "")).hostname or "").lower()
    if SHOP.fullmatch(host):
        raise errors.AuthorizationNeeded(f"{what}: the shop is now {host}: change the Shop URL and authorize again.")
    raise errors.RemoteRejected(f"{what}: Shopify points to another address, which is not followed", str(answer.status))


def _judge_trouble(answer: Answer, said: Envelope, trouble: Trouble) -> None:
    what, code = f"{answer.operation}: {words(trouble.message) or trouble.code}", trouble.code
    if code == "THROTTLED" or (not code and trouble.message.lower() == "throttled"):
        raise errors.RateLimited(f"{answer.operation}: Shopify says slow down", _until(said))
    if code == "ACCESS_DENIED":
        if not some_data(said):
            raise errors.AccessMissing(what, answer.operation)
    elif code in WAITING:
        raise errors.RemoteUnavailable(what)
    elif code == "UNAUTHORIZED" or (not code and "access token" in trouble.message.lower()):
        raise errors.CredentialsRejected(what)
    elif code[:1].islower():  # undefinedField, argumentNotAccepted...: the schema refuses our text
        raise errors.ContractBroken(f"{what}; upgrade the driver.")
    else:
        raise errors.RemoteRejected(what, code)


def _until(said: Envelope) -> float | None:
    """Seconds until the bucket holds what the operation asks for."""
    cost = said.extensions.cost if said.extensions else None
    now = cost.throttle_status if cost else None
    if cost is None or now is None or now.restore_rate <= 0:
        return None
    return max(0.1, (cost.requested_query_cost - now.currently_available) / now.restore_rate)


def some_data(said: Envelope) -> bool:
    """Whether any of the data is there."""
    try:
        found = msgspec.json.decode(said.data, type=dict[str, msgspec.Raw] | None)
    except msgspec.DecodeError:
        return False
    return any(raw != msgspec.Raw(b"null") for raw in (found or {}).values())


def denied(answer: Answer) -> list[Trouble]:
    """The fields of an answer that we may not see (they are null in its data)."""
    return [one for one in troubles(envelope(answer)) if one.code == "ACCESS_DENIED"]


API = RemoteApi(
    sign=sign,
    judge=judge_shopify,
    origins=lambda session: (origin(session),),
    limits=(Limit(name="cost", rate=100.0, burst=2000.0, operations=frozenset(OPERATIONS), read=read_cost),),
)
