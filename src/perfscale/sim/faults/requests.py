"""Faults of requests: answers that refuse, connections that break, time that passes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aiohttp import web

from perfscale.sim.books import BOOKS_PATH
from perfscale.sim.connections import reset
from perfscale.sim.discovery import group_of, is_discovery, names_a_version
from perfscale.sim.faults.answers import refusal_of
from perfscale.sim.faults.chance import Chance, is_meant
from perfscale.sim.faults.fields import CORE
from perfscale.sim.metrics import METRICS_PATH
from perfscale.sim.metrics.requests import UNANSWERED
from perfscale.sim.target import find_target, verb_of

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from aiohttp.typedefs import Handler

    from perfscale.sim.faults.model import RequestFault
    from perfscale.sim.faults.windows import Uptime
    from perfscale.sim.resources import Catalogue
    from perfscale.sim.target import Target

# The simulation's own, by which one finds out what really happened.
_SPARED: Final = frozenset({BOOKS_PATH, METRICS_PATH})
# An admission webhook is asked about what changes objects, and about nothing else.
_ADMITTED: Final = frozenset({"create", "update", "patch", "delete", "deletecollection"})


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
            # The aggregator lists groups and their versions by itself, and asks for the rest.
            return names_a_version(path) and self._is_of_groups(group_of(path))
        if fault.scope == "discovery":
            return is_discovery(path) and self._is_of_groups(group_of(path))
        return (
            target is not None
            and (fault.verbs is None or verb in fault.verbs)
            and (fault.fault != "webhookDown" or verb in _ADMITTED)
            and is_meant(target.resource, fault.resources)
            and self._is_of_groups(target.resource.group)
        )

    def _is_of_groups(self, group: str | None) -> bool:
        return self._groups is None or group in self._groups


class RequestFaults:
    """Lets the faults of a file happen to requests.

    They are tried in the order of the file: of those that end a request, the first that
    hits it does; the slow ones add up.

    Args:
        faults: The faults.
        seed: The file's seed.
        catalogue: The kinds that the server has.
        uptime: When the server has started.
        injected: Where to count what happened, by the name of the fault.
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
        for rule in self._rules:
            if not rule.hits(request, target, verb):
                continue
            fault = rule.fault
            self._injected[fault.fault] += 1
            match fault.fault:
                case "slow":
                    await asyncio.sleep(fault.delay or 0.0)
                case "resetBefore":
                    return _break(request, UNANSWERED)
                case "resetAfter":
                    carried_out = await handler(request)
                    return _break(request, carried_out.status)
                case _:
                    return refusal_of(fault, request, target, verb)
        return await handler(request)


def _break(request: web.Request, status: int) -> web.Response:
    """Reset the connection; the answer that aiohttp is owed is counted, and goes nowhere."""
    reset(request.transport)
    return web.Response(status=status)
