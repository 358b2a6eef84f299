"""The client: sends batches, again where that may help, and counts what became of each document."""

from __future__ import annotations

import asyncio
import gzip
import logging
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from perfscale.config.reading.source import clip
from perfscale.errors import IndexingError
from perfscale.indexing.answers import RETRYABLE, Item, items_of, reason_of, version_of
from perfscale.indexing.batches import (
    MOST_BYTES,
    MOST_DOCUMENTS,
    Limits,
    Line,
    as_line,
    batched,
    body_of,
)
from perfscale.indexing.tally import IndexTally
from perfscale.servers import SecretVariables
from perfscale.servers.transport import failure_of, open_session, read_bounded, retry_after_s

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from typing import Self

    from perfscale.servers import Endpoint

logger = logging.getLogger(__name__)

VARIABLES: Final = SecretVariables(
    "the index",
    token="PERFSCALE_INDEX_TOKEN",  # noqa: S106 -- names of variables
    username="PERFSCALE_INDEX_USERNAME",
    password="PERFSCALE_INDEX_PASSWORD",  # noqa: S106 -- as above
)
_AUTHORITIES: Final = "--ca-file of perfscale index, or in PERFSCALE_INDEX_CA_FILE"
_BACKOFF_S: Final = 0.5
_LONGEST_BACKOFF_S: Final = 15.0
_MOST_ANSWER_BYTES: Final = 64 * 2**20
_MESSAGE: Final = 300
_NDJSON: Final = "application/x-ndjson"
_URL_HINT: Final = "the URL is what stands before /_bulk"


@dataclass(frozen=True, kw_only=True)
class IndexPlan:
    """Where documents go, and how.

    Attributes:
        endpoint: The server.
        name: Of the index.
        compress: Whether requests are compressed with gzip.
        most_bytes: Of a request, before it is compressed.
        most_documents: Of a request.
        retry_s: How long a request is sent again that the server is too busy for, or that it does
            not answer, in seconds.
    """

    endpoint: Endpoint
    name: str
    compress: bool = False
    most_bytes: int = MOST_BYTES
    most_documents: int = MOST_DOCUMENTS
    retry_s: float = 120.0


class _Busy(Exception):  # noqa: N818 -- never leaves this module
    """Another attempt may be accepted.

    Attributes:
        failure: What it comes to, if none is.
        reason: Why this one was not.
        pause_s: How long the server wants to be left alone.
    """

    def __init__(self, failure: IndexingError, reason: str = "", pause_s: float = 0.0) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.reason = reason or str(failure)
        self.pause_s = pause_s


class _TooLarge(Exception):  # noqa: N818 -- never leaves this module
    """The server takes no request of the size of this batch (413)."""

    def __init__(self, batch: Sequence[Line]) -> None:
        super().__init__()
        self.batch = batch


