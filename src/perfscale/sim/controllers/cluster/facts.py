"""What controllers have to know of the whole cluster, and could not afford to look up each time.

Which nodes there are and what is taken of them, which pods wait for room, who uses a claim,
and how a storage class binds. It follows the watches, as the cache does, and keeps numbers
and names instead of objects.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from perfscale.sim.controllers.cluster.quantities import amount_of
from perfscale.sim.controllers.kinds import NODE, POD, STORAGE_CLASS, VMI, VMIM
from perfscale.sim.controllers.kubevirt.migration.queue import MigrationQueue
from perfscale.sim.controllers.objects import Key, condition_of, is_finished, key_of, uid_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.store import JSON

WAIT_FOR_FIRST_CONSUMER: Final = "WaitForFirstConsumer"
# How many pods that wait for room are looked at when some becomes free.
_WOKEN: Final = 50


class Room(NamedTuple):
    """What a pod asks of a node, or a node has to give.

    Attributes:
        pods: How many.
        cpu: In cores.
        memory: In bytes.
    """

    pods: float = 0.0
    cpu: float = 0.0
    memory: float = 0.0

    def plus(self, other: Room, sign: int = 1) -> Room:
        """Both together; with the sign -1, what is left."""
        return Room(
            self.pods + sign * other.pods,
            self.cpu + sign * other.cpu,
            self.memory + sign * other.memory,
        )


@dataclass(slots=True)
class NodeFacts:
    """One node.

    Attributes:
        allocatable: What it has to give in all.
        labels: Its labels.
        is_open: Whether it takes new pods: it is ready, and not cordoned.
    """

    allocatable: Room
    labels: Mapping[str, str]
    is_open: bool


class Facts:
    """The cluster in numbers.

    Attributes:
        nodes: By their names.
        waiting: The pods that no node has room for, the longest waiting first.
        migrations: Those that go, and those that wait for their turn.
    """

    def __init__(self) -> None:
        self.nodes: dict[str, NodeFacts] = {}
        self.waiting: dict[Key, None] = {}
        self.migrations = MigrationQueue()
        self._used: defaultdict[str, Room] = defaultdict(Room)
        self._placed: dict[str, tuple[str, Room]] = {}
        self._binding_modes: dict[str, str] = {}
        self._default_class: str | None = None
        self._consumers: defaultdict[Key, set[tuple[str, Key]]] = defaultdict(set)
        self._claims: dict[tuple[str, Key], tuple[Key, ...]] = {}
        self._appliers: Final[dict[str, Callable[[str, JSON], None]]] = {
            NODE.kind: self._on_node,
            POD.kind: self._on_pod,
            VMI.kind: self._on_consumer_vmi,
            STORAGE_CLASS.kind: self._on_class,
            VMIM.kind: self.migrations.apply,
        }

    def apply(self, resource: Resource, event: str, obj: JSON) -> None:
        """Take in one event of a watch."""
        applier = self._appliers.get(resource.kind)
        if applier is not None:
            applier(event, obj)

    # Nodes and pods

    def free(self, node: str) -> Room:
        """What is left of a node."""
        return self.nodes[node].allocatable.plus(self._used[node], -1)

    def pods_on(self, node: str) -> float:
        """How many pods a node has."""
        return self._used[node].pods

    def woken(self, pod: JSON) -> Iterator[Key]:
        """The waiting pods that may fit because this one is gone, or has finished."""
        if not self.waiting or uid_of(pod) in self._placed:
            return
        for key in tuple(self.waiting)[:_WOKEN]:
            # The next time, others are first.
            del self.waiting[key]
            self.waiting[key] = None
            yield key

    def _on_node(self, event: str, node: JSON) -> None:
        name = node["metadata"]["name"]
        if event == "DELETED":
            self.nodes.pop(name, None)
            return
        given: JSON = (node.get("status") or {}).get("allocatable") or {}
        ready = condition_of(node, "Ready")
        self.nodes[name] = NodeFacts(
            Room(*(amount_of(given.get(what, 0)) for what in ("pods", "cpu", "memory"))),
            node["metadata"].get("labels") or {},
            ready is not None
            and ready.get("status") == "True"
            and not (node.get("spec") or {}).get("unschedulable"),
        )

    def _on_pod(self, event: str, pod: JSON) -> None:
        uid, key = uid_of(pod), key_of(pod)
        is_gone = event == "DELETED" or is_finished(pod)
        placed = self._placed.get(uid)
        if is_gone:
            if placed is not None:
                del self._placed[uid]
                self._used[placed[0]] = self._used[placed[0]].plus(placed[1], -1)
            self.waiting.pop(key, None)
        elif placed is None and (node := (pod.get("spec") or {}).get("nodeName")):
            room = asked_by(pod)
            self._placed[uid] = (node, room)
            self._used[node] = self._used[node].plus(room)
            self.waiting.pop(key, None)
        elif placed is None and is_unschedulable(pod):
            self.waiting[key] = None
        self._note_claims((POD.kind, key), pod, is_gone=event == "DELETED")

    # Volumes

    def waits_for_consumer(self, storage_class: str | None) -> bool:
        """Whether claims of the class are bound only once somebody uses them."""
        name = self._default_class if storage_class is None else storage_class
        return name is not None and self._binding_modes.get(name) == WAIT_FOR_FIRST_CONSUMER

    def consumers(self, claim: Key) -> Collection[tuple[str, Key]]:
        """Kind and name of the pods and VMIs that use a claim."""
        return self._consumers.get(claim, ())

    def claims_of(self, consumer: tuple[str, Key]) -> Sequence[Key]:
        """The claims that a pod or VMI uses."""
        return self._claims.get(consumer, ())

    def _on_class(self, event: str, storage_class: JSON) -> None:
        name = storage_class["metadata"]["name"]
        annotations = storage_class["metadata"].get("annotations") or {}
        is_default = annotations.get("storageclass.kubernetes.io/is-default-class") == "true"
        if event == "DELETED":
            self._binding_modes.pop(name, None)
        else:
            self._binding_modes[name] = storage_class.get("volumeBindingMode") or "Immediate"
        if is_default and event != "DELETED":
            self._default_class = name
        elif self._default_class == name:
            self._default_class = None

    def _on_consumer_vmi(self, event: str, vmi: JSON) -> None:
        self._note_claims((VMI.kind, key_of(vmi)), vmi, is_gone=event == "DELETED")

    def _note_claims(self, consumer: tuple[str, Key], obj: JSON, *, is_gone: bool) -> None:
        if is_gone:
            for claim in self._claims.pop(consumer, ()):
                self._consumers[claim].discard(consumer)
                if not self._consumers[claim]:
                    del self._consumers[claim]
            return
        volumes = (obj.get("spec") or {}).get("volumes")
        if not volumes or consumer in self._claims:
            return
        claims = tuple(_claims_in(volumes, consumer[1].namespace))
        if claims:
            self._claims[consumer] = claims
            for claim in claims:
                self._consumers[claim].add(consumer)


def asked_by(pod: JSON) -> Room:
    """What a pod's containers request, and the pod's own place."""
    cpu = memory = 0.0
    for container in pod["spec"].get("containers") or ():
        requests = (container.get("resources") or {}).get("requests")
        if requests:
            cpu += amount_of(requests.get("cpu", 0))
            memory += amount_of(requests.get("memory", 0))
    return Room(1, cpu, memory)


def is_unschedulable(pod: JSON) -> bool:
    """Whether the scheduler has said that there is no node for the pod."""
    scheduled = condition_of(pod, "PodScheduled")
    return scheduled is not None and scheduled.get("status") == "False"


def _claims_in(volumes: Sequence[JSON], namespace: str) -> Iterator[Key]:
    for volume in volumes:
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName") or (
            volume.get("dataVolume") or {}
        ).get("name")
        if claim:
            yield Key(namespace, claim)
