"""The HTTP face of the store: what kubectl, the load engine and any other client speak to."""

from __future__ import annotations

import asyncio
import logging
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from aiohttp import web

from perfscale.errors import ApiError, NotFoundError
from perfscale.loopback import own_address_only
from perfscale.sim.apiserver import discovery, openapi, options, verbs
from perfscale.sim.apiserver.listening import Listener
from perfscale.sim.apiserver.negotiation import (
    JSON_TYPE,
    View,
    accepted_form,
    answer,
    answer_object,
    refuse,
)
from perfscale.sim.apiserver.paging import Pager
from perfscale.sim.apiserver.subresources import VirtApi, no_such_page
from perfscale.sim.apiserver.target import CALLS_PATH, Target, find_target, parse_target
from perfscale.sim.apiserver.verbs import Request, not_allowed
from perfscale.sim.apiserver.watching import UNDISTURBED, Watcher, WatchRequest
from perfscale.sim.storage import refusals
from perfscale.sim.storage.lifecycle import Housekeeping, create_own_namespaces
from perfscale.sim.storage.records import encode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from typing import Self

    from aiohttp.typedefs import Handler, Middleware

    from perfscale.kube.resources import Resource
    from perfscale.sim.apiserver.watching import Disturbance
    from perfscale.sim.storage.namespaces import DeletionBlocker
    from perfscale.sim.storage.store import Store

logger = logging.getLogger(__name__)

Page: TypeAlias = "Callable[[], tuple[bytes, str]]"
"""Makes what is shown under a path: the body, and its media type."""

_HOST: Final = "127.0.0.1"
_VERBS: Final = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
# How many objects a deletecollection deletes before others get a turn.
_SLICE: Final = 100


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """The limits of the server; the defaults are a kube-apiserver's, where it has them.

    Attributes:
        max_in_flight: Requests at a time, watches apart, before it answers 429.
        max_body_bytes: The largest object it takes.
        watch_buffer: Events that may wait for a slow watcher before it is cut off.
        watch_timeout_s: A watch that names no timeout ends after a time between these.
        bookmark_interval_s: How often a watch gets a bookmark, if it wants any.
    """

    max_in_flight: int = 600
    max_body_bytes: int = 3 * 1024 * 1024
    watch_buffer: int = 8192
    watch_timeout_s: tuple[float, float] = (1800.0, 3600.0)
    bookmark_interval_s: float = 60.0


