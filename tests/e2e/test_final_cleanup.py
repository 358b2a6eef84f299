"""The cleanup of a run that ends early, in a cluster that makes it hard."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from clusters import CONFIGMAPS, MemorySink
from faulty_runs import FaultyRun, faulty_run
from stages import until_stage
from under_test import load_generator
from workloads import config, objects, template, workload

from perfscale.engine import RunOptions
from perfscale.engine.events import Stage
from perfscale.kube.cluster import ClusterOptions
from perfscale.kube.resources import NAMESPACES
from perfscale.sim.cluster import SimulatedCluster
from perfscale.sim.faults import Faults
from perfscale.templates import TemplateDefaults

pytestmark = pytest.mark.virtual_time

ABROAD: Final = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: abroad-{{ replica }}
  namespace: default
"""
"""Where no namespace of the run takes it along."""
STUCK: Final = {"fault": "stuck", "phase": "Scheduling"}
BROKEN: Final = {"fault": "internalError", "verbs": ["list"], "resources": ["configmaps"]}
PATIENCE_S: Final = 20.0


@asynccontextmanager
async def interrupted(
    directory: Path, *, cleanup_timeout_s: float = 60.0, **faults: Any
) -> AsyncIterator[FaultyRun]:
    """A run that waits for VMIs that are stuck, beside ConfigMaps abroad, and is interrupted."""
    load = config(workload(objects(template(directory, ABROAD), 3), objects(count=2)))
    faults["objects"] = [*faults.get("objects", ()), STUCK]
    content = Faults.model_validate(faults)
    async with SimulatedCluster(speed=100, seed=1, faults=content) as cluster:
        kubeconfig = directory / "faulty.kubeconfig"
        cluster.write_kubeconfig(kubeconfig)
        sink = MemorySink()
        generator = load_generator(
            load,
            cluster=ClusterOptions(kubeconfig=str(kubeconfig)),
            results=sink,
            options=RunOptions(defaults=TemplateDefaults(), cleanup_timeout_s=cleanup_timeout_s),
        )
        async with generator:
            events = generator.events()
            running = asyncio.create_task(generator.run())
            await until_stage(events, Stage.WAITING_READY)
            generator.interrupt()
            result = await running
            course = generator.course()
        assert course is not None
        yield FaultyRun(result, sink, cluster, course)


def abroad(run: FaultyRun) -> list[str]:
    return [record.name for record in run.cluster.store.records(CONFIGMAPS)]


@pytest.mark.parametrize("labels", [["*"], ["kubevirt-load-generator-workload"]])
async def test_what_has_lost_its_labels_goes_by_name_and_uid(
    labels: list[str], tmp_path: Path
) -> None:
    removed = {"fault": "labelRemoved", "resources": ["configmaps"], "labels": labels}
    async with interrupted(tmp_path, objects=[removed]) as run:
        assert abroad(run) == []
        assert run.left == {}
        accounts = run.result.accounts
        assert (accounts.created, accounts.deleted, accounts.leftover) == (5, 5, 0)
        assert not run.result.remains


async def test_a_kind_that_cannot_be_listed_keeps_nothing_from_going_and_is_named(
    tmp_path: Path,
) -> None:
    async with interrupted(tmp_path, requests=[BROKEN]) as run:
        assert run.left == {}
        assert abroad(run) == []
        (problem,) = [each for each in run.result.problems if "not listed" in each]
        assert problem.startswith("not listed: configmaps: ")
        assert run.result.remains, "there may be more than what was seen"


async def test_an_api_server_that_refuses_everybody_for_a_moment_keeps_nothing(
    tmp_path: Path,
) -> None:
    refuses = {"fault": "forbidden", "verbs": ["list", "delete", "deletecollection"], "times": 8}
    async with interrupted(tmp_path, requests=[refuses]) as run:
        assert run.left == {}
        assert abroad(run) == []
        assert run.result.accounts.leftover == 0
        assert not run.result.remains


