"""`--export`: a run's results for another tool, from the run itself and from its folder."""

import json
from pathlib import Path

from command_line import CommandLine
from simulated_process import SimulatedProcess
from workload_file import entry, write_workload

KUBE_BURNER = ("--export", "kube-burner")


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (folder / "kube-burner").iterdir()}


def test_a_run_and_the_report_on_it_export_the_same_numbers_as_the_summary(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    workload = write_workload(
        perfscale.folder,
        entry("vmi-ephemeral.yaml", 3, "export"),
        entry("vm-ephemeral.yaml", 2, "export"),
    )
    at = ("--kubeconfig", simulated.kubeconfig)
    ended = perfscale("run", workload, *at, *KUBE_BURNER, "--output", "json")
    assert ended.code == 0, ended.err
    (folder,) = perfscale.results
    assert f"exported for kube-burner: {Path('results') / folder.name}/kube-burner" in ended.err
    files = contents(folder)
    assert files.keys() == {
        "vmiLatencyMeasurement-density.json", "vmiLatencyQuantilesMeasurement-density.json",
    }  # fmt: skip
    documents = json.loads(files["vmiLatencyMeasurement-density.json"])
    assert len(documents) == 5
    assert sum("vmName" in document for document in documents) == 2
    quantiles = json.loads(files["vmiLatencyQuantilesMeasurement-density.json"])
    by_name = {each["quantileName"]: each for each in quantiles}
    machines = json.loads(ended.out)["kinds"]["VirtualMachine"]["phases"]["Ready"]
    assert by_name["VMReady"]["P99"] == round(machines["p99"] * 1000)
    for path in (folder / "kube-burner").iterdir():
        path.unlink()
    said = perfscale("report", folder, *KUBE_BURNER)
    assert said.code == 0, said.err
    assert contents(folder) == files


def test_a_run_without_instances_says_that_there_is_nothing_to_export(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    workload = write_workload(perfscale.folder, entry("configmap.yaml", 1, "nothing"))
    ended = perfscale("run", workload, "--kubeconfig", simulated.kubeconfig, *KUBE_BURNER)
    assert ended.code == 0, ended.err
    assert "nothing to export for kube-burner" in ended.err
