from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from clusters import ClusterUnderTest, real_cluster, simulated_cluster
from moments import at_moment
from real_control_plane import RealControlPlane
from refusals import Refusing, refusing_cluster

__all__ = ["at_moment"]


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
