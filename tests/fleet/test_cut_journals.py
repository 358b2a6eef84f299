"""A journal of several generators that was cut anywhere states what was asked of all of them."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
from pathlib import Path
from typing import Any

from clusters import ClusterUnderTest
from several_generators import run
from workloads import config, objects, template, workload

from perfscale.results import (
    AnyEntry,
    DueEntry,
    IterationEntry,
    OperationAccounts,
    Replay,
    RoundEntry,
    RunFolder,
    RunOutcome,
)
from perfscale.results.files import JOURNAL_FILE
from perfscale.results.journal.journal import open_journal
from perfscale.results.measure.tallies.run import RunSum

MAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ name }}-{{ iteration }}-{{ replica }}"}
"""
Place = tuple[str, int]


def loads(directory: Path) -> Any:
    """Iterations, churn of both kinds, operations, and loads that end by their time."""

    def maps(count: int, name: str) -> Any:
        return objects(template(directory, MAP, "map.yaml"), count, name=name)

    kept = {"iterationCleanup": False, "iterationDeletionWait": False}
    churn = {"share": "50%", "rounds": 2, "interval": "1ms"}
    spaces = {"count": 1, "rounds": 2, "of": "namespaces"}
    timed = {"qps": 50, "burst": 1, "duration": "300ms"}
    gets = {"name": "gets", "operation": "get", "targets": {"workload": "churned"}}
    return config(
        workload(maps(8, "plain"), name="plain", iterationCount=2),
        workload(maps(10, "churned"), name="churned", churn=churn, **kept),
        {**gets, "iterationCount": 2, "iterationWait": True},
        {**gets, "name": "timed-gets", **timed},
        workload(maps(100, "timed"), name="timed", **timed),
        workload(
            maps(6, "whole"),
            name="whole",
            namespacedIterations=True,
            iterationCount=2,
            churn=spaces,
            **kept,
        ),
        cleanup=True,
        seed=7,
    )


async def journal_of(
    cluster: ClusterUnderTest, directory: Path, generators: int | None
) -> tuple[Any, list[AnyEntry]]:
    """The first line of a run's journal, and the others."""
    sink = RunFolder(directory / f"results-{generators}")
    if generators is None:
        async with cluster.generator(loads(directory), sink=sink) as alone:
            result = await alone.run()
    else:
        result = await run(cluster, loads(directory), generators, sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert sink.path is not None
    begin, entries = open_journal(sink.path / JOURNAL_FILE)
    return begin, list(entries)


def replayed(begin: Any, entries: list[AnyEntry], length: int) -> RunSum:
    """What the report says of a run whose journal ends after so many lines."""
    replay = Replay(begin)
    for entry in islice(entries, length):
        replay.take(entry)
    replay.close(is_cut=replay.course.is_cut)
    return replay.run_tally.close(is_cut=replay.course.is_cut)


def steps_of(entries: list[AnyEntry]) -> dict[Any, int]:
    """How many one generator asks for at the beginning of each iteration and round, in all."""
    where: dict[int, Place] = {}
    steps: dict[Any, int] = defaultdict(int)
    for entry in entries:
        if isinstance(entry, IterationEntry):
            where[entry.i] = entry.workload, entry.iteration
            if not entry.ends:
                steps[where[entry.i], None] += sum(entry.requested.values())
        elif isinstance(entry, RoundEntry):
            steps[where[entry.i], entry.round] += sum(entry.requested.values())
        elif isinstance(entry, DueEntry):
            # At its beginning; what it comes to grows with the time.
            steps.setdefault((where[entry.i], None), sum(entry.requested.values()))
    return steps


async def test_wherever_it_is_cut_no_less_was_requested_than_one_generator_says(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    _, alone = await journal_of(cluster, tmp_path, None)
    steps = steps_of(alone)
    begin, entries = await journal_of(cluster, tmp_path, 2)
    where: dict[int, Place] = {}
    begun: dict[Any, None] = {}
    for length, entry in enumerate(entries, start=1):
        if isinstance(entry, IterationEntry):
            where[entry.i] = entry.workload, entry.iteration
            if not entry.ends:
                begun[where[entry.i], None] = None
        elif isinstance(entry, RoundEntry):
            begun[where[entry.i], entry.round] = None
        elif isinstance(entry, DueEntry):
            begun[where[entry.i], None] = None
        total = replayed(begin, entries, length)
        assert total.accounts.balanced
        assert total.accounts.unknown <= total.accounts.failed + total.accounts.not_attempted
        found = {
            (each.name, iteration.iteration): iteration.accounts.requested
            + sum((one.accounts for one in iteration.operations), OperationAccounts()).requested
            for each in total.workloads
            for iteration in each.iterations
        }
        wanted: dict[Place, int] = defaultdict(int)
        for place, number in begun:
            wanted[place] += steps[place, number]
        for place, count in wanted.items():
            assert found[place] >= count, (length, place, entry)


async def test_what_has_no_part_in_a_journal_that_was_cut_may_have_been_sent(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    begin, entries = await journal_of(cluster, tmp_path, 2)
    first = next(n for n, each in enumerate(entries) if isinstance(each, IterationEntry))
    accounts = replayed(begin, entries, first + 1).workloads[0].iterations[0].accounts
    assert accounts.requested == accounts.not_attempted == accounts.unknown == 8
