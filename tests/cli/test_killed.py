"""SIGKILL at any moment: what was known is not lost, and what is left can be removed.

No moment is a time: each is something that the cluster or the journal shows.
"""

import json
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from clusters import CONFIGMAPS, VMIRS, VMIS, VMS
from command_line import CommandLine, Ended, Running
from past_runs import past_run
from simulated_process import SimulatedProcess
from workload_file import entry, write_workload

from perfscale.kube.resources import NAMESPACES, Resource

JSON = dict[str, Any]

OUTCOMES: Final = ("ready", "failed", "unready", "notAttempted")


UNENDING: Final = {"waitWhenFinished": "1h"}
"""A run that a slow test cannot miss."""

MADE_FROM_THE_JOURNAL = (
    "objects.ndjson", "children.ndjson", "timeseries.ndjson", "junit.xml", "summary.json",
)  # fmt: skip


class Killed(NamedTuple):
    """A run that was killed, and what the cluster had shown of it before."""

    folder: Path
    run_id: str
    seen: set[str]


def uids(cluster: SimulatedProcess, run_id: str) -> set[str]:
    """What the run has created itself, as the cluster lists it now."""
    owned = [
        item for kind in (VMIS, VMS, VMIRS, CONFIGMAPS) for item in cluster.objects(kind, run_id)
    ]
    return {
        item["metadata"]["uid"] for item in owned if not item["metadata"].get("ownerReferences")
    }


def journal_of(perfscale: CommandLine) -> str:
    """What the journal of the only run holds by now."""
    folders = perfscale.results
    path = folders[0] / "journal.ndjson" if folders else None
    return path.read_text() if path and path.exists() else ""


def kill(run: Running, perfscale: CommandLine, cluster: SimulatedProcess) -> Killed:
    """Kill it, once its journal knows of all that the cluster shows."""
    seen = uids(cluster, run.run_id)
    run.reaches(lambda: all(uid in journal_of(perfscale) for uid in seen), "all in the journal")
    run.signal(signal.SIGKILL)
    assert run.ends().code == -signal.SIGKILL
    (folder,) = perfscale.results
    # The id is where somebody looks who has nothing but the folder.
    run_id = json.loads((folder / "run.json").read_text())["runId"]
    assert run_id == run.run_id
    return Killed(folder, run_id, seen)


def balanced(accounts: dict[str, int]) -> bool:
    return accounts["requested"] == sum(accounts[name] for name in OUTCOMES)


def accounts_in(summary: JSON) -> Iterator[dict[str, int]]:
    """The run's, and those of every workload, iteration and kind."""
    yield summary["objects"]
    for workload in summary["workloads"]:
        for part in (workload, *workload["iterations"]):
            yield part["objects"]
            yield from (kind["objects"] for kind in part["kinds"].values())


def check(killed: Killed, perfscale: CommandLine, cluster: SimulatedProcess) -> set[str]:
    """What a report has to be after a kill at any moment; gives the UIDs that it knows."""
    ended = perfscale("report", f"{killed.folder}/", "--output", "json")
    assert ended.code == 0, ended.err
    summary = json.loads(ended.out)
    assert summary == json.loads((killed.folder / "summary.json").read_text())
    assert (summary["outcome"], summary["exitCode"]) == ("killed", 137)
    assert all(balanced(accounts) for accounts in accounts_in(summary))
    lines = (killed.folder / "objects.ndjson").read_text().splitlines()
    known = {json.loads(line)["uid"] for line in lines} - {None}
    assert killed.seen <= known
    assert summary["objects"]["created"] == len(known)
    (command,) = re.findall(r"^ *(perfscale cleanup .*)$", ended.err, re.MULTILINE)
    there = uids(cluster, killed.run_id)
    cleaned = perfscale.shell(command)
    assert cleaned.code == 0, cleaned.err
    assert cluster.left_of(killed.run_id) == {}
    if "--keep" in json.loads((killed.folder / "run.json").read_text())["command"]:
        assert known <= there  # nothing is claimed that is not so
    return known


def start(
    perfscale: CommandLine, cluster: SimulatedProcess, namespace: str, *more: str, **keys: Any
) -> Running:
    workload = write_workload(
        perfscale.folder,
        entry("vmi-ephemeral.yaml", 6, namespace),
        entry("vm-ephemeral.yaml", 2, namespace),
        entry("vmirs-ephemeral.yaml", 1, namespace, vmis=2),
        iterationCount=2,
        namespacedIterations=True,
        **keys,
    )
    return perfscale.start("run", workload, "--kubeconfig", cluster.kubeconfig, *more)


def some(resource: Resource, count: int) -> Callable[[Running, SimulatedProcess], None]:
    def moment(run: Running, cluster: SimulatedProcess) -> None:
        run.says("iteration 1")
        run.reaches(lambda: len(cluster.objects(resource, run.run_id)) >= count, "some objects")

    return moment


def says(text: str) -> Callable[[Running, SimulatedProcess], None]:
    return lambda run, _: run.says(text)


def goes(run: Running, cluster: SimulatedProcess) -> None:
    run.says("iteration 1")

    def going() -> bool:
        found = cluster.objects(VMIS, run.run_id)
        return any("deletionTimestamp" in item["metadata"] for item in found)

    run.reaches(going, "a VMI that goes")


