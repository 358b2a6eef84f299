"""Others delete what a run made, or take its labels from it: the results say what is true."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest
from clusters import VMIRS, ClusterUnderTest
from faulty_runs import FaultyRun, faulty_run
from moments import AtMoment, Moment
from workloads import config, objects, template, workload

from perfscale import Config, LoadGenerator
from perfscale.engine.events import Stage, StageStarted
from perfscale.engine.tracking.rows import TransitionKind
from perfscale.results import Accounts, RunOutcome

pytestmark = pytest.mark.virtual_time

COUNT = 5
VMI = """\
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstance
metadata:
  name: vmi-{{ replica }}
  namespace: default
spec:
  domain: {devices: {}, resources: {requests: {memory: 64Mi}}}
"""
CONFIGMAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: map-{{ replica }}
  namespace: default
"""


def load(directory: Path, text: str = VMI, count: int = COUNT, **keys: Any) -> Config:
    """In a namespace that stays, so that nothing goes with it."""
    return config(workload(objects(template(directory, text), count=count), **keys))


def names(run: FaultyRun, plural: str) -> list[str]:
    """What there is of a kind, whatever its labels."""
    return [
        record.name
        for each in run.cluster.store.collections()
        if each.resource.plural == plural
        for record in each.records()
        if record.name.startswith(("vmi-", "map-"))
    ]


@pytest.mark.parametrize("count", [1, COUNT])
async def test_what_somebody_deletes_before_the_run_does_has_failed_although_it_was_ready(
    count: int, tmp_path: Path
) -> None:
    """The run hears of the deletion when it has asked everything to go itself."""
    vanishes = {"fault": "vanishes", "phase": "Running", "after": "300ms"}
    late = {"fault": "late", "delay": "2s"}
    loaded = load(tmp_path, count=count)
    async with faulty_run(tmp_path, loaded, objects=[vanishes], watches=[late]) as run:
        accounts = run.result.accounts
        assert (accounts.ready, accounts.failed, accounts.deleted) == (0, count, count)
        [problem] = run.result.problems
        assert f"{count} VirtualMachineInstance failed: somebody else deleted it" in problem


@pytest.mark.parametrize("text", [VMI, CONFIGMAP])
async def test_what_somebody_deletes_while_objects_stay_has_failed_however_late_it_is_heard_of(
    text: str, tmp_path: Path
) -> None:
    plural = "virtualmachineinstances" if text is VMI else "configmaps"
    vanishes: dict[str, Any] = {"fault": "vanishes", "resources": [plural], "names": ["*-1", "*-2"]}
    if text is VMI:
        vanishes["phase"] = "Running"
    late = {"fault": "late", "delay": "2s"}
    stays: dict[str, Any] = {"iterationCleanup": False, "iterationDeletionWait": False}
    async with faulty_run(
        tmp_path, load(tmp_path, text, **stays), objects=[vanishes], watches=[late]
    ) as run:
        accounts = run.result.accounts
        assert (accounts.ready, accounts.failed) == (COUNT - 2, 2)
        assert "somebody else deleted it" in " ".join(run.result.problems)


async def test_what_loses_its_labels_is_not_called_gone_and_is_deleted_in_the_end(
    tmp_path: Path,
) -> None:
    removed = {"fault": "labelRemoved", "phase": "Running", "names": ["vmi-1", "vmi-2"]}
    stuck = {"fault": "stuck", "phase": "Scheduling", "names": ["vmi-5"]}
    async with faulty_run(
        tmp_path, load(tmp_path, maxWaitTimeout="2s"), objects=[removed, stuck]
    ) as run:
        assert run.injected["labelRemoved"] == 2
        assert run.result.accounts == Accounts(
            requested=5, created=5, ready=4, unready=1, deleted=5
        )
        assert not any("somebody else" in problem for problem in run.result.problems)
        assert names(run, "virtualmachineinstances") == []
        assert not run.result.remains


async def test_what_loses_its_labels_before_it_is_ready_has_failed_and_the_wait_goes_on(
    tmp_path: Path,
) -> None:
    removed = {"fault": "labelRemoved", "phase": "Scheduling", "names": ["vmi-1", "vmi-2"]}
    async with faulty_run(tmp_path, load(tmp_path), objects=[removed]) as run:
        accounts = run.result.accounts
        assert (accounts.ready, accounts.failed, accounts.deleted) == (3, 2, 5)
        [problem] = run.result.problems
        assert "2 VirtualMachineInstance failed: somebody took the run's labels" in problem
        assert names(run, "virtualmachineinstances") == []


@pytest.mark.parametrize("text", [VMI, CONFIGMAP])
@pytest.mark.parametrize("labels", [{}, {"labels": ["perfscale/*"]}])
async def test_what_is_created_without_labels_has_failed_and_is_deleted(
    labels: dict[str, Any], text: str, tmp_path: Path
) -> None:
    stripped = {
        "fault": "labelsStripped",
        "resources": ["virtualmachineinstances", "configmaps"],
        "names": ["*-2", "*-3"],
        **labels,
    }
    async with faulty_run(tmp_path, load(tmp_path, text), objects=[stripped]) as run:
        assert run.result.accounts == Accounts(requested=5, created=5, ready=3, failed=2, deleted=5)
        [problem] = run.result.problems
        assert "failed: it was created without the run's labels" in problem
        assert names(run, "virtualmachineinstances") + names(run, "configmaps") == []


