"""Images are pulled to the nodes before the load, and what that needs is gone afterwards."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from clusters import ClusterUnderTest
from faulty_runs import faulty_run
from moments import AtMoment, Moment
from workloads import config, objects, workload

from perfscale.engine.events import Stage, Warned
from perfscale.kube.resources import NAMESPACES
from perfscale.results import RunOutcome

pytestmark = pytest.mark.virtual_time

LOAD = workload(objects(count=3))


def sent(calls: object, verb: str, resource: str) -> int:
    assert isinstance(calls, tuple)
    return sum(each.sent for each in calls if (each.verb, each.resource) == (verb, resource))


async def test_images_of_the_templates_are_pulled_by_a_daemon_set_that_goes_again(
    simulated: ClusterUnderTest,
) -> None:
    async with simulated.generator(config(LOAD, preloadImages=True)) as generator:
        plan = await generator.preflight()
        result = await generator.run()
    assert plan.preload is not None
    assert plan.preload.images == ("registry:5000/kubevirt/cirros:devel",)
    assert result.outcome is RunOutcome.PASSED
    assert sent(result.calls, "create", "daemonsets") == 1
    assert (result.namespaces.created, result.namespaces.deleted) == (2, 2)
    assert await simulated.left_of(result.run_id) == {}
    assert plan.preload.namespace not in await simulated.names(NAMESPACES)
    assert result.accounts.ready == 3
    assert not result.child_kinds


async def test_images_that_the_file_lists_are_pulled_instead(simulated: ClusterUnderTest) -> None:
    load = config(LOAD, preloadImages=["quay.io/b:1", "quay.io/a:1", "quay.io/b:1"])
    async with simulated.generator(load) as generator:
        plan = await generator.preflight()
    assert plan.preload is not None
    assert plan.preload.images == ("quay.io/b:1", "quay.io/a:1")


async def test_the_run_goes_on_where_images_cannot_be_pulled(tmp_path: Path) -> None:
    stuck = {"fault": "stuck", "resources": ["pods"], "phase": "Pending"}
    load = config(LOAD, preloadImages=True, preloadTimeout="500ms")
    async with faulty_run(tmp_path, load, objects=[stuck]) as run:
        assert run.result.outcome is RunOutcome.PASSED
        assert run.result.accounts.ready == 3


async def test_what_is_not_pulled_in_time_is_a_warning(cluster: ClusterUnderTest) -> None:
    load = config(LOAD, preloadImages=True, preloadTimeout="1ms")
    async with cluster.generator(load) as generator:
        events = generator.events()
        result = await generator.run()
        warnings = [each.message async for each in events if isinstance(each, Warned)]
    assert result.outcome is RunOutcome.PASSED
    assert any("pulling 1 image beforehand was given up after 1ms" in each for each in warnings)
    assert await cluster.left_of(result.run_id) == {}


async def test_an_interrupt_while_images_are_pulled_leaves_nothing(
    simulated: ClusterUnderTest, at_moment: AtMoment
) -> None:
    async with simulated.generator(config(LOAD, preloadImages=True)) as generator:
        at_moment(Moment(Stage.PULLING_IMAGES), lambda: generator.interrupt(signal.SIGTERM))
        result = await generator.run()
    assert result.exit_code == 143
    assert await simulated.left_of(result.run_id) == {}
    assert result.namespaces.created == result.namespaces.deleted


@pytest.mark.one_generator("there is no run in it")
@pytest.mark.parametrize("wanted", ["yes", [], [5], {"a": "b"}])
def test_what_is_neither_true_nor_a_list_of_images_is_refused(wanted: object) -> None:
    with pytest.raises(ValueError, match="not true, false or a list of images"):
        config(LOAD, preloadImages=wanted)
