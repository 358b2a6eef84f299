"""Keys of kube-burner before its version 2, put where their meaning stands today.

Today's program refuses them, and many public configurations have them.
https://github.com/kube-burner/kube-burner/blob/v1.10.0/pkg/config/types.go
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from perfscale.foreign.kube_burner.models.measurements import LOCAL, SEARCH_ENGINES

if TYPE_CHECKING:
    from perfscale.config.reading.document import Document
    from perfscale.config.reading.source import KeyPath

_CHURN: Final = {
    "churnPercent": ("percent", 10),
    "churnDuration": ("duration", "1h"),
    "churnDelay": ("delay", "5m"),
    "churnCycles": ("cycles", 100),
}
"""By the key of a job: the key of its ``churnConfig``, and what it was where it was absent."""
_MEANINGLESS: Final[dict[str, tuple[str, ...]]] = {
    "global": ("writeToFile", "metricsDirectory", "createTarball", "kubeconfig"),
    "job": ("churn", "churnDeletionStrategy", "waitFor", *_CHURN),
    "object": ("namespaced",),
}
_EXPLAINED: Final = frozenset({"churn", "waitFor", "writeToFile", *_CHURN})
_WAITS: Final = "objects of all kinds are waited for, unless they say wait: false"


def modernize(document: Document) -> list[str]:
    """Move or drop older keys of a configuration; returns what was done, one sentence each."""
    tree, notes = document.tree, dict[str, None]()
    if not isinstance(tree, dict):
        return []
    top = tree.get("global")
    if isinstance(top, dict):
        _indexers(document, top, notes)
        _drop(document, top, ("global",), "global", notes)
    jobs = tree.get("jobs")
    for number, job in enumerate(jobs if isinstance(jobs, list) else ()):
        if not isinstance(job, dict):
            continue
        path: KeyPath = ("jobs", number)
        _churn(document, job, path, notes)
        if "waitFor" in job:
            notes[f"jobs[].waitFor is an older key: {_WAITS}"] = None
        _drop(document, job, path, "job", notes)
        entries = job.get("objects")
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, dict):
                _drop(document, entry, (*path, "objects", index), "object", notes)
    return list(notes)


def _indexers(document: Document, top: dict[str, Any], notes: dict[str, None]) -> None:
    """``indexerConfig`` was the one indexer, and ``writeToFile`` wrote files beside it."""
    found: list[tuple[dict[str, Any], KeyPath]] = []
    config = top.get("indexerConfig")
    if isinstance(config, dict):
        path: KeyPath = ("global", "indexerConfig")
        enabled = config.get("enabled", True)
        for key in ("enabled", "port"):
            config.pop(key, None)
        if "type" not in config and config.get("esServers"):
            config["type"] = SEARCH_ENGINES[0]
        if enabled and config:
            found.append((config, path))
        del top["indexerConfig"]
        notes["global.indexerConfig is an older key, read as metricsEndpoints[].indexer"] = None
    if top.get("writeToFile") is True:
        found.append(({"type": LOCAL}, ("global", "writeToFile")))
        notes["global.writeToFile is an older key, read as an indexer of type local"] = None
    endpoints = document.tree.setdefault("metricsEndpoints", []) if found else []
    if not isinstance(endpoints, list):
        return
    for indexer, path in found:
        endpoints.append({"indexer": indexer})
        _move(document, path, ("metricsEndpoints", len(endpoints) - 1, "indexer"))


def _churn(document: Document, job: dict[str, Any], path: KeyPath, notes: dict[str, None]) -> None:
    if job.get("churn") is not True or "churnConfig" in job:
        return
    config = job["churnConfig"] = dict[str, Any]()
    for old, (new, default) in _CHURN.items():
        config[new] = job.get(old, default)
        _move(document, (*path, old), (*path, "churnConfig", new))
    _move(document, (*path, "churn"), (*path, "churnConfig"))
    notes["jobs[].churn and churnPercent are older keys, read as churnConfig"] = None


def _drop(
    document: Document, tree: dict[str, Any], path: KeyPath, what: str, notes: dict[str, None]
) -> None:
    for key in _MEANINGLESS[what]:
        if key in tree:
            del tree[key]
            if key not in _EXPLAINED:
                notes[f"{_named(path)}.{key} is an older key, which means nothing here"] = None
            for known in (document.values, document.keys):
                known.pop((*path, key), None)


def _named(path: KeyPath) -> str:
    names = [key for key in path if isinstance(key, str)]
    return ".".join(f"{name}[]" if name in {"jobs", "objects"} else name for name in names)


def _move(document: Document, old: KeyPath, new: KeyPath) -> None:
    """Put the marks of a value, and of all in it, where it stands now."""
    for path in [path for path in document.values if path[: len(old)] == old]:
        document.values[*new, *path[len(old) :]] = document.values.pop(path)
    for path in [path for path in document.keys if path[: len(old)] == old]:
        document.keys[*new, *path[len(old) :]] = document.keys.pop(path)
