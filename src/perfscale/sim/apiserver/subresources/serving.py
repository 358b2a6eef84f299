"""virt-api as an aggregated server of the group ``subresources.kubevirt.io``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from aiohttp import web

from perfscale.errors import ApiError
from perfscale.sim.apiserver.negotiation import JSON_TYPE, answer
from perfscale.sim.apiserver.subresources import answers, instances, machines, volumes
from perfscale.sim.apiserver.subresources.call import Call
from perfscale.sim.controllers.kinds import VM, VMI
from perfscale.sim.storage.records import encode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from perfscale.sim.apiserver.target import Target
    from perfscale.sim.ground_truth import OperationTruth
    from perfscale.sim.nodes.handler import VirtHandler
    from perfscale.sim.storage.records import JSON
    from perfscale.sim.storage.store import Store

_ACCEPTED: Final = 202
_DONE: Final = 200
_AGENT: Final[Mapping[str, Callable[[Call], JSON]]] = {
    "guestosinfo": instances.guest_os_info,
    "userlist": instances.user_list,
    "filesystemlist": instances.file_system_list,
}
"""What the guest's agent is asked for."""

_Handler: TypeAlias = "Callable[[Call], Awaitable[None]]"


class _Rule(NamedTuple):
    """What a call does, and the status of its answer."""

    do: _Handler
    status: int


_MACHINES: Final[Mapping[str, _Rule]] = {
    "start": _Rule(machines.start, _ACCEPTED),
    "stop": _Rule(machines.stop, _ACCEPTED),
    "restart": _Rule(machines.restart, _ACCEPTED),
    "migrate": _Rule(machines.migrate, _ACCEPTED),
    "addvolume": _Rule(volumes.add_to_vm, _ACCEPTED),
    "removevolume": _Rule(volumes.remove_from_vm, _ACCEPTED),
}
_INSTANCES: Final[Mapping[str, _Rule]] = {
    "pause": _Rule(instances.pause, _DONE),
    "unpause": _Rule(instances.unpause, _DONE),
    "softreboot": _Rule(instances.soft_reboot, _DONE),
    "reset": _Rule(instances.reset, _DONE),
    "freeze": _Rule(instances.freeze, _DONE),
    "unfreeze": _Rule(instances.unfreeze, _DONE),
    "addvolume": _Rule(volumes.add_to_vmi, _ACCEPTED),
    "removevolume": _Rule(volumes.remove_from_vmi, _ACCEPTED),
}


class VirtApi:
    """Answers the calls.

    Args:
        store: Where the objects are.
        handler: What changes guests that run.
        truth: Where calls that were accepted are recorded.
    """

    def __init__(self, store: Store, handler: VirtHandler, truth: OperationTruth) -> None:
        self._store = store
        self._handler = handler
        self._truth = truth

    async def __call__(self, http: web.Request, target: Target) -> web.Response:
        """Answer a call."""
        arrived_s = self._truth.clock()
        body = await http.read() if http.body_exists else b""
        namespace, name, what = target.namespace or "", target.name or "", target.subresource or ""
        call = Call(self._store, self._handler, namespace, name, body)
        about, rules = (VM, _MACHINES) if target.kind.plural == VM.plural else (VMI, _INSTANCES)
        if (ask := _AGENT.get(what)) is not None:
            return _of_agent(http, call, ask)
        rule = rules.get(what)
        if rule is None:
            return _not_simulated(what)
        if http.method != "PUT":
            return not_allowed()
        uid = self._uid_of_instance(call)
        try:
            await rule.do(call)
        except ApiError as error:
            return answer(encode(answers.status_of(error, about)), status=error.status or 500)
        if not call.is_dry_run:
            volume = str(call.options().get("name") or "")
            self._truth.requested(what, about, (namespace, name), uid, arrived_s, volume=volume)
        return web.Response(status=rule.status)

    @staticmethod
    def _uid_of_instance(call: Call) -> str:
        vmi = call.any_vmi()
        return "" if vmi is None else str(vmi["metadata"]["uid"])


def not_allowed() -> web.Response:
    """405, as go-restful has it."""
    return web.Response(status=405, text="405: Method Not Allowed")


def no_such_page() -> web.Response:
    """404, likewise."""
    return web.Response(status=404, text="404: Page Not Found")


def _not_simulated(what: str) -> web.Response:
    """501: KubeVirt lists it, and does it; of a guest that is simulated there is nothing to it."""
    return web.Response(status=501, text=f"501: Not Implemented: {what} is not simulated")


def _of_agent(http: web.Request, call: Call, ask: Callable[[Call], JSON]) -> web.Response:
    if http.method != "GET":
        return not_allowed()
    try:
        return answer(encode(ask(call)), JSON_TYPE)
    except ApiError as error:
        if error.status != 500:
            return answer(encode(answers.status_of(error, VMI)), status=error.status or 500)
        return web.Response(status=500, text=str(error))
