"""One method per remote operation. Operations carry the names of the official specs (bigcommerce/*.yml)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from omnichannel_bigcommerce import catalog_wire, order_wire, wire
from omnichannel_bigcommerce.api import HOME, LOGIN
from omnichannel_bigcommerce.credentials import BigCommerceApplication, BigCommerceCredentials
from omnichannel_core import errors
from omnichannel_core.driver import Answer, Session

T = TypeVar("T")
LIMIT = 250
"""Rows a page at most, v2 and v3 (guide bigcommerce-and-shopify 1.9)."""

WITH_LINES = {"include": "consignments,consignments.line_items,fees", "consignment_structure": "object"}
MOST_PAGES = 200


def exact(amount: Decimal) -> msgspec.Raw:
    """A JSON number with exactly these digits."""
    return msgspec.Raw(format(amount, "f").encode())


def many(answer: Answer, shape: type[T]) -> list[T]:
    """The rows of a v2 list; 204 without a body is the empty one."""
    return [] if answer.status == 204 or not answer.content else answer.decode(list[shape])  # type: ignore[valid-type]


@dataclass(frozen=True, slots=True)
class Client:
    """BigCommerce, as one session sees it. Every method raises what `api.judge_bigcommerce` and the house's http do."""

    session: Session

    def url(self, path: str) -> str:
        """`/v2/orders` -> the whole address, of this session's store."""
        return f"{HOME}/stores/{self.session[BigCommerceCredentials].store_hash}{path}"

    async def get(self, operation: str, path: str, params: Mapping[str, str] | None = None) -> Answer:
        """A GET, retried by the house."""
        return await self.session.http.send(operation, "GET", self.url(path), params=params or {})

    async def write(
        self, operation: str, method: str, path: str, body: object, *, repeatable: bool | None = None
    ) -> Answer:
        """A request with a JSON body; POST is not repeatable unless said so."""
        return await self.session.http.send(operation, method, self.url(path), json=body, repeatable=repeatable)

    async def listed(
        self,
        operation: str,
        path: str,
        shape: type[T],
        params: Mapping[str, str] | None = None,
        *,
        bare: bool = False,
    ) -> list[T]:
        """All rows of a v3 list, page by page.

        Args:
            bare: the operation documents no paging: a page is named only where an answer tells of more.
        """
        rows = list[T]()
        for page in range(1, MOST_PAGES + 1):
            paging = {"limit": str(LIMIT), "page": str(page)} if not bare else {"page": str(page)} if page > 1 else {}
            answer = await self.get(operation, path, {**(params or {}), **paging})
            if answer.status == 204:
                break
            part = answer.decode(wire.Many[shape])  # type: ignore[valid-type]
            rows += part.data
            info = part.meta.pagination if part.meta else None
            last = info.total_pages if info and info.total_pages is not None else None
            if not part.data or (page >= last if last is not None else len(part.data) < LIMIT):
                break
        return rows

    # --- the store ----------------------------------------------------------------------------------------------
    async def time(self) -> float:
        """The store's clock, in seconds (`getSystemTimestamp`)."""
        return (await self.get("getSystemTimestamp", "/v2/time")).decode(catalog_wire.Time).time

    async def store(self) -> catalog_wire.Store:
        """`getStoreInformation`."""
        return (await self.get("getStoreInformation", "/v2/store")).decode(catalog_wire.Store)

    async def statuses(self) -> list[catalog_wire.Status]:
        """`getOrderStatuses`: the fifteen, with the store's own labels."""
        return many(await self.get("getOrderStatuses", "/v2/order_statuses"), catalog_wire.Status)

    async def currencies(self) -> list[catalog_wire.Remote]:
        """`getCurrencies`."""
        return many(await self.get("getCurrencies", "/v2/currencies", {"limit": "250"}), catalog_wire.Remote)

    async def tax_classes(self) -> list[catalog_wire.Remote]:
        """`getTaxClasses`."""
        return many(await self.get("getTaxClasses", "/v2/tax_classes", {"limit": "250"}), catalog_wire.Remote)

    # --- orders -------------------------------------------------------------------------------------------------
    async def orders(self, params: Mapping[str, str]) -> Answer:
        """`getOrders`, a page of at most 250 with lines and fees; 204 is none."""
        return await self.get("getOrders", "/v2/orders", {**WITH_LINES, "limit": str(LIMIT), **params})

    async def newest_order(self) -> Answer:
        """`getOrders`: the one changed last, without its parts."""
        return await self.get("getOrders", "/v2/orders", {"limit": "1", "sort": "date_modified:desc"})

    async def order(self, order: str) -> Answer | None:
        """`getOrder` with lines and fees; None when it is gone."""
        try:
            return await self.get("getOrder", f"/v2/orders/{order}", WITH_LINES)
        except errors.RemoteRejected as refused:
            if refused.code == "404":
                return None
            raise

    async def part(
        self, operation: str, order: str, part: str, shape: type[T], params: Mapping[str, str] | None = None
    ) -> list[T]:
        """All rows of a v2 part of an order (products, coupons, taxes, shipments), page by page."""
        rows = list[T]()
        for page in range(1, MOST_PAGES + 1):
            asked = {**(params or {}), "limit": str(LIMIT), "page": str(page)}
            found = many(await self.get(operation, f"/v2/orders/{order}/{part}", asked), shape)
            rows += found
            if len(found) < LIMIT:
                break
        return rows

    async def products(self, order: str) -> list[order_wire.Product]:
        """`getOrderProducts`."""
        return await self.part("getOrderProducts", order, "products", order_wire.Product)

    async def shipping_addresses(self, order: str) -> list[order_wire.Address]:
        """`getOrderShippingAddresses`."""
        return await self.part("getOrderShippingAddresses", order, "shipping_addresses", order_wire.Address)

    async def coupons(self, order: str) -> list[wire.Coupon]:
        """`getOrderCoupons`."""
        return await self.part("getOrderCoupons", order, "coupons", wire.Coupon)

    async def taxes(self, order: str) -> list[wire.TaxRow]:
        """`getOrderTaxes` with details: one row per tax and line."""
        return await self.part("getOrderTaxes", order, "taxes", wire.TaxRow, {"details": "true"})

    async def shipments(self, order: str) -> list[wire.Shipment]:
        """`getOrderShipments`."""
        return await self.part("getOrderShipments", order, "shipments", wire.Shipment)

    async def ship(self, order: str, body: Mapping[str, object]) -> wire.Shipment:
        """`createOrderShipments`: sets the order's status and mails the customer, so never sent twice."""
        path = f"/v2/orders/{order}/shipments"
        answer = await self.write("createOrderShipments", "POST", path, body, repeatable=False)
        return answer.decode(wire.Shipment)

    async def set_status(self, order: str, status: int) -> None:
        """`updateOrder` with nothing but the status: anything else sent along could change lines or discounts."""
        await self.write("updateOrder", "PUT", f"/v2/orders/{order}", {"status_id": status})

    async def transactions(self, order: str) -> list[wire.Transaction]:
        """`getOrderTransactions`; 204 is none."""
        path = f"/v3/orders/{order}/transactions"
        return await self.listed("getOrderTransactions", path, wire.Transaction, bare=True)

    async def refunds(self, params: Mapping[str, str]) -> Answer:
        """`getOrdersRefunds`, one page."""
        path = "/v3/orders/payment_actions/refunds"
        return await self.get("getOrdersRefunds", path, {"limit": str(LIMIT), **params})

    # --- lists and catalog ---------------------------------------------------------------------------------------
    async def remotes(
        self, operation: str, path: str, params: Mapping[str, str] | None = None
    ) -> list[catalog_wire.Remote]:
        """A whole v3 list of things with an id and a name."""
        bare = operation == "getCategoryTrees"
        return await self.listed(operation, path, catalog_wire.Remote, params, bare=bare)

    async def catalog(self, params: Mapping[str, str]) -> wire.Many[catalog_wire.CatalogProduct]:
        """`getProducts`, one page; options or modifiers included cap it at 10."""
        answer = await self.get("getProducts", "/v3/catalog/products", params)
        return answer.decode(wire.Many[catalog_wire.CatalogProduct])

    async def metafields(self, kind: str, after: str) -> wire.Many[catalog_wire.Metafield]:
        """`getProductsMetafields` or `getVariantsMetafields`, one page by cursor."""
        params = {"limit": str(LIMIT), **({"after": after} if after else {})}
        answer = await self.get(f"get{kind.title()}Metafields", f"/v3/catalog/{kind}/metafields", params)
        return answer.decode(wire.Many[catalog_wire.Metafield])

    async def product_by_sku(self, sku: str) -> catalog_wire.CatalogProduct | None:
        """`getProducts` by the product's own SKU."""
        found = (await self.catalog({"sku": sku, "limit": "2"})).data
        return next((product for product in found if product.sku == sku), None)

    async def variant_by_sku(self, sku: str) -> catalog_wire.Variant | None:
        """`getVariants` by SKU."""
        answer = await self.get("getVariants", "/v3/catalog/variants", {"sku": sku, "limit": "2"})
        found = answer.decode(wire.Many[catalog_wire.Variant]).data
        return next((variant for variant in found if variant.sku == sku), None)

    async def of_product(self, operation: str, product: int, part: str, shape: type[T]) -> list[T]:
        """All of a product's variants, options, images, custom fields or metafields."""
        return await self.listed(operation, f"/v3/catalog/products/{product}/{part}", shape)

    async def create_product(self, body: Mapping[str, object]) -> tuple[catalog_wire.CatalogProduct, str]:
        """`createProduct`; the second is what a 207 says was not taken."""
        answer = await self.write("createProduct", "POST", "/v3/catalog/products", body, repeatable=False)
        return product_of(answer)

    async def update_product(self, product: int, body: Mapping[str, object]) -> tuple[catalog_wire.CatalogProduct, str]:
        """`updateProduct`: what is left out stays as it is."""
        return product_of(await self.write("updateProduct", "PUT", f"/v3/catalog/products/{product}", body))

    async def update_products(self, bodies: Sequence[Mapping[str, object]]) -> None:
        """`updateProducts`: at most 10, each with its id."""
        refuse_partial(await self.write("updateProducts", "PUT", "/v3/catalog/products", bodies))

    async def update_variants(self, bodies: Sequence[Mapping[str, object]]) -> list[catalog_wire.Variant]:
        """`updateVariantsBatch`: at most 50; with an id changed, without one made. Not repeatable while one is made."""
        makes = any("id" not in body for body in bodies)
        answer = await self.write("updateVariantsBatch", "PUT", "/v3/catalog/variants", bodies, repeatable=not makes)
        refuse_partial(answer)
        return answer.decode(wire.Many[catalog_wire.Variant]).data

    async def add(self, operation: str, path: str, body: object, shape: type[T]) -> T:
        """A POST that makes a part of a product."""
        answer = await self.write(operation, "POST", f"/v3/catalog/products/{path}", body, repeatable=False)
        one: T = answer.decode(wire.One[shape]).data  # type: ignore[valid-type]
        return one

    async def change(self, operation: str, path: str, body: object) -> None:
        """A PUT that changes a part of a product."""
        await self.write(operation, "PUT", f"/v3/catalog/products/{path}", body)

    async def adjust(self, body: Mapping[str, object]) -> None:
        """`put-absolute-adjustment`: at most 2,000 items, one call at a time; absolute, so repeatable."""
        await self.write("put-absolute-adjustment", "PUT", "/v3/inventory/adjustments/absolute", body)

    async def price_records(self, price_list: str, rows: Sequence[Mapping[str, object]]) -> None:
        """`upsertPriceListRecords`: at most 1,000."""
        await self.write("upsertPriceListRecords", "PUT", f"/v3/pricelists/{price_list}/records", rows)

    # --- webhooks ------------------------------------------------------------------------------------------------
    async def hooks(self) -> list[wire.Hook]:
        """`getWebhooks`: those of this API account only."""
        return await self.listed("getWebhooks", "/v3/hooks", wire.Hook)

    async def add_hook(self, body: Mapping[str, object]) -> wire.Hook:
        """`createWebhooks`; repeatable, as scope and destination are unique."""
        answer = await self.write("createWebhooks", "POST", "/v3/hooks", body, repeatable=True)
        return answer.decode(wire.One[wire.Hook]).data

    async def change_hook(self, hook: int, body: Mapping[str, object]) -> None:
        """`updateWebhook`."""
        await self.write("updateWebhook", "PUT", f"/v3/hooks/{hook}", body)

    async def remove_hook(self, hook: int) -> None:
        """`deleteWebhook`; one that is gone is fine."""
        try:
            await self.session.http.send("deleteWebhook", "DELETE", self.url(f"/v3/hooks/{hook}"))
        except errors.RemoteRejected as refused:
            if refused.code != "404":
                raise


