"""Configurations of kube-burner on a cluster: to the counts that their arithmetic gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from clusters import CONFIGMAPS, PODS, ClusterUnderTest
from operation_load import OperationSink
from pages import list_pages

from perfscale.engine import RunOptions
from perfscale.foreign import load_config
from perfscale.foreign.kube_burner import Inputs
from perfscale.kube.resources import NAMESPACES
from perfscale.results import RunOutcome
from perfscale.templates import TemplateDefaults

if TYPE_CHECKING:
    from pathlib import Path

    from perfscale.kube.resources import Resource
    from perfscale.results import RunResult

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: "{{.JobName}}-{{.Iteration}}-{{.Replica}}", labels: {tier: web}}
spec: {containers: [{name: a, image: pause}]}
"""
CONFIGMAP = """\
{{- range $i := until 2 }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: "cm-{{ $i }}-{{ $.Iteration }}-{{ $.Replica }}"}
data: {random: "{{ randAlphaNum 8 }}"}
{{- end }}
"""
FIXED = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: fixed}
"""
BLOCK = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: block
"""
PATCH = "metadata: {labels: {round: '{{ .Iteration }}', of: '{{ .JobName }}'}}\n"
VM = """\
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: "vm-{{.Replica}}"}
spec:
  runStrategy: Always
  template:
    spec:
      domain: {devices: {}, resources: {requests: {memory: 64Mi}}}
      volumes: [{name: disk, containerDisk: {image: cirros}}]
"""
OF_JOB = {"kube-burner.io/job": "density"}
TEMPLATES = {"pod": POD, "cm": CONFIGMAP, "fixed": FIXED, "block": BLOCK, "patch": PATCH, "vm": VM}


def job(name: str, *objects: dict[str, Any], **keys: Any) -> dict[str, Any]:
    base = {"name": name, "qps": 200, "burst": 200, "maxWaitTimeout": "60s"}
    return {**base, "preLoadImages": False, "objects": list(objects), **keys}


