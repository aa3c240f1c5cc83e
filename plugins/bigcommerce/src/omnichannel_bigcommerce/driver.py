"""The BigCommerce driver: what it declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from omnichannel_bigcommerce.api import API
from omnichannel_bigcommerce.authorization import CALLBACKS, FLOW
from omnichannel_bigcommerce.credentials import BigCommerceApplication, BigCommerceCredentials
from omnichannel_bigcommerce.settings import PAGES
from omnichannel_bigcommerce.sync.cancellations import CANCELLATIONS
from omnichannel_bigcommerce.sync.data_model import DATA_MODEL
from omnichannel_bigcommerce.sync.offers import OFFERS
from omnichannel_bigcommerce.sync.orders import ORDERS
from omnichannel_bigcommerce.sync.prices import PRICES
from omnichannel_bigcommerce.sync.returns import RETURNS
from omnichannel_bigcommerce.sync.shipments import SHIPMENTS
from omnichannel_bigcommerce.sync.stock import STOCK
from omnichannel_core.driver import (
    Application,
    AuthorizationFlow,
    Callbacks,
    Credentials,
    RemoteApi,
    SettingsPage,
    Streams,
    hookimpl,
)  # fmt: skip


@hookimpl
def credential_schema() -> type[Credentials]:
    """Store hash and access token."""
    return BigCommerceCredentials


@hookimpl
def application_schema() -> type[Application]:
    """The vendor's app."""
    return BigCommerceApplication


@hookimpl
def authorization_flow() -> AuthorizationFlow:
    """Typed by hand, or begun at BigCommerce (see `callbacks`)."""
    return FLOW


@hookimpl
def settings_pages() -> Sequence[SettingsPage]:
    """Variant option type, order filters, offers."""
    return PAGES


@hookimpl
def sync_streams() -> Streams:
    """The data model first."""
    return (DATA_MODEL, ORDERS, RETURNS, OFFERS, PRICES, STOCK, SHIPMENTS, CANCELLATIONS)


@hookimpl
def remote_api() -> RemoteApi:
    """Header, judgement, origin, the store's quota."""
    return API


@hookimpl
def callbacks() -> Callbacks:
    """Install, load, uninstall, remove user, and webhooks."""
    return CALLBACKS


@hookimpl
def not_supported() -> Mapping[str, str]:
    """What BigCommerce has no API for."""
    return {
        "invoices": "BigCommerce has no API for invoices: it only prints its own from a template in the control panel."
    }
