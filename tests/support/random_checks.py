"""What is true of every run, whatever its workload file asked for."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from random_runs import PATIENCE_S, foreign_objects
from random_workloads import FOREIGN_KINDS

from perfscale.config.labels import RUN_LABEL
from perfscale.engine.removal.removal import Removal
from perfscale.kube.cluster import ClusterOptions, open_cluster
from perfscale.kube.resources import Place
from perfscale.results import RunOutcome, rebuild_results

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from random_runs import RandomRun

    from perfscale.config import Config
    from perfscale.results import RunResult

JSON = dict[str, Any]

_MADE_FROM_JOURNAL: Final = (
    *("summary.json", "objects.ndjson", "children.ndjson", "operations.ndjson"),
    *("timeseries.ndjson", "junit.xml"),
)
_OF_THE_RUN: Final = ("there is no ", "is there", "hook", "cleanup", "still there")
"""Problems that no account shows: a workload without targets, a hook that failed."""
_PROBLEMS: Final = (
    *_OF_THE_RUN,
    *(" failed", "timed out after", " not ready", " left over", "somebody", "is gone"),
)
"""Of one of these speaks each problem that a run may have."""


async def check(run: RandomRun) -> None:
    """Everything that is true of every run."""
    check_foreign(run)
    if run.result is None:
        assert not run.named, "something was created before a refusal"
        return
    check_accounts(run.result)
    check_requested(run, run.result)
    assert run.folder is not None
    check_records(run.folder, run.result)
    check_blame(run, run.folder)
    check_exit_code(run, run.result)
    check_names(run)
    check_left(run, run.result)
    check_journal(run, run.result)
    await check_cleanup(run)


def check_foreign(run: RandomRun) -> None:
    """Nothing of others has changed but what was to."""
    after = foreign_objects(run.cluster)
    changing = {
        (each["operation"], each["targets"]["kind"])
        for each in run.scenario.document["workloads"]
        if "workload" not in each.get("targets", {"workload": ""})
    }
    if not run.scenario.allow_foreign or run.result is None:
        changing = set()
    deleted = {kind for operation, kind in changing if operation == "delete"}
    changed = {kind for _, kind in changing}
    for name, was in run.before.items():
        kind = name.partition("/")[0]
        if kind not in deleted:
            assert name in after, f"{name} was deleted"
            assert after[name]["uid"] == was["uid"]
            assert after[name]["labels"] == was["labels"]
        if kind not in changed:
            assert after[name] == was
    assert set(changed) <= set(FOREIGN_KINDS)


def check_accounts(result: RunResult) -> None:
    """They add up, and what they add up to is what stands above them."""
    for each in _measured(result):
        assert each.accounts.balanced, each.accounts
        assert each.children.balanced, each.children
        for kind in each.kinds.values():
            assert kind.accounts.balanced, kind.accounts
        total = sum((kind.accounts for kind in each.kinds.values()), type(each.accounts)())
        assert total == each.accounts
        for operation in each.operations:
            assert operation.accounts.balanced, operation
    assert result.accounts == _sum(result.accounts, (each.accounts for each in result.workloads))
    for workload in result.workloads:
        done = _sum(workload.accounts, (each.accounts for each in workload.iterations))
        planned = workload.accounts
        assert (done.created, done.ready, done.failed, done.unready, done.deleted) == (
            *(planned.created, planned.ready, planned.failed, planned.unready, planned.deleted),
        )
        by_name: Counter[str] = Counter()
        for iteration in workload.iterations:
            for each in iteration.operations:
                by_name[each.kind] += each.accounts.done
        assert by_name == {each.kind: each.accounts.done for each in workload.operations} or (
            not by_name.total()
        )


def _measured(result: RunResult) -> Iterator[Any]:
    yield result
    for workload in result.workloads:
        yield workload
        yield from workload.iterations


def _sum(of: Any, accounts: Iterable[Any]) -> Any:
    return sum(accounts, type(of)())


def check_requested(run: RandomRun, result: RunResult) -> None:
    """As much was requested as the file says, where it says how much."""
    for workload, outcome in zip(run.config.workloads, result.workloads, strict=True):
        if not workload.does.creates:
            assert outcome.accounts.requested == 0
            continue
        assert outcome.operations == ()
        planned = sum(
            spec.replicas * len(spec.iterations_of(workload.iteration_count))
            for spec in workload.objects
        )
        ends = workload.stages or workload.duration
        if workload.churn is not None:
            continue
        if ends:
            assert outcome.accounts.requested <= planned
        else:
            assert outcome.accounts.requested == planned


def check_records(folder: Path, result: RunResult) -> None:
    """The lines of the records are counted as the summary says."""
    check_object_records(folder, result)
    check_operation_records(folder, result)


def check_object_records(folder: Path, result: RunResult) -> None:
    counted: dict[tuple[str, int, str], Counter[str]] = {}
    for record in read(folder / "objects.ndjson"):
        key = record["workload"], record["iteration"], record["kind"]
        count = counted.setdefault(key, Counter())
        count[record["outcome"]] += 1
        count["created"] += record["created_s"] is not None
        count["deleted"] += record["deleted_s"] is not None
        asked = record["delete_requested_s"] is not None
        count["leftover"] += asked and record["deleted_s"] is None
    for workload in result.workloads:
        for iteration in workload.iterations:
            for kind, measured in iteration.kinds.items():
                count = counted.pop((workload.name, iteration.iteration, kind), Counter())
                accounts = measured.accounts
                assert accounts.ready == count["ready"], (accounts, count)
                assert accounts.failed == count["failed"], (accounts, count)
                assert accounts.unready == count["unready"], (accounts, count)
                assert accounts.created == count["created"], (accounts, count)
                assert accounts.deleted == count["deleted"], (accounts, count)
                assert accounts.leftover == count["leftover"], (accounts, count)
    assert not counted


def check_operation_records(folder: Path, result: RunResult) -> None:
    counted: dict[tuple[str, int, str, str], list[JSON]] = {}
    for record in read(folder / "operations.ndjson"):
        key = record["workload"], record["iteration"], record["operation"], record["kind"]
        counted.setdefault(key, []).append(record)
    for workload in result.workloads:
        for iteration in workload.iterations:
            for each in iteration.operations:
                key = workload.name, iteration.iteration, each.operation, each.kind
                records = counted.pop(key, [])
                outcomes = Counter(record["outcome"] for record in records)
                accounts = each.accounts
                assert accounts.done == outcomes["done"], (accounts, outcomes)
                assert accounts.failed == outcomes["failed"], (accounts, outcomes)
                assert accounts.unfinished == outcomes["unfinished"], (accounts, outcomes)
                assert each.effect.count == outcomes["done"]
                answered = sum(record["answered_s"] is not None for record in records)
                assert each.response.count == answered
                sent = sum(record["sent_s"] is not None for record in records)
                assert iteration.rate.creates == sent
                for record in records:
                    check_order(record)
    assert not counted


def check_blame(run: RandomRun, folder: Path) -> None:
    """Nobody else is said to have deleted what nobody else has."""
    if "objects" in run.scenario.faults:
        return
    for name in ("objects.ndjson", "children.ndjson", "operations.ndjson"):
        for record in read(folder / name):
            assert "somebody else" not in (record["error"] or ""), record


def check_order(record: JSON) -> None:
    """Its times are in the order in which things happen."""
    names = ("admitted_s", "sent_s", "answered_s")
    times = [record[name] for name in names if record[name] is not None]
    assert times == sorted(times), record
    if record["done_s"] is not None:
        assert record["sent_s"] <= record["done_s"], record
    assert (record["error"] is None) == (record["outcome"] in ("done", "notAttempted")), record


def read(path: Path) -> list[JSON]:
    """The lines of a file, or none."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def check_exit_code(run: RandomRun, result: RunResult) -> None:
    """It says whether something went wrong, and the problems say what."""
    wrong = list(_wrong(run.config, result))
    if result.outcome is RunOutcome.INTERRUPTED:
        assert result.exit_code == 130
        assert run.scenario.interrupt_at is not None
    elif result.exit_code == 0:
        assert not wrong, wrong
        assert not result.problems
        assert result.outcome is RunOutcome.PASSED
    else:
        assert result.exit_code == 1, (result.exit_code, result.problems)
        assert result.problems
        for problem in result.problems:
            assert any(each in problem for each in _PROBLEMS), problem
        assert wrong or any(
            each in problem for problem in result.problems for each in _OF_THE_RUN
        ), result.problems


