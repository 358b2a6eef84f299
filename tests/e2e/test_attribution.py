"""Where the time of slow objects goes, on the simulated cluster, each cause in its turn."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from clusters import ClusterUnderTest
from patience import PATIENCE_S
from refusals import Refusal, Refusing
from workloads import config, objects, template, workload

from perfscale.engine.events import Stage, StageStarted
from perfscale.kube.cluster import ClusterOptions, open_cluster
from perfscale.results import (
    AttributedObject,
    RunFolder,
    RunResult,
    WaitCause,
    rebuild_results,
)
from perfscale.results.folder.evidence import read_evidence
from perfscale.sim.cluster import SimulatedCluster
from perfscale.sim.faults import Faults

JSON = dict[str, Any]

CAUSES = ("unseen", "scheduling", "imagePull", "volumes", "launcherStart", "guest")
INSTANCE = """\
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstance
metadata: {name: "{{ names[replica - 1] }}"}
spec: {domain: {devices: {}}}
"""
MACHINE = """\
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: "{{ names[replica - 1] }}"}
spec:
  runStrategy: Always
  template: {spec: {domain: {devices: {}}}}
"""
SET = """\
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstanceReplicaSet
metadata: {name: "{{ names[replica - 1] }}"}
spec:
  replicas: 2
  selector: {matchLabels: {set: "{{ names[replica - 1] }}"}}
  template:
    metadata: {labels: {set: "{{ names[replica - 1] }}"}}
    spec: {domain: {devices: {}}}
