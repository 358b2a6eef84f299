"""`--export`: a run's results for another tool, from the run itself and from its folder."""

import json
import shutil
from pathlib import Path

from command_line import CommandLine
from simulated_process import SimulatedProcess
from workload_file import entry, write_workload

KUBE_BURNER = ("--export", "kube-burner")


def contents(folder: Path) -> dict[str, str]:
    (collected,) = folder.glob("collected-metrics-*")
    return {path.name: path.read_text() for path in collected.iterdir()}


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
    run_id = json.loads(ended.out)["runId"]
    collected = Path("results") / folder.name / f"collected-metrics-{run_id}"
    assert f"exported for kube-burner: {collected}" in ended.err
    files = contents(folder)
    assert files.keys() == {
        "vmiLatencyMeasurement-density.json", "vmiLatencyQuantilesMeasurement-density.json",
        "jobSummary.json",
    }  # fmt: skip
    documents = json.loads(files["vmiLatencyMeasurement-density.json"])
    assert len(documents) == 5
    assert sum("vmName" in document for document in documents) == 2
    quantiles = json.loads(files["vmiLatencyQuantilesMeasurement-density.json"])
    by_name = {each["quantileName"]: each for each in quantiles}
    machines = json.loads(ended.out)["kinds"]["VirtualMachine"]["phases"]["Ready"]
    assert by_name["VMReady"]["P99"] == round(machines["p99"] * 1000)
    (tarball,) = folder.glob("*.tgz")
    tarball.unlink()
    shutil.rmtree(folder / f"collected-metrics-{run_id}")
    said = perfscale("report", folder, *KUBE_BURNER)
    assert said.code == 0, said.err
    assert contents(folder) == files
    assert tarball.exists()


def test_a_run_of_what_kube_burner_does_not_measure_has_its_job_summary(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    workload = write_workload(perfscale.folder, entry("configmap.yaml", 1, "nothing"))
    ended = perfscale("run", workload, "--kubeconfig", simulated.kubeconfig, *KUBE_BURNER)
    assert ended.code == 0, ended.err
    files = contents(perfscale.results[0])
    assert files.keys() == {"jobSummary.json"}
    assert json.loads(files["jobSummary.json"])[0]["passed"] is True