def _wrong(config: Config, result: RunResult) -> Iterator[str]:
    for workload, outcome in zip(config.workloads, result.workloads, strict=True):
        accounts = outcome.accounts
        if accounts.failed:
            yield f"{workload.name}: {accounts.failed} failed"
        if workload.iteration_creation_wait and accounts.unready:
            yield f"{workload.name}: {accounts.unready} unready"
        if workload.iteration_deletion_wait and accounts.leftover:
            yield f"{workload.name}: {accounts.leftover} left over"
        ends = bool(workload.stages or workload.duration)
        if accounts.not_attempted and not ends:
            yield f"{workload.name}: {accounts.not_attempted} objects not attempted"
        for operation in outcome.operations:
            counted = operation.accounts
            if counted.failed:
                yield f"{workload.name}: {counted.failed} operations failed"
            if workload.iteration_wait and counted.unfinished:
                yield f"{workload.name}: {counted.unfinished} operations unfinished"
            if counted.not_attempted and not ends and not workload.is_endless:
                yield f"{workload.name}: {counted.not_attempted} operations not attempted"


def check_names(run: RandomRun) -> None:
    """No name was used twice, but for namespaces that were made again."""
    twice = {key: count for key, count in run.named.items() if count > 1 and key[0] != "namespaces"}
    assert not twice, twice


