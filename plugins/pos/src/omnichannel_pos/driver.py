"""The POS driver: what it declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from omnichannel_core.driver import AuthorizationFlow, Callbacks, Credentials, SettingsPage, Streams, hookimpl
from omnichannel_pos.authorization import CALLBACKS, FLOW
from omnichannel_pos.credentials import PosCredentials
from omnichannel_pos.sync.data_model import DATA_MODEL
from omnichannel_pos.sync.outgoing import OFFERS, PRICES, STOCK
from omnichannel_pos.sync.receipts import RECEIPTS


@hookimpl
def credential_schema() -> type[Credentials]:
    """Nothing to type."""
    return PosCredentials


@hookimpl
def authorization_flow() -> AuthorizationFlow:
    """Made with a store."""
    return FLOW


@hookimpl
def settings_pages() -> Sequence[SettingsPage]:
    """There are no settings available."""
    return ()


@hookimpl
def sync_streams() -> Streams:
    """The data model first."""
    return (DATA_MODEL, RECEIPTS, OFFERS, PRICES, STOCK)


@hookimpl
def callbacks() -> Callbacks:
    """Live receipts."""
    return CALLBACKS


@hookimpl
def not_supported() -> Mapping[str, str]:
    """What a till has no way for."""
    return {
        "shipments": "What is sold over the counter has left the store already.",
        "invoices": "The till prints its own receipts; it takes no invoices.",
        "cancellations": "Only the till itself voids a receipt.",
    }
