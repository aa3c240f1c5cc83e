"""The Amazon driver: what it declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from omnichannel_amazon.api import API
from omnichannel_amazon.authorization import FLOW
from omnichannel_amazon.credentials import AmazonApplication, AmazonCredentials
from omnichannel_amazon.settings import PAGES
from omnichannel_amazon.sync.cancellations import CANCELLATIONS
from omnichannel_amazon.sync.data_model import DATA_MODEL, PRODUCT_TYPES
from omnichannel_amazon.sync.fba import FBA
from omnichannel_amazon.sync.invoice_data import INVOICE_DATA
from omnichannel_amazon.sync.invoices import INVOICES
from omnichannel_amazon.sync.offers import OFFERS
from omnichannel_amazon.sync.orders import ORDERS
from omnichannel_amazon.sync.prices import PRICES
from omnichannel_amazon.sync.returns import RETURNS
from omnichannel_amazon.sync.shipments import SHIPMENTS
from omnichannel_amazon.sync.stock import STOCK
from omnichannel_core.driver import (
    Application,
    AuthorizationFlow,
    Credentials,
    RemoteApi,
    SettingsPage,
    Streams,
    hookimpl,
)  # fmt: skip


@hookimpl
def credential_schema() -> type[Credentials]:
    """Seller ID and marketplace; the token comes by AUTHORIZE."""
    return AmazonCredentials


@hookimpl
def application_schema() -> type[Application]:
    """The vendor's app."""
    return AmazonApplication


@hookimpl
def authorization_flow() -> AuthorizationFlow:
    """Login with Amazon, out and back."""
    return FLOW


@hookimpl
def settings_pages() -> Sequence[SettingsPage]:
    """Offers, order import, order export, shipping providers."""
    return PAGES


@hookimpl
def sync_streams() -> Streams:
    """The data model first."""
    return (
        DATA_MODEL, ORDERS, FBA, RETURNS, INVOICE_DATA, PRODUCT_TYPES,
        OFFERS, STOCK, PRICES, SHIPMENTS, CANCELLATIONS, INVOICES,
    )  # fmt: skip


@hookimpl
def remote_api() -> RemoteApi:
    """Header, judgement, the region's host, a bucket per operation."""
    return API


@hookimpl
def not_supported() -> Mapping[str, str]:
    """What Amazon has no API for."""
    return {"labels": "Labels of Prime by Merchant orders are bought at Amazon, which confirms the shipment itself."}
