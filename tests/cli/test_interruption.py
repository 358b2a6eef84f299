"""Ctrl-C and its kin, at any moment of a run, against a cluster that goes on living."""

import json
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from clusters import CONFIGMAPS, VMIS, VMS
from command_line import CommandLine, Running, run_id_in
from simulated_process import SimulatedProcess
from workload_file import entry, write_workload

from perfscale.kube.resources import NAMESPACES, Resource

Moment = Callable[[Running, SimulatedProcess], None]

HELD: Final = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: held-{{ replica }}
  finalizers: [example.org/hold]
"""


def says(text: str) -> Moment:
    return lambda run, _: run.says(text)


def sees(what: str, resource: Resource, *, count: int = 1, deleting: bool = False) -> Moment:
    def moment(run: Running, cluster: SimulatedProcess) -> None:
        run.says("iteration 1")

        def enough() -> bool:
            found = cluster.objects(resource, run.run_id)
            return (
                sum("deletionTimestamp" in item["metadata"] or not deleting for item in found)
                >= count
            )

        run.reaches(enough, what)

    return moment


def sees_running(run: Running, cluster: SimulatedProcess) -> None:
    run.says("iteration 1")

    def running() -> bool:
        found = cluster.objects(VMIS, run.run_id)
        return any(item.get("status", {}).get("phase") == "Running" for item in found)

    run.reaches(running, "a VMI that runs")


MOMENTS: Final[dict[str, Moment]] = {
    "as soon as the header is there": says("workload density"),
    "at the first namespace": sees("a namespace", NAMESPACES),
    "at the first create": sees("an object", VMIS),
    "in the middle of the creates": sees("two VMs", VMS, count=2),
    "when replica sets have made VMIs": sees("children", VMIS, count=6),
    "when VMIs run": sees_running,
    "when it waits until all are ready": says("waiting until ready"),
    "when it has begun to delete": says("deleting:"),
    "when objects are going": sees("a VMI that goes", VMIS, deleting=True),
    "in the second iteration": says("iteration 2"),
}


@pytest.fixture
def workload(tmp_path: Path) -> Path:
    """A run that goes on until it is interrupted: a moment that a slow test misses comes again."""
    namespace = "interrupted"
    return write_workload(
        tmp_path,
        entry("vmi-ephemeral.yaml", 4, namespace),
        entry("vm-ephemeral.yaml", 2, namespace),
        entry("vmirs-ephemeral.yaml", 1, namespace, vmis=2),
        qps=25,
        burst=1,
        iterationCount=100,
    )


@pytest.fixture
def run(perfscale: CommandLine, simulated: SimulatedProcess, workload: Path) -> Running:
    return perfscale.start("run", workload, "--kubeconfig", simulated.kubeconfig)


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS.keys())
def test_ctrl_c_at_any_moment_leaves_nothing(
    moment: Moment, run: Running, simulated: SimulatedProcess, perfscale: CommandLine
) -> None:
    check_interruption(signal.SIGINT, moment, run, simulated, perfscale)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("moment", ["in the middle of the creates", "when objects are going"])
def test_other_signals_clean_up_too_and_have_their_own_exit_codes(
    signum: signal.Signals,
    moment: str,
    run: Running,
    simulated: SimulatedProcess,
    perfscale: CommandLine,
) -> None:
    check_interruption(signum, MOMENTS[moment], run, simulated, perfscale)


def check_interruption(
    signum: signal.Signals,
    moment: Moment,
    run: Running,
    simulated: SimulatedProcess,
    perfscale: CommandLine,
) -> None:
    with run:
        moment(run, simulated)
        run.signal(signum)
        ended = run.ends()
    assert ended.code == 128 + signum, ended.err
    assert simulated.left_of(ended.run_id) == {}
    assert "Traceback" not in ended.err
    (results,) = perfscale.results
    summary = json.loads((results / "summary.json").read_text())
    assert (summary["outcome"], summary["exitCode"]) == ("interrupted", 128 + signum)
    objects = summary["objects"]
    assert objects["leftover"] == 0
    assert objects["created"] == objects["deleted"]
    counted = ("ready", "failed", "unready", "notAttempted")
    assert objects["requested"] == sum(objects[name] for name in counted)
    assert f"interrupted by {signum.name}" in ended.out


@pytest.mark.parametrize("moment", ["workload density", "waiting until gone"])
def test_many_signals_at_once_still_say_how_to_clean_up(
    moment: str, perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    folder = perfscale.folder
    (folder / "held.yaml").write_text(HELD)
    workload = write_workload(folder, entry("held.yaml", 2, f"many-{moment.split(maxsplit=1)[0]}"))
    with perfscale.start("run", workload, "--kubeconfig", simulated.kubeconfig) as run:
        run.says(moment)
        for _ in range(300):
            if run.process.poll() is None:
                run.signal(signal.SIGINT)
        # On a busy machine all of them are one, as those are that come while one is pending.
        heard = "once more stops at once"
        run.reaches(lambda: heard in run.err or run.process.poll() is not None, heard)
        run.signal(signal.SIGINT)
        ended = run.ends()
    assert ended.code == 130, ended.err
    assert "Traceback" not in ended.err
    (results,) = perfscale.results
    left = simulated.left_of(ended.run_id)
    if left:
        assert f"perfscale cleanup --run-id {ended.run_id}" in ended.out
    summary = json.loads((results / "summary.json").read_text())
    assert summary["exitCode"] == 130


def test_a_second_ctrl_c_stops_at_once_and_says_how_to_clean_up(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    folder = perfscale.folder
    (folder / "held.yaml").write_text(HELD)
    workload = write_workload(folder, entry("held.yaml", 2, "held"))
    with perfscale.start("run", workload, "--kubeconfig", simulated.kubeconfig) as run:
        run.says("waiting until gone")
        run.signal(signal.SIGINT)
        run.says("once more stops at once")
        run.says("cleaning up")
        run.signal(signal.SIGINT)
        ended = run.ends()
    assert ended.code == 130
    assert simulated.left_of(ended.run_id) == {"configmaps": 2, "namespaces": 1}
    (command,) = re.findall(r"^ *(perfscale cleanup .*)$", ended.out, re.MULTILINE)
    for name in ("held-1", "held-2"):
        path = CONFIGMAPS.path("held-1", name)
        simulated.request("PATCH", path, {"metadata": {"finalizers": None}})
    cleaned = perfscale.shell(command)
    assert cleaned.code == 0, cleaned.err
    assert simulated.left_of(ended.run_id) == {}


def test_two_signals_in_one_breath_stop_at_once(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    folder = perfscale.folder
    (folder / "held.yaml").write_text(HELD)
    workload = write_workload(folder, entry("held.yaml", 1, "breath"))
    with perfscale.start("run", workload, "--kubeconfig", simulated.kubeconfig) as run:
        run.says("waiting until gone")
        run.signal(signal.SIGSTOP)
        run.signal(signal.SIGINT)
        run.signal(signal.SIGTERM)
        run.signal(signal.SIGCONT)
        ended = run.ends()
    assert ended.code in {130, 143}  # whichever the kernel hands over first
    path = CONFIGMAPS.path("breath-1", "held-1")
    simulated.request("PATCH", path, {"metadata": {"finalizers": None}})
    assert "perfscale cleanup" in ended.out
    cleaned = perfscale("cleanup", "--run-id", ended.run_id, "--kubeconfig", simulated.kubeconfig)
    assert cleaned.code == 0


def test_a_run_under_nohup_outlives_its_terminal(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    workload = write_workload(perfscale.folder, entry("vmi-ephemeral.yaml", 2, "nohup"))
    command = 'trap "" HUP; exec "$0" "$@"'
    arguments = ("run", workload, "--kubeconfig", simulated.kubeconfig)
    with perfscale.start_shell(command, *arguments) as run:
        run.says("waiting until ready")
        run.signal(signal.SIGHUP)
        ended = run.ends()
    assert ended.code == 0, ended.err
    assert simulated.left_of(ended.run_id) == {}


def test_a_reader_who_has_had_enough_does_not_end_the_run(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    workload = write_workload(
        perfscale.folder, entry("vmi-ephemeral.yaml", 2, "unread"), qps=5, burst=1
    )
    script = (
        f"perfscale run {workload} --kubeconfig {simulated.kubeconfig} --export kube-burner 2>&1"
        " | while read -r line; do echo $line; [[ $line == *creating:* ]] && break; done"
        "; echo ${PIPESTATUS[0]}"
    )
    ended = perfscale.shell(script)
    assert ended.out.splitlines()[-1] == "0", ended.out
    assert ended.err == ""
    assert simulated.left_of(run_id_in(ended.out)) == {}
    [folder] = perfscale.results
    assert (folder / "report.html").exists()
    assert list(folder.glob("collected-metrics-*/*.json"))