def create(*objects: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return job("density", *objects, namespace="kb", **keys)


def entry(template: str, **keys: Any) -> dict[str, Any]:
    return {"objectTemplate": f"{template}.yml", **keys}


class Kitchen:
    """Runs jobs on a cluster."""

    def __init__(self, cluster: ClusterUnderTest, folder: Path) -> None:
        self.cluster = cluster
        self.sink = OperationSink()
        self._folder = folder
        for name, text in TEMPLATES.items():
            (folder / f"{name}.yml").write_text(text)

    async def run(
        self, *jobs: dict[str, Any], allow_foreign: bool = False, **of_all: Any
    ) -> RunResult:
        path = self._folder / "kb.yml"
        path.write_text(yaml.safe_dump({"global": of_all, "jobs": list(jobs)}, sort_keys=False))
        config = load_config(path, inputs=Inputs(allow_foreign=allow_foreign))
        options = RunOptions(defaults=TemplateDefaults(), allow_foreign=allow_foreign)
        result = await self.cluster.run(config, sink=self.sink, options=options)
        assert result.outcome is RunOutcome.PASSED, result.problems
        return result

    async def labels(self, resource: Resource, selector: str) -> list[dict[str, str]]:
        """Labels of everything that kubectl get -A -l finds, by names."""
        found = []
        pages = list_pages(self.cluster.client, resource, None, label_selector=selector)
        async for items, _ in pages:
            found += items
        found.sort(key=lambda each: (each["metadata"].get("namespace"), each["metadata"]["name"]))
        return [each["metadata"]["labels"] for each in found]


@pytest.fixture
def kitchen(simulated: ClusterUnderTest, tmp_path: Path) -> Kitchen:
    return Kitchen(simulated, tmp_path)


def requested(result: RunResult) -> dict[str, int]:
    """What was ready of what each workload created."""
    for each in result.workloads:
        assert each.accounts.ready == each.accounts.requested
    return {each.name: each.accounts.ready for each in result.workloads if each.accounts.requested}


def done(result: RunResult) -> dict[str, tuple[str, int]]:
    """What was done by each workload that does something."""
    found = {}
    for each in result.workloads:
        for operation in each.operations:
            assert operation.accounts.done == operation.accounts.requested
            found[each.name] = (operation.operation, operation.accounts.done)
    return found


async def test_a_job_creates_every_document_of_every_replica_in_every_iteration(
    kitchen: Kitchen,
) -> None:
    entries = [entry("pod", replicas=3), entry("cm", replicas=2), entry("fixed", runOnce=True)]
    result = await kitchen.run(create(*entries, jobIterations=4, iterationsPerNamespace=2))
    assert requested(result) == {"density": 4 * (3 + 2 * 2) + 1}
    namespaces = await kitchen.cluster.names(NAMESPACES, selector="kube-burner.io/job=density")
    assert namespaces == ["kb-0", "kb-1"]


async def test_objects_are_found_by_kube_burners_labels(kitchen: Kitchen) -> None:
    entries = [entry("cm"), entry("pod", replicas=2)]
    result = await kitchen.run(create(*entries, jobIterations=2))
    run_id = result.info.run_id
    found = await kitchen.labels(PODS, "kube-burner.io/job=density,kube-burner.io/index=1")
    kept = {key: each for key, each in found[-1].items() if key.startswith("kube-burner.io/")}
    assert len(found) == 4
    assert kept == {
        "kube-burner.io/job": "density",
        "kube-burner.io/uuid": run_id,
        "kube-burner.io/runid": run_id,
        "kube-burner.io/index": "1",
        "kube-burner.io/job-iteration": "1",
        "kube-burner.io/replica": "2",
        "kube-burner.io/group": "0",
    }
    selector = f"kube-burner.io/runid={run_id},kube-burner.io/job-iteration=0"
    assert len(await kitchen.labels(CONFIGMAPS, selector)) == 2


async def test_gc_deletes_everything_of_the_run(kitchen: Kitchen) -> None:
    result = await kitchen.run(create(entry("pod"), jobIterations=3), gc=True)
    assert requested(result) == {"density": 3}
    assert not result.remains
    assert await kitchen.cluster.left_of(result.info.run_id) == {}


async def test_gc_of_a_job_deletes_it_before_the_next(kitchen: Kitchen) -> None:
    first = create(entry("fixed"), gc=True, namespacedIterations=False)
    second = {**create(entry("fixed"), namespacedIterations=False), "name": "again"}
    result = await kitchen.run(first, second)
    assert requested(result) == {"density": 1, "again": 1}
    assert await kitchen.cluster.names(CONFIGMAPS, selector="kube-burner.io/job") == ["fixed"]


async def test_jobs_patch_read_and_delete_what_an_earlier_one_made(kitchen: Kitchen) -> None:
    pods = {"kind": "Pod", "labelSelector": OF_JOB}
    merge = {"patchType": "application/merge-patch+json", "objectTemplate": "patch.yml"}
    result = await kitchen.run(
        create(entry("pod", replicas=2), jobIterations=3),
        job("relabel", {**pods, **merge}, jobType="patch", jobIterations=4),
        job("look", {"kind": "Pod", "labelSelector": {"round": "3"}}, jobType="read"),
        job("clear", pods, jobType="delete"),
        job("nothing", pods, jobType="delete"),
    )
    assert requested(result) == {"density": 6}
    assert done(result) == {
        "relabel": ("patch", 24),
        "look": ("get", 6),
        "clear": ("delete", 6),
        "nothing": ("delete", 0),
    }
    assert await kitchen.cluster.names(PODS, selector="kube-burner.io/job") == []


@pytest.mark.one_generator("namespaces may hold objects of others: several refuse to delete them")
async def test_a_job_deletes_objects_and_then_the_namespaces_of_an_earlier_one(
    kitchen: Kitchen,
) -> None:
    pods = {"kind": "Pod", "labelSelector": OF_JOB}
    result = await kitchen.run(
        create(entry("pod", replicas=2), jobIterations=3),
        job("clear", pods, {**pods, "kind": "Namespace"}, jobType="delete"),
    )
    assert done(result) == {"clear-1": ("delete", 6), "clear-2": ("delete", 3)}
    assert await kitchen.cluster.names(NAMESPACES, selector="kube-burner.io/job") == []


async def test_entries_of_a_sequential_job_take_turns(kitchen: Kitchen) -> None:
    merge = {"patchType": "application/merge-patch+json", "objectTemplate": "patch.yml"}
    pods = {"kind": "Pod", "labelSelector": OF_JOB, **merge}
    keys = {"jobType": "patch", "executionMode": "sequential", "jobIterations": 2}
    result = await kitchen.run(create(entry("pod")), job("relabel", pods, pods, **keys))
    names = ["relabel-1", "relabel-2", "relabel-1-2", "relabel-2-2"]
    assert done(result) == dict.fromkeys(names, ("patch", 1))
    (labels,) = await kitchen.labels(PODS, "kube-burner.io/job=density")
    assert (labels["round"], labels["of"]) == ("1", "relabel")


async def test_virtual_machines_are_operated(kitchen: Kitchen) -> None:
    def of(operation: str, **keys: Any) -> dict[str, Any]:
        return {"kubeVirtOp": operation, "labelSelector": OF_JOB, **keys}

    operations = [
        of("stop", inputVars={"force": True}),
        of("start", inputVars={"startPaused": True}),
        of("unpause"),
        of("restart"),
        of("migrate"),
    ]
    result = await kitchen.run(
        create(entry("vm", replicas=2), namespacedIterations=False),
        job("operate", *operations, jobType="kubevirt", objectWait=True),
    )
    assert requested(result) == {"density": 2}
    names = ["stop", "start", "unpause", "restart", "migrate"]
    assert done(result) == {f"operate-{n}": (name, 2) for n, name in enumerate(names, start=1)}


async def test_a_job_that_reads_waits_until_what_it_reads_is_ready(kitchen: Kitchen) -> None:
    vms = {"kind": "VirtualMachine", "apiVersion": "kubevirt.io/v1", "labelSelector": OF_JOB}
    result = await kitchen.run(
        create(entry("vm", replicas=2), waitWhenFinished=False),
        job("wait", vms, jobType="read"),
        job("stop", {"kubeVirtOp": "stop", "labelSelector": OF_JOB}, jobType="kubevirt"),
    )
    assert requested(result) == {"density": 2}
    assert done(result) == {"wait": ("get", 2), "stop": ("stop", 2)}


async def test_a_job_whose_objects_are_gone_notes_that_none_matched(kitchen: Kitchen) -> None:
    read = {"kind": "Pod", "labelSelector": OF_JOB}
    result = await kitchen.run(
        create(entry("pod", group={"id": 1, "gc": True})), job("read", read, jobType="read")
    )
    assert result.outcome is RunOutcome.PASSED, result.problems
    noted = {each.name for each in result.workloads if each.matched_nothing}
    assert noted == {"read"}


@pytest.mark.one_generator("namespaces may hold objects of others: several refuse to delete them")
async def test_leftovers_that_are_not_there_are_not_noted(kitchen: Kitchen) -> None:
    result = await kitchen.run(create(entry("fixed")), allow_foreign=True)
    assert done(result) == {"density-leftovers": ("delete", 0)}
    assert not any(each.matched_nothing for each in result.workloads)


async def test_groups_come_one_after_the_other_and_go_where_they_are_to(kitchen: Kitchen) -> None:
    objects = [
        entry("pod", replicas=2, group={"id": 1, "gc": True}),
        entry("cm", group={"id": 2}),
    ]
    result = await kitchen.run(create(*objects, jobIterations=3))
    assert requested(result) == {"density-group-1": 6, "density-group-2": 6}
    assert done(result) == {"density-group-1-gc": ("delete", 6)}
    assert await kitchen.cluster.names(PODS, selector="kube-burner.io/job=density") == []
    found = await kitchen.labels(CONFIGMAPS, "kube-burner.io/group=2,kube-burner.io/index=1")
    assert len(found) == 3


async def test_churn_of_objects_makes_them_anew_under_their_names(kitchen: Kitchen) -> None:
    churn = {"cycles": 2, "percent": 50, "mode": "objects", "deleteDelay": "10ms"}
    objects = [entry("fixed"), entry("pod", replicas=2), entry("cm", churn=False)]
    result = await kitchen.run(create(*objects, jobIterations=4, churnConfig=churn))
    # Half of 4 fixed ones and of 8 pods in each cycle.
    assert requested(result) == {"density": 4 * (1 + 2 + 2) + 2 * (2 + 4)}
    assert len(await kitchen.labels(PODS, "kube-burner.io/index=1")) == 8
    assert await kitchen.cluster.names(CONFIGMAPS, selector="kube-burner.io/index=0") == (
        ["fixed"] * 4
    )


async def test_churn_of_namespaces_replaces_iterations_but_what_is_there_once(
    kitchen: Kitchen,
) -> None:
    churn = {"cycles": 2, "percent": 50, "mode": "namespaces", "deleteDelay": "10ms"}
    objects = [entry("fixed", runOnce=True), entry("pod")]
    result = await kitchen.run(create(*objects, jobIterations=4, churnConfig=churn))
    assert requested(result) == {"density": 1 + 4 + 2 * 2}
    namespaces = await kitchen.cluster.names(NAMESPACES, selector="kube-burner.io/job=density")
    assert len(namespaces) == 4
    assert "kb-0" in namespaces


async def test_what_exists_already_is_made_once(kitchen: Kitchen) -> None:
    shared = {"namespacedIterations": False, "jobIterations": 3}
    again = {**job("again", entry("block"), namespace="kb"), **shared}
    result = await kitchen.run(create(entry("block"), entry("pod"), **shared), again)
    assert requested(result) == {"density": 1 + 3}
    assert await kitchen.cluster.names(CONFIGMAPS, selector="kube-burner.io/index=0") == ["block"]


async def test_an_incremental_load_makes_more_in_each_step(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    script = tmp_path / "health.sh"
    script.write_text(f"echo step >> {tmp_path}/steps\n")
    pattern = {"type": "linear", "linear": {"stepSize": 2}}
    load = {"startIterations": 1, "totalIterations": 5, "pattern": pattern}
    steps = {**load, "healthCheckScript": str(script)}
    result = await kitchen.run(create(entry("pod"), incrementalLoad=steps))
    assert list(requested(result).values()) == [1, 3, 5]
    assert (tmp_path / "steps").read_text() == "step\n" * 3
    assert await kitchen.cluster.left_of(result.info.run_id) == {}


async def test_hooks_run_around_the_job(kitchen: Kitchen, tmp_path: Path) -> None:
    def hook(when: str) -> dict[str, Any]:
        return {"when": when, "cmd": ["/bin/sh", "-c", f"echo {when} >> {tmp_path}/hooks"]}

    moments = ["beforeJobExecution", "onEachIteration", "afterJobExecution", "beforeCleanup"]
    made = create(entry("pod"), jobIterations=2, hooks=[hook(each) for each in moments])
    await kitchen.run(made, hooks=[hook("beforeAllJobs"), hook("afterAllJobs")])
    assert (tmp_path / "hooks").read_text().split() == [
        "beforeAllJobs",
        "beforeJobExecution",
        *["onEachIteration"] * 2,
        *["afterJobExecution", "beforeCleanup"],
        "afterAllJobs",
    ]


async def test_watchers_see_the_job_and_end_with_it(kitchen: Kitchen) -> None:
    watchers = [{"kind": "Pod", "labelSelector": {"tier": "web"}, "replicas": 3}]
    result = await kitchen.run(create(entry("pod", replicas=5), watchers=watchers))
    assert requested(result) == {"density": 5}
    assert done(result) == {"density-watcher-1": ("watch", 3)}


async def test_status_paths_decide_when_objects_are_ready(kitchen: Kitchen) -> None:
    paths = [
        {"key": ".phase", "value": "Running"},
        {"key": '[.conditions[].status] | all(. == "True") | tostring', "value": "true"},
    ]
    waited = entry("pod", waitOptions={"customStatusPaths": paths})
    never = entry("fixed", wait=False)
    result = await kitchen.run(create(waited, never, jobIterations=2))
    assert requested(result) == {"density": 4}


async def test_thresholds_of_measurements_are_judged(kitchen: Kitchen) -> None:
    def measure(bound: str) -> dict[str, Any]:
        threshold = {"conditionType": "Ready", "metric": "P99", "threshold": bound}
        return {"measurements": [{"name": "podLatency", "thresholds": [threshold]}]}

    result = await kitchen.run(create(entry("pod")), **measure("1h"))
    (judged,) = result.thresholds
    assert judged.passed
    other = {**create(entry("pod")), "namespace": "other"}
    with pytest.raises(AssertionError, match="podReady"):
        await kitchen.run(other, **measure("1ns"))


async def test_jobs_leave_alone_what_others_made_unless_that_is_allowed(kitchen: Kitchen) -> None:
    first = await kitchen.run(create(entry("fixed")))
    delete = job("clear", {"kind": "ConfigMap", "labelSelector": OF_JOB}, jobType="delete")
    nothing = await kitchen.run(delete)
    assert done(nothing) == {"clear": ("delete", 0)}
    assert "its selector (ConfigMap with" in (nothing.workloads[0].matched_nothing or "")
    assert done(await kitchen.run(delete, allow_foreign=True)) == {"clear": ("delete", 1)}
    assert await kitchen.cluster.names(CONFIGMAPS, selector="kube-burner.io/job") == []
    assert first.remains


@pytest.mark.one_generator("namespaces may hold objects of others: several refuse to delete them")
async def test_leftovers_of_an_earlier_run_go_by_consent(kitchen: Kitchen) -> None:
    await kitchen.run(create(entry("fixed"), jobIterations=2))
    result = await kitchen.run(create(entry("fixed"), jobIterations=2), allow_foreign=True)
    assert requested(result) == {"density": 2}
    assert done(result) == {"density-leftovers": ("delete", 2)}
