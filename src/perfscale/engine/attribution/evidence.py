"""What the cluster says of a slow object, as far as it matters for where its time went. Pure.

It is gathered in several looks: what was seen once stays, though its event has expired or its
pod is gone by the next.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from perfscale.results import KeptCondition, KeptEvent, KeptPod

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

JSON: TypeAlias = "dict[str, Any]"

MIGRATION_LABEL: Final = "kubevirt.io/migrationJobUID"
"""On the pod that an instance is to move into, which has nothing to do with its start."""
_READY: Final = ("Ready", "True")
_ENDED: Final = frozenset({"Succeeded", "Failed"})
_MOST_CONDITIONS: Final = 12
"""Kept of an object."""
MOST_EVENTS: Final = 50
"""Kept of an object and of all that was made for it."""
_MOST_TEXT: Final = 400
"""Characters of a message."""


@dataclass(frozen=True, slots=True)
class SeenPod:
    """A pod, as it was last seen.

    Attributes:
        created: The server's timestamp, and likewise below; None if it has none.
        scheduled: Since when it has a node.
        prepared: Since when its sandbox and its volumes are there, where the server says so.
        containers_ready: Since when all containers are ready.
        started: When the last of its containers started; None while not all have.
        waiting: Why containers do not run.
        claims: The claims that it mounts.
    """

    uid: str
    name: str
    node: str | None
    phase: str
    created: str | None
    conditions: tuple[KeptCondition, ...]
    scheduled: str | None
    prepared: str | None
    containers_ready: str | None
    started: str | None
    waiting: tuple[str, ...]
    claims: tuple[str, ...]
    is_target: bool = False

    @property
    def kept(self) -> KeptPod:
        """What results keep of it."""
        return KeptPod(name=self.name, node=self.node, phase=self.phase, created=self.created)


@dataclass(frozen=True, slots=True)
class SeenObject:
    """An object, or an instance that was made for one, as it was last seen.

    Attributes:
        created: The server's timestamp.
        phases: The server's timestamps of its phases.
        failures: How often it has failed to start in a row.
    """

    kind: str
    uid: str
    name: str
    created: str | None
    phase: str
    conditions: tuple[KeptCondition, ...]
    phases: Mapping[str, str]
    failures: int = 0


@dataclass(frozen=True, slots=True)
class SeenVolume:
    """A DataVolume or a claim.

    Attributes:
        created: The server's timestamp.
        done: Since when it is ready; None if it is not, or does not say.
        is_done: Whether it is.
    """

    kind: str
    uid: str
    name: str
    created: str | None
    done: str | None
    is_done: bool
    conditions: tuple[KeptCondition, ...] = ()


@dataclass(slots=True)
class Evidence:
    """All that was seen of a slow object.

    Attributes:
        object: The object.
        instance: The instance that a VM runs in; the object itself, where it is one.
        expects_instance: Whether such an object runs in an instance.
        expects_pod: Whether it, or its instance, runs in a pod.
        pods: The pods of it, or of its instance.
        volumes: The DataVolumes and claims that it waits for.
        events: By their UIDs: about what, by its UID, and the event.
        unread: What could not be read, and why: ``object``, ``instance``, ``pods``, ``events``
            or ``volumes``.
        chosen: Of which of many instances or pods this is; empty where there is only one.
        looked_s: When it was looked at last, in seconds since the run's start.
        first_looked_s: When it was for the first time.
        looks: How often.
    """

    object: SeenObject | None = None
    instance: SeenObject | None = None
    expects_instance: bool = False
    expects_pod: bool = False
    pods: dict[str, SeenPod] = field(default_factory=dict)
    volumes: dict[str, SeenVolume] = field(default_factory=dict)
    events: dict[str, tuple[str, KeptEvent]] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    chosen: str = ""
    looked_s: float = 0.0
    first_looked_s: float = 0.0
    looks: int = 0

    def add(self, newer: Evidence) -> None:
        """Take what another look has found; what it has not found stays as it was."""
        self.looks += 1
        if newer.object is None and self.object is not None:
            return  # it is gone: what is known of it is as of the last time that it was there
        self.first_looked_s = self.first_looked_s if self.looks > 1 else newer.looked_s
        self.looked_s = newer.looked_s
        self.object = newer.object or self.object
        if newer.instance is not None:
            if self.instance is not None and self.instance.uid != newer.instance.uid:
                self.pods.clear()  # those of another, which has failed
            self.instance = newer.instance
        self.expects_instance = self.expects_instance or newer.expects_instance
        self.expects_pod = self.expects_pod or newer.expects_pod
        self.chosen = newer.chosen or self.chosen
        if newer.chosen and newer.pods:
            self.pods.clear()  # another one of a set keeps it waiting now
        self.pods.update(newer.pods)
        self.volumes.update(newer.volumes)
        self.events.update(newer.events)
        for uid in list(self.events)[: -MOST_EVENTS or None]:
            del self.events[uid]
        self.unread = dict(newer.unread)

    @property
    def pod(self) -> SeenPod | None:
        """The pod that counts: the first that has not ended, or else the last."""
        own = [each for each in self.pods.values() if not each.is_target]
        alive = [each for each in own if each.phase not in _ENDED]
        by_age = sorted(alive or own, key=lambda each: each.created or "")
        return None if not by_age else by_age[0] if alive else by_age[-1]

    def about(self, uid: str) -> Iterator[KeptEvent]:
        """The events about an object."""
        return (event for of, event in self.events.values() if of == uid)

    @property
    def conditions(self) -> tuple[KeptCondition, ...]:
        """Those of everything that was seen."""
        seen: list[SeenObject | SeenPod | SeenVolume | None] = [self.object]
        if self.object is None or self.instance is None or self.object.uid != self.instance.uid:
            seen.append(self.instance)
        seen += [self.pod, *self.volumes.values()]
        return tuple(each for one in seen if one is not None for each in one.conditions)


def read_object(kind: str, obj: JSON) -> SeenObject:
    """An object of any kind."""
    metadata, status = _mapping(obj, "metadata"), _mapping(obj, "status")
    name = _text(metadata.get("name"))
    stamps = {
        _text(each.get("phase")): _text(each.get("phaseTransitionTimestamp"))
        for each in _mappings(status.get("phaseTransitionTimestamps"))
    }
    failures = _mapping(status, "startFailure").get("consecutiveFailCount")
    return SeenObject(
        kind=kind,
        uid=_text(metadata.get("uid")),
        name=name,
        created=_stamp(metadata.get("creationTimestamp")),
        phase=_text(status.get("phase") or status.get("printableStatus")),
        conditions=_conditions(f"{kind} {name}", status),
        phases=stamps,
        failures=failures if isinstance(failures, int) else 0,
    )


def read_pod(pod: JSON) -> SeenPod:
    """A pod."""
    metadata, spec, status = (_mapping(pod, key) for key in ("metadata", "spec", "status"))
    name = _text(metadata.get("name"))
    conditions = _conditions(f"Pod {name}", status)
    holding = {each.type: each.since for each in conditions if each.status == "True"}
    containers = list(_mappings(status.get("containerStatuses")))
    inner = [*_mappings(status.get("initContainerStatuses")), *containers]
    waiting = (_mapping(_mapping(each, "state"), "waiting").get("reason") for each in inner)
    return SeenPod(
        uid=_text(metadata.get("uid")),
        name=name,
        node=_text(spec.get("nodeName")) or None,
        phase=_text(status.get("phase")),
        created=_stamp(metadata.get("creationTimestamp")),
        conditions=conditions,
        scheduled=holding.get("PodScheduled"),
        prepared=holding.get("PodReadyToStartContainers"),
        containers_ready=holding.get("ContainersReady"),
        started=_started(containers),
        waiting=tuple(reason for reason in waiting if isinstance(reason, str)),
        claims=tuple(claims_of(spec)),
        is_target=MIGRATION_LABEL in _mapping(metadata, "labels"),
    )


def read_volume(kind: str, obj: JSON) -> SeenVolume:
    """A DataVolume, or a claim, which does not say when it was bound."""
    seen = read_object(kind, obj)
    return SeenVolume(
        kind=kind,
        uid=seen.uid,
        name=seen.name,
        created=seen.created,
        done=_ready_since(seen) or None,
        is_done=seen.phase in {"Succeeded", "Bound"},
        conditions=seen.conditions,
    )


def read_event(event: JSON) -> tuple[str, str, KeptEvent]:
    """An event: its UID, that of what it is about, and what is kept of it.

    New ones have their time in ``eventTime`` and ``series``:
    https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
    """
    metadata, about = _mapping(event, "metadata"), _mapping(event, "involvedObject")
    series = _mapping(event, "series")
    first = _stamp(event.get("firstTimestamp")) or _stamp(event.get("eventTime"))
    first = first or _stamp(metadata.get("creationTimestamp"))
    last = _stamp(series.get("lastObservedTime")) or _stamp(event.get("lastTimestamp")) or first
    count = series.get("count") or event.get("count")
    kept = KeptEvent(
        of=f"{_text(about.get('kind'))} {_text(about.get('name'))}",
        type=_text(event.get("type")),
        reason=_text(event.get("reason")),
        message=_text(event.get("message"))[:_MOST_TEXT],
        first=first,
        last=last,
        count=count if isinstance(count, int) else 1,
    )
    return _text(metadata.get("uid")), _text(about.get("uid")), kept


def claims_of(spec: JSON) -> list[str]:
    """The claims that a pod, or an instance, mounts; a DataVolume's claim has its name."""
    found: dict[str, None] = {}
    for volume in _mappings(spec.get("volumes")):
        for key, name in (("persistentVolumeClaim", "claimName"), ("dataVolume", "name")):
            if claim := _text(_mapping(volume, key).get(name)):
                found[claim] = None
    return list(found)


