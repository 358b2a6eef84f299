"""A Prometheus that scrapes the simulated cluster sees what happened in it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from controlled_store import until, until_gone, until_phase
from exposition import Page
from faulty_cluster import VMIS, FaultyApi, faulty
from simulated_api import VMI

from perfscale.sim.controllers.objects import condition_of

RESOURCE = "virtualmachineinstances"
FROM_CREATION = "kubevirt_vmi_phase_transition_time_from_creation_seconds"
FROM_DELETION = "kubevirt_vmi_phase_transition_time_from_deletion_seconds"
# Scheduling, Scheduled, Running, ready, booted, not ready, Succeeded, the finalizer's end
WRITES_OF_A_LIFE = 8


@pytest.fixture
async def cluster() -> AsyncIterator[FaultyApi]:
    async with faulty() as api:
        yield api


def has_booted(vmi: dict[str, Any]) -> bool:
    return condition_of(vmi, "AgentConnected") is not None


async def scrape(api: FaultyApi) -> Page:
    return Page(await api.text("/metrics"))


async def test_what_a_load_changes_is_there_at_zero_before_it(cluster: FaultyApi) -> None:
    page = await scrape(cluster)
    assert page.values("apiserver_request_total", verb="POST", resource=RESOURCE) == [0]
    created = page.values(
        "apiserver_request_duration_seconds_count", verb="POST", resource=RESOURCE
    )
    assert created == [0]
    assert page.values(f"{FROM_CREATION}_count", phase="Running") == [0]
    assert page.values(f"{FROM_DELETION}_count", phase="Succeeded") == [0]
    updates = page.values("kubevirt_rest_client_requests_total", verb="UPDATE", resource=RESOURCE)
    assert updates == [0]
    adds = page.values("kubevirt_workqueue_adds_total", name="virt-controller-vmi")
    assert adds == [0]


async def test_requests_are_counted_by_verb_resource_and_code(cluster: FaultyApi) -> None:
    assert await cluster.create_many(5) == [201] * 5
    assert await cluster.create("vmi-0") == 409
    await cluster("GET", VMIS)
    await cluster("GET", f"{VMIS}/vmi-0")
    await cluster("DELETE", f"{VMIS}/vmi-0")
    await cluster("DELETE", VMIS)
    await cluster.text("/apis")
    page = await scrape(cluster)

    def counted(**labels: str) -> float:
        return page.value("apiserver_request_total", resource=RESOURCE, **labels)

    assert counted(verb="POST", code="201", scope="resource") == 5
    assert counted(verb="POST", code="409") == 1
    assert counted(verb="LIST", code="200", scope="namespace") == 1
    assert counted(verb="GET", code="200", scope="resource") == 1
    assert counted(verb="DELETE", code="200") == 1
    assert counted(verb="DELETECOLLECTION", code="200", scope="namespace") == 1
    assert (
        page.value("apiserver_request_duration_seconds_count", verb="POST", resource=RESOURCE) == 6
    )
    assert page.value("apiserver_current_inflight_requests") == 0


async def test_a_watch_is_counted_when_it_ends_and_is_not_in_flight(cluster: FaultyApi) -> None:
    async with cluster.watch(VMIS, timeoutSeconds="1") as watch:
        assert (await scrape(cluster)).value("apiserver_current_inflight_requests") == 0
        await watch.rest()
    page = await scrape(cluster)
    assert page.value("apiserver_request_total", verb="WATCH", resource=RESOURCE) == 1


async def test_refusals_that_a_faults_file_asks_for_are_counted_too() -> None:
    faults = [
        {"fault": "tooManyRequests", "times": 2},
        {"fault": "unavailable", "times": 1},
    ]
    async with faulty(requests=faults) as api:
        assert await api.create_many(4) == [429, 429, 503, 201]
        page = await scrape(api)
    assert page.value("apiserver_request_total", verb="POST", code="429") == 2
    assert page.value("apiserver_request_total", verb="POST", code="503") == 1
    assert page.value("apiserver_flowcontrol_rejected_requests_total") == 2


async def test_the_phases_of_vmis_are_measured_and_counted(cluster: FaultyApi) -> None:
    await cluster.create_many(5)
    await until_phase(cluster.store, VMI, "Running")
    page = await scrape(cluster)
    assert page.value(f"{FROM_CREATION}_count", phase="Running") == 5
    assert page.value(f"{FROM_CREATION}_bucket", phase="Running", le="+Inf") == 5
    assert page.value("kubevirt_vmi_phase_count", phase="running") == 5
    assert page.values("kubevirt_vmi_phase_count", phase="pending") == []
    steps = page.value(
        "kubevirt_vmi_phase_transition_time_seconds_count", phase="Running", last_phase="Scheduled"
    )
    assert steps == 5
    await cluster("DELETE", VMIS)
    await until_gone(cluster.store, VMI)
    page = await scrape(cluster)
    assert page.value(f"{FROM_DELETION}_count", phase="Succeeded") == 5
    assert page.value(f"{FROM_DELETION}_count", phase="Failed") == 0
    assert page.values("kubevirt_vmi_phase_count") == []


async def test_the_controllers_writes_and_their_queue_are_counted(cluster: FaultyApi) -> None:
    await cluster.create_many(3)
    await until(cluster.store, VMI, lambda vmis: all(map(has_booted, vmis)))
    await cluster("DELETE", VMIS)
    await until_gone(cluster.store, VMI)
    page = await scrape(cluster)
    sent = "kubevirt_rest_client_requests_total"
    assert page.value(sent, verb="UPDATE", resource=RESOURCE) == 3 * WRITES_OF_A_LIFE
    assert page.value(sent, verb="WATCH", resource=RESOURCE) == 1
    assert page.values(sent, resource="pods") == []
    adds = page.value("kubevirt_workqueue_adds_total", container="virt-controller")
    assert adds >= 3 * WRITES_OF_A_LIFE
    depth = page.value("kubevirt_workqueue_depth", name="virt-controller-vmi")
    waited = page.value("kubevirt_workqueue_queue_duration_seconds_count")
    assert waited + depth == adds


async def test_every_component_has_an_equal_share_of_what_the_simulation_uses(
    cluster: FaultyApi,
) -> None:
    page = await scrape(cluster)
    shares = page.values("container_memory_rss", namespace="kubevirt")
    assert len(shares) == 12
    assert sum(shares) == pytest.approx(page.value("process_resident_memory_bytes"))
    handlers = page.values("container_cpu_usage_seconds_total", container="virt-handler")
    assert len(handlers) == 10
    assert len(page.values("container_memory_rss", container="virt-controller")) == 1


async def test_the_page_has_the_type_that_prometheus_asks_for(cluster: FaultyApi) -> None:
    async with cluster._session.get(f"{cluster.url}/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
    status, _ = await cluster("GET", "/apis/kubevirt.io/v1")
    assert status == 200


@pytest.mark.parametrize(("fault", "code"), [("resetBefore", "499"), ("resetAfter", "201")])
async def test_a_request_whose_connection_was_reset_is_counted_by_what_became_of_it(
    fault: str, code: str
) -> None:
    async with faulty(requests=[{"fault": fault, "verbs": ["create"], "times": 1}]) as api:
        assert await api.create_many(3) == [0, 201, 201]
        page = await scrape(api)
    posts = {"verb": "POST", "resource": RESOURCE}
    assert page.values("apiserver_request_total", **posts, code="200") == []
    broken = 1 if code == "499" else 0
    assert page.value("apiserver_request_total", **posts, code="201") == 3 - broken
    assert sum(page.values("apiserver_request_total", **posts, code="499")) == broken
