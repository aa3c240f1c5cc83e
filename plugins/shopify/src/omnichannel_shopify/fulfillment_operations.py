"""GraphQL of what is told about orders: shipments, cancellations, refunds."""

from __future__ import annotations

FULFILLMENT_ORDER = """
fragment Fulfill on FulfillmentOrder {
  id status requestStatus
  assignedLocation { name location { id } }
  supportedActions { action }
  fulfillmentHolds { id reason displayReason }
  lineItems(first: 50) {
    nodes { id totalQuantity remainingQuantity lineItem { id } } pageInfo { hasNextPage endCursor }
  }
}
"""
FULFILLMENT_ORDERS = (
    """
query FulfillmentOrders($id: ID!, $first: Int!, $after: String) {
  order(id: $id) {
    id cancelledAt
    fulfillmentOrders(first: $first, after: $after) { nodes { ...Fulfill } pageInfo { hasNextPage endCursor } }
  }
}
"""
    + FULFILLMENT_ORDER
)
FULFILLMENT_ORDER_LINES = """
query FulfillmentOrderLines($id: ID!, $first: Int!, $after: String) {
  fulfillmentOrder(id: $id) {
    lineItems(first: $first, after: $after) {
      nodes { id totalQuantity remainingQuantity lineItem { id } } pageInfo { hasNextPage endCursor }
    }
  }
}
"""
FULFILLMENTS = """
query Fulfillments($id: ID!, $first: Int!) {
  order(id: $id) {
    id cancelledAt
    fulfillments(first: $first) {
      id status createdAt
      trackingInfo(first: 10) { company number url }
      fulfillmentLineItems(first: 50) { nodes { id quantity lineItem { id } } pageInfo { hasNextPage endCursor } }
    }
  }
}
"""
FULFILLMENT_LINES = """
query FulfillmentLines($id: ID!, $first: Int!, $after: String) {
  fulfillment(id: $id) {
    fulfillmentLineItems(first: $first, after: $after) {
      nodes { id quantity lineItem { id } } pageInfo { hasNextPage endCursor }
    }
  }
}
"""
SHIP = """
mutation Ship($fulfillment: FulfillmentInput!, $message: String) {
  fulfillmentCreate(fulfillment: $fulfillment, message: $message) {
    fulfillment { id status } userErrors { field message }
  }
}
"""
TRACK = """
mutation UpdateTracking($id: ID!, $info: FulfillmentTrackingInput!, $notify: Boolean) {
  fulfillmentTrackingInfoUpdate(fulfillmentId: $id, trackingInfoInput: $info, notifyCustomer: $notify) {
    fulfillment { id status } userErrors { field message }
  }
}
"""
CANCEL = """
mutation CancelOrder(
  $orderId: ID!, $reason: OrderCancelReason!, $restock: Boolean!, $notify: Boolean, $note: String,
  $refund: OrderCancelRefundMethodInput
) {
  orderCancel(
    orderId: $orderId, reason: $reason, restock: $restock, notifyCustomer: $notify, staffNote: $note,
    refundMethod: $refund
  ) {
    job { id done } orderCancelUserErrors { field message code }
  }
}
"""
JOB = "query CancelJob($job: ID!, $id: ID!) { job(id: $job) { id done } order(id: $id) { id cancelledAt } }\n"
SUGGEST = """
query SuggestRefund(
  $id: ID!, $lines: [RefundLineItemInput!], $shipping: Money, $full: Boolean
) {
  order(id: $id) {
    id currencyCode presentmentCurrencyCode
    suggestedRefund(refundLineItems: $lines, shippingAmount: $shipping, suggestFullRefund: $full) {
      amountSet { shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }
      suggestedTransactions {
        kind gateway
        amountSet { shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }
        parentTransaction { id }
      }
    }
  }
}
"""
REFUND = """
mutation Refund($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) { refund { id } userErrors { field message } }
}
"""

TEXTS = (
    FULFILLMENT_ORDERS, FULFILLMENT_ORDER_LINES, FULFILLMENTS, FULFILLMENT_LINES, SHIP, TRACK, CANCEL, JOB, SUGGEST,
    REFUND,
)  # fmt: skip