async def exchange(session: Session, app: BigCommerceApplication, code: Mapping[str, str], back: str) -> wire.Exchanged:
    """The install's code for a token, once (guide bigcommerce-and-shopify 1.3).

    Args:
        code: `code`, `scope` and `context` as BigCommerce brought them.
        back: the registered auth callback, letter by letter.
    """
    body = {
        "client_id": app.client_id,
        "client_secret": app.client_secrets[0].get_secret_value(),
        "code": code["code"],
        "context": code["context"],
        "scope": code["scope"],
        "grant_type": "authorization_code",
        "redirect_uri": back,
    }
    answer = await session.http.send(
        "token", "POST", f"{LOGIN}/oauth2/token", json=body, token=None, repeatable=False,
        headers={"accept": "application/json"},
    )  # fmt: skip
    if answer.status >= 400:
        raise errors.RemoteRejected(f"token: {answer.status}: the code is refused", str(answer.status))
    return answer.decode(wire.Exchanged)


def product_of(answer: Answer) -> tuple[catalog_wire.CatalogProduct, str]:
    """The product, and in words what of it was refused."""
    one: Any = answer.decode(wire.One[catalog_wire.CatalogProduct])
    return one.data, words(one.errors) if answer.status == 207 or one.errors else ""


def refuse_partial(answer: Answer) -> None:
    """A batch that was taken in part is a batch with something refused.

    Raises:
        RemoteRejected: code 207, so that the batch is halved until the bad one stands alone.
    """
    if answer.status == 207:
        raise errors.RemoteRejected(
            f"{answer.operation}: {words(answer.decode(dict).get('errors')) or 'partly refused'}", "207"
        )


def words(problems: object) -> str:
    """`errors` of a v3 answer in one line."""
    if isinstance(problems, Mapping):
        return "; ".join(f"{name}: {words(value)}" for name, value in problems.items())
    if isinstance(problems, Sequence) and not isinstance(problems, str):
        return "; ".join(words(one) for one in problems)
    return wire.text(problems)[:300]
