"""`perfscale simulate` in a process of its own, and a look into its cluster over HTTP."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml
from clusters import KINDS
from command_line import CommandLine
from patience import PATIENCE_S

from perfscale.config.labels import RUN_LABEL
from perfscale.kube.resources import NAMESPACES, Resource

JSON = dict[str, Any]


@dataclass(frozen=True)
class SimulatedProcess:
    """A simulated cluster that somebody else runs."""

    kubeconfig: Path
    server: str

    def request(self, method: str, path: str, body: JSON | None = None, **query: str) -> JSON:
        """Send a request; raises HTTPError for an error status."""
        patch = "application/merge-patch+json" if method == "PATCH" else "application/json"
        request = urllib.request.Request(  # noqa: S310 -- always http, to loopback
            f"{self.server}{path}?{urlencode(query)}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": patch},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310
            document: JSON = json.load(answer)
        return document

    def objects(self, resource: Resource, run_id: str | None = None) -> list[JSON]:
        selector = "" if run_id is None else f"{RUN_LABEL}={run_id}"
        found = self.request("GET", resource.path(), labelSelector=selector)
        items: list[JSON] = found["items"]
        return items

    def left_of(self, run_id: str) -> dict[str, int]:
        """How many objects of each kind carry a run's label."""
        counts = {kind.plural: len(self.objects(kind, run_id)) for kind in KINDS}
        return {plural: count for plural, count in counts.items() if count}

    def names(self, resource: Resource) -> set[str]:
        return {item["metadata"]["name"] for item in self.objects(resource)}

    def create(
        self, resource: Resource, name: str, namespace: str | None = None, **more: Any
    ) -> None:
        typed = {"apiVersion": resource.api_version, "kind": resource.kind}
        metadata = {"name": name, **more.pop("metadata", {})}
        self.request("POST", resource.path(namespace), {**typed, "metadata": metadata, **more})

    def has(self, resource: Resource, name: str, namespace: str | None = None) -> bool:
        try:
            self.request("GET", resource.path(namespace, name))
        except urllib.error.HTTPError as error:
            error.close()
            return False
        return True

    def create_namespace(self, name: str, labels: dict[str, str] | None = None) -> None:
        self.create(NAMESPACES, name, metadata={"labels": labels or {}})


@contextmanager
def simulated_process(folder: Path, *, speed: float) -> Iterator[SimulatedProcess]:
    """Start `perfscale simulate`, and end it afterwards."""
    kubeconfig = folder / "simulated.kubeconfig"
    command = CommandLine(folder)
    with command.start("simulate", "--speed", str(speed), "--kubeconfig-out", kubeconfig) as it:
        it.reaches(kubeconfig.exists, "the kubeconfig")
        document = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
        yield SimulatedProcess(kubeconfig, document["clusters"][0]["cluster"]["server"])
