"""Parts of a product that are kept one by one: custom fields, images, metafields."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from omnichannel_bigcommerce import catalog_wire
from omnichannel_bigcommerce.client import Client
from omnichannel_bigcommerce.fields import CUSTOM, META
from omnichannel_core import errors
from omnichannel_core.records import Offer, Value

PERMISSION = "write"
"""Permission of metafields we make: other apps may read and write them too."""


async def push_custom_fields(client: Client, product: int, offer: Offer) -> list[str]:
    """Custom fields of a product that was there: changed by name, or added; the others stay. What was refused."""
    wanted = {
        name.removeprefix(CUSTOM): value.text
        for name, value in offer.values.items()
        if name.startswith(CUSTOM) and value.text
    }
    if not wanted:
        return []
    there = await client.of_product("getProductCustomFields", product, "custom-fields", catalog_wire.CustomField)
    by_name, problems = {field.name: field for field in there}, list[str]()
    for name, text in wanted.items():
        body, old = {"name": name, "value": text}, by_name.get(name)
        path = f"{product}/custom-fields"
        try:
            if old is None:
                await client.add("createProductCustomField", path, body, catalog_wire.CustomField)
            elif old.value != text:
                await client.change("updateProductCustomField", f"{path}/{old.id}", body)
        except errors.RemoteRejected as refused:
            problems.append(str(refused))
    return problems


def mark(url: str) -> str:
    """The name under which an image's id is remembered."""
    return f"image:{blake2b(url.encode(), digest_size=8).hexdigest()}"


async def push_images(
    client: Client, product: int, offer: Offer, remote: Mapping[str, str], *, fresh: bool
) -> tuple[dict[str, str], list[str]]:
    """Images by URL: what to remember of them, and what was refused.

    BigCommerce copies an image under a name of its own that begins with the old one. Those remembered are not sent
    again; of a product we do not remember, an image of the same file name counts as the same.

    Args:
        fresh: the product was made with its images just now.
    """
    value = offer.values.get("images", Value())
    urls = list(dict.fromkeys(value.texts or ((value.text,) if value.text else ())))
    kept, problems = dict(remote), list[str]()
    left = [url for url in urls if mark(url) not in kept]
    if not left:
        return kept, problems
    there = await client.of_product("getProductImages", product, "images", catalog_wire.Image)
    kept = {key: image for key, image in kept.items() if int(image) in {one.id for one in there}}
    for at, url in enumerate(urls):
        if mark(url) in kept:
            continue
        same = next((one for one in there if alike(one, url)), None)
        if same is None and fresh:
            continue  # refused with the product, or under another name: looked at with the next push
        try:
            body = {"image_url": url, "is_thumbnail": at == 0 and not there, "sort_order": at}
            if same is None:
                same = await client.add("createProductImage", f"{product}/images", body, catalog_wire.Image)
            kept[mark(url)] = str(same.id)
        except errors.RemoteRejected as refused:
            problems.append(str(refused))
    return kept, problems


def alike(image: catalog_wire.Image, url: str) -> bool:
    """Whether the image's file name begins with that of the URL (`shoe__12345.jpg` of `shoe.jpg`)."""
    stem = PurePosixPath(urlsplit(url).path).stem.lower()
    names = [image.image_file or "", urlsplit(image.image_url or "").path, urlsplit(image.url_standard or "").path]
    stems = [PurePosixPath(name).stem.lower() for name in names if name]
    return bool(stem) and any(one == stem or one.startswith((f"{stem}__", f"{stem}.")) for one in stems)


async def push_metafields(client: Client, product: int, offer: Offer) -> list[str]:
    """Metafields of a product, changed by namespace and key, or added. What was refused."""
    wanted = {name.removeprefix(META): v.text for name, v in offer.values.items() if name.startswith(META) and v.text}
    if not wanted:
        return []
    there = await client.of_product("getProductMetafields", product, "metafields", catalog_wire.Metafield)
    by_name, problems = {f"{one.namespace}.{one.key}": one for one in there}, list[str]()
    for name, text in wanted.items():
        namespace, _, key = name.partition(".")
        old, path = by_name.get(name), f"{product}/metafields"
        body = {"namespace": namespace, "key": key, "value": text}
        try:
            if old is None:
                body["permission_set"] = PERMISSION
                await client.add("createProductMetafield", path, body, catalog_wire.Metafield)
            elif old.value != text:
                body["permission_set"] = old.permission_set or PERMISSION
                await client.change("updateProductMetafield", f"{path}/{old.id}", body)
        except errors.RemoteRejected as refused:
            problems.append(str(refused))
    return problems
