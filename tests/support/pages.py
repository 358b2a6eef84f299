"""Lists as tests read them: page by page, as plain objects."""

from collections.abc import AsyncIterator
from typing import Any

from perfscale.kube.client import Client
from perfscale.kube.listing import DEFAULT_PAGE, page_decoder, read_pages
from perfscale.kube.resources import Resource


async def list_pages(
    client: Client,
    resource: Resource,
    namespace: str | None = None,
    *,
    label_selector: str | None = None,
    limit: int = DEFAULT_PAGE,
) -> AsyncIterator[tuple[list[dict[str, Any]], str]]:
    """Pages, as ``(items, resourceVersion)``."""
    decoder = page_decoder(dict[str, Any])
    async for page in read_pages(
        client, resource, decoder, namespace=namespace, label_selector=label_selector, limit=limit
    ):
        yield page.items, page.version
