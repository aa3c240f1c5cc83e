"""Silver: AUTHORIZE leads out to the marketplace, and back with a grant that works."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import attrs

from omnichannel_core import errors
from omnichannel_core.driver import Call, Grant, Token, Trip
from omnichannel_core.testing.conformance.rules import Failed, Level, NotShown, rule
from omnichannel_core.testing.conformance.trying import Bench, Subject, raising
from omnichannel_core.testing.session import LoneSession

STATE, RETURN_URL = "state-0123456789", "https://host.example/back"


@attrs.frozen
class Way:
    """A person pressed AUTHORIZE, agreed over there, and is back."""

    session: LoneSession
    trip: Trip
    back: Call


def unauthorized(bench: Bench) -> LoneSession:
    """A form on which AUTHORIZE is about to be pressed."""
    session = bench.session(bench.facts.authorizing)
    session.tokens.clear()
    return session


async def out_and_back(bench: Bench) -> Way:
    """As far as the return URL; what `finish` does with it is not tried yet.

    Raises:
        Failed: `begin` leads nowhere, or without the state.
        NotShown: the facts do not tell what a person's consent brings back.
    """
    begin = bench.driver.flow.begin
    if begin is None:
        raise Failed("It has `finish` and no `begin`: nobody ever sets out.")
    session, trip = unauthorized(bench), Trip(state=STATE, return_url=RETURN_URL)
    url = await bench.unhurried(lambda: begin(session, trip))
    where = urlsplit(url)
    if where.scheme != "https" or not where.hostname:
        raise Failed(f"`begin` leads to {url[:200]!r}; give the https address of the marketplace's own page.")
    if STATE not in dict(parse_qsl(where.query)).values():
        raise Failed("`begin` leads out without `trip.state`: any answer would pass for this one.")
    back = bench.facts.agreed(bench.remote, url)
    if back is None:
        raise NotShown("say `agreed`: what a browser brings back from the page at a URL, where a person agreed")
    return Way(session, trip, back)


async def authorized(bench: Bench) -> LoneSession:
    """A session of what a trip brought, where there are trips; else of what the facts say."""
    finish = bench.driver.flow.finish
    if finish is None:
        return bench.session()
    way = await out_and_back(bench)
    grant = await bench.unhurried(lambda: finish(way.session, way.trip, way.back))
    if not isinstance(grant, Grant) or (grant.token is None and grant.credentials is None):
        raise Failed(f"`finish` brings {type(grant).__name__} with nothing in it; bring a token or filled credentials.")
    session = bench.session(grant.credentials or bench.facts.authorizing)
    session.tokens = dict[str, Token]() if grant.token is None else {"access": grant.token}
    return session


@rule(Level.SILVER, "AUTHORIZE is a merchant's first step: whom it leads nowhere has no connection.",
      out_of_place=lambda subject: "" if _travels(subject) else "its flow leads nowhere (no begin)")  # fmt: skip
def authorize_goes_out_and_back(subject: Subject) -> None:
    """AUTHORIZE leads out with our state, and back with a grant that passes the check; who said no, is told so."""

    async def work(bench: Bench) -> None:
        session = await authorized(bench)
        await bench.unhurried(lambda: bench.driver.flow.check(session))
        finish, way = bench.driver.flow.finish, await out_and_back(bench)
        assert finish is not None  # noqa: S101 - declarations have no `begin` without it
        said_no = attrs.evolve(way.back, query={"state": STATE, "error": "access_denied"})
        async with raising("finish of a trip on which a person said no") as caught:
            await finish(way.session, way.trip, said_no)
        if not isinstance(caught[0], errors.AuthorizationDenied):
            raise Failed(
                f"finish of a trip on which a person said no raises {type(caught[0]).__name__}; raise "
                "AuthorizationDenied, which leads back to the form."
            )

    subject.each(work)


def _travels(subject: Subject) -> bool:
    flow = subject.driver.flow
    return flow.begin is not None or flow.finish is not None
