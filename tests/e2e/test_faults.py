"""Whatever the control plane does, a run ends, its counts are exact, and nothing is left.

Exact means: what the client counted is what really happened in the cluster.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from faulty_runs import FaultyRun, faulty_run
from workloads import config, objects, workload

from perfscale.config import Config
from perfscale.results import Accounts, Outcome, RunOutcome

pytestmark = pytest.mark.virtual_time

COUNT = 30
ITERATIONS = 2
ALL = COUNT * ITERATIONS
PATIENCE = "4s"
"""Many times what a busy machine takes for those that are not stuck."""


def load(count: int = COUNT, iterations: int = ITERATIONS, **keys: Any) -> Config:
    members = objects(count=count)
    return config(workload(members, iterationCount=iterations, namespacedIterations=True, **keys))


def most_watches(generators: int | None) -> int:
    """How many are open at a time, at most: whoever runs has one of VMIs and one of namespaces."""
    return 2 * (1 + (generators or 0))


def assert_exact(run: FaultyRun, *, again: int = 0) -> None:
    """What the client counted is what happened.

    ``again`` objects had the name of one before, which was gone when its create, the
    answer to which had been lost, was sent a second time.
    """
    accounts, truth = run.result.accounts, run.vmis
    assert accounts.balanced
    assert accounts.created + again == truth.created
    assert accounts.deleted + again == truth.gone
    uids = [record.uid for record in run.sink.objects if record.uid is not None]
    assert len(uids) == len(set(uids)) == accounts.created


def assert_unharmed(run: FaultyRun, count: int) -> None:
    """The run went as it would have without the fault."""
    assert run.result.problems == ()
    assert run.result.outcome is RunOutcome.PASSED
    assert run.result.accounts == Accounts(
        requested=count, created=count, ready=count, deleted=count
    )
    assert (run.vmis.ready, run.vmis.failed, run.vmis.present) == (count, 0, 0)
    assert run.left == {}
    assert_exact(run)


REQUESTS: dict[str, tuple[dict[str, Any], str]] = {
    "429": ({"fault": "tooManyRequests", "share": 0.2, "retryAfter": "0s"}, "throttled"),
    "500": ({"fault": "internalError", "share": 0.1}, "serverErrors"),
    "503": ({"fault": "unavailable", "share": 0.1}, "serverErrors"),
    "503 with Retry-After": (
        {"fault": "unavailable", "share": 0.1, "retryAfter": "0s"},
        "serverErrors",
    ),
    "resets before": ({"fault": "resetBefore", "share": 0.1}, "connectionErrors"),
    "resets after": ({"fault": "resetAfter", "share": 0.1}, "connectionErrors"),
}


@pytest.mark.parametrize("case", REQUESTS)
async def test_requests_that_fail_are_sent_again_and_counted(case: str, tmp_path: Path) -> None:
    fault, counter = REQUESTS[case]
    async with faulty_run(tmp_path, load(), requests=[fault]) as run:
        assert_unharmed(run, ALL)
        assert run.injected[fault["fault"]] > 0
        assert run.result.requests[counter] == run.injected[fault["fault"]]


@pytest.mark.parametrize("verb", ["create", "delete", "deletecollection"])
async def test_an_answer_that_is_lost_loses_no_object(verb: str, tmp_path: Path) -> None:
    fault = {"fault": "resetAfter", "verbs": [verb], "share": 0.2}
    async with faulty_run(tmp_path, load(), requests=[fault]) as run:
        assert_unharmed(run, ALL)


async def test_slow_answers_change_nothing(tmp_path: Path) -> None:
    fault = {"fault": "slow", "share": 0.2, "delay": "20ms"}
    async with faulty_run(tmp_path, load(), requests=[fault]) as run:
        assert_unharmed(run, ALL)
        assert run.injected["slow"] > 0


WATCHES: dict[str, list[dict[str, Any]]] = {
    "closed after events": [{"fault": "closed", "afterEvents": 7}],
    "closed after some time": [{"fault": "closed", "after": "10ms"}],
    "late": [{"fault": "late", "delay": "30ms"}],
    "in bursts": [{"fault": "bursts", "every": "50ms"}],
    "late, and closed": [{"fault": "late", "delay": "5ms"}, {"fault": "closed", "afterEvents": 9}],
}
EXPIRED = {
    by: [
        {"fault": "closed", "afterEvents": 20},
        {"fault": "expired", "by": by, "share": 0.5},
    ]
    for by in ("status", "event")
}


@pytest.mark.parametrize("case", WATCHES)
async def test_watches_that_are_disturbed_miss_nothing(
    case: str, tmp_path: Path, generators: int | None
) -> None:
    async with faulty_run(tmp_path, load(), watches=WATCHES[case]) as run:
        assert_unharmed(run, ALL)
        closed = run.injected["closed"]
        assert run.result.watch.relists == 0
        assert closed - most_watches(generators) <= run.result.watch.reconnects <= closed


@pytest.mark.parametrize("by", EXPIRED)
async def test_watches_that_have_expired_list_again_and_miss_nothing(
    by: str, tmp_path: Path
) -> None:
    async with faulty_run(tmp_path, load(), watches=EXPIRED[by]) as run:
        assert_unharmed(run, ALL)
        assert run.injected["expired"] > 0
        assert run.result.watch.relists == run.injected["expired"]
        assert run.result.requests["expired"] == run.injected["expired"]


OUTAGES: dict[str, dict[str, Any]] = {
    "refused, in the creation": {"afterRequests": 30, "lasts": "200ms"},
    "reset, in the creation": {"afterRequests": 30, "lasts": "200ms", "connections": "reset"},
    "with the history gone": {"afterRequests": 30, "lasts": "50ms", "forgets": True},
    "again and again": {"afterRequests": 10, "lasts": "20ms", "every": "120ms"},
}


@pytest.mark.parametrize("case", OUTAGES)
async def test_a_server_that_goes_and_comes_back_is_waited_for(case: str, tmp_path: Path) -> None:
    async with faulty_run(tmp_path, load(), speed=20, outages=[OUTAGES[case]]) as run:
        assert_unharmed(run, ALL)
        assert run.injected["outages"] > 0
        assert run.result.requests["connectionErrors"] > 0
        if "connections" not in OUTAGES[case]:
            assert 0 < run.result.requests["outages"] <= run.injected["outages"]
            assert run.result.requests["outageSeconds"] > 0


async def test_objects_that_fail_are_counted_and_told(tmp_path: Path) -> None:
    fault = {"fault": "fails", "share": 0.2, "phase": "Scheduled", "message": "no such disk"}
    async with faulty_run(tmp_path, load(iterations=1), objects=[fault]) as run:
        truth = run.vmis
        assert truth.failed > 0
        assert (run.result.accounts.failed, run.result.accounts.ready) == (
            truth.failed,
            truth.ready,
        )
        assert run.result.exit_code == 1
        assert run.left == {}
        assert_exact(run)


async def test_an_iteration_in_which_objects_failed_is_the_last(tmp_path: Path) -> None:
    fault = {"fault": "fails", "phase": "Scheduling", "names": ["*-3"]}
    async with faulty_run(tmp_path, load(), objects=[fault]) as run:
        accounts = run.result.accounts
        assert (accounts.created, accounts.not_attempted) == (COUNT, COUNT)
        assert (accounts.failed, run.vmis.failed) == (1, 1)
        assert run.left == {}
        assert_exact(run)


async def test_objects_that_fail_after_they_were_ready_have_failed(tmp_path: Path) -> None:
    stuck = {"fault": "stuck", "phase": "Scheduling", "names": ["*-1"]}
    fails = {"fault": "fails", "phase": "Running", "names": ["*-2"]}
    bounds = load(iterations=1, maxWaitTimeout=PATIENCE)
    async with faulty_run(tmp_path, bounds, objects=[stuck, fails]) as run:
        outcomes = Counter(record.outcome for record in run.sink.objects)
        assert outcomes == {Outcome.READY: COUNT - 2, Outcome.FAILED: 1, Outcome.UNREADY: 1}
        assert (run.vmis.ready, run.vmis.failed) == (COUNT - 1, 1)
        assert run.left == {}
        assert_exact(run)


async def test_objects_that_are_stuck_end_the_wait_and_say_why(tmp_path: Path) -> None:
    fault = {"fault": "stuck", "share": 0.2, "phase": "Scheduling"}
    bounds = load(iterations=1, maxWaitTimeout=PATIENCE)
    async with faulty_run(tmp_path, bounds, objects=[fault]) as run:
        accounts, truth = run.result.accounts, run.vmis
        assert accounts.unready > 0
        assert (accounts.ready, accounts.unready) == (truth.ready, COUNT - truth.ready)
        assert any("Insufficient memory" in problem for problem in run.result.problems)
        assert run.left == {}
        assert_exact(run)


async def test_objects_that_vanish_have_failed(tmp_path: Path) -> None:
    stuck = {"fault": "stuck", "phase": "Scheduling", "names": ["*-1"]}
    vanishes = {"fault": "vanishes", "share": 0.3, "phase": "Scheduled"}
    bounds = load(iterations=1, maxWaitTimeout=PATIENCE)
    async with faulty_run(tmp_path, bounds, objects=[stuck, vanishes]) as run:
        accounts, truth = run.result.accounts, run.vmis
        assert truth.vanished > 0
        assert accounts.failed == truth.vanished
        assert (accounts.unready, accounts.ready) == (1, COUNT - 1 - truth.vanished)
        assert run.left == {}
        assert_exact(run)


async def test_only_what_a_finalizer_holds_remains_and_it_is_named(tmp_path: Path) -> None:
    fault = {"fault": "held", "names": ["*-7", "*-9"], "finalizer": "example.com/hold"}
    bounds = load(iterations=1, maxWaitTimeout=PATIENCE)
    async with faulty_run(tmp_path, bounds, objects=[fault]) as run:
        assert run.vmis.held == 2
        accounts = run.result.accounts
        assert (accounts.ready, accounts.deleted, accounts.leftover) == (COUNT, COUNT - 2, 2)
        assert run.result.remains
        remaining = sorted(row.name for row in run.sink.objects if row.deleted_s is None)
        assert run.left == {"namespaces": ["density-1"], "virtualmachineinstances": remaining}
        assert any("example.com/hold" in problem for problem in run.result.problems)
        assert_exact(run)


SWALLOWED = 10
"""Error answers that one outage may take with it, of 256 requests in flight at the most."""

EVERYTHING: dict[str, Any] = {
    "seed": 3,
    "requests": [
        {"fault": "tooManyRequests", "share": 0.03, "retryAfter": "0s"},
        {"fault": "internalError", "share": 0.02},
        {"fault": "unavailable", "share": 0.02},
        {"fault": "resetBefore", "share": 0.01},
        {"fault": "resetAfter", "share": 0.01},
        {"fault": "slow", "share": 0.05, "delay": "10ms"},
    ],
    "watches": [
        {"fault": "closed", "afterEvents": 400},
        {"fault": "closed", "after": "700ms", "share": 0.5},
        {"fault": "expired", "by": "status", "share": 0.15},
        {"fault": "expired", "by": "event", "share": 0.15},
        {"fault": "late", "delay": "20ms", "share": 0.3},
        {"fault": "bursts", "every": "50ms", "share": 0.3},
    ],
    "outages": [
        {"afterRequests": 500, "lasts": "300ms"},
        {"after": "2s", "lasts": "200ms", "every": "5s", "connections": "reset", "forgets": True},
    ],
}


async def test_everything_at_once_loses_nothing_of_two_thousand(
    tmp_path: Path, generators: int | None
) -> None:
    async with faulty_run(tmp_path, load(2000, 3), **EVERYTHING) as run:
        assert_unharmed(run, 6000)
        injected, requests, watch = run.injected, run.result.requests, run.result.watch
        assert all(injected[name] > 0 for name in ("closed", "expired", "outages", "slow"))
        # An outage swallows answers that were on their way, those with an error too, and
        # breaks connections, as many as there happen to be.
        swallowed = injected["outages"] * SWALLOWED
        errors = injected["internalError"] + injected["unavailable"]
        assert 0 <= injected["tooManyRequests"] - requests["throttled"] <= swallowed
        assert 0 <= errors - requests["serverErrors"] <= swallowed
        assert requests["connectionErrors"] > injected["resetBefore"] + injected["resetAfter"]
        of_watches = injected["outages"] * most_watches(generators)
        assert watch.reconnects >= injected["closed"] - of_watches
        assert watch.relists >= injected["expired"] - of_watches
        assert requests["expired"] >= injected["expired"] - of_watches
        assert requests["outages"] > 0


async def test_broken_objects_on_top_of_it_are_told_apart(tmp_path: Path) -> None:
    broken = [
        {"fault": "fails", "share": 0.04, "phase": "Scheduled"},
        {"fault": "stuck", "share": 0.04, "phase": "Scheduling"},
        {"fault": "vanishes", "share": 0.04, "phase": "Running"},
        {"fault": "held", "share": 0.02},
    ]
    # Longer than a watch may wait for its state before it asks for a list instead, twice.
    bounds = load(200, 1, maxWaitTimeout="25s")
    async with faulty_run(tmp_path, bounds, objects=broken, **EVERYTHING) as run:
        accounts, truth = run.result.accounts, run.vmis
        assert accounts.created == 200
        assert accounts.leftover == truth.present == truth.held > 0
        assert accounts.failed >= truth.failed > 0
        assert accounts.unready > 0
        assert truth.vanished > 0
        assert set(run.left) == {"namespaces", "virtualmachineinstances"}
        assert len(run.left["virtualmachineinstances"]) == truth.held
        again = truth.created - accounts.created
        assert 0 <= again <= truth.vanished
        assert_exact(run, again=again)


def three_vms_that_stay() -> Config:
    made = objects("vm-ephemeral.yaml", 3)
    return config(workload(made, iterationCleanup=False, iterationDeletionWait=False))


async def test_children_are_ready_where_their_owners_are_although_their_watch_is_behind(
    tmp_path: Path,
) -> None:
    late = {"fault": "late", "delay": "300ms", "resources": ["virtualmachineinstances"]}
    async with faulty_run(tmp_path, three_vms_that_stay(), watches=[late], speed=5) as run:
        assert run.injected["late"]
        assert (run.result.accounts.ready, run.result.children.ready) == (3, 3)


async def test_children_count_that_no_watch_has_shown_by_the_end_of_a_run_that_keeps_them(
    tmp_path: Path,
) -> None:
    late = {"fault": "late", "delay": "30s", "resources": ["virtualmachineinstances"]}
    async with faulty_run(tmp_path, three_vms_that_stay(), watches=[late], speed=50) as run:
        assert run.injected["late"]
        assert (run.result.accounts.ready, run.result.children.ready) == (3, 3)
        assert run.result.children.requested == 3
