from pathlib import Path

import pytest
from command_line import CommandLine


@pytest.fixture
def perfscale(tmp_path: Path) -> CommandLine:
    """The command, in a folder of this test's own."""
    return CommandLine(tmp_path)
