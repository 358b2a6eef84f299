"""A summary that an earlier perfscale wrote, made one of today's before it is decoded.

What is no summary at all stays what it is, for the decoder to refuse it with the place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from perfscale.results.model.document import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_COUNTS: Final = dict.fromkeys(("created", "failed", "unready", "deleted", "leftover"), 0)
_NONE: Final = dict.fromkeys(("requested", "ready", "notAttempted"), 0)
_SUMMARY: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("runId", "startedAt", "finishedAt"), ""),
    **dict.fromkeys(("durationSeconds", "exitCode"), 0),
    **dict.fromkeys(("generator", "clock", "audit", "seed")),
    **dict.fromkeys(("problems", "thresholds", "outages", "blindSpans", "calls"), ()),
    **{key: {} for key in ("cluster", "requests", "kinds", "childKinds", "objects", "children")},
    "namespaces": dict.fromkeys(("created", "deleted", "leftover"), 0),
    "watch": dict.fromkeys(("reconnects", "relists"), 0),
}
_CLUSTER: Final = {"server": "", **dict.fromkeys(("context", "version", "nodes", "kubevirt"))}
_LAG: Final = {"count": 0, **dict.fromkeys(("mean", "p50", "p99", "max"))}
_GENERATOR: Final[Mapping[str, Any]] = {
    "reasons": (),
    **dict.fromkeys(("loopLag", "limiterLag", "sendLag"), _LAG),
    "inFlight": {"limit": 0, "max": 0, "mean": None},
}
_PART: Final[Mapping[str, Any]] = {"objects": {}, "children": {}, "calls": (), "problems": ()}
_WORKLOAD: Final = {**_PART, "iterationCount": 0, "iterations": (), "childKinds": {}}
_ITERATION: Final = {**_PART, "childKinds": {}}
_KIND: Final[Mapping[str, Any]] = {
    "apiVersion": "",
    "objects": {},
    "transitions": (),
    "serverPhases": {},
    **dict.fromkeys(("creation", "phaseClock", "watchDelay")),
}
_STATISTICS: Final = dict.fromkeys(("min", "p99.9", "max", "mean"))


def upgraded(summary: dict[str, Any]) -> dict[str, Any]:
    """A summary of any earlier version, with everything that today's has."""
    is_old = summary["schemaVersion"] < SCHEMA_VERSION
    rate = _sent_alone if is_old else _unchanged
    kinds = {"kinds": _each(_kind), "childKinds": _each(_kind)}
    parts = {"objects": _counts, "children": _counts, "rate": rate, **kinds}

    def iteration(part: object) -> object:
        return _completed(part, _ITERATION, parts)

    def workload(part: object) -> object:
        return _completed(part, _WORKLOAD, {**parts, "iterations": _each(iteration)})

    changes = {"objects": _counts, "children": _counts, **kinds}
    changes |= {"cluster": _cluster, "generator": _generator, "workloads": _each(workload)}
    whole: dict[str, Any] = _completed(summary, _SUMMARY, changes)
    return whole


def _completed(
    part: Any,  # noqa: ANN401 -- whatever stands there
    absent: Mapping[str, Any],
    changes: Mapping[str, Callable[[Any], Any]],
) -> Any:  # noqa: ANN401
    """A part with what it lacks, and those of its keys changed that it has."""
    if not isinstance(part, dict):
        return part
    whole = {**absent, **part}
    return whole | {key: change(whole[key]) for key, change in changes.items() if key in whole}


def _each(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same change of everything in a list, or under a key."""

    def changed(parts: Any) -> Any:  # noqa: ANN401
        match parts:
            case dict():
                return {key: change(each) for key, each in parts.items()}
            case list():
                return [change(each) for each in parts]
        return parts

    return changed


def _unchanged(part: object) -> object:
    return part


def _counts(part: object) -> object:
    # Where there are counts at all, the three have always been among them.
    return _completed(part, {"unknown": 0, **_COUNTS, **({} if part else _NONE)}, {})


def _cluster(part: object) -> object:
    return _completed(part, _CLUSTER, {})


def _generator(part: object) -> object:
    return _completed(part, _GENERATOR, {})


def _kind(part: object) -> object:
    latencies = {"phases": _each(_statistics), "serverPhases": _each(_statistics)}
    one = {"creation": _statistics, "deletion": _statistics}
    return _completed(part, _KIND, {"objects": _counts, **latencies, **one})


def _statistics(part: object) -> object:
    return _completed(part, _STATISTICS, {})


def _sent_alone(part: object) -> object:
    """The rate of schema version 1: what it called achieved was sent."""
    rate = part if isinstance(part, dict) else {}
    return {
        "targetQps": rate.get("targetQps"),
        "offeredQps": None,
        "sentQps": rate.get("achievedQps"),
        "achievedQps": None,
        "sent": 0,
        "burst": 0,
        "heldBackSeconds": rate.get("heldBackSeconds", 0.0),
    }
