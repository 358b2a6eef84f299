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


BURST = """
name: storm
count: 3
type: "burst"
object:
  templateFile: vmi-ephemeral.yaml
  inputVars: {containerImg: cirros, containerTag: "", namespace: storm-here}
"""


def test_a_burst_of_the_second_generation_leaves_its_objects_until_they_are_to_go(
    load_generator: CommandLine, simulated: SimulatedProcess
) -> None:
    (load_generator.folder / "burst.yaml").write_text(BURST)
    way = ("-kubeconfig", simulated.kubeconfig, "-workload", "burst.yaml")
    ended = load_generator(*way)
    assert ended.code == 0, ended.err
    assert "burst.yaml, read as the old tool's second generation, burst: 3 objects" in ended.err
    vmis = simulated.objects(VMIS, ended.run_id)
    assert {each["metadata"]["namespace"] for each in vmis} == {"storm-here"}
    assert len(vmis) == 3
    deleted = load_generator("-run=false", "-delete", *way)
    assert deleted.code == 0, deleted.err
    assert simulated.left_of(ended.run_id) == {}


def test_deleting_what_a_workload_left_touches_no_other_workload(
    load_generator: CommandLine, simulated: SimulatedProcess
) -> None:
    (load_generator.folder / "burst.yaml").write_text(BURST)
    (load_generator.folder / "other.yaml").write_text(BURST.replace("storm", "calm"))
    way = ("-kubeconfig", simulated.kubeconfig, "-workload")
    kept, gone = load_generator(*way, "other.yaml"), load_generator(*way, "burst.yaml")
    assert load_generator("-run=false", "-delete", *way, "burst.yaml").code == 0
    assert simulated.left_of(gone.run_id) == {}
    assert len(simulated.objects(VMIS, kept.run_id)) == 3
    assert load_generator("-run=false", "-delete", *way, "other.yaml").code == 0


def test_delete_removes_what_the_run_created(load_generator: CommandLine) -> None:
    (load_generator.folder / "burst.yaml").write_text(BURST)
    ended = load_generator("-delete", "-workload", "burst.yaml", "--simulate", "-o", "json")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["objects"]["deleted"] == 3


def test_a_steady_state_replaces_exactly_as_many_as_it_says_and_deletes_all_at_the_end(
    load_generator: CommandLine,
) -> None:
    steady = BURST.replace('"burst"', "steady-state\nchurn: 2\nminChurnSleep: 100ms")
    (load_generator.folder / "steady.yaml").write_text(steady)
    shorter = "workloads[0].churn.duration=1s"
    ended = load_generator(
        *("-workload", "steady.yaml", "--simulate", "--speed=50", "--set", shorter, "-o", "json")
    )
    assert ended.code == 0, ended.err
    told = " ".join(ended.err.split())
    assert "steady-state: 3 objects, 2 of them replaced every 100ms for 5m" in told
    objects = json.loads(ended.out)["objects"]
    rounds = ended.err.count("churn round")
    assert rounds > 0
    assert objects["created"] == objects["ready"] == objects["deleted"] == 3 + 2 * rounds


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-workload"], "flag needs an argument: -workload"),
        (["-v", "lots"], "-v takes a level"),
        (["-unknown", "x"], "error: no such option"),
        (["-delete=perhaps"], "-delete takes true or false, not 'perhaps'"),
        (["-run=false"], "leaves nothing to do"),
        (["-run=false", "-delete"], "needs a -workload"),
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
