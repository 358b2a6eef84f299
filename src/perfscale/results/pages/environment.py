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
    return (run.summary.cluster.version or "").endswith(_SIMULATED)


def cleanup_of(run: RunFiles) -> str | None:
    """What to type to remove what is left, or may be; None where nothing can be."""
    summary = run.summary
    counts = (summary.objects, summary.children)
    left = any(each.created > each.deleted or each.unknown for each in counts)
    left = left or summary.namespaces.created > summary.namespaces.deleted
    return run.run.cleanup if left or summary.outcome is RunOutcome.KILLED else None


def environment(run: RunFiles) -> dict[str, str]:
    """What to show, by its name; what is not known is left out."""
    cluster, client = run.summary.cluster, run.run.client
    kinds = (f"{each.kind} ({each.api_version})" for each in run.run.kinds)
    facts = {
        "cluster": cluster.server,
        "context": cluster.context,
        "Kubernetes": cluster.version,
        "nodes": cluster.nodes,
        "KubeVirt": cluster.kubevirt,
        "perfscale": client.version,
        "Python": client.python,
        "machine": client.platform,
        "CPUs": client.cpus,
        "workload file": run.run.source,
        "kinds": ", ".join(kinds),
        "seed": run.summary.seed,
        "command": shlex.join(run.run.command),
        "folder": run.folder.name,
    }
    return {name: str(value) for name, value in facts.items() if value not in (None, "")}
