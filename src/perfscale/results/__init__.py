"""What happened: frozen records, exact percentiles, and the files of a run.

This room knows nothing of clusters or event loops. The engine hands it
records; it counts, summarises and writes them.
"""

from perfscale.results.files import JOURNAL_FILE, write_file
from perfscale.results.folder.folder import RunFolder
from perfscale.results.folder.hooks import HookOutput
from perfscale.results.folder.located import Located, LocatedRun, locate_run, read_present
from perfscale.results.folder.rebuild import rebuild_results
from perfscale.results.folder.runfile import cleanup_command
from perfscale.results.folder.sink import (
    Checked,
    FolderSink,
    Journal,
    OperationSink,
    PromptJournal,
    ResultSink,
)
from perfscale.results.folder.summary import summarize
from perfscale.results.journal.entries import (
    AnyEntry,
    AttributionEntry,
    Begin,
    BlindEntry,
    CallsEntry,
    CountedEntry,
    DeleteEntry,
    DueEntry,
    GeneratorEntry,
    HookEntry,
    IterationEndEntry,
    IterationEntry,
    LostObjectsEntry,
    OutageEntry,
    ReleaseEntry,
    RoundEntry,
    StageEntry,
    TotalsEntry,
    WarningEntry,
)
from perfscale.results.journal.objects import (
    JOURNALED,
    ChangeEntry,
    Entry,
    ObjectEntry,
    ObjectLife,
    Stamps,
)
from perfscale.results.journal.operations import (
    OPERATION_FIELDS,
    OperationChangeEntry,
    OperationEntry,
    OperationLife,
)
from perfscale.results.journal.replay import Replay
from perfscale.results.measure.blindness import BlindSpans
from perfscale.results.measure.calls import Calls, CountedCall, RequestMeter, RequestSums
from perfscale.results.measure.failures import Failures
from perfscale.results.measure.latencies import DELETION, latency_rule
from perfscale.results.measure.operations.latencies import operation_rule
from perfscale.results.measure.operations.tally import OperationTallies
from perfscale.results.measure.rates import CreateTimes, explain_rate
from perfscale.results.measure.slowest import Slowest
from perfscale.results.measure.stages import StageLog
from perfscale.results.measure.statistics.percentiles import LatencySamples
from perfscale.results.measure.statistics.sketch import Sketch
from perfscale.results.measure.tallies.churn import ChurnTally
from perfscale.results.measure.tallies.kinds import IterationTally, accounts_of
from perfscale.results.measure.tallies.run import IterationFacts, RunSum, RunTally
from perfscale.results.model.accounts import Accounts
from perfscale.results.model.audit import (
    AuditedSeries,
    AuditedTime,
    AuditedValue,
    AuditRecord,
    FiredAlert,
)
from perfscale.results.model.churn import ChurnResult, ChurnRound
from perfscale.results.model.client.calls import CallResult
from perfscale.results.model.client.clocks import ClockOffset
from perfscale.results.model.client.generators import GeneratorRecord
from perfscale.results.model.client.health import (
    SLOW_S,
    ClockStep,
    Creation,
    GeneratorHealth,
    InFlight,
    Lag,
    Validity,
    Vitals,
)
from perfscale.results.model.course.attribution import (
    WORDS,
    AttributedObject,
    AttributionCounts,
    AttributionResult,
    KeptCondition,
    KeptEvent,
    KeptPod,
    Segment,
    WaitCause,
    slowest_first,
)
from perfscale.results.model.course.hooks import HookRecord
from perfscale.results.model.course.stages import IterationStart, RoundStart, StageSpan
from perfscale.results.model.document import SCHEMA_VERSION, results_schema
from perfscale.results.model.interruptions import BlindSpan, OutageRecord
from perfscale.results.model.kubevirt import ClientLimit, KubeVirtConfig
from perfscale.results.model.latency import LatencySummary
from perfscale.results.model.operations import (
    OperationAccounts,
    OperationOutcome,
    OperationRecord,
    OperationResult,
)
from perfscale.results.model.outcome import graver, with_audit, with_lost_results
from perfscale.results.model.records import REPLACEMENT, ObjectRecord, Outcome
from perfscale.results.model.remarks import Remarks
from perfscale.results.model.run import (
    ClusterInfo,
    NamespaceCounts,
    RunInfo,
    RunOutcome,
    RunResult,
    ThresholdVerdict,
    Totals,
    WatchCounts,
    WorkloadPlan,
)
from perfscale.results.model.scraped import ScrapedSeries
from perfscale.results.model.workload import (
    IterationResult,
    KindResult,
    Rate,
    WorkloadResult,
    say_iterations,
)
from perfscale.results.verdicts.conclusion import Course, Ending, conclude
from perfscale.results.verdicts.health import HELD_SHARE, assess, is_rate_held, milliseconds
from perfscale.results.verdicts.interruptions import interruptions
from perfscale.results.verdicts.thresholds import judge_thresholds, threshold_title

