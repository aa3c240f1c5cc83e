"""What a store is: time, profile, currencies, tax classes, payment methods, shipping, channels
(store_information.v2.yml, ...).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from omnichannel_bigcommerce_simulator.answers import Answer, Call, data, empty, reply
from omnichannel_bigcommerce_simulator.dates import iso, rfc2822
from omnichannel_bigcommerce_simulator.errors import Refused, invalid, not_found
from omnichannel_bigcommerce_simulator.paging import v2_list, v3_list
from omnichannel_bigcommerce_simulator.routing import Routes
from omnichannel_bigcommerce_simulator.store import Store

Row = dict[str, Any]
routes = Routes()
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "AUD": "$"}


def furnish(store: Store) -> None:
    """The lists a new store comes with."""
    from omnichannel_bigcommerce_simulator.inventory import location_row

    now, options = store.clock.now(), store.options
    store.locations[1] = location_row(1, {}, options.timezone, now)
    second = {"code": "WAREHOUSE", "label": "Warehouse", "storefront_visibility": False}
    store.locations[2] = location_row(2, second, options.timezone, now)
    store.channels[1] = channel_row(1, {"name": options.name, "type": "storefront", "platform": "bigcommerce"}, now)
    store.channels[2] = channel_row(2, {"name": "Point of sale", "type": "pos", "platform": "square"}, now)
    store.currencies += [
        currency_row(1, options.currency, "1.0000000000", default=True, now=now),
        currency_row(2, store.foreign, f"{store.exchange:.10f}", default=False, now=now),
    ]
    for number, name in enumerate(("Default Tax Class", "Non-Taxable Products", "Shipping", "Gift Wrapping")):
        store.tax_classes.append(
            {"id": str(number), "name": name, "created_at": rfc2822(now), "updated_at": rfc2822(now)}
        )


def currency_row(number: int, code: str, rate: str, *, default: bool, now: float) -> Row:
    return {
        "id": number,
        "is_default": default,
        "last_updated": rfc2822(now),
        "country_iso2": "US",
        "default_for_country_codes": ["USA"] if default else [],
        "currency_code": code,
        "currency_exchange_rate": rate,
        "name": {"USD": "US Dollar", "EUR": "Euro"}.get(code, code),
        "token": SYMBOLS.get(code, code),
        "auto_update": False,
        "token_location": "left",
        "decimal_token": ".",
        "thousands_token": ",",
        "decimal_places": 2,
        "enabled": True,
        "is_transactional": True,
        "use_default_name": True,
    }


def channel_row(number: int, words: Row, now: float) -> Row:
    return {
        "id": number,
        "external_id": words.get("external_id", ""),
        "is_listable_from_ui": bool(words.get("is_listable_from_ui", True)),
        "is_enabled": True,
        "is_visible": bool(words.get("is_visible", True)),
        "status": words.get("status", "active"),
        "name": words["name"],
        "type": words["type"],
        "platform": words["platform"],
        "date_created": iso(now),
        "date_modified": iso(now),
        "icon_url": "",
    }


@routes.get("/v2/time", "information")
def get_time(call: Call) -> Answer:
    return reply({"time": int(call.now)})


@routes.get("/v2/store", "information")
def get_store(call: Call) -> Answer:
    """The profile; `id` is the hash, `store_id` the number of webhook payloads (guide 1.6)."""
    store, options = call.store, call.store.options
    domain = f"{store.hash}.mybigcommerce.com"
    return reply(
        {
            "id": store.hash,
            "account_uuid": store.account_uuid,
            "domain": domain,
            "secure_url": f"https://{domain}",
            "control_panel_base_url": f"https://store-{store.hash}.mybigcommerce.com",
            "status": store.status,
            "name": options.name,
            "first_name": "Ada",
            "last_name": "Owner",
            "address": "1 Market Street",
            "country": "United States",
            "country_code": "US",
            "infrastructure_region": "us-central1",
            "phone": "5125550100",
            "admin_email": store.owner_email,
            "order_email": store.owner_email,
            "favicon_url": "",
            "timezone": _timezone(options.timezone, call.now),
            "language": "en",
            **_money(options.currency),
            **_units(),
            "plan_name": {150: "Store Plus", 450: "Store Pro"}.get(options.quota, "Store Enterprise"),
            "plan_level": {150: "Plus", 450: "Pro"}.get(options.quota, "Enterprise"),
            "plan_is_trial": False,
            "industry": "Other",
            "logo": [],
            "is_price_entered_with_tax": options.tax_inclusive,
            "store_id": store.number,
            "default_channel_id": 1,
            "default_site_id": 1000,
            "active_comparison_modules": [],
            "features": _features(),
        }
    )


def _timezone(name: str, now: float) -> Row:
    at = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(name))
    whole, saving = at.utcoffset(), at.dst()
    offset = int(whole.total_seconds()) if whole else 0
    correction = int(saving.total_seconds()) if saving else 0
    return {
        "name": name,
        "raw_offset": offset - correction,
        "dst_offset": offset - correction + 3600,
        "dst_correction": bool(correction),
        "date_format": {"display": "M jS Y", "export": "M jS Y", "extended_display": "M jS Y @ g:i A"},
    }


def _money(currency: str) -> Row:
    return {
        "currency": currency,
        "currency_symbol": SYMBOLS.get(currency, currency),
        "decimal_separator": ".",
        "thousands_separator": ",",
        "decimal_places": 2,
        "currency_symbol_location": "left",
    }


def _units() -> Row:
    return {
        "weight_units": "Ounces",
        "dimension_units": "Inches",
        "dimension_decimal_places": 2,
        "dimension_decimal_token": ".",
        "dimension_thousands_token": ",",
    }


def _features() -> Row:
    return {
        "stencil_enabled": True,
        "sitewidehttps_enabled": True,
        "facebook_catalog_id": "",
        "checkout_type": "optimized",
        "wishlists_enabled": True,
        "graphql_storefront_api_enabled": True,
        "shopper_consent_tracking_enabled": False,
        "multi_storefront_enabled": True,
        "storefront_limits": {"active": 3, "total_including_inactive": 10},
    }


@routes.get("/v2/currencies", "information")
def list_currencies(call: Call) -> Answer:
    return v2_list(call, call.store.currencies)


@routes.get("/v2/currencies/{id}", "information")
def get_currency(call: Call) -> Answer:
    row = next((row for row in call.store.currencies if row["id"] == call.id()), None)
    if row is None:
        raise not_found()
    return reply(row)


@routes.get("/v2/tax_classes", "information")
def list_tax_classes(call: Call) -> Answer:
    return v2_list(call, call.store.tax_classes)


@routes.get("/v2/tax_classes/{id}", "information")
def get_tax_class(call: Call) -> Answer:
    row = next((row for row in call.store.tax_classes if row["id"] == str(call.id())), None)
    if row is None:
        raise not_found()
    return reply(row)


@routes.get("/v2/payments/methods", "payments")
def list_payment_methods(call: Call) -> Answer:
    methods = (
        ("stripe", "Stripe"),
        ("paypalexpress", "PayPal"),
        ("bankdeposit", "Bank Deposit"),
        ("cod", "Cash on Delivery"),
    )
    return v2_list(call, [{"code": code, "name": name, "test_mode": False} for code, name in methods])


@routes.get("/v2/shipping/zones", "information")
def list_zones(call: Call) -> Answer:
    zone = {
        "id": 1,
        "name": "United States",
        "type": "country",
        "locations": [{"id": 1, "country_iso2": "US"}],
        "free_shipping": {"enabled": False, "minimum_sub_total": "0", "exclude_fixed_shipping_products": False},
        "handling_fees": {"fixed_surcharge": "0", "display_separately": True},
        "enabled": True,
    }
    return v2_list(call, [zone])


@routes.get("/v2/shipping/zones/{zone}/methods", "information")
def list_zone_methods(call: Call) -> Answer:
    if call.id("zone") != 1:
        raise not_found()
    settings = {"rate": 4.9}
    method = {
        "id": 1,
        "name": "Flat Rate",
        "type": "perorder",
        "settings": settings,
        "enabled": True,
        "is_fallback": False,
    }
    return v2_list(call, [method | {"handling_fees": {"fixed_surcharge": 0}}])


@routes.post("/v2/shipping/carrier/connection", "information")
def connect_carrier(call: Call) -> Answer:
    words = call.object()
    if not words.get("carrier_id") or not isinstance(words.get("connection"), dict):
        raise Refused(400, "The field 'carrier_id' is invalid.")
    return empty()


# channels


@routes.get("/v3/channels", "channels")
def list_channels(call: Call) -> Answer:
    rows = list(call.store.channels.values())
    for name in ("status", "type", "platform"):
        wanted = call.words(f"{name}:in")
        if wanted:
            rows = [row for row in rows if row[name] in wanted]
    return v3_list(call, rows, render=lambda row: _with_currencies(call, row))


def _with_currencies(call: Call, row: Row) -> Row:
    return row | {"currencies": _assigned(call, row["id"])} if "currencies" in call.words("include") else row


def _assigned(call: Call, channel: int) -> Row:
    codes = [row["currency_code"] for row in call.store.currencies]
    return {"channel_id": channel, "enabled_currencies": codes, "default_currency": codes[0]}


@routes.post("/v3/channels", "channels")
def add_channel(call: Call) -> Answer:
    words = call.object()
    wrong = {key: "error.path.missing" for key in ("name", "type", "platform") if not words.get(key)}
    if wrong:
        raise invalid(wrong)
    number = max(call.store.channels) + 1
    call.store.channels[number] = channel_row(number, words, call.now)
    call.store.hooks.emit("store/channel/created", {"type": "channel", "id": number})
    return data(call.store.channels[number])


def _channel(call: Call) -> Row:
    row = call.store.channels.get(call.id("channel"))
    if row is None:
        raise Refused(404, "Channel not found", errors={})
    return row


@routes.get("/v3/channels/{channel}", "channels")
def get_channel(call: Call) -> Answer:
    return data(_with_currencies(call, _channel(call)))


@routes.put("/v3/channels/{channel}", "channels")
def change_channel(call: Call) -> Answer:
    row, words = _channel(call), call.object()
    names = ("external_id", "is_listable_from_ui", "is_visible", "name", "status")
    row |= {key: words[key] for key in names if key in words} | {"date_modified": iso(call.now)}
    return data(row)


@routes.get("/v3/channels/currency-assignments", "channels")
def list_currency_assignments(call: Call) -> Answer:
    return data([_assigned(call, channel) for channel in call.store.channels])


@routes.get("/v3/channels/{channel}/currency-assignments", "channels")
def get_currency_assignment(call: Call) -> Answer:
    return data(_assigned(call, _channel(call)["id"]))
