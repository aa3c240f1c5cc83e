"""GraphQL of the data model, products, prices and stock."""

from __future__ import annotations

LOCATIONS = """
query Locations($first: Int!, $after: String) {
  locations(first: $first, after: $after, includeInactive: true) {
    nodes {
      id name isActive fulfillsOnlineOrders shipsInventory isFulfillmentService
      fulfillmentService { id handle serviceName type }
      address { countryCode city zip }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
PUBLICATIONS = """
query Publications($first: Int!, $after: String) {
  publications(first: $first, after: $after) {
    nodes { id autoPublish catalog { id title } } pageInfo { hasNextPage endCursor }
  }
}
"""
PRICE_LISTS = """
query PriceLists($first: Int!, $after: String) {
  priceLists(first: $first, after: $after) { nodes { id name currency } pageInfo { hasNextPage endCursor } }
}
"""
COLLECTIONS = """
query Collections($first: Int!, $after: String) {
  collections(first: $first, after: $after) {
    nodes { id title handle } pageInfo { hasNextPage endCursor }
  }
}
"""
CATEGORIES_USED = "query CategoriesUsed { shop { allProductCategoriesList { id fullName isLeaf parentId } } }\n"
CATEGORY_ATTRIBUTES = """
query CategoryAttributes($id: ID!, $first: Int!, $after: String) {
  node(id: $id) {
    ... on TaxonomyCategory {
      id fullName
      attributes(first: $first, after: $after) {
        nodes {
          __typename
          ... on TaxonomyChoiceListAttribute {
            id name values(first: 50) { nodes { id name } pageInfo { hasNextPage endCursor } }
          }
          ... on TaxonomyMeasurementAttribute { id name options { key value } }
          ... on TaxonomyAttribute { id }
        }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}
"""
ATTRIBUTE_VALUES = """
query AttributeValues($id: ID!, $first: Int!, $after: String) {
  node(id: $id) {
    ... on TaxonomyChoiceListAttribute {
      id values(first: $first, after: $after) { nodes { id name } pageInfo { hasNextPage endCursor } }
    }
  }
}
"""
METAFIELDS = """
query MetafieldDefinitions($owner: MetafieldOwnerType!, $first: Int!, $after: String) {
  metafieldDefinitions(ownerType: $owner, first: $first, after: $after) {
    nodes {
      id namespace key name description ownerType
      type { name category }
      validations { name value }
      constraints { key values(first: 50) { nodes { value } pageInfo { hasNextPage endCursor } } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
METAOBJECTS = """
query MetaobjectDefinitions($first: Int!, $after: String) {
  metaobjectDefinitions(first: $first, after: $after) {
    nodes {
      id type name displayNameKey fieldDefinitions { key name required type { name } } metaobjectsCount
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
METAOBJECT_ENTRIES = """
query Metaobjects($type: String!, $first: Int!, $after: String) {
  metaobjects(type: $type, first: $first, after: $after) {
    nodes { id displayName handle } pageInfo { hasNextPage endCursor }
  }
}
"""
PRODUCT_OPTIONS = """
query ProductOptions($first: Int!, $after: String) {
  products(first: $first, after: $after, sortKey: UPDATED_AT, reverse: true) {
    nodes { id options { id name linkedMetafield { namespace key } optionValues { name } } }
    pageInfo { hasNextPage endCursor }
  }
}
"""
VARIANTS_BY_SKU = """
query VariantsBySku($first: Int!, $after: String, $query: String!) {
  productVariants(first: $first, after: $after, query: $query) {
    nodes { id sku product { id } inventoryItem { id tracked duplicateSkuCount } }
    pageInfo { hasNextPage endCursor }
  }
}
"""
LEVELS = """
query StockLevels($ids: [ID!]!, $location: ID!, $names: [String!]!) {
  nodes(ids: $ids) {
    ... on InventoryItem {
      id tracked inventoryLevel(locationId: $location) { id quantities(names: $names) { name quantity } }
    }
  }
}
"""
SET_STOCK = """
mutation SetStock($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id } userErrors { field message code }
  }
}
"""
ACTIVATE = """
mutation ActivateStock($item: ID!, $location: ID!, $key: String!) {
  inventoryActivate(inventoryItemId: $item, locationId: $location) @idempotent(key: $key) {
    inventoryLevel { id } userErrors { field message }
  }
}
"""
PRODUCT = """
query ProductById($id: ID!, $first: Int!, $after: String) {
  product(id: $id) {
    id status tags
    options { id name position linkedMetafield { namespace key } }
    media(first: 250) { nodes { id alt ... on MediaImage { originalSource { url } } } }
    variants(first: $first, after: $after) {
      nodes { id sku selectedOptions { name value } inventoryItem { id } } pageInfo { hasNextPage endCursor }
    }
  }
}
"""
SET_PRODUCT = """
mutation CreateProduct($input: ProductSetInput!, $identifier: ProductSetIdentifiers) {
  productSet(input: $input, identifier: $identifier, synchronous: true) {
    product { id variants(first: 50) { nodes { id sku inventoryItem { id } } } }
    userErrors { field message code }
  }
}
"""
UPDATE_PRODUCT = """
mutation UpdateProduct($product: ProductUpdateInput!, $media: [CreateMediaInput!]) {
  productUpdate(product: $product, media: $media) { product { id } userErrors { field message } }
}
"""
UPDATE_VARIANTS = """
mutation UpdateVariants($productId: ID!, $variants: [ProductVariantsBulkInput!]!) {
  productVariantsBulkUpdate(productId: $productId, variants: $variants, allowPartialUpdates: true) {
    productVariants { id sku } userErrors { field message code }
  }
}
"""
CREATE_VARIANTS = """
mutation CreateVariants($productId: ID!, $variants: [ProductVariantsBulkInput!]!) {
  productVariantsBulkCreate(productId: $productId, variants: $variants, strategy: PRESERVE_STANDALONE_VARIANT) {
    productVariants { id sku inventoryItem { id } } userErrors { field message code }
  }
}
"""
CREATE_OPTIONS = """
mutation CreateOptions($productId: ID!, $options: [OptionCreateInput!]!) {
  productOptionsCreate(productId: $productId, options: $options, variantStrategy: LEAVE_AS_IS) {
    product { id } userErrors { field message code }
  }
}
"""
SET_METAFIELDS = """
mutation SetMetafields($metafields: [MetafieldsSetInput!]!) {
  metafieldsSet(metafields: $metafields) {
    metafields { id namespace key } userErrors { field message code elementIndex }
  }
}
"""
PUBLISH = """
mutation Publish($id: ID!, $input: [PublicationInput!]!) {
  publishablePublish(id: $id, input: $input) { userErrors { field message } }
}
"""
LIST_PRICES = """
mutation ListPrices($list: ID!, $prices: [PriceListPriceInput!]!) {
  priceListFixedPricesAdd(priceListId: $list, prices: $prices) {
    prices { variant { id } } userErrors { field message code }
  }
}
"""
TEXTS = (
    LOCATIONS, PUBLICATIONS, PRICE_LISTS, COLLECTIONS, CATEGORIES_USED, CATEGORY_ATTRIBUTES, ATTRIBUTE_VALUES,
    METAFIELDS, METAOBJECTS, METAOBJECT_ENTRIES, PRODUCT_OPTIONS, VARIANTS_BY_SKU, LEVELS, SET_STOCK, ACTIVATE,
    PRODUCT, SET_PRODUCT, UPDATE_PRODUCT, UPDATE_VARIANTS, CREATE_VARIANTS, CREATE_OPTIONS, SET_METAFIELDS, PUBLISH,
    LIST_PRICES,
)  # fmt: skip
