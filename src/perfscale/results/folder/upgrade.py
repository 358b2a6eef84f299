"""A summary that an earlier perfscale wrote, made one of today's before it is decoded.

What is no summary at all stays what it is, for the decoder to refuse it with the place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from perfscale.results.model.document import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    _Change: TypeAlias = Callable[[Any], Any]

_COUNTS: Final = dict.fromkeys(("created", "failed", "unready", "deleted", "leftover"), 0)
_NONE: Final = dict.fromkeys(("requested", "ready", "notAttempted"), 0)
_SUMMARY: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("runId", "startedAt", "finishedAt"), ""),
    **dict.fromkeys(("durationSeconds", "exitCode"), 0),
    **dict.fromkeys(("generator", "clock", "audit", "seed", "attribution")),
    **dict.fromkeys(("problems", "thresholds", "outages", "blindSpans", "calls"), ()),
    "operations": (),
    "generators": (),
    "hooks": (),
    "stages": (),
    "rounds": (),
    **{key: {} for key in ("cluster", "requests", "kinds", "childKinds", "objects", "children")},
    "namespaces": dict.fromkeys(("created", "deleted", "leftover"), 0),
    "watch": dict.fromkeys(("reconnects", "relists"), 0),
}
_CLUSTER: Final = {
    "server": "",
    **dict.fromkeys(("context", "version", "nodes", "kubevirt", "kubevirtConfig")),
}
_LAG: Final = {"count": 0, **dict.fromkeys(("mean", "p50", "p99", "max"))}
_GENERATOR: Final[Mapping[str, Any]] = {
    "reasons": (),
    **dict.fromkeys(("loopLag", "limiterLag", "sendLag"), _LAG),
    "inFlight": {"limit": 0, "max": 0, "mean": None},
}
_PART: Final[Mapping[str, Any]] = {
    "objects": {},
    "children": {},
    **dict.fromkeys(("calls", "problems", "operations"), ()),
}
_WORKLOAD: Final = {
    **_PART,
    "operation": "create",
    "background": False,
    "iterationCount": 0,
    "iterations": (),
    "childKinds": {},
}
_ITERATION: Final = {**_PART, "childKinds": {}}


def upgraded(summary: dict[str, Any]) -> dict[str, Any]:
    """A summary of any earlier version, with everything that today's has."""
    rate = {"rate": _sent_alone} if summary["schemaVersion"] < SCHEMA_VERSION else {}
    counts = {"objects": _counts, "children": _counts}
    kinds = {"kinds": _each(_KIND), "childKinds": _each(_KIND)}
    iteration = _part(_ITERATION, **counts, **rate, **kinds)
    workload = _part(_WORKLOAD, **counts, **rate, **kinds, iterations=_each(iteration))
    parts = {"cluster": _part(_CLUSTER), "generator": _part(_GENERATOR)}
    whole = _part(_SUMMARY, **counts, **kinds, **parts, workloads=_each(workload))
    document: dict[str, Any] = whole(summary)
    return document


def _part(absent: Mapping[str, Any], **changes: _Change) -> _Change:
    """Gives a part what it lacks, and changes those of its keys that it has."""

    def completed(part: Any) -> Any:  # noqa: ANN401 -- whatever stands there
        if not isinstance(part, dict):
            return part
        whole = {**absent, **part}
        return whole | {key: change(whole[key]) for key, change in changes.items() if key in whole}

    return completed


def _each(change: _Change) -> _Change:
    """The same change of everything in a list, or under a key."""

    def changed(parts: Any) -> Any:  # noqa: ANN401
        match parts:
            case dict():
                return {key: change(each) for key, each in parts.items()}
            case list():
                return [change(each) for each in parts]
        return parts

    return changed


def _counts(part: object) -> object:
    # Where there are counts at all, the three have always been among them.
    return _part({"unknown": 0, "lost": 0, **_COUNTS, **({} if part else _NONE)})(part)


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


_STATISTICS: Final = _part(dict.fromkeys(("min", "p99.9", "max", "mean")))
_KIND: Final = _part(
    {
        "apiVersion": "",
        "objects": {},
        "transitions": (),
        "serverPhases": {},
        **dict.fromkeys(("creation", "phaseClock", "watchDelay")),
    },
    objects=_counts,
    phases=_each(_STATISTICS),
    serverPhases=_each(_STATISTICS),
    creation=_STATISTICS,
    deletion=_STATISTICS,
)
