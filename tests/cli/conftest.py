from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from command_line import CommandLine
from search_engine import SearchEngine, search_engine
from simulated_process import SimulatedProcess, simulated_process


@pytest.fixture
def perfscale(tmp_path: Path) -> CommandLine:
    """The command, in a folder of this test's own."""
    return CommandLine(tmp_path)


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedProcess]:
    """A simulated cluster in a process of its own, shared: each test looks at its own runs."""
    with simulated_process(tmp_path_factory.mktemp("simulated"), speed=20) as cluster:
        yield cluster


@pytest.fixture
async def engine() -> AsyncIterator[SearchEngine]:
    async with search_engine() as started:
        yield started
