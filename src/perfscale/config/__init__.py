"""The workload file: its models, and loading, writing and describing it.

Importing this needs pydantic and yaml, and nothing that speaks to a cluster.
"""

from __future__ import annotations

from perfscale.config.durations import format_duration, parse_duration
from perfscale.config.labels import ITERATION_LABEL, RUN_LABEL, WORKLOAD_LABEL, run_labels
from perfscale.config.load import load_config
from perfscale.config.model import Config
from perfscale.config.reading.source import Position, Source
from perfscale.config.sections.limits import GlobalConfig
from perfscale.config.sections.objects import ObjectSpec
from perfscale.config.sections.thresholds import Bound, Threshold
from perfscale.config.sections.workload import Workload
from perfscale.config.wording import counted
from perfscale.config.writing import dump_config, json_schema

__all__ = [
    "ITERATION_LABEL",
    "RUN_LABEL",
    "WORKLOAD_LABEL",
    "Bound",
    "Config",
    "GlobalConfig",
    "ObjectSpec",
    "Position",
    "Source",
    "Threshold",
    "Workload",
    "counted",
    "dump_config",
    "format_duration",
    "json_schema",
    "load_config",
    "parse_duration",
    "run_labels",
]