def data_volumes_of(spec: JSON) -> list[str]:
    """The DataVolumes that an instance mounts."""
    volumes = (_mapping(each, "dataVolume") for each in _mappings(spec.get("volumes")))
    return [name for each in volumes if (name := _text(each.get("name")))]


def selector_of_children(obj: JSON) -> str:
    """The label selector by which a controller finds what it has made; empty where it has none."""
    selector = _mapping(_mapping(obj, "spec"), "selector")
    labels = _mapping(selector, "matchLabels") if "matchLabels" in selector else selector
    pairs = (f"{key}={value}" for key, value in labels.items() if isinstance(value, str))
    return "" if "matchExpressions" in selector else ",".join(pairs)


def slowest_of(kind: str, children: Iterable[JSON]) -> JSON | None:
    """Of what a controller has made, what kept it waiting: the oldest that is not ready.

    Where all are, that is the one that was so last.
    """
    seen = [(child, read_object(kind, child)) for child in children]
    waiting = [each for each in seen if _ready_since(each[1]) is None]
    if waiting:
        return min(waiting, key=lambda each: each[1].created or "")[0]
    return max(seen, key=lambda each: _ready_since(each[1]) or "", default=(None, None))[0]


def _ready_since(seen: SeenObject) -> str | None:
    """Since when it is ready; None if it is not."""
    ready = (each for each in seen.conditions if (each.type, each.status) == _READY)
    return next((each.since or "" for each in ready), None)


