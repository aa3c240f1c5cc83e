"""Words that come from data and are shown: the house's own names of states, columns, kinds."""

from __future__ import annotations

WORDS = {
    # columns
    "name": "Name", "status": "Status", "order_return_errors": "Order/Return have errors", "driver": "Driver",
    "id": "ID", "health": "Health", "health_reason": "Reason", "last_synced_at": "Last sync",
    "created_at": "Created", "remote_account": "Remote account", "remote_title": "Shop",
    "other_errors": "Other errors",
    # connection
    "active": "Active", "inactive": "Inactive", "deleting": "Deleting", "ok": "OK", "attention": "Needs attention",
    "waiting": "Waiting", "suspended": "Suspended",
    # processes
    "queued": "Queued", "running": "Running", "succeeded": "Succeeded", "failed": "Failed",
    "cancelled": "Cancelled", "synchronize": "Synchronize", "deliver": "Deliver", "delete": "Delete",
    # licenses
    "valid": "Valid", "grace": "In grace", "not yet": "Not yet valid", "expired": "Expired", "revoked": "Revoked",
    "invalid": "Invalid",
    # hub
    "orders": "Orders", "returns": "Returns", "attributes": "Attributes", "sets": "Attribute sets",
    "lists": "Lists",
    # pushes
    "sending": "Sending", "pending": "Pending", "unknown": "Unknown", "accepted": "Accepted",
    "rejected": "Rejected", "dismissed": "Dismissed", "dropped": "Replaced",
    # streams and kinds of records; a driver's own are shown as it calls them
    "data-model": "Data model", "offers": "Offers", "stock": "Stock", "prices": "Prices", "shipments": "Shipments",
    "invoices": "Invoices", "cancellations": "Cancellations", "receipts": "Receipts", "refunds": "Refunds",
    "fba": "Fulfillment by Amazon",
    "Order": "Order", "Return": "Return", "Offer": "Offer", "StockLevel": "Stock level", "Price": "Price",
    "Shipment": "Shipment", "Invoice": "Invoice", "Cancellation": "Cancellation", "Attribute": "Attribute",
    "AttributeSet": "Attribute set", "Choices": "List", "CashEntry": "Cash entry", "Closing": "Closing",
    # what all remotes call the state of an order
    "open": "Open", "paid": "Paid", "shipped": "Shipped", "completed": "Completed", "refunded": "Refunded",
    # fields of records
    "address": "Address", "addresses": "Addresses", "amount": "Amount", "archived": "Archived", "at": "At",
    "bill_to": "Bill to", "business": "Business", "carrier": "Carrier", "channel": "Channel", "charges": "Charges",
    "choices": "Choices", "choices_from": "Choices from", "city": "City", "colors": "Colors", "company": "Company",
    "complete": "Complete", "country": "Country", "currency": "Currency", "customer": "Customer",
    "discount": "Discount", "email": "Email", "extra": "Extra", "first_name": "First name", "gross": "Gross",
    "gross_prices": "Gross prices", "items": "Items", "kind": "Kind", "known_only": "Known only", "label": "Label",
    "last_name": "Last name", "level": "Level", "lines": "Lines", "list": "List", "localized": "Localized",
    "location": "Location", "mapped": "Mapped", "max_length": "Maximum length", "method": "Method",
    "multiple": "Multiple", "net": "Net", "note": "Note", "number": "Number", "options": "Options",
    "order_id": "Order ID", "order_line": "Order line", "parent": "Parent", "partial": "Partial",
    "payments": "Payments", "pdf": "PDF", "phone": "Phone", "placed_at": "Placed at", "postal_code": "Postal code",
    "price": "Price", "prices_include_tax": "Prices include tax", "quantity": "Quantity", "rate": "Rate",
    "raw": "As it came", "reason": "Reason", "receipt": "Receipt", "reference": "Reference", "region": "Region",
    "replaces": "Replaces", "required": "Required", "restock": "Restock", "retail_price": "Retail price",
    "revision": "Revision", "sale_price": "Sale price", "set": "Attribute set", "ship_to": "Ship to",
    "shipped_at": "Shipped at", "shipped_by_remote": "Shipped by the marketplace", "sku": "SKU", "state": "State",
    "street1": "Street", "street2": "Street, second line", "tax": "Tax", "taxes": "Taxes", "text": "Text",
    "texts": "Texts", "totals": "Totals", "tracking": "Tracking", "tracking_url": "Tracking address", "type": "Type",
    "unit": "Unit", "valid_from": "Valid from", "valid_to": "Valid to", "value": "Value", "values": "Values",
    "variants": "Variants", "writable": "Writable",
    # origins of settings
    "inherits": "Apply from default", "own": "own value", "default": "from the default",
    # what a delete takes along
    "other_records": "Other records", "pushes_not_sent": "Pushes not sent",
    "pushes_not_settled": "Pushes not settled", "failed_records": "Failed records",
    # operators of filters
    "=": "is", "!=": "is not", "<": "is less than", "<=": "is at most", ">": "is more than", ">=": "is at least",
    "between": "is between", "like": "contains",
}  # fmt: skip
