"""What every test gets: the check that it leaves nothing running, and the real control plane."""

import asyncio
import inspect
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from kubectl import Kubectl, find_kubectl
from leaks import LoopGuard, mark_environment, no_leaked_threads_or_processes
from real_control_plane import ASSETS_VARIABLE, RealControlPlane, missing_assets

_REAL = "real kube-apiserver"
_LEFT_OUT = "see CONTRIBUTING.md, 'Tests on a real API server', for how to run them"


def pytest_configure() -> None:
    mark_environment()
    # How long an example takes says something about the machine, and nothing about the code.
    settings.register_profile("perfscale", deadline=None)
    settings.load_profile("perfscale")


def pytest_report_header() -> str:
    if reason := missing_assets():
        return f"{_REAL}: tests left out, {reason}; {_LEFT_OUT}"
    return f"{_REAL}: {os.environ[ASSETS_VARIABLE]}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reason = missing_assets()
    for item in items:
        if "real_control_plane" in getattr(item, "fixturenames", ()):
            item.add_marker("real")
        if reason and item.get_closest_marker("real"):
            item.add_marker(pytest.mark.skip(reason=f"{_REAL}: {reason}"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    count = sum(1 for report in skipped if "real" in report.keywords)
    if count and (reason := missing_assets()):
        terminalreporter.write_sep("-", f"{_REAL}: {count} tests left out", yellow=True)
        terminalreporter.write_line(f"{reason}; {_LEFT_OUT}.")


@pytest.fixture
async def _guarded_loop() -> AsyncIterator[None]:
    guard = LoopGuard(asyncio.get_running_loop())
    yield
    await guard.check()


@pytest.fixture(autouse=True)
def _nothing_left_running(request: pytest.FixtureRequest) -> Iterator[None]:
    with no_leaked_threads_or_processes():
        # Only a test with a loop of its own needs one to be watched.
        if inspect.iscoroutinefunction(getattr(request.node, "obj", None)):
            request.getfixturevalue("_guarded_loop")
        yield


@pytest.fixture(scope="session")
def real_control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealControlPlane]:
    """A real API server, shared by the whole session: a test uses namespaces of its own.

    Where tests run in several processes, each of these is a session.
    """
    if reason := missing_assets():
        pytest.skip(f"{_REAL}: {reason}")
    directory = tmp_path_factory.mktemp("control-plane")
    with RealControlPlane(Path(os.environ[ASSETS_VARIABLE]), directory) as control_plane:
        yield control_plane


@pytest.fixture
def kubectl_for(tmp_path: Path) -> Callable[[Path], Kubectl]:
    """A kubectl for the cluster of a kubeconfig; the test is left out where there is none."""
    program = find_kubectl()
    if program is None:
        pytest.skip("kubectl is not installed")
    return lambda kubeconfig: Kubectl(program, kubeconfig, tmp_path / "kubectl-cache")
