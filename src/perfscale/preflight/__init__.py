"""Config, templates and cluster, checked before anything is created: every finding at once."""

from perfscale.preflight.check import Factories, namespace_conflict, preflight
from perfscale.preflight.findings import Findings
from perfscale.preflight.hooks import find_missing_commands
from perfscale.preflight.operations import ForeignTargets, OperationPlan
from perfscale.preflight.plan import Plan, plan_workload
from perfscale.preflight.preload import DAEMON_SETS, PODS, PreloadPlan
from perfscale.preflight.thresholds import find_unmeasurable_thresholds
from perfscale.preflight.trial import Trial, TrialVerdict, Trier

__all__ = [
    "DAEMON_SETS",
    "PODS",
    "Factories",
    "Findings",
    "ForeignTargets",
    "OperationPlan",
    "Plan",
    "PreloadPlan",
    "Trial",
    "TrialVerdict",
    "Trier",
    "find_missing_commands",
    "find_unmeasurable_thresholds",
    "namespace_conflict",
    "plan_workload",
    "preflight",
]
