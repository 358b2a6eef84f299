"""`perfscale run --dry-run`: what is printed where, and that nothing is left anywhere."""

import json

import pytest
from command_line import CommandLine
from simulated_process import SimulatedProcess
from workload_file import entry, write_workload

EMPTY = "apiVersion: v1\nkind: Pod\nmetadata: {name: 'empty-{{ replica }}'}\nspec: {}\n"


def created(simulated: SimulatedProcess) -> dict[str, int]:
    """How many objects of each kind the cluster has ever made, in its own words."""
    kinds = simulated.request("GET", "/simulation/books")["objects"]
    return {name: counts["created"] for name, counts in kinds.items() if counts["created"]}


def test_the_client_prints_what_render_prints_and_needs_no_cluster(
    perfscale: CommandLine,
) -> None:
    workload = write_workload(
        perfscale.folder, entry("vmi-ephemeral.yaml", 2, "dry"), entry("configmap.yaml", 1, "dry")
    )
    ended = perfscale("run", workload, "--dry-run", "client", "--kubeconfig", "no/such/file")
    assert ended.code == 0, ended.err
    assert ended.out == perfscale("render", workload).out
    assert ended.out.count("kind: ") == 3
    assert perfscale.results == []


@pytest.mark.parametrize("output", ["text", "json"])
def test_the_server_judges_each_template_and_a_refusal_is_an_error(
    output: str, perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    (perfscale.folder / "empty.yaml").write_text(EMPTY)
    workload = write_workload(
        perfscale.folder, entry("vmi-ephemeral.yaml", 2, "dry"), entry("empty.yaml", 2, "dry")
    )
    before = created(simulated)
    ended = perfscale(
        "run", workload, "--dry-run", "server", "--kubeconfig", simulated.kubeconfig, "-o", output
    )
    assert ended.code == 2
    assert f"error: {workload}:" in ended.err
    assert "Pod dry-1/empty-1 is refused: " in ended.err
    if output == "json":
        objects = json.loads(ended.out)["objects"]
        verdicts = [(each["kind"], each["verdict"]) for each in objects]
    else:
        verdicts = [(line.split()[1], line.split()[0]) for line in ended.out.splitlines()]
    assert verdicts == [
        ("Namespace", "accepted"),
        ("VirtualMachineInstance", "accepted"),
        ("Pod", "refused"),
    ]
    assert created(simulated) == before
    assert not (perfscale.folder / "results").exists()


def test_a_workload_that_the_server_accepts_ends_well(perfscale: CommandLine) -> None:
    ended = perfscale("run", "--simulate", "--dry-run", "server")
    assert ended.code == 0, ended.err
    assert ended.err == "nothing was created\n"
    assert "accepted    VirtualMachineInstance kubevirt-density-1/" in ended.out


def test_json_of_what_is_printed_as_yaml_is_refused(perfscale: CommandLine) -> None:
    ended = perfscale("run", "--dry-run", "client", "--output", "json")
    assert ended.code == 2
    assert "--output" in ended.err


def test_keep_which_changes_nothing_of_what_is_printed_is_refused(perfscale: CommandLine) -> None:
    ended = perfscale("run", "--dry-run", "client", "--keep")
    assert ended.code == 2
    assert "prints the same with --keep" in ended.err
    assert ended.out == ""
