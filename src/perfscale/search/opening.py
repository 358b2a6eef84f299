"""A search as it begins: from what is wanted to what is written; or from its folder."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from perfscale.errors import UsageError
from perfscale.results.files import WORKLOAD_FILE
from perfscale.search.deciding.plan import SearchPlan
from perfscale.search.document import SCHEMA_VERSION, Expectation, Plan, SearchDocument, State
from perfscale.search.folder import SearchFolder
from perfscale.search.offering import refuse_unoffered
from perfscale.search.varying import Varied

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.search.wording import Expected


class OpenedSearch(NamedTuple):
    """Everything that a search goes on from."""

    plan: SearchPlan
    varied: Varied
    document: SearchDocument
    folder: SearchFolder


class Circumstances(NamedTuple):
    """What a search keeps of how it was called."""

    settle_s: float = 10.0
    expected: Expected | None = None
    simulated: bool = False
    command: Sequence[str] = ()


def begin_search(
    varied: Varied, plan: SearchPlan, parent: Path, circumstances: Circumstances
) -> OpenedSearch:
    """Check what is wanted, and make the search's folder.

    Args:
        varied: The workload file, and what of it changes.
        plan: What is searched; whether whole numbers are meant is found out here.
        parent: Where the folder is made.
        circumstances: How it was called.

    Raises:
        ConfigError: The workload file is wrong, does not take the values, or they have no effect.
        UsageError: It has no thresholds, or the range makes no sense.
        ResultsError: The folder cannot be made.
    """
    _check(plan)
    now, search_id = datetime.now(UTC), str(uuid.uuid4())
    varied = replace(varied, search_id=search_id)
    varied.base()
    for value in [plan.start] if plan.end is None else [plan.start, plan.end]:
        varied.at(value)
    notes = refuse_unoffered(varied, plan.start, plan.end)
    plan = replace(plan, whole=not varied.takes_fractions(plan.start, plan.end))
    document = SearchDocument(
        schema_version=SCHEMA_VERSION,
        search_id=search_id,
        state=State.RUNNING,
        started_at=now.isoformat(timespec="seconds"),
        finished_at=None,
        file=str(varied.file),
        overrides=list(varied.overrides),
        simulated=circumstances.simulated,
        command=list(circumstances.command),
        plan=_described(plan, varied, circumstances.settle_s),
        cluster=None,
        steps=[],
        answer=None,
        expectation=_expectation(circumstances.expected),
        notes=notes,
    )
    name = f"{varied.file.stem}-search-{now:%Y%m%dT%H%M%SZ}-{search_id[:8]}"
    folder = SearchFolder(parent / name)
    folder.create(document, varied.yaml())
    return OpenedSearch(plan, varied, document, folder)


def resume_search(path: Path, expected: Expected | None = None) -> OpenedSearch:
    """A search that was begun, from its folder.

    Args:
        path: The folder, or a file in it.
        expected: What the limit should be, if not what was said at first.

    Raises:
        ResultsError: It is not the folder of a search.
        UsageError: The workload file has changed since, or is not there any more; or the range
            makes no sense.
    """
    folder = SearchFolder(path.parent if path.is_file() else path)
    document = folder.read()
    if expected is not None:
        document = msgspec.structs.replace(document, expectation=_expectation(expected))
    described = document.plan
    plan = SearchPlan(
        start=described.start,
        end=described.end,
        tolerance=described.tolerance,
        repeat=described.repeat,
        whole=described.whole,
        strategy=described.strategy,
        steps=described.steps,
    )
    _check(plan)
    varied = Varied(
        Path(document.file), tuple(document.overrides), described.vary, document.search_id
    )
    refuse_changed(varied, folder)
    return OpenedSearch(plan, varied, document, folder)


def refuse_changed(varied: Varied, folder: SearchFolder) -> None:
    """Refuse a workload file that is not as it was when the search began.

    Raises:
        UsageError: It has changed, or is wrong now.
        ResultsError: What it was cannot be read.
    """
    if varied.yaml() != folder.workload_yaml():
        raise UsageError(
            f"{varied.file}: it has changed since the search began; its steps would not be "
            "comparable",
            hint=f"the search has kept it as {folder.path / WORKLOAD_FILE}; begin a new search "
            "for the new one",
        )


def _expectation(expected: Expected | None) -> Expectation | None:
    return None if expected is None else Expectation(text=str(expected), met=None)


def _described(plan: SearchPlan, varied: Varied, settle_s: float) -> Plan:
    return Plan(
        vary=varied.name,
        path=varied.path,
        unit=varied.unit,
        start=plan.start,
        end=plan.end,
        tolerance=plan.tolerance,
        repeat=plan.repeat,
        whole=plan.whole,
        strategy=plan.strategy,
        steps=plan.steps,
        settle_seconds=settle_s,
    )


def _check(plan: SearchPlan) -> None:
    """Raises UsageError for a range in which nothing can be searched."""
    if not plan.start > 0:
        raise UsageError(f"--from {plan.start:g}: it has to be more than 0, since it is doubled")
    if plan.end is not None and not plan.end > plan.start:
        raise UsageError(f"--to {plan.end:g} has to be more than --from {plan.start:g}")
    if not plan.tolerance > 0:
        raise UsageError(f"--tolerance {plan.tolerance:g}: it has to be more than 0")
