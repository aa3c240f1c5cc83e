"""GraphQL of orders, and of bulk operations."""

from __future__ import annotations

BAG = "fragment Bag on MoneyBag { shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }\n"
TAX = "fragment Taxed on TaxLine { title ratePercentage priceSet { ...Bag } }\n"
ADDRESS = """
fragment Addr on MailingAddress {
  firstName lastName company address1 address2 city zip province provinceCode country countryCodeV2 phone
}
"""
HEAD = """
fragment OrderHead on Order {
  id name number confirmationNumber createdAt processedAt updatedAt closedAt cancelledAt cancelReason test edited
  displayFinancialStatus displayFulfillmentStatus returnStatus currencyCode presentmentCurrencyCode
  taxesIncluded taxExempt dutiesIncluded
  sourceName sourceIdentifier tags note poNumber email phone customerLocale discountCodes paymentGatewayNames
  app { id }
  customer { id firstName lastName defaultEmailAddress { emailAddress } defaultPhoneNumber { phoneNumber } }
  billingAddress { ...Addr }
  shippingAddress { ...Addr }
  purchasingEntity { __typename }
  currentTotalPriceSet { ...Bag } totalPriceSet { ...Bag } totalTaxSet { ...Bag } currentTotalTaxSet { ...Bag }
  totalRefundedSet { ...Bag } totalTipReceivedSet { ...Bag } totalOutstandingSet { ...Bag }
  originalTotalDutiesSet { ...Bag } currentTotalDutiesSet { ...Bag }
  additionalFees { id name price { ...Bag } taxLines { ...Taxed } }
  totalCashRoundingAdjustment { paymentSet { ...Bag } }
  customAttributes { key value }
}
"""
LINE = """
fragment Line on LineItem {
  id sku name title variantTitle vendor quantity currentQuantity refundableQuantity unfulfilledQuantity
  requiresShipping isGiftCard taxable
  product { id }
  variant { id }
  lineItemGroup { id title }
  originalUnitPriceSet { ...Bag }
  discountedTotalSet(withCodeDiscounts: true) { ...Bag }
  taxLines { ...Taxed }
  discountAllocations { allocatedAmountSet { ...Bag } }
  duties { id price { ...Bag } taxLines { ...Taxed } }
  customAttributes { key value }
}
"""
SHIPPING = """
fragment Carriage on ShippingLine {
  id title code source carrierIdentifier isRemoved
  originalPriceSet { ...Bag }
  discountedPriceSet { ...Bag }
  taxLines { ...Taxed }
}
"""
PAYMENT = """
fragment Movement on OrderTransaction {
  id kind status gateway formattedGateway paymentId processedAt test amountSet { ...Bag } parentTransaction { id }
}
"""
WHOLE = BAG + TAX + ADDRESS + HEAD + LINE + SHIPPING + PAYMENT
MORE = "pageInfo { hasNextPage endCursor }"

NEWEST = """
query NewestOrder { orders(first: 1, sortKey: UPDATED_AT, reverse: true) { nodes { id updatedAt } } }
"""
COUNT = "query OrdersCount($query: String, $limit: Int) { ordersCount(query: $query, limit: $limit) { count } }\n"
PAGE = (
    """
query OrdersPage($first: Int!, $after: String, $query: String, $sort: OrderSortKeys!, $returns: Boolean!) {
  orders(first: $first, after: $after, query: $query, sortKey: $sort) {
    nodes {
      ...OrderHead
      lineItems(first: 10) { nodes { ...Line } pageInfo { hasNextPage endCursor } }
      shippingLines(first: 2, includeRemovals: true) { nodes { ...Carriage } pageInfo { hasNextPage endCursor } }
      transactions(first: 5) { ...Movement }
      refunds(first: 1) { id }
      returns(first: 1) @include(if: $returns) { nodes { id } pageInfo { hasNextPage endCursor } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
    + WHOLE
)
ONE = (
    """
query OrderById($id: ID!, $returns: Boolean!) {
  order(id: $id) {
    ...OrderHead
    lineItems(first: 50) { nodes { ...Line } pageInfo { hasNextPage endCursor } }
    shippingLines(first: 10, includeRemovals: true) { nodes { ...Carriage } pageInfo { hasNextPage endCursor } }
    transactions(first: 50) { ...Movement }
    refunds(first: 1) { id }
    returns(first: 1) @include(if: $returns) { nodes { id } pageInfo { hasNextPage endCursor } }
  }
}
"""
    + WHOLE
)
LINES = (
    """
query OrderLines($id: ID!, $first: Int!, $after: String) {
  order(id: $id) { lineItems(first: $first, after: $after) { nodes { ...Line } pageInfo { hasNextPage endCursor } } }
}
"""
    + BAG + TAX + LINE
)  # fmt: skip
CARRIAGES = (
    """
query OrderShipping($id: ID!, $first: Int!, $after: String) {
  order(id: $id) {
    shippingLines(first: $first, after: $after, includeRemovals: true) {
      nodes { ...Carriage } pageInfo { hasNextPage endCursor }
    }
  }
}
"""
    + BAG + TAX + SHIPPING
)  # fmt: skip
MOVEMENTS = (
    "query OrderTransactions($id: ID!, $first: Int!)"
    " { order(id: $id) { transactions(first: $first) { ...Movement } } }\n"
    + BAG + PAYMENT
)  # fmt: skip
BULK_RUN = """
mutation BulkRun($query: String!) {
  bulkOperationRunQuery(query: $query, groupObjects: false) {
    bulkOperation { id status } userErrors { field message code }
  }
}
"""
BULK_POLL = """
query BulkPoll($id: ID!) {
  bulkOperation(id: $id) { id status errorCode objectCount rootObjectCount url createdAt }
}
"""
BULK_LIST = """
query BulkList($first: Int!, $after: String, $query: String) {
  bulkOperations(first: $first, after: $after, query: $query) {
    nodes { id status query } pageInfo { hasNextPage endCursor }
  }
}
"""
BULK_CANCEL = """
mutation BulkCancel($id: ID!) {
  bulkOperationCancel(id: $id) { bulkOperation { id status } userErrors { field message } }
}
"""
BULK_ORDERS = (
    """
{
  orders(query: "%s", sortKey: ID) {
    edges {
      node {
        __typename
        ...OrderHead
        lineItems { edges { node { __typename ...Line } } }
        shippingLines(includeRemovals: true) { edges { node { __typename ...Carriage } } }
        transactions { ...Movement }
        refunds { id }
        %s
      }
    }
  }
}
"""
    + WHOLE
)
"""What a bulk operation runs, for a search and `BULK_RETURNS`: four connections, one level deep (of five and two)."""

BULK_RETURNS = "returns { edges { node { __typename id } } }"

TEXTS = (NEWEST, COUNT, PAGE, ONE, LINES, CARRIAGES, MOVEMENTS, BULK_RUN, BULK_POLL, BULK_LIST, BULK_CANCEL)
