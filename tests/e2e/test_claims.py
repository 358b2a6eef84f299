"""The claims of a StatefulSet, which nobody deletes with it, go with the run that made them."""

import signal
from pathlib import Path
from typing import Any

import pytest
from clusters import ClusterUnderTest, MemorySink
from moments import AtMoment, Moment
from pages import list_pages
from under_test import load_generator
from workloads import config, objects, template, workload

from perfscale.config.labels import RUN_LABEL
from perfscale.engine import RunOptions
from perfscale.engine.events import Stage
from perfscale.engine.removal.removal import Removal
from perfscale.kube.cluster import ClusterOptions
from perfscale.kube.resources import Place, Resource
from perfscale.results import Accounts
from perfscale.sim.cluster import SimulatedCluster
from perfscale.templates import TemplateDefaults
from perfscale.templates.manifests.nested import find_templates

CLAIMS = Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", namespaced=True)
SETS = Resource("apps", "v1", "statefulsets", "StatefulSet", namespaced=True)
STATEFUL_SET = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: 'db-{{ replica }}', namespace: default}
spec:
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: a, image: a}]}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {}
"""
COUNT = 3
GONE = Accounts(requested=COUNT, created=COUNT, ready=COUNT, deleted=COUNT)


@pytest.mark.parametrize("interrupted", [False, True])
async def test_claims_are_counted_as_children_and_deleted(
    interrupted: bool, tmp_path: Path, at_moment: AtMoment
) -> None:
    sink = MemorySink()
    async with SimulatedCluster(speed=100, seed=1) as cluster:
        kubeconfig = tmp_path / "kubeconfig"
        cluster.write_kubeconfig(kubeconfig)
        generator = load_generator(
            config(workload(objects(template(tmp_path, STATEFUL_SET), count=COUNT))),
            cluster=ClusterOptions(kubeconfig=str(kubeconfig)),
            results=sink,
            options=RunOptions(defaults=TemplateDefaults()),
        )
        async with generator:
            if interrupted:
                at_moment(Moment(Stage.DELETING), lambda: generator.interrupt(signal.SIGINT))
            result = await generator.run()
        assert not cluster.store.list(CLAIMS)
        assert result.accounts == GONE
        claims = [record for record in sink.children if record.kind == "PersistentVolumeClaim"]
        assert len(claims) == COUNT
        assert {record.kind for record in sink.children} <= {"PersistentVolumeClaim", "Pod"}
        children = result.children
        assert children is not None
        assert children.created == children.deleted == len(sink.children)
        assert not result.remains


CLAIMING = STATEFUL_SET.replace(
    "spec: {}\n",
    "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n",
).replace("  selector:", "  serviceName: db\n  selector:")


async def test_labels_of_inner_templates_are_accepted_and_kept(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    load = workload(
        objects(template(tmp_path, CLAIMING, "set.yaml"), count=1),
        iterationCleanup=False,
        iterationDeletionWait=False,
    )
    result = await cluster.run(config(load))
    stored = [
        {**item, "kind": SETS.kind}  # which the items of a list need not say
        async for items, _ in list_pages(cluster.client, SETS, "default")
        for item in items
    ]
    await Removal(cluster.client, [Place(SETS)], RUN_LABEL).run()
    assert result.problems == ()
    assert [template.made for each in stored for template in find_templates(each)] == [
        ("v1", "Pod"), ("v1", "PersistentVolumeClaim"),
    ]  # fmt: skip
    for each in stored:
        for inner in find_templates(each):
            metadata: Any = inner.metadata
            assert metadata["labels"][RUN_LABEL] == result.run_id
