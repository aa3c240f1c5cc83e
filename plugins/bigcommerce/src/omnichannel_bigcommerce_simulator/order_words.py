"""The fixed words of orders: statuses, their labels, who may write which field (orders.v2.oas2.yml, guide 1.10)."""

from __future__ import annotations

STATUSES: dict[int, tuple[str, int]] = {
    0: ("Incomplete", 0),
    1: ("Pending", 1),
    2: ("Shipped", 8),
    3: ("Partially Shipped", 6),
    4: ("Refunded", 11),
    5: ("Cancelled", 9),
    6: ("Declined", 10),
    7: ("Awaiting Payment", 2),
    8: ("Awaiting Pickup", 5),
    9: ("Awaiting Shipment", 4),
    10: ("Completed", 7),
    11: ("Awaiting Fulfillment", 3),
    12: ("Manual Verification Required", 13),
    13: ("Disputed", 12),
    14: ("Partially Refunded", 14),
}
"""Status id -> (system label, order in the panel)."""

PAID = frozenset({2, 3, 8, 9, 10, 11})

PAYMENT_STATUS = {0: "", 1: "pending", 4: "refunded", 5: "void", 6: "declined", 7: "pending", 12: "held for review"}
"""Payment status by order status where it is not `captured` or `partially refunded`."""

WRITABLE = frozenset(
    [
        "base_handling_cost",
        "base_shipping_cost",
        "base_wrapping_cost",
        "billing_address",
        "channel_id",
        "consignments",
        "customer_id",
        "customer_message",
        "date_created",
        "default_currency_code",
        "discount_amount",
        "order_source",
        "ebay_order_id",
        "external_id",
        "external_merchant_id",
        "external_source",
        "external_order_id",
        "geoip_country",
        "geoip_country_iso2",
        "handling_cost_ex_tax",
        "handling_cost_inc_tax",
        "ip_address",
        "ip_address_v6",
        "items_shipped",
        "order_is_digital",
        "payment_method",
        "payment_provider_id",
        "products",
        "refunded_amount",
        "shipping_addresses",
        "shipping_cost_ex_tax",
        "shipping_cost_inc_tax",
        "staff_notes",
        "status_id",
        "subtotal_ex_tax",
        "subtotal_inc_tax",
        "tax_provider_id",
        "customer_locale",
        "total_ex_tax",
        "total_inc_tax",
        "wrapping_cost_ex_tax",
        "wrapping_cost_inc_tax",
        "fees",
        "is_deleted",
        "is_email_opt_in",
        "credit_card_type",
    ]
)
"""Fields of PUT and POST; any other field is refused with 400 (bigcommerce-api-php#102)."""

PROVIDERS = frozenset(
    {
        "auspost",
        "canadapost",
        "endicia",
        "usps",
        "fedex",
        "ups",
        "upsready",
        "upsonline",
        "shipperhq",
        "royalmail",
        "",
    }
)
PROVIDER_NAMES = {
    "auspost": "Australia Post",
    "canadapost": "Canada Post",
    "endicia": "Endicia",
    "usps": "USPS",
    "fedex": "FedEx",
    "ups": "UPS",
    "upsready": "UPS Ready",
    "upsonline": "UPS Online",
    "shipperhq": "ShipperHQ",
    "royalmail": "Royal Mail",
    "": "",
}
