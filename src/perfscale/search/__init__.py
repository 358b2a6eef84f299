"""The search for the highest load at which a cluster keeps to the thresholds of a workload file.

Every step is an ordinary run. `deciding` says which value is next, `judging` what a run says of
the cluster, `runner` goes from one to the other, and `folder` keeps it all.
"""

from perfscale.search.deciding.plan import SearchPlan, Strategy
from perfscale.search.deciding.trials import Verdict
from perfscale.search.document import SearchDocument, State, Step, search_schema
from perfscale.search.finding import find_limit
from perfscale.search.folder import PAGE_FILE, SearchFolder
from perfscale.search.opening import (
    Circumstances,
    OpenedSearch,
    begin_search,
    resume_search,
)
from perfscale.search.runner import LimitSearch, SearchEvents
from perfscale.search.steps import EngineSteps, StepSettings
from perfscale.search.varying import Varied
from perfscale.search.wording import Expected, at

__all__ = [
    "PAGE_FILE",
    "Circumstances",
    "EngineSteps",
    "Expected",
    "LimitSearch",
    "OpenedSearch",
    "SearchDocument",
    "SearchEvents",
    "SearchFolder",
    "SearchPlan",
    "State",
    "Step",
    "StepSettings",
    "Strategy",
    "Varied",
    "Verdict",
    "at",
    "begin_search",
    "find_limit",
    "resume_search",
    "search_schema",
]
