"""An asyncio load engine that stresses the Kubernetes and KubeVirt control plane.

    from perfscale import LoadGenerator, load_config

    config = load_config("workload.yaml")
    async with LoadGenerator(config) as generator:
        result = await generator.run()

What this module exports is the public interface; everything else may change.
Names are loaded when they are first used, so that importing the package is
quick and brings in no Kubernetes client.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own would be imported before a command can be interrupted
if TYPE_CHECKING:
    __version__: str

    from perfscale.auditing import AuditPlan, plan_audit
    from perfscale.config import Config
    from perfscale.engine import FailureBudget, LoadGenerator, RunOptions
    from perfscale.engine.events import (
        Event,
        EventsLost,
        EventStream,
        GeneratorsProgress,
        HookFinished,
        HookStarted,
        IterationFinished,
        IterationStarted,
        ObjectFailed,
        OperationFailed,
        Progress,
        RoundStarted,
        RunFinished,
        RunStarted,
        SlowObject,
        Stage,
        StageStarted,
        StillWaiting,
        Warned,
        WorkloadStarted,
    )
    from perfscale.engine.snapshot import RunCourse, RunSnapshot
    from perfscale.errors import (
        ClusterError,
        ConfigError,
        PerfscaleError,
        PreflightError,
        TemplateError,
        UsageError,
    )
    from perfscale.exporter import RunMetrics, serve_metrics
    from perfscale.foreign import load_config
    from perfscale.kube.cluster import Cluster, ClusterOptions, open_cluster
    from perfscale.preflight import Plan
    from perfscale.results import (
        Accounts,
        AuditRecord,
        ObjectRecord,
        OperationRecord,
        Outcome,
        Remarks,
        ResultSink,
        RunFolder,
        RunInfo,
        RunOutcome,
        RunResult,
        summarize,
    )
    from perfscale.search import SearchDocument, SearchPlan, find_limit
    from perfscale.templates import TemplateDefaults

_ROOMS = {
    "perfscale.auditing": ("AuditPlan", "plan_audit"),
    "perfscale.config": ("Config",),
    "perfscale.engine": ("FailureBudget", "LoadGenerator", "RunOptions"),
    "perfscale.engine.events": (
        "Event",
        "EventStream",
        "EventsLost",
        "GeneratorsProgress",
        "HookFinished",
        "HookStarted",
        "IterationFinished",
        "IterationStarted",
        "ObjectFailed",
        "OperationFailed",
        "Progress",
        "RoundStarted",
        "RunFinished",
        "RunStarted",
        "SlowObject",
        "Stage",
        "StageStarted",
        "StillWaiting",
        "Warned",
        "WorkloadStarted",
    ),
    "perfscale.engine.snapshot": ("RunCourse", "RunSnapshot"),
    "perfscale.errors": (
        "ClusterError",
        "ConfigError",
        "PerfscaleError",
        "PreflightError",
        "TemplateError",
        "UsageError",
    ),
    "perfscale.exporter": ("RunMetrics", "serve_metrics"),
    "perfscale.foreign": ("load_config",),
    "perfscale.kube.cluster": ("Cluster", "ClusterOptions", "open_cluster"),
    "perfscale.preflight": ("Plan",),
    "perfscale.results": (
        "Accounts",
        "AuditRecord",
        "ObjectRecord",
        "OperationRecord",
        "Outcome",
        "Remarks",
        "ResultSink",
        "RunFolder",
        "RunInfo",
        "RunOutcome",
        "RunResult",
        "summarize",
    ),
    "perfscale.search": ("SearchDocument", "SearchPlan", "find_limit"),
    "perfscale.templates": ("TemplateDefaults",),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
    "Accounts",
    "AuditPlan",
    "AuditRecord",
    "Cluster",
    "ClusterError",
    "ClusterOptions",
    "Config",
    "ConfigError",
    "Event",
    "EventStream",
    "EventsLost",
    "FailureBudget",
    "GeneratorsProgress",
    "HookFinished",
    "HookStarted",
    "IterationFinished",
    "IterationStarted",
    "LoadGenerator",
    "ObjectFailed",
    "ObjectRecord",
    "OperationFailed",
    "OperationRecord",
    "Outcome",
    "PerfscaleError",
    "Plan",
    "PreflightError",
    "Progress",
    "Remarks",
    "ResultSink",
    "RoundStarted",
    "RunCourse",
    "RunFinished",
    "RunFolder",
    "RunInfo",
    "RunMetrics",
    "RunOptions",
    "RunOutcome",
    "RunResult",
    "RunSnapshot",
    "RunStarted",
    "SearchDocument",
    "SearchPlan",
    "SlowObject",
    "Stage",
    "StageStarted",
    "StillWaiting",
    "TemplateDefaults",
    "TemplateError",
    "UsageError",
    "Warned",
    "WorkloadStarted",
    "__version__",
    "find_limit",
    "load_config",
    "open_cluster",
    "plan_audit",
    "serve_metrics",
    "summarize",
]


def __getattr__(name: str) -> object:
    """Load a public name from its room (PEP 562)."""
    from importlib import import_module  # noqa: PLC0415 -- as above

    if name == "__version__":
        metadata = import_module("importlib.metadata")
        return metadata.version("perfscale-load-generator")
    room = _ROOM_OF.get(name)
    if room is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(room), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, loaded or not."""
    return sorted({*globals(), *__all__})
