"""The hooks. A token is good for an hour; requests go to the address that the form says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import attrs
import msgspec
from pydantic import SecretStr

from omnichannel_core.driver import (
    Answer,
    Ask,
    AuthorizationFlow,
    Checkup,
    Credentials,
    Limit,
    Page,
    PullStream,
    RemoteApi,
    Session,
    SettingsPage,
    Streams,
    Token,
    hookimpl,
    judge,
)  # fmt: skip
from omnichannel_core.records import Order


class SiteCredentials(Credentials):
    """A seller, and one of its sites."""

    url: str
    seller: str
    site: str
    secret: SecretStr

    def remote_account(self) -> str:
        """The seller."""
        return self.seller

    def channel(self) -> str:
        """The site."""
        return self.site


class At(msgspec.Struct, frozen=True):
    """How often this site was polled."""

    polls: int = 0


@attrs.define
class Seen:
    """What the driver was asked for."""

    renewed: int = 0
    polls: list[tuple[str, ...]] = attrs.field(factory=list)


SEEN = Seen()


async def check(session: Session) -> Checkup:
    """One signed request."""
    await session.http.send("who", "GET", f"{session[SiteCredentials].url}/who")
    return Checkup(title=session[SiteCredentials].site, account=session[SiteCredentials].seller)


async def renew(session: Session, name: str, old: Token | None) -> Token:
    """A new one, in place of whatever there was."""
    SEEN.renewed += 1
    return Token(value=SecretStr(f"token-{SEEN.renewed}"), expires=session.clock.now() + timedelta(hours=1))


async def pull_together(asked: Mapping[str, tuple[Session, At]]) -> Mapping[str, Page[At]]:
    """One poll for all sites; each gets its own orders."""
    SEEN.polls.append(tuple(sorted(asked)))
    first = next(iter(asked.values()))[0]
    answer = await first.http.send("orders", "GET", f"{first[SiteCredentials].url}/orders")
    found: dict[str, list[str]] = msgspec.json.decode(answer.content)
    return {
        site: Page(cursor=At(cursor.polls + 1), records=[Order(id=one, number=one) for one in found.get(site, [])])
        for site, (_, cursor) in asked.items()
    }


def _sign(session: Session, ask: Ask, token: Token | None) -> Mapping[str, str]:
    return {} if token is None else {"authorization": f"Bearer {token.value.get_secret_value()}"}


def _judge(answer: Answer) -> None:
    judge(answer)


def _origins(session: Session) -> Sequence[str]:
    return [session[SiteCredentials].url]


@hookimpl
def credential_schema() -> type[Credentials]:
    """Seller and site."""
    return SiteCredentials


@hookimpl
def authorization_flow() -> AuthorizationFlow:
    """Client credentials."""
    return AuthorizationFlow(check=check, renew=renew)


@hookimpl
def settings_pages() -> Sequence[SettingsPage]:
    """None."""
    return []


@hookimpl
def remote_api() -> RemoteApi:
    """Four requests at once, then one in ten seconds, whatever site asks."""
    return RemoteApi(sign=_sign, judge=_judge, origins=_origins, limits=[Limit(name="seller", rate=0.1, burst=4)])


@hookimpl
def sync_streams() -> Streams:
    """Orders of all sites."""
    return [PullStream(name="orders", yields=(Order,), cursor=At, pull_together=pull_together)]
