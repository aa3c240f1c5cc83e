"""The Shopify driver: what it declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
from omnichannel_shopify.api import API
from omnichannel_shopify.authorization import FLOW
from omnichannel_shopify.callbacks import CALLBACKS
from omnichannel_shopify.credentials import ShopifyApplication, ShopifyCredentials
from omnichannel_shopify.settings import PAGES
from omnichannel_shopify.sync.cancellations import CANCELLATIONS
from omnichannel_shopify.sync.data_model import DATA_MODEL
from omnichannel_shopify.sync.offers import OFFERS
from omnichannel_shopify.sync.orders import ORDERS
from omnichannel_shopify.sync.prices import PRICES
from omnichannel_shopify.sync.refunds import REFUNDS
from omnichannel_shopify.sync.returns import RETURNS
from omnichannel_shopify.sync.shipments import SHIPMENTS
from omnichannel_shopify.sync.stock import STOCK


@hookimpl
def credential_schema() -> type[Credentials]:
    """The shop, and one of three ways in."""
    return ShopifyCredentials


@hookimpl
def application_schema() -> type[Application]:
    """The vendor's app."""
    return ShopifyApplication


@hookimpl
def authorization_flow() -> AuthorizationFlow:
    """Out to Shopify and back, begun there, or typed."""
    return FLOW


@hookimpl
def settings_pages() -> Sequence[SettingsPage]:
    """Order filters, offers, stock, shipping."""
    return PAGES


@hookimpl
def sync_streams() -> Streams:
    """The data model first."""
    return (DATA_MODEL, ORDERS, RETURNS, OFFERS, PRICES, STOCK, SHIPMENTS, CANCELLATIONS, REFUNDS)


@hookimpl
def remote_api() -> RemoteApi:
    """Header, judgement in layers, origin, the cost bucket."""
    return API


@hookimpl
def callbacks() -> Callbacks:
    """Installs, visits and webhooks."""
    return CALLBACKS


@hookimpl
def not_supported() -> Mapping[str, str]:
    """What Shopify has no API for."""
    return {"invoices": "Shopify keeps no invoices of others: it has neither an object nor an upload for them."}
