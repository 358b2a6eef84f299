"""`perfscale run --workers`: processes of this machine, as people use them."""

from __future__ import annotations

import json
import os
import re
import signal
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from clusters import VMIS
from command_line import CommandLine, Ended, Running, until
from dask_cluster import DaskCluster, dask_cluster
from generator_processes import descendants, generators_below, workers_below
from processes import lives
from simulated_process import SimulatedProcess
from workload_file import entry, write_workload

JSON = dict[str, Any]

TWO: Final = ("--workers", "2")
COUNTED: Final = ("requested", "created", "ready", "failed", "unready", "notAttempted", "deleted")
UNENDING: Final = {"qps": 5, "burst": 1}
"""At this rate a slow test misses no moment."""


CONFIGMAP: Final = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: own-{{ replica }}
"""


FOLDER: Final = "perfscale-workers-"


def words_of(pid: int) -> list[str]:
    """The command line of a process."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")


def summary_of(perfscale: CommandLine) -> JSON:
    summary: JSON = json.loads((perfscale.results[-1] / "summary.json").read_text())
    return summary


def accounts(summary: JSON) -> list[dict[str, int]]:
    """Of the whole run, and of each workload and kind."""
    found = [summary["objects"], *(each["objects"] for each in summary["workloads"])]
    found += [kind["objects"] for each in summary["workloads"] for kind in each["kinds"].values()]
    return [{name: each[name] for name in COUNTED} for each in found]


def unending(folder: Path) -> Path:
    """In a namespace of its own: a run that is stopped at once leaves it."""
    namespace = f"many-{uuid.uuid4().hex[:8]}"
    return write_workload(folder, entry("vmi-ephemeral.yaml", 1000, namespace), **UNENDING)


@pytest.fixture
def long_run(perfscale: CommandLine, simulated: SimulatedProcess, tmp_path: Path) -> Running:
    workload = unending(tmp_path)
    return perfscale.start("run", workload, "--kubeconfig", simulated.kubeconfig, *TWO)


def goes_on(run: Running, simulated: SimulatedProcess) -> None:
    """Wait until the generators have created some."""
    run.says("iteration 1")
    run.reaches(lambda: len(simulated.objects(VMIS, run.run_id)) > 5, "some objects")


def test_two_generators_have_the_accounts_of_one(
    perfscale: CommandLine, simulated: SimulatedProcess, tmp_path: Path
) -> None:
    workload = write_workload(
        tmp_path,
        entry("vmi-ephemeral.yaml", 7, "shared"),
        entry("vmirs-ephemeral.yaml", 2, "shared", vmis=2),
        iterationCount=2,
        qps=50,
    )
    command = ("run", workload, "--kubeconfig", simulated.kubeconfig)
    found = []
    for more in ((), TWO):
        ended = perfscale(*command, *more)
        assert ended.code == 0, ended.err
        assert simulated.left_of(ended.run_id) == {}
        summary = summary_of(perfscale)
        assert summary["outcome"] == "passed"
        found.append(accounts(summary))
    assert found[0] == found[1]
    assert found[0][0]["ready"] == 2 * (7 + 2)


