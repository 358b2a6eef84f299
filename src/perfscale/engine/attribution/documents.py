"""From objects of the cluster, as JSON, to what is kept of them. Pure.

Whatever is not as it should be counts as not there: kinds of all sorts are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from perfscale.engine.attribution.evidence import SeenObject, SeenPod, SeenVolume
from perfscale.results import KeptCondition, KeptEvent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

JSON: TypeAlias = "dict[str, Any]"

MIGRATION_LABEL: Final = "kubevirt.io/migrationJobUID"
"""On the pod that an instance is to move into, which has nothing to do with its start."""
_READY: Final = ("Ready", "True")
_MOST_CONDITIONS: Final = 12
"""Kept of an object."""
_MOST_TEXT: Final = 400
"""Characters of a message."""


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
