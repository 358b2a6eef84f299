"""What the control plane did meanwhile, as a Prometheus knows it.

This room asks a Prometheus the queries of a profile over the time of a test, and judges the
answers by thresholds. It knows nothing of runs, and prints nothing.
"""

from perfscale.audit.audit import Audit, Series, Value, carry_out
from perfscale.audit.endpoint import (
    Credentials,
    Endpoint,
    chosen_credentials,
    credentials_of,
    split_url,
)
from perfscale.audit.inputs import (
    INPUT_FILE,
    RESULTS_FILE,
    AuditInput,
    input_document,
    load_input,
)
from perfscale.audit.output import results_document
from perfscale.audit.profile import Profile, load_profile
from perfscale.audit.prometheus import Prometheus
from perfscale.audit.reach import data_reaches, wait_until_scraped
from perfscale.audit.thresholds import Verdict
from perfscale.audit.window import Window

__all__ = [
    "INPUT_FILE",
    "RESULTS_FILE",
    "Audit",
    "AuditInput",
    "Credentials",
    "Endpoint",
    "Profile",
    "Prometheus",
    "Series",
    "Value",
    "Verdict",
    "Window",
    "carry_out",
    "chosen_credentials",
    "credentials_of",
    "data_reaches",
    "input_document",
    "load_input",
    "load_profile",
    "results_document",
    "split_url",
    "wait_until_scraped",
]
