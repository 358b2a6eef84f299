"""Config, templates and cluster, checked before anything is created: every finding at once.

What needs a cluster is loaded when it is first used: `perfscale validate` needs none.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from perfscale.preflight.hooks import find_missing_commands
from perfscale.preflight.thresholds import find_unmeasurable_thresholds

if TYPE_CHECKING:
    from perfscale.preflight.check import namespace_conflict, preflight, required_access
    from perfscale.preflight.findings import Findings
    from perfscale.preflight.kinds.resolving import Factories
    from perfscale.preflight.operations import ForeignTargets, OperationPlan
    from perfscale.preflight.permissions.role import make_role
    from perfscale.preflight.plan import Plan
    from perfscale.preflight.preload import DAEMON_SETS, PODS, PreloadPlan
    from perfscale.preflight.trial import Trial, TrialVerdict, Trier

_LATER: Final = {
    "check": ("namespace_conflict", "preflight", "required_access"),
    "findings": ("Findings",),
    "kinds.resolving": ("Factories",),
    "operations": ("ForeignTargets", "OperationPlan"),
    "permissions.role": ("make_role",),
    "plan": ("Plan",),
    "preload": ("DAEMON_SETS", "PODS", "PreloadPlan"),
    "trial": ("Trial", "TrialVerdict", "Trier"),
}

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
    "make_role",
    "namespace_conflict",
    "preflight",
    "required_access",
]


def __getattr__(name: str) -> object:
    """Load a name from its module (PEP 562)."""
    for module, names in _LATER.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
