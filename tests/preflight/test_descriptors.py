"""How many files a process may open is looked at before its connections fail for want of them."""

import resource
from collections.abc import Iterator

import pytest
from workloads import config, objects, workload

from perfscale.preflight.descriptors import find_descriptor_shortage

ENOUGH = 1000


@pytest.fixture
def limit() -> Iterator[int]:
    """A limit that is known, above what this process has open."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (ENOUGH, before[1]))
    yield ENOUGH
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_more_connections_than_files_are_refused_with_the_number_that_is_needed(
    limit: int,
) -> None:
    load = config(workload(objects(count=5000)), maxInFlight=2 * limit)
    [problem] = find_descriptor_shortage(load, watches=3)
    assert f"{2 * limit} creates in flight and 3 watches need" in str(problem)
    assert f"this process may have {limit}: raise its limit (ulimit -n" in str(problem)


@pytest.mark.parametrize(("count", "most"), [(5, 5000), (5000, 5)])
@pytest.mark.usefixtures("limit")
def test_what_is_never_open_at_a_time_needs_no_file(count: int, most: int) -> None:
    load = config(workload(objects(count=count)), maxInFlight=most)
    assert find_descriptor_shortage(load, watches=3) == []


def test_what_goes_on_in_the_background_needs_its_connections_beside_the_others(limit: int) -> None:
    half = limit // 2
    loads = [workload(objects(count=half), name=name) for name in ("a", "b")]
    assert find_descriptor_shortage(config(*loads, maxInFlight=10 * limit), watches=3) == []
    loads[0]["background"] = True
    [problem] = find_descriptor_shortage(config(*loads, maxInFlight=10 * limit), watches=3)
    assert f"{2 * half} creates in flight" in str(problem)
