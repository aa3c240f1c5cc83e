"""What proves who we are: the shop, one of three ways in, and the vendor's application (guide 2.2)."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from omnichannel_core.driver import Application, Credentials, Locked

SHOP = re.compile(r"[a-z0-9][a-z0-9-]*\.myshopify\.com")
ADMIN = re.compile(r"admin\.shopify\.com/store/([^/?#\s]+)")


def shop_of(typed: str) -> str:
    """Any spelling of a shop's address as `name.myshopify.com`; what is none comes back as it is.

    Bare name, domain, any page below it, and the address of the admin (`admin.shopify.com/store/NAME/...`).
    """
    text = typed.strip().lower()
    admin = ADMIN.search(text)
    if admin:
        return f"{admin.group(1)}.myshopify.com"
    host = re.split(r"[/?#]", re.sub(r"^[a-z]+://", "", text), maxsplit=1)[0].rstrip(".").removesuffix(":443")
    return f"{host}.myshopify.com" if host and "." not in host else host


def trimmed(typed: object) -> object:
    """What was pasted, without the blanks and line ends around it."""
    if isinstance(typed, SecretStr):
        return SecretStr(typed.get_secret_value().strip())
    if isinstance(typed, list | tuple):
        return [trimmed(one) for one in typed]
    return typed.strip() if isinstance(typed, str) else typed


class Part(BaseModel):
    """One way in."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @field_validator("client_id", "client_secret", "access_token", "api_secret", mode="before", check_fields=False)
    @classmethod
    def _trimmed(cls, typed: object) -> object:
        return trimmed(typed)


class Install(Part):
    """The vendor's app is installed in the shop: AUTHORIZE brings the token."""

    model_config = ConfigDict(title="The vendor's app")
    way: Literal["install"] = "install"
    access_token: Annotated[Locked, Field(title="Access token", description="Filled by AUTHORIZE.")] = None


class Organization(Part):
    """An app of the merchant's own organization (Dev Dashboard): client credentials for a token of 24 hours."""

    model_config = ConfigDict(title="App of the own organization")
    way: Literal["organization"]
    client_id: Annotated[str, Field(title="Client id", min_length=1)]
    client_secret: Annotated[SecretStr, Field(title="Client secret", min_length=1)]


class StaticToken(Part):
    """A token of an admin-created app from before 2026; new ones cannot be made any more."""

    model_config = ConfigDict(title="Token of an older app")
    way: Literal["token"]
    access_token: Annotated[SecretStr, Field(title="Access token", description="Begins with shpat_.", min_length=1)]
    api_secret: Annotated[
        SecretStr | None,
        Field(title="API secret key", description="Proves webhooks; without it changes are found by asking."),
    ] = None

    @field_validator("access_token", mode="after")
    @classmethod
    def _fits_a_header(cls, typed: SecretStr) -> SecretStr:
        text = typed.get_secret_value()
        if not (text.isascii() and text.isprintable() and " " not in text):
            raise ValueError("this holds characters that no token has: copy it again")
        return typed


class ShopifyCredentials(Credentials):
    """The shop, and the way in."""

    shop: Annotated[
        str,
        Field(
            title="Shop URL",
            description="name.myshopify.com; the address of any page of the shop's admin may be pasted.",
            pattern=r"^[a-z0-9][a-z0-9\-]*\.myshopify\.com$",
        ),
    ]
    access: Annotated[Install | Organization | StaticToken, Field(title="Access", discriminator="way")] = Install()

    @field_validator("shop", mode="before")
    @classmethod
    def _any_spelling(cls, typed: object) -> object:
        return shop_of(typed) if isinstance(typed, str) else typed

    def remote_account(self) -> str:
        """The shop: connections to it share token and limits."""
        return self.shop


class ShopifyApplication(Application):
    """The vendor's app, as registered in the Partner or Dev Dashboard."""

    client_id: Annotated[str, Field(title="Client id", min_length=1)]
    client_secrets: Annotated[
        tuple[SecretStr, ...],
        Field(title="Client secrets", description="The newest first; Shopify signs with the oldest one that is valid.",
              min_length=1),
    ]  # fmt: skip
    scopes: Annotated[
        frozenset[str],
        Field(title="Scopes", description="Asked for on AUTHORIZE; none when they are kept in the app's own settings."),
    ] = frozenset()

    @field_validator("client_id", "client_secrets", mode="before")
    @classmethod
    def _trimmed(cls, typed: object) -> object:
        return trimmed(typed)
