"""`@idempotent`: required by some mutations, remembered for a day (guide 2.13)."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from omnichannel_shopify_simulator.answers import encode
from omnichannel_shopify_simulator.requests import Problem, Request
from omnichannel_shopify_simulator.values import error

Row = dict[str, Any]
LIFE = 86_400


def once(request: Request, name: str, args: Row, act: Callable[[], Row]) -> Row:
    """Acts, or gives back what the same key brought before (rows are shared, so it shows today's data).

    Raises:
        Problem: the directive is missing.
    """
    key = args.get("@")
    if not key:
        message = "The @idempotent directive is required for this mutation but was not provided."
        raise Problem(message, "BAD_REQUEST")
    shape = sha256(encode([name, {k: v for k, v in args.items() if k != "@"}])).hexdigest()
    known = request.install.keys.get(key)
    if known is not None and request.now - known["at"] < LIFE:
        if known["shape"] != shape:
            return _refused("The key was used with other parameters", "IDEMPOTENCY_KEY_PARAMETER_MISMATCH")
        if known["answer"]["userErrors"]:
            return _refused("The attempt with this key failed", "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED")
        remembered: Row = known["answer"]
        return remembered
    answer = act()
    request.install.keys[key] = {"at": request.now, "shape": shape, "answer": answer}
    return answer


def _refused(message: str, code: str) -> Row:
    return {"userErrors": [error(message, None, code)]}
