"""What an account types."""

from __future__ import annotations

from typing import Annotated

from pydantic import SecretStr

from omnichannel_core.driver import Credentials, Settings, Ui


class EchoCredentials(Credentials):
    """A shop and its secret."""

    shop: Annotated[str, Ui(fixed=True)]
    secret: SecretStr

    def remote_account(self) -> str:
        """The shop is the account."""
        return self.shop


class EchoImport(Settings):
    """Which orders come in."""

    above: int = 0
    status: Annotated[str | None, Ui(options="statuses")] = None
