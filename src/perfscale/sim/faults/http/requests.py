"""Faults of requests: answers that refuse, connections that break, time that passes."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from aiohttp import web

from perfscale.sim.apiserver.discovery import group_of, is_discovery, names_a_version
from perfscale.sim.apiserver.listening import reset
from perfscale.sim.apiserver.target import find_target, verb_of
from perfscale.sim.faults.chance import Chance, is_meant
from perfscale.sim.faults.fields import CORE, VERBS
from perfscale.sim.faults.http.answers import refusal_of
from perfscale.sim.faults.http.garbage import (
    garbage,
    gzip_bomb,
    is_endless,
    next_page,
    with_token,
)
from perfscale.sim.ground_truth import GROUND_TRUTH_PATH
from perfscale.sim.metrics import METRICS_PATH
from perfscale.sim.metrics.requests import UNANSWERED

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Sequence

    from aiohttp.typedefs import Handler

    from perfscale.sim.apiserver.target import Target
    from perfscale.sim.faults.model import RequestFault
    from perfscale.sim.storage.catalogue import Catalogue

# The simulation's own, by which one finds out what really happened.
_SPARED: Final = frozenset({GROUND_TRUTH_PATH, METRICS_PATH})
# An admission webhook is called for what changes objects, and for nothing else.
_ONLY: Final = {
    "webhookDown": ("create", "update", "patch", "delete", "deletecollection"),
    "endlessContinue": ("list",),
}


class Uptime:
    """How long the server has been there."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began_s: float | None = None

    def begin(self) -> None:
        """The server has started."""
        self._began_s = self._clock()

    def is_within(self, after_s: float, lasts_s: float | None) -> bool:
        """Whether it is so long since the start, and not longer than it lasts."""
        if not after_s and lasts_s is None:
            return True
        if self._began_s is None:
            return False
        since_s = self._clock() - self._began_s - after_s
        return since_s >= 0 and (lasts_s is None or since_s < lasts_s)


class _Rule:
    """One fault, and how far it has got."""

    def __init__(self, fault: RequestFault, chance: Chance, uptime: Uptime) -> None:
        self.fault = fault
        self._chance = chance
        self._uptime = uptime
        self._spared = fault.skip or 0
        self._groups = None
        if fault.groups is not None:
            self._groups = {"" if group == CORE else group for group in fault.groups}

    def hits(self, request: web.Request, target: Target | None, verb: str) -> bool:
        """Whether it happens to this request."""
        fault = self.fault
        if not self._may_hit(request.path, target, verb):
            return False
        if not self._uptime.is_within(fault.after, fault.lasts):
            return False
        if self._spared:
            self._spared -= 1
            return False
        return self._chance.hits()

    def _may_hit(self, path: str, target: Target | None, verb: str) -> bool:
        fault = self.fault
        if verb == "watch" and fault.fault == "resetAfter":
            return False
        if fault.scope == "all":
            return True
        if fault.fault == "groupUnavailable" and target is None:
            # The aggregator lists groups and their versions by itself, and forwards the rest.
            return names_a_version(path) and self._is_of_groups(group_of(path))
        if fault.scope == "discovery":
            return is_discovery(path) and self._is_of_groups(group_of(path))
        return (
            target is not None
            and (fault.verbs is None or verb in fault.verbs)
            and verb in _ONLY.get(fault.fault, VERBS)
            and is_meant(target.resource, fault.resources)
            and self._is_of_groups(target.resource.group)
        )

    def _is_of_groups(self, group: str | None) -> bool:
        return self._groups is None or group in self._groups


class RequestFaults:
    """Lets the faults of a file happen to requests.

    They are tried in the order of the file: of those that end a request, the first that
    hits it does; the slow ones add up.
    """

    def __init__(
        self,
        faults: Sequence[RequestFault],
        seed: int,
        catalogue: Catalogue,
        uptime: Uptime,
        injected: Counter[str],
    ) -> None:
        self._rules = [
            _Rule(fault, Chance(seed, f"requests[{number}]", fault.share, fault.times), uptime)
            for number, fault in enumerate(faults)
        ]
        self._catalogue = catalogue
        self._injected = injected

    async def __call__(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request, or let it be answered."""
        if request.path in _SPARED:
            return await handler(request)
        target = find_target(request.path, self._catalogue)
        verb = "" if target is None else verb_of(request, target)
        token = request.query.get("continue", "")
        if target is not None and verb == "list" and is_endless(token):
            self._injected["endlessContinue"] += 1
            return next_page(token, target)
        for rule in self._rules:
            if not rule.hits(request, target, verb):
                continue
            fault = rule.fault
            self._injected[fault.fault] += 1
            if fault.fault == "slow":
                await asyncio.sleep(fault.delay or 0.0)
            else:
                return await _end(fault, request, handler, target, verb)
        return await handler(request)


async def _end(
    fault: RequestFault, request: web.Request, handler: Handler, target: Target | None, verb: str
) -> web.StreamResponse:
    """Answer a request in the way of a fault that ends it."""
    match fault.fault:
        case "resetBefore":
            return _break(request, UNANSWERED)
        case "resetAfter":
            carried_out = await handler(request)
            return _break(request, carried_out.status)
        case "garbage":
            return await garbage(fault.body or "empty", request, handler, target, verb)
        case "endlessContinue":
            return with_token(await handler(request), fault.tokens)
        case "gzipBomb":
            return await gzip_bomb(request, fault.mebibytes)
    return refusal_of(fault, request, target, verb)


def _break(request: web.Request, status: int) -> web.Response:
    """Reset the connection; the answer that aiohttp is owed is counted, and goes nowhere."""
    reset(request.transport)
    return web.Response(status=status)