@dataclass(slots=True)
class _Server:
    """The state of one application."""

    store: Store
    options: ServerOptions
    pager: Pager = field(default_factory=Pager)
    watchers: set[Watcher] = field(default_factory=set)
    in_flight: int = 0
    rng: random.Random = field(default_factory=random.Random)
    disturb: Callable[[WatchRequest], Disturbance] | None = None
    virt_api: VirtApi | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer any request; every refusal is a Status."""
        resource: Resource | None = None
        try:
            path = request.path
            if not path.startswith(("/api/", "/apis/")) or discovery.is_discovery(path):
                return self._about(request)
            if path.startswith(CALLS_PATH):
                return await self._call(request)
            target = parse_target(path, self.store.catalogue)
            resource = target.resource
            if request.method == "GET" and options.flag(request.query, "watch"):
                return await self._watch(request, target)
            return await self._limited(request, target, self._objects)
        except ApiError as error:
            return refuse(error, resource)
        except web.HTTPRequestEntityTooLarge:
            limit = self.options.max_body_bytes
            message = f"Request entity too large: limit is {limit}"
            return refuse(refusals.refusal(413, "RequestEntityTooLarge", message), resource)

    def _about(self, request: web.Request) -> web.Response:
        path = request.path
        if request.method not in ("GET", "HEAD"):
            raise not_allowed()
        if path in discovery.HEALTH_PATHS:
            return web.Response(text="ok")
        if path == "/version":
            return answer(encode(discovery.version()))
        if path.startswith("/openapi/"):
            wanted = request.headers.get("Accept", "")
            return answer(*openapi.describe(path, wanted, self.store.catalogue))
        return answer(encode(discovery.discover(path, self.store.catalogue)))

    async def _call(self, request: web.Request) -> web.StreamResponse:
        """Have virt-api answer, as an aggregator does: without it, and for what it lacks too."""
        if self.virt_api is None:
            return web.Response(text="service unavailable\n", status=503)
        target = find_target(request.path, self.store.catalogue)
        if target is None or target.name is None:
            return no_such_page()
        return await self._limited(request, target, self.virt_api)

    async def _limited(
        self,
        request: web.Request,
        target: Target,
        answering: Callable[[web.Request, Target], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        if self.in_flight >= self.options.max_in_flight:
            raise refusals.too_many_requests()
        self.in_flight += 1
        try:
            return await answering(request, target)
        except (ApiError, web.HTTPException):
            raise
        except Exception:  # a bug of ours, answered in the form that clients can read
            logger.exception("cannot answer %s %s", request.method, request.path)
            message = "Internal error occurred: the simulated API server has logged it"
            error = refusals.refusal(500, "InternalError", message)
            return refuse(error, target.resource)
        finally:
            self.in_flight -= 1

    async def _objects(self, http: web.Request, target: Target) -> web.StreamResponse:
        method = http.method
        verb = _VERBS.get(method, "list" if target.name is None else "get")
        if verb not in target.kind.verbs or method not in (*_VERBS, "GET", "HEAD"):
            raise not_allowed()
        body = await http.read() if http.body_exists else b""
        request = Request(target, self._view(http, target), http.query, body, http.content_type)
        if verb == "delete" and target.name is None:
            return await self._delete_collection(request)
        if verb in ("get", "list"):
            return answer(self._read(request))
        return self._write(verb, request)

    def _read(self, request: Request) -> bytes:
        if request.target.name is not None:
            return verbs.get(self.store, request)
        page = verbs.list_page(self.store, self.pager, request)
        return request.view.list(page.records, page.metadata)

    def _write(self, verb: str, request: Request) -> web.Response:
        if verb == "create":
            return answer_object(request, verbs.create(self.store, request), 201)
        if verb == "update":
            return answer_object(request, verbs.replace(self.store, request))
        if verb == "patch":
            obj, created = verbs.change(self.store, request)
            return answer_object(request, obj, 201 if created else 200)
        return answer_object(request, verbs.delete(self.store, request))

    def _view(self, http: web.Request, target: Target) -> View:
        form = accepted_form(http.headers.get("Accept", ""))
        include = http.query.get("includeObject", "Metadata")
        return View(target, form, self.store.now, include)

    async def _delete_collection(self, request: Request) -> web.Response:
        """Delete what the selectors choose, with turns for others in between."""
        target, store = request.target, self.store
        wanted = options.delete_options(request.query, request.decoded() if request.body else None)
        page = verbs.list_page(store, self.pager, request)
        for number, record in enumerate(page.records, 1):
            try:
                store.delete(target.resource, record.namespace, record.name, wanted)
            except NotFoundError:
                logger.debug("%s went by itself meanwhile", record.name)
            if number % _SLICE == 0:
                await asyncio.sleep(0)
        return answer(request.view.list(page.records, page.metadata))

    async def _watch(self, http: web.Request, target: Target) -> web.StreamResponse:
        if target.name is not None or "watch" not in target.kind.verbs:
            raise not_allowed()
        request = self._watch_request(http, target)
        disturbance = UNDISTURBED if self.disturb is None else self.disturb(request)
        watcher = Watcher(request, self.store, self.options.watch_buffer, disturbance)
        response = web.StreamResponse(headers={"Content-Type": JSON_TYPE})
        response.enable_chunked_encoding()
        await response.prepare(http)
        self.watchers.add(watcher)
        try:
            await watcher.run(response.write, self.options.bookmark_interval_s)
        except ConnectionResetError:
            logger.debug("a watch of %s lost its client", target.resource.name)
        finally:
            self.watchers.discard(watcher)
        return response

    def _watch_request(self, http: web.Request, target: Target) -> WatchRequest:
        query = http.query
        options.check_list(query)
        view = self._view(http, target)
        initial = options.flag(query, "sendInitialEvents")
        timeout_s = options.number(query, "timeoutSeconds")
        bookmarks = options.flag(query, "allowWatchBookmarks")
        return WatchRequest(
            target.resource,
            view,
            Request(target, view, query, b"", "").selector(),
            target.namespace,
            None if initial else options.version(query),
            initial and bookmarks,
            bookmarks,
            timeout_s or self.rng.uniform(*self.options.watch_timeout_s),
        )

    async def close_watches(self, _: web.Application) -> None:
        """End every open watch, as a server does that shuts down."""
        for watcher in tuple(self.watchers):
            watcher.close()


@dataclass(frozen=True, slots=True)
class Attachments:
    """What a cluster attaches to its API server: faults, and pages of what happened.

    Attributes:
        middlewares: What requests pass first, as aiohttp has them.
        disturb: Decides what goes wrong with a watch, or refuses it.
        pages: What it shows besides objects: by path, what makes it.
        blocker_of: What keeps a namespace that is being deleted, by its name.
        virt_api: What answers the calls of KubeVirt's subresources; None where it is not
            there.
    """

    middlewares: Sequence[Middleware] = ()
    disturb: Callable[[WatchRequest], Disturbance] | None = None
    pages: Mapping[str, Page] = field(default_factory=dict)
    blocker_of: Callable[[str], DeletionBlocker | None] = lambda _: None
    virt_api: VirtApi | None = None


def _showing(page: Page) -> Handler:
    async def show(_: web.Request) -> web.Response:
        return answer(*page())

    return show


class SimulatedApiServer:
    """The API server on a port of this machine, in the running event loop.

    Brings the namespaces that every cluster has, and processes deleted namespaces and owners.

    Args:
        port: Where to listen on loopback; 0 takes a free port.

    Attributes:
        listener: Its port, which it can leave for a while.
    """

    def __init__(
        self,
        store: Store,
        *,
        port: int = 0,
        server_options: ServerOptions | None = None,
        attached: Attachments | None = None,
    ) -> None:
        self.store = store
        attached = attached or Attachments()
        server = _Server(
            store,
            server_options or ServerOptions(),
            disturb=attached.disturb,
            virt_api=attached.virt_api,
        )
        app = web.Application(
            middlewares=[own_address_only(_HOST), *attached.middlewares],
            client_max_size=server.options.max_body_bytes + 1,
        )
        for path, page in attached.pages.items():
            app.router.add_get(path, _showing(page))
        app.router.add_route("*", "/{path:.*}", server.handle)
        app.on_shutdown.append(server.close_watches)
        self._blocker_of = attached.blocker_of
        self.listener = Listener(app, _HOST, port)
        self._housekeeping: Housekeeping | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.listener.url

    async def __aenter__(self) -> Self:
        """Listen; raises `OSError` if the port is taken."""
        loop = asyncio.get_running_loop()
        self._housekeeping = Housekeeping(
            self.store, loop.call_soon, loop.call_later, self._blocker_of
        )
        create_own_namespaces(self.store)
        try:
            await self.listener.start()
        except BaseException:
            self._housekeeping.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the open watches, finish the requests under way, stop listening."""
        if self._housekeeping is not None:
            self._housekeeping.close()
        await self.listener.stop()