def check_left(run: RandomRun, result: RunResult) -> None:
    """What is there is what the records and the result say."""
    left = run.left
    if not result.remains:
        assert not left, left
    elif result.exit_code == 0:
        assert left or _goes_on_going(run)
    if result.outcome is RunOutcome.INTERRUPTED:
        assert not left, left
    assert run.folder is not None
    there = {record.uid for each in run.cluster.store.collections() for record in each.records()}
    for record in read(run.folder / "objects.ndjson"):
        if record["uid"] is None or record["created_s"] is None:
            continue
        if record["uid"] in there:
            assert record["deleted_s"] is None, record
        elif record["deleted_s"] is None:  # it has gone since
            by_others = "somebody else deleted it" in (record["error"] or "")
            assert by_others or record["delete_requested_s"] is not None, record


def _goes_on_going(run: RandomRun) -> bool:
    """Whether something was asked to go and not waited for: it may be gone by now."""
    return any(
        (each.iteration_cleanup and not each.iteration_deletion_wait)
        or (each.operation == "delete" and not each.iteration_wait)
        for each in run.config.workloads
    )


def check_journal(run: RandomRun, result: RunResult) -> None:
    """The journal makes the same results, and a part of it makes some that add up."""
    assert run.folder is not None
    again = run.folder.with_name("again")
    shutil.copytree(run.folder, again)
    for name in _MADE_FROM_JOURNAL:
        (again / name).unlink(missing_ok=True)
    rebuilt = rebuild_results(again).result
    assert rebuilt.exit_code == result.exit_code
    for name in ("objects.ndjson", "children.ndjson", "operations.ndjson"):
        assert _sorted(again / name) == _sorted(run.folder / name), name
    made, written = (
        json.loads((each / "summary.json").read_text()) for each in (again, run.folder)
    )
    assert made == written
    check_cut(run, run.folder.with_name("cut"))


def _sorted(path: Path) -> list[str]:
    return sorted(path.read_text(encoding="utf-8").splitlines()) if path.exists() else []


def check_cut(run: RandomRun, cut: Path) -> None:
    """As if the run had been killed."""
    assert run.folder is not None
    shutil.copytree(run.folder, cut)
    for name in _MADE_FROM_JOURNAL:
        (cut / name).unlink(missing_ok=True)
    journal = cut / "journal.ndjson"
    lines = journal.read_bytes().splitlines(keepends=True)
    kept = max(1, int(run.scenario.cut_at * (len(lines) - 1)))
    journal.write_bytes(b"".join(lines[:kept]))
    killed = rebuild_results(cut).result
    assert killed.outcome is RunOutcome.KILLED
    assert killed.exit_code == 137
    check_accounts(killed)
    check_records(cut, killed)


async def check_cleanup(run: RandomRun) -> None:
    """What a run leaves, a cleanup removes, and it touches nothing else."""
    before = foreign_objects(run.cluster)
    if run.left:
        assert run.folder is not None
        options = ClusterOptions(kubeconfig=str(run.folder.parent.parent / "kubeconfig"))
        resources = [each.resource for each in run.cluster.store.collections()]
        async with await open_cluster(options) as opened, asyncio.timeout(PATIENCE_S):
            places = [Place(each) for each in resources]
            await Removal(opened.client, places, f"{RUN_LABEL}={run.run_id}").run()
    assert not run.left, run.left
    assert foreign_objects(run.cluster) == before
