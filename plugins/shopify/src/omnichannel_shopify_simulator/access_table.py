"""Which access scopes a type or field needs, any one of them (specs shopify: `offline_scopes` of 2026-10)."""

from __future__ import annotations

_NEEDED: tuple[tuple[str, str], ...] = (
    (
        (
            "read_assigned_fulfillment_orders read_merchant_managed_fulfillment_orders "
            "read_third_party_fulfillment_orders"
        ),
        "FulfillmentOrderLineItem FulfillmentOrderSplitResult FulfillmentOrderSupportedAction",
    ),
    (
        (
            "read_assigned_fulfillment_orders read_merchant_managed_fulfillment_orders "
            "read_third_party_fulfillment_orders read_marketplace_fulfillment_orders"
        ),
        "FulfillmentHold FulfillmentOrder FulfillmentOrderAssignedLocation QueryRoot.fulfillmentOrders",
    ),
    (
        "read_customers",
        "Customer CustomerEmailAddress CustomerPhoneNumber",
    ),
    (
        "read_inventory",
        (
            "InventoryAdjustmentGroup InventoryChange InventoryItem.duplicateSkuCount "
            "InventoryItem.inventoryLevel InventoryItem.inventoryLevels InventoryLevel InventoryQuantity"
        ),
    ),
    (
        "read_inventory read_products",
        "InventoryItem",
    ),
    (
        "read_locations",
        (
            "Location.address Location.fulfillmentService Location.fulfillsOnlineOrders Location.isActive "
            "Location.isFulfillmentService Location.shipsInventory"
        ),
    ),
    (
        "read_locations read_inventory read_markets_home",
        "Location Location.id",
    ),
    (
        "read_locations read_markets_home",
        "Location.name",
    ),
    (
        "read_metaobject_definitions",
        "MetaobjectDefinition QueryRoot.metaobjectDefinitions",
    ),
    (
        "read_metaobjects",
        "Metaobject QueryRoot.metaobject QueryRoot.metaobjects",
    ),
    (
        "read_orders",
        "AdditionalFee Duty LineItemGroup OrderApp",
    ),
    (
        "read_orders read_marketplace_orders",
        (
            "FulfillmentLineItem LineItem OrderAdjustment OrderCancelUserError OrderTransaction "
            "QueryRoot.ordersCount Refund RefundDuty RefundLineItem RefundShippingLine "
            "SuggestedOrderTransaction SuggestedRefund"
        ),
    ),
    (
        (
            "read_orders read_marketplace_orders read_assigned_fulfillment_orders "
            "read_merchant_managed_fulfillment_orders read_third_party_fulfillment_orders "
            "read_marketplace_fulfillment_orders"
        ),
        "Fulfillment FulfillmentTrackingInfo QueryRoot.fulfillment",
    ),
    (
        "read_orders read_marketplace_orders read_quick_sale",
        "Order",
    ),
    (
        "read_orders read_quick_sale",
        "CashRoundingAdjustment",
    ),
    (
        "read_products",
        (
            "Collection LinkedMetafield PriceList PriceListPrice PriceListPriceUserError Product "
            "ProductOperation ProductOption ProductOptionValue ProductOptionsCreateUserError "
            "ProductSetOperation ProductVariant ProductVariantsBulkCreateUserError "
            "ProductVariantsBulkDeleteUserError ProductVariantsBulkUpdateUserError QueryRoot.productsCount"
        ),
    ),
    (
        "read_products read_files read_themes read_orders read_draft_orders read_images read_quick_sale",
        "Media MediaImage MediaImageOriginalSource",
    ),
    (
        "read_products read_product_listings",
        "AppCatalog",
    ),
    (
        "read_publications",
        "Product.resourcePublicationsV2 QueryRoot.publications",
    ),
    (
        "read_returns",
        "ExchangeLineItem QueryRoot.returnReasonDefinitions ReturnReasonDefinition",
    ),
    (
        "read_returns read_marketplace_returns",
        (
            "QueryRoot.return QueryRoot.reverseFulfillmentOrder RestockingFee Return ReturnLineItem "
            "ReturnLineItemType ReturnShippingFee ReverseFulfillmentOrder ReverseFulfillmentOrderDisposition "
            "ReverseFulfillmentOrderLineItem UnverifiedReturnLineItem"
        ),
    ),
    (
        (
            "write_assigned_fulfillment_orders write_merchant_managed_fulfillment_orders "
            "write_third_party_fulfillment_orders"
        ),
        "Mutation.fulfillmentCreate Mutation.fulfillmentTrackingInfoUpdate",
    ),
    (
        "write_inventory",
        "Mutation.inventoryActivate Mutation.inventoryAdjustQuantities Mutation.inventorySetQuantities",
    ),
    (
        "write_merchant_managed_fulfillment_orders write_third_party_fulfillment_orders",
        "Mutation.fulfillmentOrderHold Mutation.fulfillmentOrderMove Mutation.fulfillmentOrderSplit",
    ),
    (
        (
            "write_merchant_managed_fulfillment_orders write_third_party_fulfillment_orders "
            "write_marketplace_fulfillment_orders"
        ),
        "Mutation.fulfillmentOrderReleaseHold",
    ),
    (
        "write_orders",
        "Mutation.orderClose",
    ),
    (
        "write_orders write_marketplace_orders",
        "Mutation.orderCancel",
    ),
    (
        "write_products",
        (
            "Mutation.priceListFixedPricesAdd Mutation.productDelete Mutation.productOptionsCreate "
            "Mutation.productSet Mutation.productUpdate Mutation.productVariantsBulkCreate "
            "Mutation.productVariantsBulkDelete Mutation.productVariantsBulkUpdate"
        ),
    ),
    (
        "write_publications",
        "Mutation.publishablePublish",
    ),
    (
        "write_returns write_marketplace_returns",
        (
            "Mutation.returnApproveRequest Mutation.returnCancel Mutation.returnClose "
            "Mutation.returnDeclineRequest Mutation.returnProcess Mutation.returnRequest"
        ),
    ),
)

NEEDED: dict[str, frozenset[str]] = {
    name: frozenset(scopes.split()) for scopes, names in _NEEDED for name in names.split()
}
"""`Type` or `Type.field` -> scopes; a writing one brings its reading one along."""
