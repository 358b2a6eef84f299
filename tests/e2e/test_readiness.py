"""Kinds that become ready in their own way, and by what the workload file says."""

import json
from pathlib import Path
from typing import Any

import pytest
from clusters import ClusterUnderTest, MemorySink
from readings import condition
from stand_in import GADGETS, gadgets, stand_in
from workloads import config, objects, template, workload

from perfscale.errors import PreflightError
from perfscale.results import Accounts

pytestmark = pytest.mark.virtual_time

JSON = dict[str, Any]

POD = {"containers": [{"name": "main", "image": "registry/pause:3"}]}
TEMPLATE = {"metadata": {"labels": {"app": "web"}}, "spec": POD}
SET = {"selector": {"matchLabels": {"app": "web"}}, "template": TEMPLATE, "replicas": 2}
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
IMPORT = {"http": {"url": "https://example.com/disk.qcow2"}}
SHORT = {"maxWaitTimeout": "2s"}


def manifest(directory: Path, api_version: str, kind: str, **fields: Any) -> str:
    metadata = {"name": f"{kind.lower()}-{{{{ replica }}}}"}
    text = json.dumps({"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields})
    return template(directory, text, f"{kind.lower()}.yaml")


def of(directory: Path, api_version: str, kind: str, count: int = 2, **fields: Any) -> JSON:
    keys = {key: fields.pop(key) for key in ("readyWhen", "failedWhen") if key in fields}
    path = manifest(directory, api_version, kind, **fields)
    return {**objects(path, count), **keys}


async def run(
    cluster: ClusterUnderTest, entry: JSON, **keys: Any
) -> tuple[Accounts, tuple[str, ...], MemorySink]:
    sink = MemorySink()
    result = await cluster.run(config(workload(entry, **keys)), sink=sink)
    return result.accounts, result.problems, sink


@pytest.mark.parametrize(
    ("api_version", "kind", "spec"),
    [
        ("apps/v1", "Deployment", SET),
        ("apps/v1", "ReplicaSet", SET),
        ("apps/v1", "StatefulSet", {**SET, "serviceName": "web"}),
        ("batch/v1", "Job", {"template": {"spec": {**POD, "restartPolicy": "Never"}}}),
        ("v1", "PersistentVolumeClaim", CLAIM),
        ("v1", "Service", {"type": "LoadBalancer", "ports": [{"port": 80}]}),
        ("cdi.kubevirt.io/v1beta1", "DataVolume", {"source": IMPORT, "storage": CLAIM}),
    ],
)
async def test_an_object_is_ready_when_its_controllers_are_done_with_it(
    simulated: ClusterUnderTest, tmp_path: Path, api_version: str, kind: str, spec: JSON
) -> None:
    accounts, problems, sink = await run(simulated, of(tmp_path, api_version, kind, spec=spec))
    assert problems == ()
    assert accounts == Accounts(requested=2, created=2, ready=2, deleted=2)
    assert all((each.ready_s or 0) > (each.created_s or 0) for each in sink.objects)


@pytest.mark.one_generator("several refuse templates that create namespaces")
async def test_a_namespace_of_the_load_is_ready_and_gone(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    accounts, problems, _ = await run(simulated, of(tmp_path, "v1", "Namespace"))
    assert (accounts, problems) == (Accounts(requested=2, created=2, ready=2, deleted=2), ())


@pytest.mark.parametrize(
    ("api_version", "kind", "spec"),
    [
        ("v1", "PersistentVolumeClaim", {**CLAIM, "storageClassName": "local"}),
        (
            "cdi.kubevirt.io/v1beta1",
            "DataVolume",
            {"source": IMPORT, "storage": {**CLAIM, "storageClassName": "local"}},
        ),
    ],
)
async def test_what_binds_at_first_use_says_so_and_can_be_ready_all_the_same(
    simulated: ClusterUnderTest, tmp_path: Path, api_version: str, kind: str, spec: JSON
) -> None:
    entry = of(tmp_path, api_version, kind, spec=spec)
    accounts, problems, _ = await run(simulated, entry, **SHORT)
    assert (accounts.ready, accounts.unready) == (0, 2)
    assert any("until a pod uses it" in problem for problem in problems)
    phase = "Pending" if kind != "DataVolume" else "WaitForFirstConsumer"
    entry["readyWhen"] = f"jsonpath={{.status.phase}}={phase}"
    accounts, problems, _ = await run(simulated, entry)
    assert (accounts.ready, problems) == (2, ())


async def test_a_vmi_is_ready_with_its_agent_where_ready_when_says_so_and_milestones_are_measured(
    simulated: ClusterUnderTest,
) -> None:
    entry = {**objects(count=3), "readyWhen": ["condition=Ready", "condition=AgentConnected"]}
    limits = [{"metric": "vmiAgentConnected", "quantile": "max", "max": "1m"}]
    sink = MemorySink()
    result = await simulated.run(config(workload(entry, thresholds=limits)), sink=sink)
    assert result.problems == ()
    (kind,) = result.workloads[0].kinds.values()
    for milestone in ("IP", "ReadyCondition", "AgentConnected"):
        assert (kind.phases[milestone].count, kind.phases[milestone].missing) == (3, 0)
    for record in sink.objects:
        assert record.ready_s == record.phases_s["AgentConnected"]
        assert record.phases_s["Running"] <= record.phases_s["ReadyCondition"] < record.ready_s


async def test_a_rule_that_is_never_met_says_what_was_there_instead(
    simulated: ClusterUnderTest,
) -> None:
    entry = {**objects(count=2), "readyWhen": "condition=Perfect"}
    accounts, problems, _ = await run(simulated, entry, **SHORT)
    assert (accounts.unready, accounts.failed) == (2, 0)
    (told,) = (each for each in problems if "condition Perfect was absent" in each)
    assert "conditions seen: " in told
    assert "AgentConnected=True" in told


async def test_failed_when_fails_what_its_kind_would_take_for_ready(
    simulated: ClusterUnderTest,
) -> None:
    entry = {**objects(count=2), "failedWhen": "condition=AgentConnected"}
    entry["readyWhen"] = "condition=Perfect"
    accounts, problems, _ = await run(simulated, entry)
    assert (accounts.failed, accounts.deleted) == (2, 2)
    assert any("failedWhen: condition=AgentConnected" in problem for problem in problems)


async def test_an_object_of_a_defined_kind_is_ready_by_its_condition(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    entry = of(tmp_path, "example.com/v1", "Gadget", 3, readyWhen="condition=Ready")
    statuses = [
        {"conditions": [condition("Ready", "False", reason="Assembling")]},
        {"conditions": [condition("Ready")]},
    ]
    async with gadgets(simulated.client), stand_in(simulated.client, GADGETS, *statuses):
        accounts, problems, _ = await run(simulated, entry)
    assert (accounts, problems) == (Accounts(requested=3, created=3, ready=3, deleted=3), ())


async def test_an_object_of_a_defined_kind_that_fails_by_its_condition_says_why(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    rules = {"readyWhen": "condition=Ready", "failedWhen": "condition=Stalled"}
    entry = of(tmp_path, "example.com/v1", "Gadget", 2, **rules)
    stalled = {"conditions": [condition("Stalled", reason="NoParts", message="a wheel is missing")]}
    async with gadgets(simulated.client), stand_in(simulated.client, GADGETS, stalled):
        accounts, problems, _ = await run(simulated, entry)
    assert (accounts.failed, accounts.deleted) == (2, 2)
    assert any("condition=Stalled (NoParts: a wheel is missing)" in each for each in problems)


LATENCIES: dict[str, JSON] = {
    "Deployment": {"api_version": "apps/v1", "spec": SET},
    "Job": {
        "api_version": "batch/v1",
        "spec": {"template": {"spec": {**POD, "restartPolicy": "Never"}}},
    },
    "PersistentVolumeClaim": {"api_version": "v1", "spec": CLAIM},
    "DataVolume": {
        "api_version": "cdi.kubevirt.io/v1beta1",
        "spec": {"source": IMPORT, "storage": CLAIM},
    },
    "Gadget": {"api_version": "example.com/v1", "readyWhen": "condition=Ready"},
}


def bound(metric: str, kind: str, most: str, **keys: Any) -> JSON:
    return {"metric": metric, "kind": kind, "quantile": "max", "max": most, **keys}


async def test_thresholds_are_judged_on_the_latencies_of_any_kind(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    entries = [of(tmp_path, kind=kind, **fields) for kind, fields in LATENCIES.items()]
    met = [
        bound(metric, kind, "1m")
        for kind in LATENCIES
        for metric in ("creation", "ready", "deletion")
    ]
    met += [bound("phase", "PersistentVolumeClaim", "1m", phase="Bound", apiVersion="v1")]
    met += [bound("phase", "DataVolume", "1m", phase="ImportInProgress")]
    missed = [bound("ready", kind, "1us") for kind in LATENCIES]
    async with (
        gadgets(simulated.client),
        stand_in(simulated.client, GADGETS, {"conditions": [condition("Ready")]}),
    ):
        result = await simulated.run(config(workload(*entries, thresholds=[*met, *missed])))
    assert [each.text for each in result.thresholds[: len(met)] if not each.passed] == []
    assert all((each.value or 0) > 0 for each in result.thresholds)
    assert not any(each.passed for each in result.thresholds[len(met) :])
    assert result.thresholds[1].metric == "ready of Deployment"
    assert result.thresholds[1].text.startswith("density: ready of Deployment max is ")
    assert len({each.text for each in result.thresholds}) == len(result.thresholds)


async def test_a_threshold_of_any_kind_can_end_the_run(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    limit = bound("ready", "PersistentVolumeClaim", "1us", abortOnFail=True)
    entry = of(tmp_path, kind="PersistentVolumeClaim", **LATENCIES["PersistentVolumeClaim"])
    result = await simulated.run(config(workload(entry, thresholds=[limit], iterationCount=1000)))
    assert any("cannot be met any more" in problem for problem in result.problems)
    assert result.accounts.ready < 1000


async def test_a_threshold_of_a_kind_that_is_not_there_is_refused(
    simulated: ClusterUnderTest,
) -> None:
    limits = [bound("ready", "Deployment", "1s"), bound("churnReady", "VirtualMachine", "1s")]
    async with simulated.generator(config(workload(thresholds=limits))) as generator:
        with pytest.raises(PreflightError) as refused:
            await generator.run()
    texts = [each.message for each in refused.value.problems]
    assert texts == [
        "ready would have no sample: there will be no Deployment to measure",
        (
            "churnReady would have no sample: no churn replaces VirtualMachine: write churn in its "
            "workload"
        ),
    ]