def _started(containers: list[JSON]) -> str | None:
    """When the last of some containers started; None while not all have."""
    found: list[str] = []
    for each in containers:
        state = _mapping(each, "state")
        states = (_mapping(state, name) for name in ("running", "terminated"))
        started = next((at for one in states if (at := _stamp(one.get("startedAt")))), None)
        if started is None:
            return None
        found.append(started)
    return max(found, default=None)


def _conditions(of: str, status: JSON) -> tuple[KeptCondition, ...]:
    found = list(_mappings(status.get("conditions")))[:_MOST_CONDITIONS]
    return tuple(
        KeptCondition(
            of=of,
            type=_text(each.get("type")),
            status=_text(each.get("status")),
            reason=_text(each.get("reason")),
            message=_text(each.get("message"))[:_MOST_TEXT],
            since=_stamp(each.get("lastTransitionTime")),
        )
        for each in found
    )


def _mapping(parent: JSON, key: str) -> JSON:
    found = parent.get(key)
    return found if isinstance(found, dict) else {}


def _mappings(found: object) -> Iterator[JSON]:
    listed = found if isinstance(found, list) else ()
    return (each for each in listed if isinstance(each, dict))


def _text(found: object) -> str:
    return found if isinstance(found, str) else ""


def _stamp(found: object) -> str | None:
    return found if isinstance(found, str) and found else None