async def test_an_interrupt_leaves_nothing_of_what_is_created_without_labels(
    tmp_path: Path, at_moment: AtMoment, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = LoadGenerator.run

    async def interrupted(generator: LoadGenerator) -> Any:
        monkeypatch.setattr(LoadGenerator, "run", run)  # each of several generators is one too
        at_moment(
            Moment(change=TransitionKind.CREATED, count=19),
            lambda: generator.interrupt(signal.SIGINT),
        )
        return await run(generator)

    monkeypatch.setattr(LoadGenerator, "run", interrupted)
    stripped = {"fault": "labelsStripped"}
    loaded = load(tmp_path, count=40, qps=400, burst=1)
    async with faulty_run(tmp_path, loaded, objects=[stripped]) as after:
        accounts = after.result.accounts
        assert after.result.outcome is RunOutcome.INTERRUPTED
        assert accounts.created >= 19
        assert accounts.deleted == accounts.created == accounts.failed
        assert names(after, "virtualmachineinstances") == []
        assert not after.result.remains


@pytest.mark.parametrize("stripped", [[], [{"fault": "labelsStripped", "names": ["vmi-1"]}]])
async def test_what_is_created_under_another_name_is_deleted_under_that(
    stripped: list[dict[str, Any]], tmp_path: Path
) -> None:
    renamed = {"fault": "renamed", "names": ["vmi-1"]}
    async with faulty_run(tmp_path, load(tmp_path), objects=[renamed, *stripped]) as run:
        accounts = run.result.accounts
        assert (accounts.failed, accounts.deleted) == (len(stripped), COUNT)
        assert names(run, "virtualmachineinstances") == []
        assert "vmi-1-renamed" in {record.name for record in run.sink.objects}


SET = """\
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstanceReplicaSet
metadata: {name: 'set-{{ replica }}', namespace: default}
spec:
  paused: true
  replicas: 1
  selector: {matchLabels: {set: a}}
  template:
    metadata: {labels: {set: a}}
    spec: {domain: {devices: {}}}
"""


async def test_labels_that_are_taken_while_a_run_waits_are_found_to_be_by_a_real_server_too(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    async with cluster.generator(load(tmp_path, SET, maxWaitTimeout="120s")) as generator:
        events = generator.events()
        running = asyncio.create_task(generator.run())
        async for event in events:
            if isinstance(event, StageStarted) and event.stage is Stage.WAITING_READY:
                break
        for number in range(1, COUNT + 1):
            await cluster.client.request(
                "PATCH",
                VMIRS.path("default", f"set-{number}"),
                body=b'{"metadata": {"labels": null}}',
                content_type="application/merge-patch+json",
            )
        result = await running
    accounts = result.accounts
    assert (accounts.failed, accounts.deleted) == (COUNT, COUNT)
    assert "somebody took the run's labels" in " ".join(result.problems)
    assert await cluster.names(VMIRS, namespace="default") == []


async def test_where_objects_stay_those_without_labels_are_left_to_the_user(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    removed = {"fault": "labelRemoved", "phase": "Scheduling", "names": ["vmi-1"]}
    stays: dict[str, Any] = {"iterationCleanup": False, "iterationDeletionWait": False}
    async with faulty_run(tmp_path, load(tmp_path, **stays), objects=[removed]) as run:
        assert run.result.accounts.deleted == 0
        assert len(names(run, "virtualmachineinstances")) == COUNT
    assert "delete them by hand" in caplog.text


async def test_whoever_may_not_read_a_single_object_lists_it(tmp_path: Path) -> None:
    removed = {"fault": "labelRemoved", "phase": "Running", "names": ["vmi-1"]}
    vanishes = {"fault": "vanishes", "phase": "Scheduled", "names": ["vmi-2"]}
    stuck = {"fault": "stuck", "phase": "Scheduling", "names": ["vmi-5"]}
    faults: dict[str, Any] = {
        "objects": [removed, vanishes, stuck],
        "requests": [
            {"fault": "forbidden", "verbs": ["get"], "resources": ["virtualmachineinstances"]}
        ],
    }
    async with faulty_run(tmp_path, load(tmp_path, maxWaitTimeout="2s"), **faults) as run:
        accounts = run.result.accounts
        assert (accounts.failed, accounts.deleted) == (1, COUNT)
        assert names(run, "virtualmachineinstances") == []


@pytest.mark.parametrize("labels", [["perfscale/iteration"], ["perfscale/*"]])
async def test_what_is_another_iterations_by_its_labels_is_deleted_all_the_same(
    labels: list[str], tmp_path: Path
) -> None:
    relabelled = {
        "fault": "labelRemoved",
        "phase": "Running",
        "names": ["vmi-1"],
        "labels": labels,
        "to": "7",
    }
    async with faulty_run(tmp_path, load(tmp_path), objects=[relabelled]) as run:
        assert run.result.outcome is RunOutcome.PASSED
        assert run.result.accounts.deleted == COUNT
        assert names(run, "virtualmachineinstances") == []
