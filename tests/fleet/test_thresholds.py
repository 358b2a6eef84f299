"""Thresholds of a run of several generators: nothing is lost before all have said what they ask."""

from __future__ import annotations

from dataclasses import replace

from journals import INFO
from operation_load import OperationSink
from workloads import config, objects

from perfscale.config import Config
from perfscale.fleet.published.thresholds import MergedThresholds
from perfscale.results import (
    AnyEntry,
    Begin,
    IterationEntry,
    OperationEntry,
    Replay,
    WorkloadPlan,
)

TWO = 2
A_PASS = 10
"""Operations of each generator in an iteration."""


def load(iterations: int) -> Config:
    limit = {"metric": "getResponse", "quantile": "p50", "max": "1s", "abortOnFail": True}
    gets = {"name": "gets", "operation": "get", "targets": {"workload": "maps"}}
    made = {"name": "maps", "objects": [objects(count=1)]}
    return config(made, {**gets, "iterationCount": iterations, "thresholds": [limit]})


class Run:
    """What two generators publish, and the thresholds that it is judged by."""

    def __init__(self, iterations: int) -> None:
        plans = (
            WorkloadPlan("maps", 1, {"ConfigMap": 1}, None, 1),
            WorkloadPlan("gets", iterations, {}, None, 1, operation="get"),
        )
        self._replay = Replay(Begin.of(replace(INFO, workloads=plans)), OperationSink())
        self._thresholds = MergedThresholds(load(iterations), plans, self._replay, TWO)
        self._numbers = 0

    def begin(self, shard: int, iteration: int) -> None:
        """A generator begins an iteration."""
        number = self._part(shard, iteration)
        requested = {"ConfigMap": A_PASS}
        self._take(IterationEntry(number, "gets", iteration, requested, 0.0, shard=shard))

    def get_slowly(self, shard: int, iteration: int) -> None:
        """It sends all of its operations, and each takes ten seconds."""
        for _ in range(A_PASS):
            self._numbers += 1
            self._take(
                OperationEntry(
                    n=self._numbers,
                    i=self._part(shard, iteration),
                    operation="get",
                    kind="ConfigMap",
                    namespace="default",
                    name=f"map-{self._numbers}",
                    uid=None,
                    scheduled_s=0.0,
                    admitted_s=0.0,
                    sent_s=0.0,
                    answered_s=10.0,
                )
            )

    def lost(self) -> str | None:
        error = self._thresholds.check(20.0)
        return None if error is None else str(error)

    @staticmethod
    def _part(shard: int, iteration: int) -> int:
        return TWO * iteration + shard

    def _take(self, entry: AnyEntry) -> None:
        self._thresholds.prepare(entry)
        self._replay.take(entry)
        self._thresholds.take(entry)


def test_a_percentile_is_lost_when_too_many_of_all_generators_operations_are_slow() -> None:
    run = Run(iterations=1)
    for shard in range(TWO):
        run.begin(shard, 1)
    run.get_slowly(0, 1)
    assert run.lost() is None
    run.get_slowly(1, 1)
    assert "20 of 20 have taken longer than 1s" in (run.lost() or "")


def test_while_one_generator_alone_has_begun_an_iteration_no_percentile_is_lost() -> None:
    run = Run(iterations=3)
    for shard in range(TWO):
        run.begin(shard, 1)
        run.get_slowly(shard, 1)
    assert run.lost() is None  # 20 slow ones of 60
    run.begin(0, 2)
    assert run.lost() is None
    run.begin(1, 2)
    run.get_slowly(0, 2)
    assert run.lost() is None  # 30 of 60
    run.get_slowly(1, 2)
    assert "40 of 60" in (run.lost() or "")
