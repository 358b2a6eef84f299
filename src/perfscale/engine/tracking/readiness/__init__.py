"""What "ready" and "failed" mean, kind by kind and by the workload file.

A watch decodes each object into the small struct that its kind's rule names; the rule turns it
into a `Reading`, which is all that the tracker knows of an object. Rules are pure, so every one of
them is tested without a cluster. `table` has them all; there is a module for each family of kinds.
"""

from perfscale.engine.tracking.readiness.expectation import Expectation
from perfscale.engine.tracking.readiness.objects import (
    AnyObject,
    Condition,
    IdentifiedObject,
    Identity,
    Metadata,
    OwnerReference,
)
from perfscale.engine.tracking.readiness.reading import ACCEPTED, KindRule, Reading
from perfscale.engine.tracking.readiness.rules import RunRules, is_created_ready
from perfscale.engine.tracking.readiness.table import rule_for

__all__ = [
    "ACCEPTED",
    "AnyObject",
    "Condition",
    "Expectation",
    "IdentifiedObject",
    "Identity",
    "KindRule",
    "Metadata",
    "OwnerReference",
    "Reading",
    "RunRules",
    "is_created_ready",
    "rule_for",
]
