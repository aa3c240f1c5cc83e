"""What proves who we are: the fields of a connection, and the vendor's application."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator

from omnichannel_amazon.marketplaces import MARKETPLACES, by_region
from omnichannel_core.driver import Application, Credentials, Locked, Ui


class AmazonCredentials(Credentials):
    """One connection per marketplace; connections of one seller and region share one grant."""

    seller_id: Annotated[
        str,
        Field(
            title="Seller ID",
            description="Your merchant token as shown in Seller Central; left empty, AUTHORIZE fills it in.",
            pattern=r"^[A-Z0-9]{0,30}$",
        ),
    ] = ""
    access_token: Annotated[
        Locked, Field(title="Access token", description="Filled in by AUTHORIZE; it cannot be typed.")
    ] = None
    marketplace: Annotated[
        Literal[tuple(MARKETPLACES)],  # type: ignore[valid-type]
        Field(title="Amazon marketplace", json_schema_extra={"oneOf": by_region()}),
        Ui(fixed=True),
    ]
    own_refresh_token: Annotated[
        SecretStr | None,
        Field(
            title="Refresh token of a private app",
            description="Only for an app that you authorized yourself in Seller Central, instead of AUTHORIZE.",
        ),
    ] = None

    @field_validator("seller_id", mode="before")
    @classmethod
    def _trimmed(cls, typed: object) -> object:
        return typed.strip().upper() if isinstance(typed, str) else typed

    @property
    def region(self) -> str:
        """`eu`, `na` or `fe`: where tokens of this grant work (guide amazon 1.2)."""
        return MARKETPLACES[self.marketplace].region

    def remote_account(self) -> str:
        """Region and seller: they share tokens, limits and one order poll. '' while the seller is not known."""
        return f"{self.region}/{self.seller_id}" if self.seller_id else ""

    def channel(self) -> str:
        """The marketplace."""
        return str(self.marketplace)


class AmazonApplication(Application):
    """The vendor's app, as registered in the Solution Provider Portal."""

    application_id: Annotated[str, Field(title="Application id", description="amzn1.sellerapps.app...", min_length=1)]
    client_id: Annotated[str, Field(title="LWA client id", min_length=1)]
    client_secrets: Annotated[
        tuple[SecretStr, ...],
        Field(title="LWA client secrets", description="Newest first; an older one until it ends.", min_length=1),
    ]
    secret_expires: Annotated[
        datetime | None,
        Field(title="Client secret ends on", description="180 days after it was made; announced before."),
    ] = None
    draft: Annotated[bool, Field(title="Draft app", description="Not published: authorized as a beta version.")] = False
