"""Lists that come in pages: every page shows the state of the moment of the first.

Stored objects never change, so the rest of a list is kept as it was, at the price of the
references, for as long as etcd keeps history.
"""

from __future__ import annotations

import base64
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from perfscale.sim.storage import refusals

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perfscale.sim.storage.records import JSON, Record

_MOST_LISTS: Final = 64


class _Rest(NamedTuple):
    records: Sequence[Record]
    version: int
    begun_s: float


class Page(NamedTuple):
    """A page of a list, and its ListMeta."""

    records: Sequence[Record]
    metadata: JSON


class Pager:
    """Cuts lists into pages.

    Args:
        lifetime_s: How long a list can be continued; etcd is compacted every five minutes.
    """

    def __init__(
        self, lifetime_s: float = 300.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._lifetime_s = lifetime_s
        self._clock = clock
        self._lists: OrderedDict[int, _Rest] = OrderedDict()
        self._last = 0

    def first(self, records: Sequence[Record], version: int, limit: int) -> Page:
        """The first page; all of it, if there is no limit."""
        if not limit or len(records) <= limit:
            return Page(records, {"resourceVersion": str(version)})
        self._last += 1
        self._lists[self._last] = _Rest(records, version, self._clock())
        if len(self._lists) > _MOST_LISTS:
            self._lists.popitem(last=False)
        return self._page(self._last, 0, limit)

    def next(self, token: str, limit: int) -> Page:
        """The page that a continue token stands for.

        Raises:
            ApiError: 400: it is not a token of this server; 410: it is too old.
        """
        try:
            key, start = msgspec.json.decode(
                base64.urlsafe_b64decode(token.encode()), type=tuple[int, int]
            )
        except ValueError as error:
            raise refusals.bad_request("continue key is not valid") from error
        rest = self._lists.get(key)
        if rest is None or self._clock() - rest.begun_s > self._lifetime_s:
            self._lists.pop(key, None)
            raise refusals.expired_token()
        return self._page(key, start, limit)

    def _page(self, key: int, start: int, limit: int) -> Page:
        rest = self._lists[key]
        end = start + limit if limit else len(rest.records)
        metadata: JSON = {"resourceVersion": str(rest.version)}
        if end < len(rest.records):
            token = base64.urlsafe_b64encode(msgspec.json.encode((key, end)))
            metadata["continue"] = token.decode()
            metadata["remainingItemCount"] = len(rest.records) - end
        return Page(rest.records[start:end], metadata)