"""
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: "{{ names[replica - 1] }}"}
spec: {containers: [{name: main, image: "registry/app:1"}]}
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: "{{ names[replica - 1] }}"}
spec:
  replicas: 2
  selector: {matchLabels: {app: "{{ names[replica - 1] }}"}}
  template:
    metadata: {labels: {app: "{{ names[replica - 1] }}"}}
    spec: {containers: [{name: main, image: "registry/app:1"}]}
"""


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left out because the machine is busy."""
    monkeypatch.setattr("perfscale.engine.attribution.attributor.CLOSING_S", PATIENCE_S)


@asynccontextmanager
async def delaying(
    directory: Path, *faults: JSON, requests: Sequence[JSON] = (), speed: float = 50.0
) -> AsyncIterator[ClusterUnderTest]:
    """A simulated cluster that delays what is named after a cause."""
    content = Faults.model_validate({"objects": faults, "requests": requests})
    async with SimulatedCluster(speed=speed, seed=1, faults=content) as cluster:
        kubeconfig = directory / "simulated.kubeconfig"
        cluster.write_kubeconfig(kubeconfig)
        options = ClusterOptions(kubeconfig=str(kubeconfig))
        async with await open_cluster(options) as opened:
            yield ClusterUnderTest(options, opened.client, is_real=False)


def delays(*causes: str, resource: str = "virtualmachineinstances") -> list[JSON]:
    return [
        {
            "fault": "delayed",
            "cause": cause,
            "by": "4s",
            "names": [f"*{cause.lower()}*"],
            "resources": [resource],
        }
        for cause in causes
    ]


def load(directory: Path, text: str, *causes: str, **attribution: Any) -> Any:
    names = [cause.lower() for cause in causes]
    entry = objects(template(directory, text), len(names), names=names)
    settings: JSON = {"after": "2s", **attribution}
    return config(workload(entry), attribution=settings)


def named(result: RunResult) -> dict[str, AttributedObject]:
    assert result.attribution is not None
    return {each.name: each for each in result.attribution.objects}


def longest(slow: AttributedObject) -> str:
    return max(slow.causes.items(), key=lambda each: each[1])[0].value


@pytest.mark.parametrize("text", [INSTANCE, MACHINE], ids=["instance", "machine"])
async def test_each_cause_that_delays_an_instance_is_named(text: str, tmp_path: Path) -> None:
    async with delaying(tmp_path, *delays(*CAUSES)) as cluster:
        result = await cluster.run(load(tmp_path, text, *CAUSES, "quick"))
    assert result.problems == ()
    found = named(result)
    assert {name: longest(each) for name, each in found.items()} == {
        cause.lower(): cause for cause in CAUSES
    }
    for each in found.values():
        assert each.ready
        assert sum(each.causes.values()) == pytest.approx(each.lasted_s)
        assert all(segment.lasted_s > 0 for segment in each.segments)
        assert each.conditions
        assert each.pods


@pytest.mark.parametrize("text", [POD, DEPLOYMENT], ids=["pod", "deployment"])
async def test_each_cause_that_delays_a_pod_is_named(text: str, tmp_path: Path) -> None:
    causes = CAUSES[1:]
    async with delaying(tmp_path, *delays(*causes, resource="pods")) as cluster:
        result = await cluster.run(load(tmp_path, text, *causes, "quick"))
    assert {name: longest(each) for name, each in named(result).items()} == {
        cause.lower(): cause for cause in causes
    }


@pytest.mark.parametrize(
    ("text", "resource"), [(INSTANCE, "virtualmachineinstances"), (POD, "pods")]
)
async def test_an_object_that_two_causes_delay_has_both_and_what_it_takes_anyway(
    text: str, resource: str, tmp_path: Path
) -> None:
    pairs = {
        "scheduling-imagepull": {"scheduling", "imagePull"},
        "scheduling-volumes": {"scheduling", "volumes"},
        "imagepull-volumes": {"imagePull", "volumes"},
        "volumes-guest": {"volumes", "guest"},
        "scheduling-alone": {"scheduling"},
        "volumes-alone": {"volumes"},
    }
    causes = [cause for cause in CAUSES if any(cause in pair for pair in pairs.values())]
    async with delaying(tmp_path, *delays(*causes, resource=resource), speed=2.0) as cluster:
        result = await cluster.run(load(tmp_path, text, *pairs))
    for name, slow in named(result).items():
        # A pod starts in less than its timestamps, which are in whole seconds, can tell.
        assert WaitCause.LAUNCHER_START in slow.causes or text == POD, name
        others = [each for each in slow.causes if each != WaitCause.LAUNCHER_START]
        by_length = sorted(others, key=lambda each: slow.causes[each], reverse=True)
        assert {each.value for each in by_length[: len(pairs[name])]} == pairs[name]
        for cause in pairs[name]:
            assert slow.causes[WaitCause(cause)] == pytest.approx(4.0, abs=1.5), name
    assert set(pairs) <= set(named(result))


async def test_a_set_of_instances_waits_for_what_the_last_of_them_waits_for(
    tmp_path: Path,
) -> None:
    causes = ("imagePull", "guest")
    async with delaying(tmp_path, *delays(*causes)) as cluster:
        result = await cluster.run(load(tmp_path, SET, *causes, "quick"))
    found = named(result)
    assert {name: longest(each) for name, each in found.items()} == {
        cause.lower(): cause for cause in causes
    }
    assert any("the one that was last" in note for note in found["guest"].notes)


async def test_an_object_that_never_becomes_ready_is_kept_with_what_the_cluster_says(
    tmp_path: Path,
) -> None:
    stuck = {"fault": "stuck", "phase": "Scheduling", "message": "no node has room"}
    async with delaying(tmp_path, {**stuck, "names": ["stuck"]}) as cluster:
        text = load(tmp_path, INSTANCE, "stuck", "quick", after="1m")
        waiting = text.workloads[0].model_copy(update={"max_wait_timeout": 3.0})
        result = await cluster.run(text.model_copy(update={"workloads": (waiting,)}))
    found = named(result)["stuck"]
    assert not found.ready
    assert longest(found) == WaitCause.SCHEDULING
    assert any("no node has room" in each.message for each in found.conditions)


async def test_nothing_is_asked_where_no_object_is_slow_or_it_is_turned_off(
    refusing: Refusing, tmp_path: Path
) -> None:
    cluster, refusals = refusing
    for settings in ({"after": "60s"}, {"objects": 0, "after": "0s"}):
        result = await cluster.run(load(tmp_path, INSTANCE, "a", "b", **settings))
        assert result.problems == ()
    assert (result.attribution, len(refusals.sent) > 0) == (None, True)
    assert not [path for _, path in refusals.sent if path.endswith(("/events", "/pods"))]


async def test_no_more_objects_are_kept_than_are_allowed(tmp_path: Path) -> None:
    async with delaying(tmp_path, *delays("guest")) as cluster:
        names = [f"guest-{number}" for number in range(6)]
        result = await cluster.run(load(tmp_path, INSTANCE, *names, objects=2))
    assert result.attribution is not None
    assert len(result.attribution.objects) == result.attribution.counts.limit == 2


async def test_requests_for_it_are_counted_and_are_none_of_the_loads(tmp_path: Path) -> None:
    async with delaying(tmp_path, *delays("guest")) as cluster:
        result = await cluster.run(load(tmp_path, INSTANCE, "guest", "quick"))
    assert result.attribution is not None
    sent = {(each.verb, each.resource): each.sent for each in result.calls}
    assert 0 < sent["list", "events"] <= result.attribution.counts.requests
    assert result.requests["sent"] >= sum(sent.values())
    of_load = {each.resource for each in result.workloads[0].calls}
    assert not of_load & {"events", "pods"}


async def test_a_server_that_does_not_answer_puts_the_end_of_a_wait_off_by_a_bounded_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perfscale.engine.attribution.attributor.CLOSING_S", 0.1)
    slow = {"fault": "slow", "delay": "1h", "verbs": ["list"], "resources": ["events"]}
    async with delaying(tmp_path, *delays("guest"), requests=[slow]) as cluster:
        async with cluster.generator(load(tmp_path, INSTANCE, "guest")) as generator:
            events = generator.events()
            result = await generator.run()
        stages = [each.stage async for each in events if isinstance(each, StageStarted)]
    assert result.problems == ()
    assert result.attribution is not None
    assert "1 slow object could not be looked at in time" in result.attribution.counts.problems
    assert stages[stages.index(Stage.WAITING_READY) + 1] is Stage.EXAMINING


async def test_what_may_not_be_read_is_warned_of_and_stays_unknown(
    refusing: Refusing, tmp_path: Path
) -> None:
    cluster, refusals = refusing

    def forbid(request: web.Request, _: int) -> Refusal | None:
        is_list = request.path.endswith(("/events", "/pods"))
        return Refusal(403, "Forbidden", "no role allows it") if is_list else None

    refusals.rule = forbid
    async with cluster.generator(load(tmp_path, INSTANCE, "a", after="0s")) as generator:
        result = await generator.run()
    assert result.problems == ()
    found = named(result)["a"]
    assert WaitCause.UNKNOWN in found.causes
    assert "events not read: not permitted" in found.notes
    assert result.attribution is not None
    assert len(result.attribution.counts.problems) == 2
    refused = [count for (_, path), count in refusals.sent.items() if path.endswith("/events")]
    assert sum(refused) == 1


async def test_a_bug_in_it_ends_no_load_and_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise LookupError("a bug")

    monkeypatch.setattr("perfscale.engine.attribution.attributor.split", fail)
    async with delaying(tmp_path, *delays("guest")) as cluster:
        result = await cluster.run(load(tmp_path, INSTANCE, "guest", "quick"))
    assert (result.problems, result.accounts.ready) == ((), 2)
    assert result.attribution is not None
    assert any("a bug" in each for each in result.attribution.counts.problems)


async def test_a_journal_has_what_was_found_out_until_a_run_was_killed(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "results")
    async with delaying(tmp_path, *delays("guest")) as cluster:
        result = await cluster.run(load(tmp_path, INSTANCE, "guest"), sink=folder)
    assert folder.path is not None
    written = read_evidence(folder.path)
    assert written == result.attribution
    (folder.path / "summary.json").unlink()
    (folder.path / "attribution.json").unlink()
    rebuilt = rebuild_results(folder.path).result
    assert rebuilt.attribution is not None
    assert result.attribution is not None
    assert rebuilt.attribution.objects == result.attribution.objects
    assert read_evidence(folder.path) == rebuilt.attribution
