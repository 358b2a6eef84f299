"""How the numbers of many runs went over time, and where they changed.

It reads the folders of runs, and results of perfscale-audit; see docs/trend.md.
"""

from perfscale.trend.analysis import Trend, analyse, by_subject, verdict_of
from perfscale.trend.changes import Change, Limits
from perfscale.trend.collecting import collect
from perfscale.trend.document import trend_document, trend_schema
from perfscale.trend.history import Collected, Key
from perfscale.trend.page import write_trend

__all__ = [
    "Change",
    "Collected",
    "Key",
    "Limits",
    "Trend",
    "analyse",
    "by_subject",
    "collect",
    "trend_document",
    "trend_schema",
    "verdict_of",
    "write_trend",
]
