"""A search engine that takes bulk requests as strictly as OpenSearch does."""

from __future__ import annotations

import gzip
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

Refuses = Callable[[dict[str, Any]], str | None]


class SearchEngine:
    """Keeps what it is sent, by id; an error in a request's form fails the test.

    Attributes:
        documents: What is in the index, by id.
        bodies: The size of each bulk request, in bytes once decompressed, and its documents.
        headers: Of each request.
        statuses: What the next requests are answered with instead of being carried out.
        retry_after: What it then says of how long to wait.
        most_bytes: What it takes in a request; more is 413.
        refuses: Why it refuses a document; None where it does not.
        busy_once: Ids that are answered with 429 once.
        authorization: What it wants in each request; None for anything.
        problems: What was wrong with requests.
    """

    def __init__(self) -> None:
        self.url = ""
        self.documents: dict[str, dict[str, Any]] = {}
        self.bodies: list[tuple[int, int]] = []
        self.headers: list[dict[str, str]] = []
        self.statuses: deque[int] = deque()
        self.retry_after: str | None = None
        self.most_bytes = 100 * 2**20
        self.refuses: Refuses = lambda _: None
        self.busy_once: set[str] = set()
        self.authorization: str | None = None
        self.problems: list[str] = []

    async def about(self, request: web.Request) -> web.Response:
        """``GET /``."""
        self.headers.append(dict(request.headers))
        if refusal := self._refusal(request):
            return refusal
        version = {"distribution": "opensearch", "number": "2.19.1"}
        return web.json_response({"name": "node", "version": version})

    async def bulk(self, request: web.Request) -> web.Response:
        """``POST /_bulk``."""
        self.headers.append(dict(request.headers))
        body = await request.read()
        if request.headers.get("Content-Encoding") == "gzip" and body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        if refusal := self._refusal(request):
            return refusal
        if len(body) > self.most_bytes:
            return web.Response(status=413)
        try:
            pairs = _pairs(body, request.headers.get("Content-Type", ""))
        except ValueError as error:
            self.problems.append(str(error))
            document = {"error": {"type": "illegal_argument_exception", "reason": str(error)}}
            return web.json_response({**document, "status": 400}, status=400)
        self.bodies.append((len(body), len(pairs)))
        items = [self._take(action, document) for action, document in pairs]
        errors = any("error" in item["index"] for item in items)
        return web.json_response({"took": 1, "errors": errors, "items": items})

    def _refusal(self, request: web.Request) -> web.Response | None:
        if self.authorization not in (None, request.headers.get("Authorization")):
            return web.Response(status=401)
        if self.statuses and (status := self.statuses.popleft()) != 200:
            after = {} if self.retry_after is None else {"Retry-After": self.retry_after}
            return web.Response(status=status, headers=after)
        return None

    def _take(self, action: dict[str, str], document: dict[str, Any]) -> dict[str, Any]:
        identity = action["_id"]
        item: dict[str, Any] = {"_index": action["_index"], "_id": identity}
        if identity in self.busy_once:
            self.busy_once.remove(identity)
            busy = {"type": "es_rejected_execution_exception", "reason": "queue is full"}
            return {"index": {**item, "status": 429, "error": busy}}
        if reason := self.refuses(document):
            error = {"type": "mapper_parsing_exception", "reason": reason}
            return {"index": {**item, "status": 400, "error": error}}
        known = identity in self.documents
        self.documents[identity] = document
        done = (
            {"result": "updated", "status": 200} if known else {"result": "created", "status": 201}
        )
        return {"index": item | done}


def _pairs(body: bytes, content_type: str) -> list[tuple[dict[str, str], dict[str, Any]]]:
    """The actions and documents of a request.

    Raises:
        ValueError: OpenSearch would not take it.
    """
    if content_type not in ("application/x-ndjson", "application/json"):
        raise ValueError(f"the content type is {content_type!r}")
    if not body.endswith(b"\n"):
        raise ValueError("The bulk request must be terminated by a newline [\\n]")
    lines = body.split(b"\n")[:-1]
    if not lines or len(lines) % 2:
        raise ValueError(f"there are {len(lines)} lines")
    return [(_action(lines[at]), _object(lines[at + 1])) for at in range(0, len(lines), 2)]


def _action(line: bytes) -> dict[str, str]:
    action = _object(line)
    if action.keys() != {"index"} or action["index"].keys() != {"_index", "_id"}:
        raise ValueError(f"Malformed action/metadata line: {line!r}")
    if not 0 < len(action["index"]["_id"]) <= 512:
        raise ValueError("id is too long, must be no longer than 512 bytes")
    found: dict[str, str] = action["index"]
    return found


def _object(line: bytes) -> dict[str, Any]:
    found = json.loads(line)
    if not isinstance(found, dict):
        raise ValueError(f"not an object: {line!r}")  # noqa: TRY004 -- the request is wrong
    return found


@asynccontextmanager
async def search_engine() -> AsyncIterator[SearchEngine]:
    """One that listens on loopback; at its end, nothing may have been wrong with any request."""
    engine = SearchEngine()
    application = web.Application(client_max_size=2**30)
    application.router.add_get("/", engine.about)
    application.router.add_post("/_bulk", engine.bulk)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    try:
        await site.start()
        engine.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield engine
    finally:
        await runner.cleanup()
    assert engine.problems == []
