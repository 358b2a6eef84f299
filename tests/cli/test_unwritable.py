"""What becomes of a run whose results cannot be written."""

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine, Running
from workload_file import entry, write_workload

CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: map-{{ replica }}
"""
SIMULATED = ("--simulate", "--speed", "50")
NOWHERE = """\
import sys, tempfile
from perfscale.cli.main import main
make = tempfile.mkdtemp
def without_results(*args, **options):
    if "results" in options.get("prefix", ""):
        raise OSError(28, "No space left on device")
    return make(*args, **options)
tempfile.mkdtemp = without_results
main()
"""


@pytest.fixture
def workload(tmp_path: Path) -> Path:
    """A run that takes a while."""
    (tmp_path / "map.yaml").write_text(CONFIG_MAP)
    return write_workload(tmp_path, entry("map.yaml", 400, "unwritable"), qps=200, burst=1)


def summary_in(folder: Path) -> Any:
    return json.loads((folder / "summary.json").read_text())


def test_results_whose_folder_is_removed_are_written_elsewhere(
    perfscale: CommandLine, workload: Path
) -> None:
    with perfscale.start("run", workload, *SIMULATED) as run:
        run.says("iteration 1")
        for folder in perfscale.results:
            shutil.rmtree(folder)
        ended = run.ends()
    assert ended.code == 1, ended.err
    assert perfscale.results == []
    found = re.search(r"^results: (.*/perfscale-results-\S+)$", ended.out, re.MULTILINE)
    assert found, ended.out
    told = summary_in(Path(found[1]))
    assert told["exitCode"] == 1
    assert "the results could not all be written: results/" in ended.out


def test_a_summary_that_can_be_written_nowhere_goes_to_standard_error(
    perfscale: CommandLine, workload: Path
) -> None:
    command = [sys.executable, "-c", NOWHERE, "run", str(workload), *SIMULATED]
    with Running(command, perfscale.folder, perfscale.environment) as run:
        run.says("iteration 1")
        for folder in perfscale.results:
            shutil.rmtree(folder)
        ended = run.ends()
    assert ended.code == 1, ended.err
    _, _, told = ended.err.partition("the summary, which could not be written to a file:\n")
    summary = json.loads(told)
    assert (summary["exitCode"], summary["objects"]["created"]) == (1, 400)
