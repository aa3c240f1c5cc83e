"""GraphQL of orders and what comes with them: returns, refunds, bulk operations."""

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
  taxesIncluded taxExempt dutiesIncluded subtotalLineItemsQuantity
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
RETURN = """
fragment Ret on Return {
  id name status createdAt closedAt totalQuantity
  order { id name updatedAt }
  returnShippingFees { id amountSet { ...Bag } }
  exchangeLineItems(first: 10) {
    nodes { id quantity variantId lineItems { sku title } } pageInfo { hasNextPage endCursor }
  }
  reverseFulfillmentOrders(first: 5) {
    nodes {
      id status
      lineItems(first: 30) {
        nodes {
          id totalQuantity
          fulfillmentLineItem { id lineItem { id } }
          dispositions { id type quantity location { id } }
        }
        pageInfo { hasNextPage endCursor }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
  returnLineItems(first: 30) { nodes { ...RetLine } pageInfo { hasNextPage endCursor } }
  refunds(first: 10) { nodes { id } pageInfo { hasNextPage endCursor } }
}
"""
RETURN_LINE = """
fragment RetLine on ReturnLineItemType {
  __typename id quantity refundableQuantity refundedQuantity customerNote returnReasonNote
  returnReasonDefinition { handle name }
  ... on ReturnLineItem {
    fulfillmentLineItem { id lineItem { id } }
    withCodeDiscountedTotalPriceSet { ...Bag }
    restockingFee { id amountSet { ...Bag } }
  }
  ... on UnverifiedReturnLineItem { unitPrice { amount currencyCode } }
}
"""
REFUND_LINE = """
fragment Back on RefundLineItem {
  id quantity restockType location { id } lineItem { id } subtotalSet { ...Bag } totalTaxSet { ...Bag }
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
REFUNDS = (
    """
query OrderRefunds($id: ID!, $first: Int!) {
  order(id: $id) {
    id name updatedAt
    refunds(first: $first) {
      id createdAt updatedAt note
      return { id }
      totalRefundedSet { ...Bag }
      duties { amountSet { ...Bag } }
      refundLineItems(first: 20) { nodes { ...Back } pageInfo { hasNextPage endCursor } }
      refundShippingLines(first: 3) {
        nodes { id subtotalAmountSet { ...Bag } taxAmountSet { ...Bag } } pageInfo { hasNextPage endCursor }
      }
      orderAdjustments(first: 3) {
        nodes { id reason amountSet { ...Bag } taxAmountSet { ...Bag } } pageInfo { hasNextPage endCursor }
      }
      transactions(first: 5) { nodes { ...Movement } pageInfo { hasNextPage endCursor } }
    }
  }
}
"""
    + BAG + REFUND_LINE + PAYMENT
)  # fmt: skip
REFUND_ORDER = "query RefundOrder($id: ID!) { node(id: $id) { ... on Refund { order { id updatedAt } } } }\n"
REFUND_LINES = (
    """
query RefundLines($id: ID!, $first: Int!, $after: String) {
  node(id: $id) {
    ... on Refund {
      refundLineItems(first: $first, after: $after) { nodes { ...Back } pageInfo { hasNextPage endCursor } }
    }
  }
}
"""
    + BAG + REFUND_LINE
)  # fmt: skip
RETURNS = (
    """
query OrderReturns($id: ID!, $first: Int!, $after: String) {
  order(id: $id) {
    returns(first: $first, after: $after) { nodes { ...Ret } pageInfo { hasNextPage endCursor } }
  }
}
"""
    + BAG + RETURN + RETURN_LINE
)  # fmt: skip
RETURN_BY_ID = "query ReturnById($id: ID!) { return(id: $id) { ...Ret } }\n" + BAG + RETURN + RETURN_LINE
RETURN_LINES = (
    """
query ReturnLines($id: ID!, $first: Int!, $after: String) {
  return(id: $id) {
    returnLineItems(first: $first, after: $after) { nodes { ...RetLine } pageInfo { hasNextPage endCursor } }
  }
}
"""
    + BAG + RETURN_LINE
)  # fmt: skip
REVERSE = """
query ReverseLines($id: ID!, $first: Int!, $after: String) {
  reverseFulfillmentOrder(id: $id) {
    lineItems(first: $first, after: $after) {
      nodes {
        id totalQuantity
        fulfillmentLineItem { id lineItem { id } }
        dispositions { id type quantity location { id } }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""
OPEN_RETURNS = """
query OrdersWithReturns($first: Int!, $after: String, $query: String) {
  orders(first: $first, after: $after, query: $query, sortKey: ID) {
    nodes { id updatedAt } pageInfo { hasNextPage endCursor }
  }
}
"""
BULK_RUN = """
mutation BulkRun($query: String!) {
  bulkOperationRunQuery(query: $query, groupObjects: false) {
    bulkOperation { id status } userErrors { field message code }
  }
}
"""
BULK_POLL = """
query BulkPoll($id: ID!) {
  bulkOperation(id: $id) { id status errorCode objectCount rootObjectCount url partialDataUrl createdAt }
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

TEXTS = (
    NEWEST, COUNT, PAGE, ONE, LINES, CARRIAGES, MOVEMENTS, REFUNDS, REFUND_ORDER, REFUND_LINES, RETURNS, RETURN_BY_ID,
    RETURN_LINES, REVERSE, OPEN_RETURNS, BULK_RUN, BULK_POLL, BULK_LIST, BULK_CANCEL,
)  # fmt: skip
