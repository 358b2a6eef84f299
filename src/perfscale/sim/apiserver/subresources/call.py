"""One call of a subresource: the objects that it is about, and the options of its body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from perfscale.errors import NotFoundError
from perfscale.sim.apiserver.subresources import answers
from perfscale.sim.controllers.kinds import VM, VMI
from perfscale.sim.controllers.kubevirt.vmi import Phase, is_final
from perfscale.sim.controllers.objects import phase_of
from perfscale.sim.storage import refusals
from perfscale.sim.storage.records import decode

if TYPE_CHECKING:
    from perfscale.kube.resources import Resource
    from perfscale.sim.nodes.handler import VirtHandler
    from perfscale.sim.storage.records import JSON
    from perfscale.sim.storage.store import Store

NOT_RUNNING: Final = "VM is not running"


@dataclass(frozen=True, slots=True)
class Call:
    """A call, read in full.

    Attributes:
        store: Where the objects are.
        handler: What changes guests that run.
        namespace: The object's.
        name: The name of the VM, and of its instance.
        body: As it was sent; may be empty.
    """

    store: Store
    handler: VirtHandler
    namespace: str
    name: str
    body: bytes

    def options(self) -> JSON:
        """What the body says; raises an `ApiError` (400) if it says nothing that is JSON."""
        if not self.body.strip():
            return {}
        try:
            given = decode(self.body)
        except ValueError as error:
            raise _unreadable(str(error)) from error
        if given is None:
            return {}
        if not isinstance(given, dict):
            raise _unreadable("cannot unmarshal value into Go value of type v1.Options")
        return given

    @property
    def is_dry_run(self) -> bool:
        """Whether nothing is to be changed."""
        return self.options().get("dryRun") == ["All"]

    def vm(self) -> JSON:
        """The VM; raises an `ApiError` (404)."""
        return self._get(VM)

    def vmi(self) -> JSON:
        """The instance; raises an `ApiError` (404)."""
        return self._get(VMI)

    def living(self) -> JSON | None:
        """The VM's instance, if there is one that has not ended."""
        found = self.any_vmi()
        return None if found is None or is_final(found) else found

    def any_vmi(self) -> JSON | None:
        """The VM's instance, if there is one."""
        try:
            return self._get(VMI)
        except NotFoundError:
            return None

    def running(self) -> JSON:
        """The instance, which runs; raises an `ApiError` (404, 409)."""
        vmi = self.vmi()
        if phase_of(vmi) != Phase.RUNNING:
            raise self.conflict(VMI, NOT_RUNNING)
        return vmi

    def conflict(self, resource: Resource, why: str) -> Exception:
        """409: the object is not in the state for it."""
        return answers.conflict(resource, self.name, why)

    def _get(self, resource: Resource) -> JSON:
        try:
            return self.store.get(resource, self.namespace, self.name)
        except NotFoundError as error:
            raise answers.not_found(resource, self.name) from error


def _unreadable(why: str) -> Exception:
    message = f"Can not unmarshal Request body to struct, error: json: {why}"
    return refusals.bad_request(message)


def seconds(options: JSON, key: str) -> int | None:
    """A number of seconds among the options; raises an `ApiError` (400)."""
    value: Any = options.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise _unreadable(f"cannot unmarshal value into Go struct field .{key} of type int64")
    return value
