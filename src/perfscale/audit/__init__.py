"""What the control plane did meanwhile, as a Prometheus knows it.

The queries of a profile are evaluated by a Prometheus over the time of a test, and the results
judged by thresholds. Nothing here knows of runs (`perfscale.auditing` does), or prints.
`Prometheus` is imported from its module: that loads an HTTP client, which few runs need.
"""

from perfscale.audit.endpoint import PROMETHEUS, VARIABLES
from perfscale.audit.evaluation import Audit, Series, ThresholdResult, Value, evaluate
from perfscale.audit.inputs import (
    INPUT_FILE,
    RESULTS_FILE,
    AuditInput,
    input_document,
    load_input,
    results_document,
)
from perfscale.audit.profile import Profile, load_profile, load_profiles
from perfscale.audit.published import PublishedResult, read_published
from perfscale.audit.reach import data_reaches, reach_warnings, wait_until_scraped
from perfscale.audit.window import Window

__all__ = [
    "INPUT_FILE",
    "PROMETHEUS",
    "RESULTS_FILE",
    "VARIABLES",
    "Audit",
    "AuditInput",
    "Profile",
    "PublishedResult",
    "Series",
    "ThresholdResult",
    "Value",
    "Window",
    "data_reaches",
    "evaluate",
    "input_document",
    "load_input",
    "load_profile",
    "load_profiles",
    "reach_warnings",
    "read_published",
    "results_document",
    "wait_until_scraped",
]
