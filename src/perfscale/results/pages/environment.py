"""Where a run went and where it came from, as far as its files tell."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from perfscale.results.model.run import RunOutcome

if TYPE_CHECKING:
    from perfscale.results.folder.reading import RunFiles


_SIMULATED: Final = "+perfscale"
"""How the version of a simulated cluster ends."""


def is_simulated(run: RunFiles) -> bool:
    """Whether the cluster was a simulated one."""
    return str((run.summary.get("cluster") or {}).get("version") or "").endswith(_SIMULATED)


def cleanup_of(run: RunFiles) -> str | None:
    """What to type to remove what is left, or may be; None where nothing can be."""
    summary = run.summary
    counts = [summary["objects"], summary.get("children", {}), summary.get("namespaces", {})]
    left = any(
        each.get("created", 0) > each.get("deleted", 0) or each.get("unknown") for each in counts
    )
    command: str | None = run.run.get("cleanup")
    return command if left or summary["outcome"] == RunOutcome.KILLED else None


def environment(run: RunFiles) -> dict[str, str]:
    """What to show, by its name; what is not known is left out."""
    cluster = run.summary.get("cluster", {})
    client = run.run.get("client", {})
    kinds = (f"{each['kind']} ({each['apiVersion']})" for each in run.run.get("kinds", ()))
    facts = {
        "cluster": cluster.get("server"),
        "context": cluster.get("context"),
        "Kubernetes": cluster.get("version"),
        "nodes": cluster.get("nodes"),
        "KubeVirt": cluster.get("kubevirt"),
        "perfscale": client.get("version"),
        "Python": client.get("python"),
        "machine": client.get("platform"),
        "CPUs": client.get("cpus"),
        "workload file": run.run.get("source"),
        "kinds": ", ".join(kinds),
        "command": shlex.join(run.run.get("command", ())),
        "folder": run.folder.name,
    }
    return {name: str(value) for name, value in facts.items() if value}
