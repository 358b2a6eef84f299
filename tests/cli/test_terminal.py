"""What a person at a terminal sees, is asked, and can do."""

import json
import re
from pathlib import Path

import pytest
from clusters import CONFIGMAPS
from command_line import CommandLine, run_id_in
from simulated_process import SimulatedProcess
from terminal import Terminal
from workload_file import entry, write_workload

from perfscale.kube.resources import NAMESPACES

COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-7]")
PACKAGED_NAMESPACE = "kubevirt-density-1"


def terminal(perfscale: CommandLine, *arguments: str | Path, **environment: str) -> Terminal:
    command = [perfscale.program, *map(str, arguments)]
    return Terminal(command, perfscale.folder, {**perfscale.environment, **environment})


@pytest.fixture
def density(tmp_path: Path) -> Path:
    return write_workload(tmp_path, entry("vmi-ephemeral.yaml", 3, "terminal"))


@pytest.fixture
def lasting(tmp_path: Path) -> Path:
    """A run that goes on until somebody ends it, however long they take to do so."""
    return write_workload(tmp_path, entry("vmi-ephemeral.yaml", 3, "terminal"), iterationCount=1000)


def test_a_run_without_a_workload_asks_first_and_no_creates_nothing(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    with terminal(perfscale, "run", "--kubeconfig", simulated.kubeconfig) as it:
        it.shows("Run this? [y/N]")
        for told in (
            f"context simulated, {simulated.server}",
            PACKAGED_NAMESPACE,
            "100 VirtualMachineInstance",
            "at 20/s",
        ):
            assert told in it.shown
        it.types("n\n")
        assert it.ends() == 1
    assert "nothing was created" in it.shown
    assert PACKAGED_NAMESPACE not in simulated.names(NAMESPACES)
    assert perfscale.results == []


def test_ctrl_c_at_the_question_creates_nothing(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    with terminal(perfscale, "run", "--kubeconfig", simulated.kubeconfig) as it:
        it.shows("Run this? [y/N]")
        it.types("\x03")
        assert it.ends() == 130
    assert "interrupted" in it.shown
    assert "Traceback" not in it.shown
    assert PACKAGED_NAMESPACE not in simulated.names(NAMESPACES)
    assert perfscale.results == []


def test_the_end_of_input_at_the_question_is_a_no(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    with terminal(perfscale, "run", "--kubeconfig", simulated.kubeconfig) as it:
        it.shows("Run this? [y/N]")
        it.types("\x04")
        assert it.ends() == 1


def test_yes_at_the_question_runs(perfscale: CommandLine, simulated: SimulatedProcess) -> None:
    command = ("run", "--replicas", "2", "--kubeconfig", simulated.kubeconfig)
    with terminal(perfscale, *command) as it:
        it.shows("Run this? [y/N]")
        it.types("y\n")
        assert it.ends() == 0
    assert "PASSED" in it.shown


def test_with_the_option_yes_nothing_is_asked_and_colours_show(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    command = ("run", "--yes", "--replicas", "2", "--kubeconfig", simulated.kubeconfig)
    with terminal(perfscale, *command) as it:
        assert it.ends() == 0
    assert "[y/N]" not in it.shown
    assert "PASSED" in it.shown
    assert COLOUR.search(it.raw)


@pytest.mark.parametrize(
    ("options", "environment"), [((), {"NO_COLOR": "1"}), (("--no-color",), {})]
)
def test_a_workload_that_is_named_is_run_without_a_question_and_without_colour_if_so_wished(
    perfscale: CommandLine,
    simulated: SimulatedProcess,
    density: Path,
    options: tuple[str, ...],
    environment: dict[str, str],
) -> None:
    command = ("run", density, "--kubeconfig", simulated.kubeconfig)
    with terminal(perfscale, *command, *options, **environment) as it:
        assert it.ends() == 0
    assert "[y/N]" not in it.shown
    assert "PASSED" in it.shown
    assert COLOUR.search(it.raw) is None


def test_a_narrow_terminal_shows_rate_phases_latencies_and_the_time_that_is_left(
    perfscale: CommandLine, lasting: Path
) -> None:
    command = ("run", lasting, "--simulate", "--speed", "2", "--replicas", "30", "--qps", "5")
    with terminal(perfscale, *command, "--burst", "1", COLUMNS="60") as it:
        for told in (" of 5/s", "Scheduling ━", "ready so far p50", " to go"):
            it.shows(told)
        it.types("\x03")
        assert it.ends() == 130
    drawn = [line for line in it.shown.replace("\r", "\n").splitlines() if "━" in line]
    assert max(map(len, drawn)) <= 60


FOREIGN = """workloads:
  - name: deletions
    operation: delete
    iterationWait: true
    targets: {kind: ConfigMap, apiVersion: v1, namespace: team-a, labelSelector: tier=web}
"""


@pytest.fixture
def maps_of_others(perfscale: CommandLine, simulated: SimulatedProcess) -> set[str]:
    """Two objects of a team, which a workload file would delete."""
    (perfscale.folder / "foreign.yaml").write_text(FOREIGN)
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a"}}
    if "team-a" not in simulated.names(NAMESPACES):
        simulated.request("POST", NAMESPACES.path(), namespace)
    names = {f"of-team-{n}" for n in range(2)} - simulated.names(CONFIGMAPS)
    for name in names:
        metadata = {"name": name, "labels": {"tier": "web"}}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
        simulated.request("POST", CONFIGMAPS.path("team-a"), body)
    return {f"of-team-{n}" for n in range(2)}


@pytest.mark.parametrize("answer", ["n\n", "\n", "\x04"])
def test_what_others_made_is_not_changed_when_the_answer_is_no(
    answer: str, perfscale: CommandLine, simulated: SimulatedProcess, maps_of_others: set[str]
) -> None:
    command = ("run", "foreign.yaml", "--allow-foreign", "--kubeconfig", simulated.kubeconfig)
    for quiet in ((), ("--quiet",)):
        with terminal(perfscale, *command, *quiet) as it:
            it.shows("Run this, and change 2 ConfigMap (team-a: 2) of others? [y/N]")
            it.types(answer)
            assert it.ends() == 1
        assert "delete 2 ConfigMap (team-a: 2) that this run does not make" in it.shown
        assert "nothing was created or changed" in it.shown
    assert maps_of_others <= simulated.names(CONFIGMAPS)
    assert perfscale.results == []


@pytest.mark.parametrize("options", [(), ("--yes",)])
def test_what_others_made_is_changed_after_a_yes_or_with_the_option(
    options: tuple[str, ...],
    perfscale: CommandLine,
    simulated: SimulatedProcess,
    maps_of_others: set[str],
) -> None:
    command = ("run", "foreign.yaml", "--allow-foreign", "--kubeconfig", simulated.kubeconfig)
    with terminal(perfscale, *command, *options) as it:
        if not options:
            it.shows("of others? [y/N]")
            it.types("y\n")
        assert it.ends() == 0
    assert ("[y/N]" in it.shown) is not bool(options)
    assert not maps_of_others & simulated.names(CONFIGMAPS)


def test_what_others_made_is_refused_on_a_terminal_too_unless_it_is_allowed(
    perfscale: CommandLine, simulated: SimulatedProcess, maps_of_others: set[str]
) -> None:
    command = ("run", "foreign.yaml", "--kubeconfig", simulated.kubeconfig)
    with terminal(perfscale, *command) as it:
        assert it.ends() == 2
    shown = " ".join(it.shown.split())
    assert "delete would change 2 ConfigMap (team-a: 2), which this run did not make" in shown
    assert "[y/N]" not in shown
    assert maps_of_others <= simulated.names(CONFIGMAPS)


RESTARTS = """workloads:
  - name: vms
    iterationCreationWait: true
    objects:
      - templateFile: templates/vm-ephemeral.yaml
        replicas: 8
        inputVars: {containerImg: cirros}
  - name: restarts
    operation: restart
    qps: 2
    iterationCount: 1000
    iterationInterval: 2s
    iterationWait: true
    targets: {workload: vms}
"""


def test_operations_are_shown_as_sent_done_and_open_with_their_effect_also_in_a_pause(
    perfscale: CommandLine,
) -> None:
    (perfscale.folder / "restarts.yaml").write_text(RESTARTS)
    command = ("run", "restarts.yaml", "--simulate", "--speed", "5")
    with terminal(perfscale, *command, COLUMNS="60") as it:
        it.shows("restarts, iteration 1: 8 restart operations")
        for told in ("operating", "open", "done so far p50 "):
            it.shows(told)
        it.shows("  pausing")
        it.shows("restarts, iteration 2: 8 restart operations")
        it.types("\x03")
        assert it.ends() == 130
    _, _, rest = it.shown.partition("  pausing")
    pause, _, _ = rest.partition("restarts, iteration 2")
    drawn = pause.replace("\r", "\n")
    assert re.search(r"sent +━+ +8/8", drawn)
    assert re.search(r"done +━+ +8/8", drawn)
    assert not re.search(r"^(created|ready|deleted) ", drawn, re.MULTILINE)


def test_a_narrow_header_fills_the_width_that_there_is(perfscale: CommandLine) -> None:
    (perfscale.folder / "restarts.yaml").write_text(RESTARTS)
    command = ("run", "restarts.yaml", "--simulate", "--speed", "20", "--iterations", "1")
    with terminal(perfscale, *command, COLUMNS="60") as it:
        assert it.ends() == 0
    header, _, _ = it.shown.replace("\r", "").partition("vms, iteration 1")
    assert max(map(len, header.splitlines())) <= 60
    assert (
        "workload restarts  restart VirtualMachine, 8 requests, at\n"
        "                   2/s, 2 at once\n"
    ) in header


def test_a_narrow_terminal_leaves_ids_and_addresses_whole_for_copying(
    perfscale: CommandLine, density: Path
) -> None:
    command = ("run", density, "--simulate", "--speed", "20", "--metrics-port", "0")
    with terminal(perfscale, *command, COLUMNS="40") as it:
        assert it.ends() == 0
    header, _, _ = it.shown.partition("iteration 1")
    assert re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", header)
    assert re.search(r"http://127\.0\.0\.1:\d+/metrics", header)


def test_a_narrow_terminal_breaks_the_end_of_a_run_between_words(
    perfscale: CommandLine, density: Path
) -> None:
    command = ("run", density, "--simulate", "--speed", "20")
    with terminal(perfscale, *command, COLUMNS="40") as it:
        assert it.ends() == 0
    _, _, end = it.shown.replace("\r", "").partition("PASSED")
    told, _, _ = end.partition("results:")
    # The first has the run's id, which is whole for copying.
    rows = [row.rstrip() for row in told.splitlines()[1:]]
    assert max(map(len, rows)) <= 40
    counts = next(number for number, row in enumerate(rows) if "3 requested" in row)
    assert rows[counts] == "  3 requested, 3 created, 3 ready, 3"
    assert rows[counts + 1] == "  deleted"
    first = [row.split()[0] for row in rows[counts + 3 :] if row]
    assert first[:5] == ["Pending", "Scheduling", "Scheduled", "Running", "Ready"]


def test_ctrl_c_on_the_terminal_cleans_up_a_simulated_run_too(
    perfscale: CommandLine, lasting: Path
) -> None:
    # The simulated cluster must not get the terminal's Ctrl-C: it is needed for the cleanup.
    with terminal(perfscale, "run", lasting, "--simulate", "--speed", "4") as it:
        it.shows("waiting until ready")
        it.types("\x03")
        assert it.ends() == 130
    (results,) = perfscale.results
    summary = json.loads((results / "summary.json").read_text())
    assert summary["objects"]["created"] == summary["objects"]["deleted"] >= 3
    assert "INTERRUPTED" in it.shown


def test_closing_the_terminal_cleans_up(
    perfscale: CommandLine, simulated: SimulatedProcess, lasting: Path
) -> None:
    with terminal(perfscale, "run", lasting, "--kubeconfig", simulated.kubeconfig) as it:
        it.shows("waiting until ready")
        run_id = run_id_in(it.shown.replace("\r", ""))
        it.close()
        assert it.ends() == 129
    assert simulated.left_of(run_id) == {}
    (results,) = perfscale.results
    summary = json.loads((results / "summary.json").read_text())
    assert (summary["outcome"], summary["exitCode"]) == ("interrupted", 129)


def test_cleanup_asks_and_no_removes_nothing(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    labels = {"kubevirt-load-generator-workload": "asked"}
    simulated.create_namespace("asked", labels)
    command = ("cleanup", "--run-id", "asked", "--kubeconfig", simulated.kubeconfig)
    with terminal(perfscale, *command) as it:
        it.shows("Delete this? [y/N]")
        it.types("n\n")
        assert it.ends() == 1
    assert "asked" in simulated.names(NAMESPACES)
    with terminal(perfscale, *command) as it:
        it.shows("Delete this? [y/N]")
        it.types("y\n")
        assert it.ends() == 0
    assert "asked" not in simulated.names(NAMESPACES)
