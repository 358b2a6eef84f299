"""What KubeVirt's webhooks make of a migration that is about to be created."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.errors import ApiError
from perfscale.sim.controllers.kinds import VMI, VMIM
from perfscale.sim.controllers.kubevirt.migration.queue import FINAL_PHASES, vmi_of
from perfscale.sim.controllers.kubevirt.migration.vmim import FINALIZER
from perfscale.sim.controllers.kubevirt.vmi import is_final
from perfscale.sim.controllers.objects import condition_of, finalizers_of, phase_of, uid_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.objects import Key
    from perfscale.sim.controllers.store import JSON

VMI_LABEL: Final = "kubevirt.io/vmi-name"
_WEBHOOK: Final = "migration-create-validator.kubevirt.io"


class MigrationWebhook:
    """An admission: refuses what cannot be migrated, and has the rest held.

    Args:
        find: Finds an instance; None if there is none.
        migrations: The migrations of an instance.
    """

    def __init__(
        self,
        find: Callable[[Resource, Key], JSON | None],
        migrations: Callable[[Key], Iterable[JSON]],
    ) -> None:
        self._find = find
        self._migrations = migrations

    def __call__(self, resource: Resource, obj: JSON, dry_run: bool) -> JSON:
        """The object as it is stored; raises an `ApiError` (400)."""
        del dry_run
        if resource.name != VMIM.name:
            return obj
        key = vmi_of(obj)
        vmi = self._find(VMI, key)
        if vmi is None:
            raise _denied(f'the VMI "{key.namespace}/{key.name}" does not exist')
        if is_final(vmi):
            raise _denied("Cannot migrate VMI in finalized state.")
        migratable = condition_of(vmi, "LiveMigratable") or {}
        if migratable.get("status") == "False":
            reason, message = migratable.get("reason", ""), migratable.get("message", "")
            raise _denied(f"Cannot migrate VMI, Reason: {reason}, Message: {message}")
        for other in self._migrations(key):
            if phase_of(other) not in FINAL_PHASES:
                raise _denied(
                    f"in-flight migration detected. Active migration job ({uid_of(other)}) is "
                    f"currently already in progress for VMI {key.name}."
                )
        metadata: JSON = obj["metadata"]
        labels = {**(metadata.get("labels") or {}), VMI_LABEL: key.name}
        finalizers = [each for each in finalizers_of(obj) if each != FINALIZER]
        held = {**metadata, "labels": labels, "finalizers": [*finalizers, FINALIZER]}
        return {**obj, "metadata": held}


def _denied(why: str) -> ApiError:
    message = f'admission webhook "{_WEBHOOK}" denied the request: {why}'
    return ApiError(message, status=400, reason="")
