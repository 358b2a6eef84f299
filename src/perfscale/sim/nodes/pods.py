"""The pods that VMIs run in, as virt-controller, a scheduler and kubelets would write them.

A VMI says in ``status.activePods`` which pods it has, by their UIDs, and on which nodes. The
pods follow what is written of their VMI, in the same moment and without a controller of their
own: of 50 000 VMIs they must not be half of the work.
"""

from __future__ import annotations

from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from perfscale.errors import ApiError, NotFoundError
from perfscale.sim.controllers.kinds import POD, VMI
from perfscale.sim.controllers.kubevirt.placement import place
from perfscale.sim.controllers.kubevirt.pod import (
    CONDITIONS,
    LAUNCHER,
    LAUNCHER_LABEL,
    is_launcher,
    pod_name,
)
from perfscale.sim.controllers.kubevirt.readiness import (
    GATED,
    READINESS_GATE,
    TERMINATING,
    not_ready,
    readiness_reason,
)
from perfscale.sim.controllers.kubevirt.vmi import Phase, is_final
from perfscale.sim.controllers.objects import (
    condition,
    condition_of,
    controller_of,
    entered,
    is_deleting,
    owner_reference,
    phase_of,
    timestamp,
    uid_of,
    with_condition,
    with_status,
)
from perfscale.sim.storage.store import DeleteOptions

if TYPE_CHECKING:
    from perfscale.sim.storage.records import JSON, StoredChange
    from perfscale.sim.storage.store import Store

CREATED_BY_LABEL: Final = "kubevirt.io/created-by"


_SCHEDULED: Final = "PodScheduled"


class _State(StrEnum):
    """How far a pod has got."""

    PENDING = "Pending"
    GATED = "Gated"
    READY = "Ready"
    STOPPING = "Stopping"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    GONE = "Gone"


_ENDED: Final = frozenset({_State.SUCCEEDED, _State.FAILED})
_RUNNING: Final = frozenset({_State.GATED, _State.READY})


