"""A bug of ours: exit code 70, a traceback in a file, and nothing left in the cluster."""

import json
import re
from pathlib import Path

from command_line import CommandLine, Ended
from simulated_process import SimulatedProcess
from workload_file import entry, write_workload

SCHEMA = """
import perfscale.config
def json_schema():
    raise LookupError("nobody thought of this")
perfscale.config.json_schema = json_schema
from perfscale.cli.main import main
main()
"""
IN_A_RUN = """
from perfscale.engine.flow.iteration import IterationRunner
async def wait_ready(*arguments):
    raise LookupError("nobody thought of this")
IterationRunner._wait_ready = wait_ready
from perfscale.cli.main import main
main()
"""


def check_bug(ended: Ended) -> None:
    assert ended.code == 70, ended.err
    assert "Traceback" not in ended.err
    assert "bug in perfscale: LookupError: nobody thought of this" in ended.err
    file = re.search(r"report it with the command line and (\S+)", ended.err)
    assert file
    text = Path(file[1]).read_text()
    assert text.startswith("Traceback")
    assert "nobody thought of this" in text


def test_a_bug_gives_70_and_names_a_file_with_the_traceback(perfscale: CommandLine) -> None:
    check_bug(perfscale.python(SCHEMA, "schema"))


def test_a_bug_in_the_middle_of_a_run_cleans_up_and_writes_the_results(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    workload = write_workload(perfscale.folder, entry("vmi-ephemeral.yaml", 2, "bug"))
    at = ("--kubeconfig", simulated.kubeconfig)
    ended = perfscale.python(IN_A_RUN, "run", workload, *at)
    check_bug(ended)
    assert simulated.left_of(ended.run_id) == {}
    (folder,) = perfscale.results
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["outcome"], summary["exitCode"]) == ("failed", 70)
