"""What changed between two runs, and whether it is more than chance."""

from perfscale.results.comparison.comparing import (
    ComparedRun,
    Comparison,
    compare,
    read_compared,
)
from perfscale.results.comparison.rows import Limits, Row, Subject, Verdict, by_subject, worst
from perfscale.results.comparison.settings import different_settings

__all__ = [
    "ComparedRun",
    "Comparison",
    "Limits",
    "Row",
    "Subject",
    "Verdict",
    "by_subject",
    "compare",
    "different_settings",
    "read_compared",
    "worst",
]
