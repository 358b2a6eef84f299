"""Workload files at random, of everything that a workload file can say about loads.

Each is valid: what a file may not say is tested where its sections are. What it asks of the
cluster may well fail: a VM that runs is started, a target is deleted before its turn comes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import yaml
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis.strategies import DrawFn

JSON = dict[str, Any]

PATCH_FILE: Final = "patch.yaml"
PATCH: Final = 'metadata:\n  annotations:\n    patched: "{{ workload }}-{{ target.index }}"\n'
FOREIGN_NAMESPACE: Final = "theirs"
FOREIGN_KINDS: Final = {"ConfigMap": "v1", "VirtualMachine": "kubevirt.io/v1"}

_TEMPLATES: Final = {
    "configmap.yaml": "ConfigMap",
    "pod.yaml": "Pod",
    "vmi-ephemeral.yaml": "VirtualMachineInstance",
    "vm-ephemeral.yaml": "VirtualMachine",
    "vmirs-ephemeral.yaml": "VirtualMachineInstanceReplicaSet",
}
_READING: Final = ("get", "list", "watch")
_OF_ANY: Final = ("delete", "patch", *_READING)
_OF_INSTANCES: Final = ("pause", "unpause", "softReboot", "migrate", "addVolume", "removeVolume")
_OPERATIONS: Final = {
    "ConfigMap": _OF_ANY,
    "Pod": _OF_ANY,
    "VirtualMachineInstance": (*_OF_ANY, *_OF_INSTANCES),
    "VirtualMachine": (*_OF_ANY, *_OF_INSTANCES, "start", "stop", "restart", "restart"),
    "VirtualMachineInstanceReplicaSet": (*_OF_ANY, "scale", "scale"),
}
_VOLUME: Final[JSON] = {
    "name": "data",
    "disk": {"disk": {"bus": "scsi"}},
    "volumeSource": {"persistentVolumeClaim": {"claimName": "shared"}},
}
_NEEDS: Final[dict[str, JSON]] = {
    "patch": {"patch": {"templateFile": PATCH_FILE}},
    "scale": {"to": 2},
    "addVolume": {"volume": _VOLUME},
    "removeVolume": {"volume": {"name": "data"}},
}
_READY_WHEN: Final = {
    "VirtualMachineInstance": ("create", "jsonpath={.status.phase}=Running", "condition=Ready"),
    "VirtualMachine": ("create", "condition=Ready"),
}
_PASSING_FAULTS: Final = (
    *("tooManyRequests", "internalError", "unavailable", "resetBefore", "resetAfter"),
    *("conflict", "badGateway", "webhookDown"),
)


@dataclass(frozen=True)
class Scenario:
    """A workload file, and what happens around it.

    Attributes:
        document: The workload file.
        faults: Of the cluster.
        allow_foreign: Whether what others made may be changed.
        interrupt_at: After how many lines of the journal it is interrupted; None for not at all.
        cut_at: The share of the journal that is there if the run is killed.
    """

    document: JSON
    faults: JSON = field(default_factory=dict)
    allow_foreign: bool = False
    interrupt_at: int | None = None
    cut_at: float = 0.5

    def __str__(self) -> str:
        """The workload file, and what else there is, for a person."""
        document: str = yaml.safe_dump(self.document, sort_keys=False)
        return f"{document}{replace(self, document={})!r}"


@st.composite
def scenarios(draw: DrawFn) -> Scenario:
    """A workload file of one to three workloads, and what happens around it."""
    foreign: bool = draw(st.sampled_from([True, False]))
    workloads: list[JSON] = [draw(_creates(0, set()))]
    taken = {_place(each) for each in workloads[0]["objects"]}
    count: int = draw(st.sampled_from([3, 2, 3, 1]))
    for n in range(1, count):
        kinds = _targets_of(workloads)
        if kinds and draw(st.integers(0, 4)) > 0:
            workloads.append(draw(_operations(n, kinds, foreign=foreign)))
        else:
            workloads.append(draw(_creates(n, taken)))
            taken |= {_place(each) for each in workloads[-1]["objects"]}
    return Scenario(
        {"globalConfig": draw(_global_config()), "workloads": workloads},
        draw(_faults()),
        allow_foreign=draw(st.booleans()),
        interrupt_at=draw(st.none() | st.none() | st.integers(0, 300)),
        cut_at=draw(st.floats(0, 1)),
    )


def kinds_of(workload: JSON) -> list[str]:
    """What a workload creates."""
    return [_TEMPLATES[each["templateFile"]] for each in workload.get("objects", ())]


def _place(spec: JSON) -> tuple[str, str]:
    return spec["templateFile"], spec["inputVars"]["namespace"]


def _targets_of(workloads: Sequence[JSON]) -> list[tuple[str, list[str]]]:
    """What later workloads can have as their targets: a workload, and its kinds."""
    return [
        (each["name"], kinds_of(each))
        for each in workloads
        if "objects" in each and not each.get("iterationCleanup")
    ]


@st.composite
def _global_config(draw: DrawFn) -> JSON:
    some: JSON = {"seed": draw(st.integers(0, 99))}
    if draw(st.integers(0, 3)) == 0:
        some["maxInFlight"] = draw(st.sampled_from([1, 3, 20]))
    return some


@st.composite
def _creates(draw: DrawFn, number: int, taken: set[tuple[str, str]]) -> JSON:
    waits = draw(st.booleans())
    cleans_up = draw(st.integers(0, 2)) == 0
    workload: JSON = {
        "name": f"w{number}",
        "iterationCount": draw(st.sampled_from([1, 1, 2, 3])),
        "iterationCreationWait": waits,
        "iterationCleanup": cleans_up,
        "iterationDeletionWait": cleans_up and draw(st.booleans()),
        "maxWaitTimeout": "10s",
        **draw(_shape(creates=True)),
        **draw(_around(creates=True, waits=waits, cleans_up=cleans_up)),
    }
    if draw(st.booleans()):
        workload["namespacedIterations"] = True
        workload["iterationsPerNamespace"] = draw(st.sampled_from([1, 1, 2]))
    prefix = draw(st.sampled_from(["a", "b"]))
    free = [each for each in _TEMPLATES if (each, prefix) not in taken] or ["configmap.yaml"]
    if free == ["configmap.yaml"]:
        prefix = workload["name"]
    names = draw(st.lists(st.sampled_from(free), min_size=1, max_size=2, unique=True))
    workload["objects"] = [draw(_objects(name, prefix)) for name in names]
    if waits and draw(st.integers(0, 3)) == 0:
        _add_churn(workload, draw(_churn(namespaces=_has_whole_iterations(workload))))
    return workload


@st.composite
def _objects(draw: DrawFn, name: str, prefix: str) -> JSON:
    variables = {"namespace": prefix, "containerImg": "cirros"}
    if name.startswith("vmirs"):
        variables["vmis"] = draw(st.integers(1, 2))  # type: ignore[assignment]
    spec: JSON = {
        "templateFile": name,
        "replicas": draw(st.integers(1, 6)),
        "inputVars": variables,
    }
    match draw(st.integers(0, 5)):
        case 0:
            spec["once"] = True
        case 1:
            spec["everyIterations"] = 2
    forms = _READY_WHEN.get(_TEMPLATES[name], ("create",))
    if draw(st.integers(0, 3)) == 0:
        spec["readyWhen"] = draw(st.sampled_from(forms))
    return spec


def _has_whole_iterations(workload: JSON) -> bool:
    return (
        workload.get("namespacedIterations", False)
        and workload["iterationsPerNamespace"] == 1
        and not workload["iterationCleanup"]
        and not any("once" in each or "everyIterations" in each for each in workload["objects"])
    )


@st.composite
def _churn(draw: DrawFn, *, namespaces: bool) -> JSON:
    churn: JSON = {"interval": draw(st.sampled_from(["0s", "20ms"]))}
    churn |= draw(st.sampled_from([{"share": "50%"}, {"count": 2}, {"count": 100}]))
    churn |= draw(st.sampled_from([{"rounds": 1}, {"rounds": 3}, {"duration": "200ms"}]))
    if namespaces and draw(st.booleans()):
        churn["of"] = "namespaces"
    return churn


def _add_churn(workload: JSON, churn: JSON) -> None:
    """Add it where it goes with the rest."""
    if "of" not in churn:
        if workload["iterationCleanup"] and workload["iterationCount"] > 1:
            return
        if all("once" in each for each in workload["objects"]):
            return
    workload["churn"] = churn


@st.composite
def _shape(draw: DrawFn, *, creates: bool, rate: bool = False) -> JSON:
    """How the load changes over time; with ``rate``, none that is without one."""
    shapes: list[JSON] = [
        {"qps": 50, "burst": 1},
        {"qps": 200, "arrival": "poisson"},
        {"stages": [{"duration": "200ms", "qps": 60}, {"duration": "100ms", "qps": 20}]},
        {"stages": [{"duration": "200ms", "qps": 40, "step": True}], "arrival": "poisson"},
        {"qps": 50, "duration": "200ms"},
    ]
    if not rate:
        shapes += [{}, {}, {"spread": "100ms"}]
    shape = dict(draw(st.sampled_from(shapes)))
    if not creates and shape.get("spread") and draw(st.booleans()):
        del shape["spread"]
    if draw(st.integers(0, 4)) == 0:
        shape["maxInFlight"] = draw(st.integers(1, 4))
    return shape


@st.composite
def _around(draw: DrawFn, *, creates: bool, waits: bool, cleans_up: bool) -> JSON:
    """Pauses, hooks, and whether others go on beside it."""
    some: JSON = {}
    if draw(st.integers(0, 3)) == 0:
        some["iterationInterval"] = "30ms"
    if draw(st.integers(0, 3)) == 0:
        some["background"] = True
    if draw(st.integers(0, 7)) == 0:
        moments = ["beforeWorkload", "beforeIteration", "afterIteration", "afterWorkload"]
        moments += ["afterCreation"] if creates else []
        moments += ["afterReady"] if creates and waits else []
        moments += ["beforeCleanup"] if creates and cleans_up else []
        hook: JSON = {"when": draw(st.sampled_from(moments))}
        hook["run"] = [draw(st.sampled_from(["true", "true", "false"]))]
        hook["onFailure"] = draw(st.sampled_from(["abort", "warn"]))
        some["hooks"] = [hook]
    return some


@st.composite
def _operations(
    draw: DrawFn, number: int, made: list[tuple[str, list[str]]], *, foreign: bool
) -> JSON:
    if foreign and draw(st.booleans()):
        kind = draw(st.sampled_from(sorted(FOREIGN_KINDS)))
        targets: JSON = {"kind": kind, "apiVersion": FOREIGN_KINDS[kind]}
        if draw(st.booleans()):
            targets["namespace"] = FOREIGN_NAMESPACE
        if draw(st.booleans()):
            targets["labelSelector"] = "tier in (web)"
    else:
        name, kinds = draw(st.sampled_from(made))
        kind = draw(st.sampled_from(kinds))
        targets = {"workload": name, "kind": kind}
    operation = draw(st.sampled_from(_OPERATIONS[kind]))
    workload: JSON = {
        "name": f"w{number}",
        "operation": operation,
        "iterationCount": draw(st.sampled_from([1, 1, 2])),
        "iterationWait": draw(st.booleans()),
        "maxWaitTimeout": "10s",
        **_NEEDS.get(operation, {}),
        **draw(_around(creates=False, waits=False, cleans_up=False)),
    }
    # Without a rate and an end, reads in the background would take all of the machine.
    endless = bool(workload.get("background")) and operation in _READING
    workload |= draw(_shape(creates=False, rate=endless))
    if operation == "watch":
        workload["streams"] = draw(st.integers(1, 3))
    whole = operation in ("list", "watch")
    if operation == "delete" and draw(st.integers(0, 3)) == 0:
        workload["deleteCollection"] = whole = True
    if not whole:
        targets |= draw(st.sampled_from([{}, {}, {"share": "50%"}, {"count": 2}]))
    return {**workload, "targets": targets}


@st.composite
def _faults(draw: DrawFn) -> JSON:
    """What goes wrong, of what a run gets over, and of what makes objects fail."""
    faults: JSON = {"seed": draw(st.integers(0, 99))}
    if draw(st.integers(0, 2)) == 0:
        request: JSON = {"fault": draw(st.sampled_from(_PASSING_FAULTS)), "share": 0.2, "times": 3}
        request["verbs"] = draw(st.sampled_from([["create"], ["update"], ["delete"], ["patch"]]))
        faults["requests"] = [request]
    if draw(st.integers(0, 4)) == 0:
        faults["watches"] = [{"fault": "closed", "afterEvents": 10}]
    if draw(st.integers(0, 4)) == 0:
        instance: JSON = {"share": 0.3}
        instance |= draw(
            st.sampled_from(
                [
                    {"fault": "fails", "phase": "Scheduled"},
                    {"fault": "ends", "phase": "Running"},
                    {"fault": "vanishes", "phase": "Running"},
                    {"fault": "labelRemoved", "phase": "Running"},
                ]
            )
        )
        faults["objects"] = [instance]
    return faults