def test_ctrl_c_on_the_terminal_ends_all_generators_in_order(
    long_run: Running, perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    with long_run as run:
        goes_on(run, simulated)
        assert "generators        2 processes of this machine" in run.err
        run.says("generator 1  ")
        processes = descendants(run.process.pid)
        os.killpg(run.process.pid, signal.SIGINT)  # as a terminal does
        ended = run.ends()
    assert ended.code == 128 + signal.SIGINT, ended.err
    check_end(ended, processes, perfscale, simulated, "interrupted")


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("find", [generators_below, workers_below])
def test_a_generator_that_is_lost_ends_the_run_and_is_named(
    signum: signal.Signals,
    find: Any,
    long_run: Running,
    perfscale: CommandLine,
    simulated: SimulatedProcess,
) -> None:
    with long_run as run:
        goes_on(run, simulated)
        processes = descendants(run.process.pid)
        os.kill(find(run.process.pid)[1], signum)
        ended = run.ends()
    assert ended.code == 1, ended.err
    check_end(ended, processes, perfscale, simulated, "failed")
    assert "INVALID, generator-lost" in ended.out
    assert "objects of the run are left" not in ended.out
    assert re.search(r"error: generator \d \(worker tls://127\.0\.0\.1:\d+\) was lost", ended.err)


def check_end(
    ended: Ended,
    processes: list[int],
    perfscale: CommandLine,
    simulated: SimulatedProcess,
    outcome: str,
) -> None:
    """Nothing is left, of the load and of the processes, and the accounts add up."""
    assert "Traceback" not in ended.err
    assert simulated.left_of(ended.run_id) == {}
    until(lambda: not any(map(lives, processes)), "the end of all processes")
    summary = summary_of(perfscale)
    assert summary["outcome"] == outcome
    objects = summary["objects"]
    outcomes = ("ready", "failed", "unready", "notAttempted", "lost")
    assert objects["requested"] == sum(objects.get(name, 0) for name in outcomes)


def test_a_second_ctrl_c_stops_all_generators_at_once(
    long_run: Running, simulated: SimulatedProcess
) -> None:
    with long_run as run:
        goes_on(run, simulated)
        processes = descendants(run.process.pid)
        os.killpg(run.process.pid, signal.SIGINT)
        run.says("once more stops at once")
        os.killpg(run.process.pid, signal.SIGINT)
        ended = run.ends()
    assert ended.code == 128 + signal.SIGINT, ended.err
    assert "Traceback" not in ended.err
    until(lambda: not any(map(lives, processes)), "the end of all processes")


def test_a_coordinator_that_hangs_has_lost_its_generators_and_removes_everything(
    long_run: Running, perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    with long_run as run:
        goes_on(run, simulated)
        processes = descendants(run.process.pid)
        generators = generators_below(run.process.pid)
        run.signal(signal.SIGSTOP)
        until(lambda: not any(map(lives, generators)), "the end of the generators")
        run.signal(signal.SIGCONT)
        ended = run.ends()
    assert ended.code == 1, ended.err
    assert "nothing was heard of the coordinator for 8 s" in ended.err
    check_end(ended, processes, perfscale, simulated, "failed")


def test_a_coordinator_that_is_killed_leaves_what_cleanup_removes(
    long_run: Running, perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    with long_run as run:
        goes_on(run, simulated)
        run_id = run.run_id
        processes = descendants(run.process.pid)
        [folder] = {word for pid in processes for word in words_of(pid) if FOLDER in word}
        assert Path(folder).is_dir()
        run.signal(signal.SIGKILL)
        run.ends()
    until(lambda: not any(map(lives, processes)), "the end of all processes")
    assert not Path(folder).exists()
    long_ago = time.time() - 60
    os.utime(perfscale.results[-1] / "journal.ndjson", (long_ago, long_ago))
    ended = perfscale("cleanup", "--run-id", run_id, "--kubeconfig", simulated.kubeconfig, "--yes")
    assert ended.code == 0, ended.err
    assert "may go on" not in ended.err
    assert simulated.left_of(run_id) == {}


@pytest.fixture
def tls_cluster(tmp_path: Path) -> Iterator[DaskCluster]:
    """Its workers would find no kubeconfig."""
    with dask_cluster(tmp_path / "dask", workers=2, tls=True, HOME=str(tmp_path)) as cluster:
        yield cluster


def test_workers_of_a_scheduler_run_what_is_sent_to_them(
    perfscale: CommandLine, simulated: SimulatedProcess, tmp_path: Path, tls_cluster: DaskCluster
) -> None:
    workload = write_workload(tmp_path, entry("own.yaml", 6, "sent"), qps=50)
    (tmp_path / "own.yaml").write_text(CONFIGMAP)
    kubeconfig = tmp_path / "only-here" / "kubeconfig"
    kubeconfig.parent.mkdir()
    kubeconfig.write_text(simulated.kubeconfig.read_text())
    ended = perfscale(
        "run", workload, "--kubeconfig", kubeconfig, "--scheduler", tls_cluster.address,
        "--send-kubeconfig", **tls_cluster.environment,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert summary_of(perfscale)["objects"]["ready"] == 6
    assert simulated.left_of(ended.run_id) == {}


class OnScheduler(NamedTuple):
    """A run on the workers of a scheduler that was there before it."""

    run: Running
    cluster: DaskCluster


@pytest.fixture
def on_scheduler(
    perfscale: CommandLine, simulated: SimulatedProcess, tmp_path: Path
) -> Iterator[OnScheduler]:
    command = ("run", unending(tmp_path), "--kubeconfig", simulated.kubeconfig)
    with dask_cluster(tmp_path / "dask", workers=2, tls=False) as cluster:
        yield OnScheduler(perfscale.start(*command, "--scheduler", cluster.address), cluster)


def test_a_scheduler_that_is_killed_ends_the_run(
    perfscale: CommandLine, simulated: SimulatedProcess, on_scheduler: OnScheduler
) -> None:
    with on_scheduler.run as run:
        goes_on(run, simulated)
        os.kill(on_scheduler.cluster.scheduler, signal.SIGKILL)
        ended = run.ends()
    assert ended.code == 1, ended.err
    check_end(ended, [], perfscale, simulated, "failed")
    gone = f"the scheduler at {on_scheduler.cluster.address} is gone"
    assert ended.err.count(gone) == 2  # the warning, and the error
    assert f"generators 0, 1 were lost: {gone}" in ended.out


def test_a_worker_of_a_scheduler_that_is_killed_is_named_and_not_waited_for(
    perfscale: CommandLine, simulated: SimulatedProcess, on_scheduler: OnScheduler
) -> None:
    with on_scheduler.run as run:
        goes_on(run, simulated)
        os.kill(on_scheduler.cluster.workers[1], signal.SIGKILL)
        ended = run.ends()
    assert ended.code == 1, ended.err
    check_end(ended, [], perfscale, simulated, "failed")
    assert "was lost: its worker is gone" in ended.err
    assert "that nobody can reach" not in ended.err


def test_a_worker_of_a_scheduler_that_hangs_is_waited_for_with_a_word(
    perfscale: CommandLine, simulated: SimulatedProcess, on_scheduler: OnScheduler
) -> None:
    with on_scheduler.run as run:
        goes_on(run, simulated)
        os.kill(on_scheduler.cluster.workers[1], signal.SIGSTOP)
        ended = run.ends()
    assert ended.code == 1, ended.err
    check_end(ended, [], perfscale, simulated, "failed")
    assert "nothing was heard of it for 10 s" in ended.err
    assert "a generator that nobody can reach ends by itself" in ended.err


def test_a_worker_that_is_killed_as_its_generator_starts_fails_the_run_by_name(
    perfscale: CommandLine, simulated: SimulatedProcess, tmp_path: Path
) -> None:
    command = ("run", unending(tmp_path), "--kubeconfig", simulated.kubeconfig, *TWO)
    with perfscale.start(*command) as run:
        run.reaches(lambda: bool(generators_below(run.process.pid)), "a generator")
        processes = descendants(run.process.pid)
        os.kill(workers_below(run.process.pid)[0], signal.SIGKILL)
        ended = run.ends()
    assert ended.code == 1, ended.err
    check_end(ended, processes, perfscale, simulated, "failed")
    assert re.search(r"error: generator \d \(.*\) was lost: its worker is gone", ended.err)
    assert "INVALID, generator-lost" in ended.out


REFUSED: Final = {
    "no workers": (("--workers", "0"), "--workers"),
    "an address of something else": (("--scheduler", "http://x:1"), "tcp://HOST:PORT"),
    "a dry run": ((*TWO, "--dry-run", "server"), "leave out --dry-run"),
    "a kubeconfig for this machine": ((*TWO, "--send-kubeconfig"), "--scheduler"),
    "a kubeconfig without TLS": (
        ("--scheduler", "tcp://127.0.0.1:1", "--send-kubeconfig"),
        "is not encrypted",
    ),
    "a simulated cluster elsewhere": (
        ("--simulate", "--scheduler", "tcp://192.0.2.1:8786"),
        "--simulate",
    ),
}


@pytest.mark.parametrize(("options", "text"), REFUSED.values(), ids=REFUSED.keys())
def test_options_that_cannot_be_are_refused(
    options: tuple[str, ...], text: str, perfscale: CommandLine
) -> None:
    ended = perfscale("run", *options)
    assert ended.code == 2
    assert text in ended.err


def test_without_the_extra_it_is_said_what_to_install(perfscale: CommandLine) -> None:
    program = (
        "import sys; sys.modules['distributed'] = None\nfrom perfscale.cli.main import main\nmain()"
    )
    ended = perfscale.python(program, "run", "--simulate", *TWO)
    assert ended.code == 2
    assert "pip install 'perfscale-load-generator[fleet]'" in ended.err


def test_a_run_of_one_imports_nothing_of_dask(perfscale: CommandLine, tmp_path: Path) -> None:
    workload = write_workload(tmp_path, entry("vmi-ephemeral.yaml", 2, "one"))
    program = (
        "import sys\n"
        "from perfscale.cli.main import main\n"
        "try:\n    main()\n"
        "finally:\n    print(sorted({'dask', 'distributed', 'tornado'} & set(sys.modules)))"
    )
    ended = perfscale.python(program, "run", workload, "--simulate", "--speed", "20", "--quiet")
    assert ended.code == 0, ended.err
    assert ended.out.splitlines()[-1] == "[]"
