"""How BigCommerce wants to be talked to: signature, judgement, origin, limits (guide 1.7, 1.8)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from omnichannel_bigcommerce.credentials import BigCommerceCredentials
from omnichannel_core import errors
from omnichannel_core.driver import Answer, Ask, Limit, Reading, RemoteApi, Session, Token, judge

HOME, LOGIN = "https://api.bigcommerce.com", "https://login.bigcommerce.com"
SECRET = re.compile(r"(?=\w*\d)(?=\w*[A-Za-z])[\w-]{28,}")
QUOTA = "x-rate-limit-requests-quota"


def sign(session: Session, ask: Ask, token: Token | None) -> Mapping[str, str]:
    """The one header that proves who asks; v2 answers XML to whoever does not name a format."""
    return {
        "x-auth-token": session[BigCommerceCredentials].access_token.get_secret_value(),
        "accept": "application/json",
    }


def number(head: Mapping[str, str], name: str) -> float | None:
    """A header's value as a number of zero or more, None when absent or unreadable."""
    try:
        found = float(head.get(name, ""))
    except ValueError:
        return None
    return found if 0 <= found < float("inf") else None


def read_quota(answer: Answer) -> Reading | None:
    """The store's window, as every answer tells it, errors too. After a 429 nothing is left, whatever it says."""
    head = answer.headers
    left, quota = number(head, "x-rate-limit-requests-left"), number(head, QUOTA)
    window, reset = number(head, "x-rate-limit-time-window-ms"), number(head, "x-rate-limit-time-reset-ms")
    if left is None:
        return None
    return Reading(
        left=0.0 if answer.status == 429 else left,
        burst=quota,
        rate=quota / (window / 1000) if quota is not None and window else None,
        full_in=None if reset is None else reset / 1000,
    )


def wait(answer: Answer) -> float | None:
    """Seconds to wait after a 429: the longer of the window's end (ms) and X-Retry-After (s); None is unsaid."""
    reset, retry = number(answer.headers, "x-rate-limit-time-reset-ms"), number(answer.headers, "x-retry-after")
    said = [reset / 1000 if reset is not None else None, retry, number(answer.headers, "retry-after")]
    waits = [seconds for seconds in said if seconds is not None]
    return max(waits) if waits else None


def said(answer: Answer) -> str:
    """What the remote says is wrong: v2 array, v3 object, refunds' `data[]`, batches; '' when unreadable."""
    try:
        body = msgspec.json.decode(answer.content)
        text = "; ".join(dict.fromkeys(_texts(body)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return SECRET.sub("…", text)[:400]


def _texts(body: Any) -> list[str]:
    if isinstance(body, list):
        return [text for one in body for text in _texts(one)]
    if not isinstance(body, dict):
        return []
    found = [str(body[name]) for name in ("message", "title", "error", "detail") if isinstance(body.get(name), str)]
    for name in ("errors", "field_errors", "details"):
        inner = body.get(name)
        if isinstance(inner, dict):
            found += [f"{key}: {value}" for key, value in inner.items() if isinstance(value, str | int | float)]
    for name in ("data", "batch_errors", "errors", "details"):
        if isinstance(body.get(name), list):
            found += _texts(body[name])
    return found


def judge_bigcommerce(answer: Answer) -> None:
    """What a status means here. A body may be empty, XML or plain text: then the status speaks alone.

    Raises:
        RateLimited (429), AccessMissing (403), CredentialsRejected (401), RemoteUnavailable (423, 499, 5xx),
        RemoteRejected (other 4xx, 501, 507) with the remote's own words.
    """
    status = answer.status
    if status < 300:
        return
    what, words = f"{answer.operation}: {status}", said(answer)
    told = f" ({words})" if words else ""
    if status == 429:
        raise errors.RateLimited(f"{what}: BigCommerce says slow down", wait(answer))
    if status == 403:
        raise errors.AccessMissing(
            f"{what}: the API account lacks a scope, or the store's plan does not include this{told}", answer.operation
        )
    if status == 503:
        raise errors.RemoteUnavailable(f"{what}: the store is down for maintenance or suspended", wait(answer))
    if status in (423, 499):
        raise errors.RemoteUnavailable(f"{what}: BigCommerce could not finish this now{told}", wait(answer))
    if status == 507:
        raise errors.RemoteRejected(f"{what}: a limit of the store's plan is reached{told}", "507")
    if (status != 401 and (400 <= status < 500 and status not in (408, 425))) or status == 501:
        raise errors.RemoteRejected(f"{what}: {words or 'refused'}", str(status))
    judge(answer)


API = RemoteApi(
    sign=sign,
    judge=judge_bigcommerce,
    origins=lambda session: (HOME,),
    limits=(
        Limit(name="quota", burst=150, window=30.0, read=read_quota),
        Limit(name="stock", concurrent=1, operations=frozenset({"put-absolute-adjustment"})),
        Limit(name="price-records", concurrent=1, operations=frozenset({"upsertPriceListRecords"})),
        Limit(name="variants", concurrent=1, operations=frozenset({"updateVariantsBatch"})),
    ),
)
