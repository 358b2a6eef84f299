import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from clusters import ClusterUnderTest, real_cluster, simulated_cluster
from moments import at_moment
from real_control_plane import RealControlPlane
from refusals import Refusing, refusing_cluster
from under_test import Generators
from virtual_time import NetworkLoop

__all__ = ["at_moment"]


def _in_virtual_time(item: pytest.Item) -> bool:
    """A test that has the mark; not on a real API server too, which is in no loop."""
    is_async = asyncio.iscoroutinefunction(getattr(item, "obj", None))
    on_both = "control_plane" in getattr(item, "fixturenames", ())
    return item.get_closest_marker("virtual_time") is not None and is_async and not on_both


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"virtual": NetworkLoop} if _in_virtual_time(item) else {"real": asyncio.new_event_loop}


@pytest.fixture
async def _virtual_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", asyncio.get_running_loop().time)


@pytest.fixture(autouse=True)
def _clock(request: pytest.FixtureRequest) -> None:
    """Runs go by their loop's clock where that is virtual."""
    if _in_virtual_time(request.node):
        request.getfixturevalue("_virtual_clock")


ALSO_WITH_TWO = {
    "test_attribution",
    "test_blindness",
    "test_cancellation",
    "test_churn",
    "test_claims",
    "test_context",
    "test_course",
    "test_dry_run",
    "test_embedded_audit",
    "test_faults",
    "test_final_cleanup",
    "test_hooks",
    "test_illegible_answers",
    "test_illegible_operations",
    "test_interruption",
    "test_killed_operations",
    "test_kind_names",
    "test_kube_burner",
    "test_kubevirt_operations",
    "test_later_phases",
    "test_long_runs",
    "test_lost_cluster",
    "test_made_namespaces",
    "test_measurements",
    "test_metrics",
    "test_older_state",
    "test_operation_truth",
    "test_operations",
    "test_other_hands",
    "test_patches",
    "test_preflight",
    "test_preload",
    "test_random_workloads",
    "test_readiness",
    "test_refused_operations",
    "test_refusing",
    "test_replaced_targets",
    "test_rules",
    "test_run",
    "test_scaling",
    "test_server_warnings",
    "test_settling",
    "test_shape",
    "test_shared_namespaces",
    "test_side_by_side",
    "test_stuck",
    "test_whole_workloads",
}
"""Modules whose tests run with two generators too, but for those with ``one_generator``."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of some modules with one generator, and with two."""
    also = metafunc.module.__name__.rpartition(".")[2] in ALSO_WITH_TWO
    alone = metafunc.definition.get_closest_marker("one_generator")
    assert alone is None or alone.args, f"{metafunc.definition.nodeid}: the mark needs a reason"
    if also and alone is None:
        values = [None, pytest.param(2, id="two generators")]
        metafunc.parametrize("generators", values, indirect=True)


@pytest.fixture(autouse=True)
def generators(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[int | None]:
    """How many there are under a coordinator; None for a run of one."""
    count: int | None = getattr(request, "param", None)
    monkeypatch.setattr(Generators, "count", count)
    monkeypatch.setattr(Generators, "runs", 0)
    yield count
    assert Generators.runs or count is None, "nothing of this test depends on the generators"


@pytest.fixture(scope="session", params=["simulated", pytest.param("real", marks=pytest.mark.real)])
def control_plane(request: pytest.FixtureRequest) -> RealControlPlane | None:
    """The real one, or None for the simulated cluster, which each test has to itself."""
    if request.param == "simulated":
        return None
    real: RealControlPlane = request.getfixturevalue("real_control_plane")
    return real


@pytest.fixture
async def cluster(
    control_plane: RealControlPlane | None, tmp_path: Path
) -> AsyncIterator[ClusterUnderTest]:
    """The same tests run on the simulated cluster and on a real API server."""
    opening = real_cluster(control_plane) if control_plane else simulated_cluster(tmp_path)
    async with opening as opened:
        yield opened


@pytest.fixture
async def simulated(tmp_path: Path) -> AsyncIterator[ClusterUnderTest]:
    async with simulated_cluster(tmp_path) as cluster:
        yield cluster


@pytest.fixture
async def refusing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Refusing]:
    async with refusing_cluster(tmp_path, monkeypatch) as opened:
        yield opened