__all__ = [
    "DELETION",
    "HELD_SHARE",
    "JOURNALED",
    "JOURNAL_FILE",
    "OPERATION_FIELDS",
    "REPLACEMENT",
    "SCHEMA_VERSION",
    "SLOW_S",
    "WORDS",
    "Accounts",
    "AnyEntry",
    "AttributedObject",
    "AttributionCounts",
    "AttributionEntry",
    "AttributionResult",
    "AuditRecord",
    "AuditedSeries",
    "AuditedTime",
    "AuditedValue",
    "Begin",
    "BlindEntry",
    "BlindSpan",
    "BlindSpans",
    "CallResult",
    "Calls",
    "CallsEntry",
    "ChangeEntry",
    "Checked",
    "ChurnResult",
    "ChurnRound",
    "ChurnTally",
    "ClientLimit",
    "ClockOffset",
    "ClockStep",
    "ClusterInfo",
    "CountedCall",
    "CountedEntry",
    "Course",
    "CreateTimes",
    "Creation",
    "DeleteEntry",
    "DueEntry",
    "Ending",
    "Entry",
    "Failures",
    "FiredAlert",
    "FolderSink",
    "GeneratorEntry",
    "GeneratorHealth",
    "GeneratorRecord",
    "HookEntry",
    "HookOutput",
    "HookRecord",
    "InFlight",
    "IterationEndEntry",
    "IterationEntry",
    "IterationFacts",
    "IterationResult",
    "IterationStart",
    "IterationTally",
    "Journal",
    "KeptCondition",
    "KeptEvent",
    "KeptPod",
    "KindResult",
    "KubeVirtConfig",
    "Lag",
    "LatencySamples",
    "LatencySummary",
    "Located",
    "LocatedRun",
    "LostObjectsEntry",
    "NamespaceCounts",
    "ObjectEntry",
    "ObjectLife",
    "ObjectRecord",
    "OperationAccounts",
    "OperationChangeEntry",
    "OperationEntry",
    "OperationLife",
    "OperationOutcome",
    "OperationRecord",
    "OperationResult",
    "OperationSink",
    "OperationTallies",
    "OutageEntry",
    "OutageRecord",
    "Outcome",
    "PromptJournal",
    "Rate",
    "ReleaseEntry",
    "Remarks",
    "Replay",
    "RequestMeter",
    "RequestSums",
    "ResultSink",
    "RoundEntry",
    "RoundStart",
    "RunFolder",
    "RunInfo",
    "RunOutcome",
    "RunResult",
    "RunSum",
    "RunTally",
    "ScrapedSeries",
    "Segment",
    "Sketch",
    "Slowest",
    "StageEntry",
    "StageLog",
    "StageSpan",
    "Stamps",
    "ThresholdVerdict",
    "Totals",
    "TotalsEntry",
    "Validity",
    "Vitals",
    "WaitCause",
    "WarningEntry",
    "WatchCounts",
    "WorkloadPlan",
    "WorkloadResult",
    "accounts_of",
    "assess",
    "cleanup_command",
    "conclude",
    "explain_rate",
    "graver",
    "interruptions",
    "is_rate_held",
    "judge_thresholds",
    "latency_rule",
    "locate_run",
    "milliseconds",
    "operation_rule",
    "read_present",
    "rebuild_results",
    "results_schema",
    "say_iterations",
    "slowest_first",
    "summarize",
    "threshold_title",
    "with_audit",
    "with_lost_results",
    "write_file",
]
