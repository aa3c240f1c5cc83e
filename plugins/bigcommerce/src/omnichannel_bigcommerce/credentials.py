"""What proves who we are: the two fields of a connection, and the vendor's application."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, SecretStr, field_validator

from omnichannel_core.driver import Application, Credentials

STORE_HASH = re.compile(r"stores/([^/?#\s]+)")


class BigCommerceCredentials(Credentials):
    """Typed by hand or brought by the install: the same two fields."""

    store_hash: Annotated[
        str,
        Field(
            title="Store hash",
            description="The part after stores/ in the API path; the whole path may be pasted.",
            pattern=r"^[a-z0-9]{4,32}$",
        ),
    ]
    access_token: Annotated[
        SecretStr,
        Field(
            title="Access token",
            description="Of a store-level API account; filled in by itself when the app is installed at BigCommerce.",
            min_length=1,
        ),
    ]

    @field_validator("store_hash", mode="before")
    @classmethod
    def _pasted(cls, typed: object) -> object:
        """`stores/{hash}` and whole API paths are taken too (guide bigcommerce-and-shopify 1.2)."""
        if not isinstance(typed, str):
            return typed
        found = STORE_HASH.search(typed)
        return (found.group(1) if found else typed).strip()

    @field_validator("access_token", mode="after")
    @classmethod
    def _trimmed(cls, typed: SecretStr) -> SecretStr:
        return SecretStr(typed.get_secret_value().strip())

    def remote_account(self) -> str:
        """The store hash: connections to one store share its quota."""
        return self.store_hash


class BigCommerceApplication(Application):
    """The vendor's app, as registered in the developer portal."""

    client_id: Annotated[str, Field(title="Client id")]
    client_secrets: Annotated[
        tuple[SecretStr, ...], Field(title="Client secrets", description="The newest first.", min_length=1)
    ]
    scopes: Annotated[
        frozenset[str], Field(title="Scopes", description="As registered; an install that grants less is refused.")
    ] = frozenset()
    app_id: Annotated[
        str, Field(title="App id", description="What the app writes into external_source of orders it creates.")
    ] = ""
    auth_callback: Annotated[
        str, Field(title="Auth callback", description="Exactly as registered; empty is this host's own address.")
    ] = ""