class LauncherPods:
    """Keeps the pods of a store's VMIs as their VMIs say, from the moment it is made.

    A VMI whose pod somebody else has removed fails.

    Args:
        store: Where both are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._states: dict[str, _State] = {}
        store.listen(self._on_vmi, VMI)
        store.listen(self._on_pod, POD)

    def _on_vmi(self, change: StoredChange) -> None:
        vmi = change.obj
        active: dict[str, str] = (vmi.get("status") or {}).get("activePods") or {}
        for uid, node in active.items():
            wanted = _State.GONE if change.type == "DELETED" else _state(vmi, uid, node)
            state = self._states.get(uid, _State.GONE)
            # A pod that has ended stays so, though its instance may come back to the node.
            if state is not wanted and (state not in _ENDED or wanted is _State.GONE):
                self._write(vmi, uid, node, wanted)

    def _on_pod(self, change: StoredChange) -> None:
        """Notice a pod that goes although its VMI stays."""
        if change.type != "DELETED" or self._states.pop(change.record.uid, None) is None:
            return
        owner = controller_of(change.obj)
        if owner is None or not is_launcher(change.obj):
            return
        with suppress(NotFoundError):
            vmi = self._store.get(VMI, change.record.namespace, owner["name"])
            active = (vmi.get("status") or {}).get("activePods") or {}
            has_lost_it = uid_of(vmi) == owner["uid"] and change.record.uid in active
            if has_lost_it and not (is_final(vmi) or is_deleting(vmi)):
                self._fail(vmi)

    def _fail(self, vmi: JSON) -> None:
        now = self._store.now()
        status = entered(vmi, Phase.FAILED, now)
        gone = with_condition(status.get("conditions") or (), not_ready(TERMINATING, now))
        self._store.update(VMI, with_status(vmi, {**status, "conditions": gone}))

    def _write(self, vmi: JSON, uid: str, node: str, wanted: _State) -> None:
        known = uid in self._states
        namespace, name = vmi["metadata"]["namespace"], pod_name(vmi["metadata"]["name"], uid)
        if wanted is _State.GONE:
            self._states.pop(uid, None)
        else:
            self._states[uid] = wanted
        # Its namespace may be going, or somebody may have removed the pod.
        with suppress(ApiError):
            if not known:
                if wanted in _RUNNING or wanted is _State.PENDING:
                    self._store.create(POD, _pod(vmi, name), uid=uid)
                if wanted not in _RUNNING:
                    return
            if wanted is _State.GONE:
                options = DeleteOptions(uid=uid, grace_period_s=0)
                self._store.delete(POD, namespace, name, options)
            elif wanted is _State.STOPPING:
                self._store.delete(POD, namespace, name, DeleteOptions(uid=uid))
            else:
                pod = self._store.get(POD, namespace, name)
                if uid_of(pod) == uid:
                    self._bind(pod, vmi, node, wanted)

    def _bind(self, pod: JSON, vmi: JSON, node: str, state: _State) -> None:
        """Write what a scheduler and a kubelet say of a pod."""
        spec = {**pod["spec"], "nodeName": node} if node else pod["spec"]
        bound = with_status({**pod, "spec": spec}, self._status(pod, vmi, state))
        self._store.update(POD, bound, subresource="binding")

    def _status(self, pod: JSON, vmi: JSON, state: _State) -> JSON:
        now = self._store.now()
        old: JSON = pod.get("status") or {}
        conditions = old.get("conditions") or ()
        if state not in _RUNNING:
            ended = condition("Ready", holds=False, now=now, reason="PodCompleted")
            return {**old, "phase": str(state), "conditions": with_condition(conditions, ended)}
        for kind in CONDITIONS:
            holds = state is _State.READY or kind != "Ready"
            reason = "" if holds else GATED
            changed = condition(kind, holds=holds, now=now, reason=reason)
            if kind == _SCHEDULED and condition_of(pod, kind) is None:
                # A scheduler has nothing else to do here, and needs no time for it.
                changed["lastTransitionTime"] = pod["metadata"]["creationTimestamp"]
            conditions = with_condition(conditions, changed)
        address = _address(vmi)
        return {
            **old,
            "phase": "Running",
            "conditions": conditions,
            "startTime": old.get("startTime") or timestamp(now),
            "podIP": address,
            "podIPs": [{"ip": address}],
        }


def _address(vmi: JSON) -> str:
    return place(uid_of(vmi)).pod_ip


def _state(vmi: JSON, uid: str, node: str) -> _State:
    """What becomes of a VMI's pod on this node; without one, it is still to get it."""
    if is_deleting(vmi):
        return _State.GONE if is_final(vmi) else _State.STOPPING
    if is_final(vmi):
        return _State.SUCCEEDED if phase_of(vmi) == Phase.SUCCEEDED else _State.FAILED
    if not node:
        return _State.PENDING
    status = vmi["status"]
    migration = status.get("migrationState") or {}
    if node != status.get("nodeName", node):
        # The target of a migration that has not ended yet, or what one that has left behind.
        name = pod_name(vmi["metadata"]["name"], uid)
        if migration.get("completed") and name == migration.get("sourcePod"):
            return _State.SUCCEEDED
        is_given_up = migration.get("failed") and name == migration.get("targetPod")
        return _State.FAILED if is_given_up else _State.GATED
    return _State.GATED if readiness_reason(vmi) == GATED else _State.READY


def _pod(vmi: JSON, name: str) -> JSON:
    metadata = vmi["metadata"]
    return {
        "metadata": {
            "name": name,
            "namespace": metadata["namespace"],
            "labels": {
                **(metadata.get("labels") or {}),
                LAUNCHER_LABEL: LAUNCHER,
                CREATED_BY_LABEL: uid_of(vmi),
            },
            "annotations": {"kubevirt.io/domain": metadata["name"]},
            "ownerReferences": [owner_reference(VMI, vmi)],
        },
        "spec": {
            "containers": [{"name": "compute", "image": LAUNCHER}],
            "readinessGates": [{"conditionType": READINESS_GATE}],
        },
    }