class Indexer:
    """A connection to OpenSearch or Elasticsearch.

    Resource handling: an async context manager; leaving it closes its connection. What was sent
    before an error, or a cancellation, stays there; sent again, nothing is there twice.

    Args:
        plan: Where documents go.
        pause: Waits for a number of seconds between two attempts.
        clock: What ``plan.retry_s`` is measured by.
        retrying: Called once, with why, when a request is about to be sent again.

    Raises:
        IndexingError: From each request: the server cannot be reached, refuses the credentials, is
            none of the two, or was too busy for too long.
    """

    def __init__(
        self,
        plan: IndexPlan,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        retrying: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.plan = plan
        self.tally = IndexTally()
        self._limits = Limits(plan.most_bytes, plan.most_documents)
        self._pause = pause
        self._clock = clock
        self._retrying = retrying
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Prepare the connection; none is made yet."""
        self._session = open_session(self.plan.endpoint, connections=1)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connection."""
        if self._session is not None:
            await self._session.close()

    async def check(self) -> None:
        """Find out whether it is there, and what it says it is; for before there are documents."""
        url = self.plan.endpoint.url
        try:
            status, body, _ = await self._exchange("GET", "/")
        except _Busy as busy:
            raise busy.failure from busy.__cause__
        if status == 401:
            raise self._refused(status)
        if status == 403:
            return  # who may write to an index may not be allowed to see more
        version = version_of(body) if status == 200 else None
        if version is None:
            raise IndexingError(
                f"{url} does not answer as OpenSearch or Elasticsearch does (status {status})",
                status=status,
                hint=_URL_HINT,
            )
        logger.info("documents go to %s, %s", url, version)

    async def send(self, documents: Iterable[Mapping[str, Any]]) -> IndexTally:
        """Send documents, a batch at a time, and count what became of each.

        Returns:
            The counts, also of what was sent before with this indexer.
        """
        lines = (as_line(self.plan.name, document) for document in documents)
        for batch in batched(lines, self._limits):
            await self._send_batch(batch)
        return self.tally

    async def _send_batch(self, batch: Sequence[Line]) -> None:
        """Send a batch; what the server cannot take in one goes in halves."""
        try:
            await self._send_until_accepted(batch)
        except _TooLarge as refusal:
            batch = refusal.batch
            if len(batch) == 1:
                self.tally.fail("the document is larger than the server takes (status 413)")
                return
            self._limits.shrink(batch)
            middle = len(batch) // 2
            await self._send_batch(batch[:middle])
            await self._send_batch(batch[middle:])

    async def _send_until_accepted(self, batch: Sequence[Line]) -> None:
        """Send a batch, and again what the server was too busy for, within a bound."""
        deadline = self._clock() + self.plan.retry_s
        attempt = 0
        while True:
            try:
                batch = self._count(batch, await self._bulk(batch))
                if not batch:
                    return
                busy = self._busy(429)
            except _Busy as error:
                busy = error
            backoff_s = min(_BACKOFF_S * 2**attempt, _LONGEST_BACKOFF_S)
            # Not all clients again at the same moment.
            pause_s = max(busy.pause_s, backoff_s * random.uniform(0.5, 1.5))  # noqa: S311
            if self._clock() + pause_s > deadline:
                raise busy.failure from busy.__cause__
            attempt += 1
            if not self.tally.retries:
                self._retrying(busy.reason)
            self.tally.retries += 1
            logger.info("retrying in %.1f s: %s", pause_s, busy.reason)
            await self._pause(pause_s)

    async def _bulk(self, batch: Sequence[Line]) -> list[Item]:
        body = body_of(batch)
        headers = {"Content-Type": _NDJSON}
        if self.plan.compress:
            body = gzip.compress(body, compresslevel=1)
            headers["Content-Encoding"] = "gzip"
        status, answer, pause_s = await self._exchange("POST", "/_bulk", body, headers)
        if status == 413:
            raise _TooLarge(batch)
        if status in RETRYABLE:
            raise self._busy(status, pause_s)
        if status in (401, 403):
            raise self._refused(status, answer)
        url = self.plan.endpoint.url
        if status != 200:
            reason = clip(reason_of(answer), _MESSAGE)
            what = f"refuses the documents: {reason}" if reason else "takes no documents"
            raise IndexingError(
                f"{url} {what} (status {status})",
                status=status,
                hint=_URL_HINT,
            )
        try:
            return items_of(answer, len(batch))
        except ValueError as error:
            raise IndexingError(
                f"{url} does not answer as OpenSearch or Elasticsearch does: "
                f"{clip(str(error), _MESSAGE)}",
                status=status,
                hint=_URL_HINT,
            ) from error

    def _count(self, batch: Sequence[Line], items: Sequence[Item]) -> list[Line]:
        """Count what became of each document; those that the server was too busy for are left."""
        left: list[Line] = []
        for line, item in zip(batch, items, strict=True):
            if item.status in RETRYABLE:
                left.append(line)
            elif not 200 <= item.status < 300:
                self.tally.fail(str(item.error or f"status {item.status}"))
            elif item.result == "created":
                self.tally.created += 1
            else:
                self.tally.updated += 1
        return left

    async def _exchange(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = {}
    ) -> tuple[int, bytes, float]:
        """Send a request: the status, the body, and how long the server wants to be left alone."""
        if self._session is None:
            raise RuntimeError("enter the context of the indexer first")
        endpoint = self.plan.endpoint
        try:
            # A redirect leads to a page to sign in at, and would take the credentials along.
            async with self._session.request(
                method, f"{endpoint.url}{path}", data=body, headers=headers, allow_redirects=False
            ) as answer:
                content = await read_bounded(answer, _MOST_ANSWER_BYTES)
                return answer.status, content, retry_after_s(answer)
        except (aiohttp.ClientError, OSError) as error:
            failure = failure_of(endpoint, error, authorities=_AUTHORITIES)
            refusal = IndexingError(failure.message, status=failure.status, hint=failure.hint)
            raise (_Busy(refusal) if failure.may_pass else refusal) from failure.cause

    def _refused(self, status: int, answer: bytes = b"") -> IndexingError:
        signed_in = self.plan.endpoint.credentials.header() is not None
        what = "refuses the credentials" if signed_in else "wants credentials"
        reason = clip(reason_of(answer), _MESSAGE)
        said = f": {reason}" if reason else ""
        return IndexingError(
            f"{self.plan.endpoint.url} {what} (status {status}){said}",
            status=status,
            hint=VARIABLES.hint,
        )

    def _busy(self, status: int, pause_s: float = 0.0) -> _Busy:
        url = self.plan.endpoint.url
        failure = IndexingError(
            f"{url} was too busy for longer than {self.plan.retry_s:g} s (status {status})",
            status=status,
            hint="send the documents again later: none will be there twice",
        )
        return _Busy(failure, f"{url} is too busy (status {status})", pause_s)
