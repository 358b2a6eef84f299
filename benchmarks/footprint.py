"""What a run costs a cluster beside the load that it is for: requests, memory, processor, disk.

The workload and the role of `deploy/`, on a real API server, with a service account that has
this role, and with one that may also delete many objects by one request. What is counted is the
client's: every request that the run sent after its preflight began.

    python benchmarks/footprint.py --counts 100,1000

The API server is started from the programs in KUBEBUILDER_ASSETS (see CONTRIBUTING.md).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml
from figures import Row, report
from lifecycle import real_cluster, run_process

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from service_accounts import Rule, may, write_service_account

if TYPE_CHECKING:
    from real_control_plane import RealControlPlane

DEPLOY: Final = Path(__file__).parents[1] / "deploy"
VMIS: Final = ("kubevirt.io", "virtualmachineinstances")
MANY: Final[Rule] = {
    "apiGroups": [VMIS[0]],
    "resources": [VMIS[1]],
    "verbs": ["deletecollection"],
}
QPS: Final = 50


def accounts(control_plane: RealControlPlane, directory: Path) -> dict[str, Path]:
    """A kubeconfig for each role, once the server has read it."""
    role = yaml.safe_load((DEPLOY / "overlays" / "cluster" / "cluster-role.yaml").read_text())
    rules: list[Rule] = role["rules"]
    given = {"exact": rules, "deletecollection": [*rules, MANY]}
    found = {
        name: write_service_account(control_plane, name, directory / name, rules=of_role)
        for name, of_role in given.items()
    }
    for name, of_role in given.items():
        while not may(control_plane, f"default:{name}", of_role[-1]["verbs"][0], VMIS):
            pass
    return found


def measure(role: str, kubeconfig: Path, count: int, directory: Path) -> Row:
    """Run the workload once with so many objects; raises SystemExit if it does not pass."""
    with tempfile.TemporaryDirectory(dir=directory) as results:
        program = str(Path(sys.executable).with_name("perfscale"))
        command = [program, "run", str(DEPLOY / "base" / "workload.yaml")]
        command += [f"--kubeconfig={kubeconfig}", f"--replicas={count}", f"--qps={QPS}"]
        cpu_s, peak_mb, _ = run_process([*command, f"--results-dir={results}"], directory)
        folder = (Path(results) / "latest").resolve()
        summary: dict[str, Any] = json.loads((folder / "summary.json").read_text())
        size = sum(file.stat().st_size for file in folder.iterdir())
    sent = Counter[str]()
    for call in summary["calls"]:
        verb, of_objects = call["verb"], call["resource"] == VMIS[1]
        named = of_objects and verb in {"create", "delete", "deletecollection"}
        sent[verb if named else "other"] += call["sent"]
    return {
        "role": role,
        "VMIs": count,
        "create": sent["create"],
        "deletecollection": sent["deletecollection"],
        "delete": sent["delete"],
        "other requests": sent["other"],
        "seconds": summary["durationSeconds"],
        "CPU s": cpu_s,
        "peak MB": peak_mb,
        "results MB": size / 1e6,
    }


def main() -> None:
    """Measure each number with each role, and print a row for each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--counts", default="100,1000", help="how many VMIs, as in 100,1000")
    parser.add_argument("--speed", type=float, default=20.0, help="of the controllers")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with real_cluster(directory, arguments.speed) as control_plane:
            rows = [
                measure(role, kubeconfig, int(count), directory)
                for role, kubeconfig in accounts(control_plane, directory).items()
                for count in arguments.counts.split(",")
            ]
    report(rows, arguments.json)


if __name__ == "__main__":
    main()
