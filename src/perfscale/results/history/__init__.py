"""The runs of a results folder: what each was, and how one is named."""

from perfscale.results.history.baseline import Base, base_of
from perfscale.results.history.document import runs_document, runs_schema
from perfscale.results.history.heads import RunHead, Runs, Skipped, list_runs, read_head
from perfscale.results.history.naming import find_run, find_run_id

__all__ = [
    "Base",
    "RunHead",
    "Runs",
    "Skipped",
    "base_of",
    "find_run",
    "find_run_id",
    "list_runs",
    "read_head",
    "runs_document",
    "runs_schema",
]
