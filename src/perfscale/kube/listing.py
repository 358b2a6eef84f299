"""Lists page by page, so that no answer of a large cluster is larger than a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

import msgspec

from perfscale.errors import ExpiredError, IllegibleError
from perfscale.kube.decoding import Version, version_number

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from perfscale.kube.client import Client
    from perfscale.kube.resources import Resource

DEFAULT_PAGE: Final = 500
"""client-go's default: https://pkg.go.dev/k8s.io/client-go/tools/pager"""

_MOST_RESTARTS: Final = 3
_MOST_EMPTY: Final = 50
_MOST_PAGES: Final = 20_000
"""Of 500 objects each: more than etcd holds."""

T = TypeVar("T")


class ListMeta(msgspec.Struct, frozen=True, rename="camel"):
    """``metadata`` of a list."""

    resource_version: Version = ""
    continue_: str | None = msgspec.field(default=None, name="continue")


class ObjectList(msgspec.Struct, Generic[T], frozen=True):
    """A list as the server sends it; an empty one may have ``items: null``.

    What has no ``items`` is no list: an object taken for an empty one would make everything gone.
    """

    metadata: ListMeta
    items: list[T] | None


class Page(NamedTuple, Generic[T]):
    """One page of a list.

    Attributes:
        items: Objects.
        version: The list's resourceVersion.
        first: Whether the list begins here; a second page that says so means
            that what came before is out of date.
    """

    items: list[T]
    version: str
    first: bool


def page_decoder(item: type[T]) -> msgspec.json.Decoder[ObjectList[T]]:
    """Decodes a list whose objects are ``item``: a msgspec struct, or a dict."""
    return msgspec.json.Decoder(ObjectList[item])  # type: ignore[valid-type]


_BARE: Final = msgspec.json.Decoder(ObjectList[msgspec.Raw])
"""For a list of which only its own metadata counts."""


async def current_version(
    client: Client, resource: Resource, namespace: str | None, *, retry: bool = True
) -> int:
    """The cluster's resourceVersion now, as a number; 0 where it is none.

    It is read off a list of a single object, which costs the server next to nothing.

    Raises what `Client.read` raises.
    """
    page = await client.read(_BARE, resource.path(namespace), {"limit": 1}, retry=retry)
    return version_number(page.metadata.resource_version)


async def read_pages(
    client: Client,
    resource: Resource,
    decoder: msgspec.json.Decoder[ObjectList[T]],
    *,
    namespace: str | None = None,
    label_selector: str | None = None,
    limit: int = DEFAULT_PAGE,
) -> AsyncIterator[Page[T]]:
    """List a resource.

    A continue token lives for some minutes. One that has expired is answered
    with 410; the list then begins again, in one piece, so that it ends.

    Raises what `Client.read` raises; IllegibleError also where the list does not end.
    """
    path = resource.path(namespace)
    params: dict[str, str | int] = {}
    if label_selector:
        params["labelSelector"] = label_selector
    if limit:
        params["limit"] = limit
    first = True
    end = _End(path)
    while True:
        try:
            page = await client.read(decoder, path, params)
        except ExpiredError:
            if "continue" not in params:
                raise
            end.begin_again()
            del params["continue"]
            params.pop("limit", None)
            first = True
            continue
        yield Page(page.items or [], page.metadata.resource_version, first)
        if not page.metadata.continue_:
            return
        end.another(page.items or (), page.metadata.continue_, params.get("continue"))
        params["continue"] = page.metadata.continue_
        first = False


class _End:
    """Sees to it that a list has one, whatever its server says."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._pages = self._empty = self._restarts = 0

    def begin_again(self) -> None:
        """The token has expired."""
        self._restarts += 1
        self._pages = self._empty = 0
        if self._restarts > _MOST_RESTARTS:
            raise self._endless(f"it has expired {self._restarts} times, in one piece too")

    def another(self, items: Sequence[object], token: str, last: str | int | None) -> None:
        """There is another page after these."""
        self._pages += 1
        self._empty = 0 if items else self._empty + 1
        if token == last:
            raise self._endless("the next page is always the same one")
        if self._empty >= _MOST_EMPTY:
            raise self._endless(f"{self._empty} pages without an object, and there are more")
        if self._pages >= _MOST_PAGES:
            raise self._endless(f"{self._pages} pages, and there are more")

    def _endless(self, why: str) -> IllegibleError:
        return IllegibleError(
            f"GET {self._path}: the list does not end: {why}", status=200, reason="Illegible"
        )