MOMENTS: Final = {
    "at the first namespace": (some(NAMESPACES, 1), ()),
    "in the middle of the creates": (some(VMS, 1), ("--keep",)),
    "while it waits until all are ready": (says("waiting until ready"), ("--keep",)),
    "while objects go": (goes, ()),
    "in the second iteration": (says("iteration 2"), ()),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_a_kill_at_any_moment_loses_nothing_that_was_seen_and_can_be_cleaned_up(
    name: str, perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    moment, options = MOMENTS[name]
    namespace = f"killed-{list(MOMENTS).index(name)}"
    with start(perfscale, simulated, namespace, *options, qps=25, burst=1, **UNENDING) as run:
        moment(run, simulated)
        killed = kill(run, perfscale, simulated)
    check(killed, perfscale, simulated)


def test_a_kill_before_the_first_create_leaves_a_report_that_says_so(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    # The run waits for a namespace that is going and cannot go.
    simulated.create_namespace("going-1")
    simulated.create(CONFIGMAPS, "held", "going-1", metadata={"finalizers": ["example.org/hold"]})
    simulated.request("DELETE", NAMESPACES.path(name="going-1"))
    with start(perfscale, simulated, "going", **UNENDING) as run:
        run.says("preparing namespaces")
        run.reaches(lambda: "preparing namespaces" in journal_of(perfscale), "the journal")
        killed = kill(run, perfscale, simulated)
    path = CONFIGMAPS.path("going-1", "held")
    simulated.request("PATCH", path, {"metadata": {"finalizers": None}})
    assert check(killed, perfscale, simulated) == set()
    ended = perfscale("report", killed.folder)
    assert ended.out.startswith("\nKILLED in ")
    assert "while preparing namespaces in density, iteration 1" in ended.out
    assert "in the cluster then: nothing of it" in ended.out


def test_the_report_on_a_run_that_ended_is_the_one_that_the_run_printed(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    with start(perfscale, simulated, "ended", "--keep") as run:
        ended = run.ends()
    assert ended.code == 0, ended.err
    (folder,) = perfscale.results
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    for name in MADE_FROM_THE_JOURNAL:
        (folder / name).unlink()
    said = perfscale("report", Path("results") / folder.name)
    assert (said.code, said.err) == (0, "")
    assert said.out == ended.out
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == files
    # Others look at the same cluster.
    cleanup = ("cleanup", "--run-id", ended.run_id, "--kubeconfig", simulated.kubeconfig)
    assert perfscale(*cleanup).code == 0


def full(
    perfscale: CommandLine, cluster: SimulatedProcess, namespace: str, kilobytes: int
) -> Ended:
    """Run where no file may be larger than this."""
    workload = write_workload(perfscale.folder, entry("vmi-ephemeral.yaml", 300, namespace))
    command = f"perfscale run {workload} --kubeconfig {cluster.kubeconfig}"
    return perfscale.shell(f"ulimit -f {kilobytes}; {command}")


def test_a_run_that_fills_its_disk_has_its_numbers_and_has_not_passed(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    ended = full(perfscale, simulated, "full", 128)
    assert ended.code == 1, ended.err
    assert "FAILED" in ended.out
    assert "✗ the results could not all be written: results/" in ended.out
    assert "File too large" in ended.out
    assert "300 requested, 300 created, 300 ready, 300 deleted" in ended.out
    assert "warning: the journal cannot be written: " in ended.err
    assert "File too large" in ended.err
    (folder,) = perfscale.results
    assert "objects.ndjson" not in {path.name for path in folder.iterdir()}
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["outcome"], summary["exitCode"]) == ("failed", 1)
    assert summary["objects"]["ready"] == 300
    # What the journal holds is less than that, so it does not replace it.
    said = perfscale("report", folder)
    assert said.code == 2
    assert "the run wrote this summary itself" in said.err


def test_a_disk_without_any_room_is_told_before_anything_is_created(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    ended = full(perfscale, simulated, "crowded", 2)
    assert ended.code == 2
    assert "results: the results cannot be written: File too large" in ended.err
    assert "crowded-1" not in {item["metadata"]["name"] for item in simulated.objects(NAMESPACES)}
    assert perfscale.results == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "latest: there is no such run in results"),
        (("nowhere",), "nowhere: there is no such run in results"),
        (("results",), "results: it is not the folder of a run"),
        (("workload.yaml",), "workload.yaml: it is not the folder of a run"),
    ],
)
def test_what_is_not_the_folder_of_a_run_is_refused_with_a_way_out(
    arguments: tuple[str, ...], told: str, perfscale: CommandLine
) -> None:
    (perfscale.folder / "results").mkdir()
    (perfscale.folder / "workload.yaml").touch()
    ended = perfscale("report", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err


def test_a_folder_of_runs_leads_to_the_latest_of_them(perfscale: CommandLine) -> None:
    folder = past_run(perfscale.folder / "results", 1, outcome=None)
    (folder / "journal.ndjson").touch()
    ended = perfscale("report", "results")
    assert ended.code == 2
    assert f"results/{folder.name}" in ended.err
    ended = perfscale("report", folder / "journal.ndjson")
    assert ended.code == 2
    assert "the journal is empty" in ended.err
