"""`perfscale-load-generator`, as the old tool's users type it."""

import json
from pathlib import Path

import pytest
from clusters import VMIS
from command_line import CommandLine
from simulated_process import SimulatedProcess
from workload_file import entry, write_workload

# Kept, so that what was created can be looked at.
KEPT = {"iterationCleanup": False, "iterationDeletionWait": False}


@pytest.fixture
def load_generator(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path, name="perfscale-load-generator")


def test_go_style_flags_are_understood(
    load_generator: CommandLine,
    simulated: SimulatedProcess,
) -> None:
    workload = write_workload(
        load_generator.folder, entry("vmi-ephemeral.yaml", 1, "legacy"), **KEPT
    )
    # With one dash or two, and with or without an equals sign: Go takes all of them.
    ended = load_generator(
        *("-kubeconfig", simulated.kubeconfig),
        f"-workload={workload}",
        *("-container-prefix", "quay.io/here/"),
        "--container-tag=v1.2",
        *("-master", simulated.server),
        *("-v", "3"),
    )
    assert ended.code == 0, ended.err
    assert "legacy-1/kubevirt-density-1-1: ready" in ended.err
    (vmi,) = simulated.objects(VMIS, ended.run_id)
    (volume,) = vmi["spec"]["volumes"]
    assert volume["containerDisk"]["image"] == "quay.io/here/cirros:v1.2"
    summary = json.loads((load_generator.results[0] / "summary.json").read_text())
    assert summary["objects"]["ready"] == 1
    cleanup = CommandLine(load_generator.folder)
    assert (
        cleanup("cleanup", "--run-id", ended.run_id, KUBECONFIG=str(simulated.kubeconfig)).code == 0
    )


def test_new_options_go_with_old_flags(load_generator: CommandLine) -> None:
    ended = load_generator("-v", "0", "--simulate", "--speed=50", "--replicas", "1", "-o", "json")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["objects"]["deleted"] == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-workload"], "flag needs an argument: -workload"),
        (["-v", "lots"], "-v takes a level"),
        (["-unknown", "x"], "error: no such option"),
        (["-workload", "missing.yaml"], "missing.yaml"),
    ],
)
def test_wrong_flags_are_refused(
    arguments: list[str], told: str, load_generator: CommandLine
) -> None:
    ended = load_generator(*arguments)
    assert ended.code == 2
    assert told in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("flag", ["-help", "--help"])
def test_the_help_tells_the_old_flags_and_the_new_options(
    flag: str, load_generator: CommandLine
) -> None:
    ended = load_generator(flag)
    assert ended.code == 0
    assert "    perfscale-load-generator -kubeconfig ~/.kube/config -workload " in ended.out
    assert "--max-unavailable" in ended.out
