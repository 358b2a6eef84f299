"""A first workload file, with a comment for each key, from a few choices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple


class Choice(NamedTuple):
    """A kind of object that a first workload can create.

    Attributes:
        kind: CamelCase kind.
        template: The packaged template, as a workload file refers to it.
        variables: The lines of its ``inputVars``.
        metric: How long it takes until it is ready, as thresholds call that; empty for what is
            ready as soon as it is there.
    """

    kind: str
    template: str
    variables: tuple[str, ...]
    metric: str


_IMAGE: Final = ("containerImg: cirros-container-disk-demo  # --container-prefix says where it is",)
CHOICES: Final = {
    "vmi": Choice("VirtualMachineInstance", "templates/vmi-ephemeral.yaml", _IMAGE, "vmiReady"),
    "vm": Choice("VirtualMachine", "templates/vm-ephemeral.yaml", _IMAGE, "vmReady"),
    "vmirs": Choice(
        "VirtualMachineInstanceReplicaSet",
        "templates/vmirs-ephemeral.yaml",
        ("vmis: 10                             # instances in each set", *_IMAGE),
        "vmirsReady",
    ),
    "pod": Choice("Pod", "templates/pod.yaml", (), "podReady"),
    "configmap": Choice(
        "ConfigMap",
        "templates/configmap.yaml",
        ("bytes: 1024                          # of text in each",),
        "",
    ),
}
"""The kinds that there are templates for, by what a person calls them."""


@dataclass(frozen=True, slots=True)
class FirstWorkload:
    """What a first workload is to do.

    Attributes:
        name: Of the workload, and the beginning of its namespaces' names.
        kind: One of `CHOICES`.
        replicas: Objects of each iteration.
        qps: Creates a second.
        iterations: How often all of it is done.
        ready_within: A bound on the 99th percentile of readiness, as in ``1m``; None for none.
    """

    name: str = "first"
    kind: str = "vmi"
    replicas: int = 20
    qps: float = 5.0
    iterations: int = 1
    ready_within: str | None = None

    def text(self) -> str:
        """The file, in YAML."""
        choice = CHOICES[self.kind]
        lines = [
            f"# {self.replicas} {choice.kind} objects, created at {self.qps:g} a second.",
            "# What every key means: perfscale schema, which editors read as well.",
            "workloads:",
            _line(f"  - name: {self.name}", "also the beginning of the namespace's name"),
            _line(f"    qps: {self.qps:g}", "creates a second"),
            _line("    burst: 1", "how many may come at once before the rate holds"),
            _line(f"    iterationCount: {self.iterations}", "how often all of this is done"),
            _line("    iterationCreationWait: true", "wait until every object is ready"),
            _line("    iterationCleanup: true", "then delete the objects and the namespace"),
            _line("    iterationDeletionWait: true", "and wait until they are gone"),
            _line("    maxWaitTimeout: 10m", "each of the two waits may take this long"),
            *self._thresholds(choice),
            "    objects:",
            _line(
                f"      - templateFile: {choice.template}",
                "comes with perfscale",
            ),
            _line(f"        replicas: {self.replicas}", "objects of each iteration"),
        ]
        if choice.variables:
            lines.append("        inputVars:")
            lines += (f"          {each}" for each in choice.variables)
        return "\n".join(lines) + "\n"

    def _thresholds(self, choice: Choice) -> list[str]:
        if self.ready_within is None:
            return []
        return [
            "    thresholds:",
            "      # 99 of 100 objects are ready by then, or the run ends with exit code 3.",
            f"      - {{metric: {choice.metric}, quantile: p99, max: {self.ready_within}}}",
        ]


def _line(key: str, comment: str) -> str:
    return f"{key:<44} # {comment}"
