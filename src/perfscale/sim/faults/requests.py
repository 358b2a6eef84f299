"""Faults of requests: answers that refuse, connections that break, time that passes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from perfscale.errors import ApiError, ServerError
from perfscale.sim import refusals
from perfscale.sim.answers import refuse
from perfscale.sim.connections import reset
from perfscale.sim.faults.chance import Chance, is_meant
from perfscale.sim.metrics.requests import UNANSWERED
from perfscale.sim.target import find_target, verb_of

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from aiohttp.typedefs import Handler

    from perfscale.sim.faults.model import RequestFault
    from perfscale.sim.resources import Catalogue
    from perfscale.sim.target import Target


@dataclass(frozen=True, slots=True)
class _Rule:
    fault: RequestFault
    chance: Chance

    def hits(self, target: Target, verb: str) -> bool:
        fault = self.fault
        if fault.verbs is not None and verb not in fault.verbs:
            return False
        if verb == "watch" and fault.fault == "resetAfter":
            return False
        return is_meant(target.resource, fault.resources) and self.chance.hits()


class RequestFaults:
    """Lets the faults of a file happen to requests for objects.

    They are tried in the order of the file: of those that end a request, the first that
    hits it does; the slow ones add up. Discovery, versions and health are left alone.

    Args:
        faults: The faults.
        seed: The file's seed.
        catalogue: The kinds that the server has.
        injected: Where to count what happened, by the name of the fault.
    """

    def __init__(
        self,
        faults: Sequence[RequestFault],
        seed: int,
        catalogue: Catalogue,
        injected: Counter[str],
    ) -> None:
        self._rules = [
            _Rule(fault, Chance(seed, f"requests[{number}]", fault.share, fault.times))
            for number, fault in enumerate(faults)
        ]
        self._catalogue = catalogue
        self._injected = injected

    async def __call__(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request, or let it be answered."""
        target = find_target(request.path, self._catalogue)
        if target is None:
            return await handler(request)
        verb = verb_of(request, target)
        for rule in self._rules:
            if not rule.hits(target, verb):
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
                    return refuse(_refusal(fault), target.resource)
        return await handler(request)


def _refusal(fault: RequestFault) -> ApiError:
    retry_s = fault.retry_after
    if fault.fault == "tooManyRequests":
        return refusals.too_many_requests(1 if retry_s is None else int(retry_s))
    if fault.fault == "unavailable":
        message = "the server is currently unable to handle the request"
        return ServerError(message, status=503, reason="ServiceUnavailable", retry_after_s=retry_s)
    message = "Internal error occurred: the simulation was told so"
    return refusals.refusal(500, "InternalError", message)


def _break(request: web.Request, status: int) -> web.Response:
    """Reset the connection; the answer that aiohttp is owed is counted, and goes nowhere."""
    reset(request.transport)
    return web.Response(status=status)