async def test_the_bound_of_a_cleanup_holds_for_all_of_it(tmp_path: Path) -> None:
    verbs = ["list", "delete", "deletecollection"]
    hangs = {"fault": "slow", "delay": "1h", "verbs": verbs, "resources": ["configmaps"]}
    async with (
        asyncio.timeout(PATIENCE_S),
        interrupted(tmp_path, requests=[hangs], cleanup_timeout_s=2.0) as run,
    ):
        assert "the cleanup did not end within 2s" in run.result.problems
        assert "without the run's labels" not in "\n".join(run.result.problems)
        assert run.result.remains


async def test_what_is_held_and_has_lost_its_labels_is_named_within_the_bound(
    tmp_path: Path,
) -> None:
    kind = {"resources": ["configmaps"]}
    held = {"fault": "held", **kind, "finalizer": "example.org/held"}
    removed = {"fault": "labelRemoved", **kind, "labels": ["*"]}
    loop = asyncio.get_running_loop()
    since_s = loop.time()
    async with interrupted(tmp_path, objects=[held, removed], cleanup_timeout_s=8.0) as run:
        assert loop.time() - since_s < 8.0 + 1.0
        why = "still there, without the run's labels"
        assert f"3 ConfigMap not known to be gone: {why}" in run.result.problems
        assert (run.result.accounts.deleted, run.result.accounts.leftover) == (2, 3)
        assert run.result.remains


async def test_what_no_watch_tells_of_counts_as_gone_once_it_is_looked_for(tmp_path: Path) -> None:
    silent = {"fault": "late", "delay": "1h", "resources": ["configmaps"]}
    async with (
        asyncio.timeout(PATIENCE_S),
        interrupted(tmp_path, watches=[silent], cleanup_timeout_s=4.0) as run,
    ):
        accounts = run.result.accounts
        assert (accounts.created, accounts.deleted, accounts.leftover) == (5, 5, 0)
        assert not run.result.remains


async def test_a_namespace_that_nobody_empties_is_named_and_said_to_be_so(tmp_path: Path) -> None:
    load = config(workload(objects(count=2), maxWaitTimeout="2s"))
    async with faulty_run(tmp_path, load, namespaces=[{"fault": "unprocessed"}]) as run:
        text = "\n".join(run.result.problems)
        assert "namespace density-1 is still there: nothing has begun to empty it" in text


async def test_a_namespace_that_was_terminating_before_is_named_with_what_keeps_it(
    tmp_path: Path,
) -> None:
    load = config(workload(objects(count=2), maxWaitTimeout="2s"))
    content = Faults.model_validate({"namespaces": [{"fault": "unprocessed"}]})
    async with SimulatedCluster(speed=100, seed=1, faults=content) as cluster:
        cluster.store.create(NAMESPACES, {"metadata": {"name": "density-1"}})
        cluster.store.delete(NAMESPACES, None, "density-1")
        kubeconfig = tmp_path / "kubeconfig"
        cluster.write_kubeconfig(kubeconfig)
        options = ClusterOptions(kubeconfig=str(kubeconfig))
        async with load_generator(load, cluster=options) as generator:
            result = await generator.run()
    assert result.exit_code == 1
    text = "\n".join(result.problems)
    assert "namespace density-1 is terminating: nothing has begun to empty it" in text


@pytest.mark.parametrize(("verb", "skip"), [("create", 3), ("watch", 1)])
async def test_an_answer_that_nobody_could_decode_leaves_nothing_behind(
    verb: str, skip: int, tmp_path: Path
) -> None:
    deep = {"fault": "garbage", "body": "deep", "verbs": [verb], "skip": skip, "times": 1}
    async with faulty_run(tmp_path, config(workload(objects(count=8))), requests=[deep]) as run:
        assert run.injected["garbage"] == 1
        assert run.left == {}
