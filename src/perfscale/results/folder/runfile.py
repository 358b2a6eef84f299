"""``run.json``: where a run went, and how to clean up after it."""

from __future__ import annotations

import json
import os
import platform
import shlex
from datetime import datetime
from importlib import metadata
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from perfscale.config.reading.regular import read_regular
from perfscale.errors import ResultsError
from perfscale.results.files import AUDIT_FILE, RUN_FILE, WORKLOAD_FILE, write_file
from perfscale.results.folder.summary import describe_cluster
from perfscale.results.model.audit import AuditRecord
from perfscale.results.model.document import SCHEMA_VERSION
from perfscale.results.model.kubevirt import KubeVirtConfig
from perfscale.results.model.remarks import NO_REMARKS, Remarks
from perfscale.results.model.run import ClusterInfo, RunInfo

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from perfscale.results.journal.entries import Begin


class RunKind(msgspec.Struct, frozen=True, rename="camel"):
    """A kind of which the run may have made objects."""

    api_version: str
    kind: str


class Client(msgspec.Struct, frozen=True):
    """What the load came from."""

    version: str | None = None
    python: str | None = None
    platform: str | None = None
    cpus: int | None = None


class RunDocument(msgspec.Struct, frozen=True):
    """What of ``run.json`` is shown; what is not known is empty.

    ``seed_drawn`` says whether the run drew its seed itself, as nearly every run does.
    """

    source: str | None = None
    kinds: tuple[RunKind, ...] = ()
    command: tuple[str, ...] = ()
    seed: int | None = None
    seed_drawn: bool = msgspec.field(default=True, name="seedDrawn")
    client: Client = Client()
    cleanup: str | None = None
    tags: dict[str, str] = {}
    note: str | None = None


class KnownRun(NamedTuple):
    """A run as its folder describes it, and how to remove it; None if its cluster is gone."""

    info: RunInfo
    cleanup: str | None


def cleanup_command(
    info: RunInfo,
    *,
    kubeconfig: str | None = None,
    master: str | None = None,
    results_dir: str | None = None,
) -> str:
    """What to type to remove everything of a run later.

    The context is named even where the run took the current one: that may be
    another by then.
    """
    parts = ["perfscale cleanup", f"--run-id {info.run_id}"]
    for option, value in (
        ("--kubeconfig", kubeconfig),
        ("--context", info.cluster.context),
        ("--master", master),
        ("--results-dir", results_dir),
    ):
        if value:
            parts.append(f"{option} {shlex.quote(value)}")
    return " ".join(parts)


def describe_run(
    info: RunInfo, cleanup: str | None, remarks: Remarks = NO_REMARKS
) -> dict[str, Any]:
    """The document."""
    return {
        "schemaVersion": SCHEMA_VERSION,
        "runId": info.run_id,
        "source": info.source,
        "startedAt": info.started_at.isoformat(),
        "cluster": describe_cluster(info.cluster),
        "client": {
            "version": metadata.version("perfscale-load-generator"),
            "python": platform.python_version(),
            "platform": platform.platform(),
            "cpus": os.cpu_count(),
        },
        "kinds": [{"apiVersion": api_version, "kind": kind} for api_version, kind in info.kinds],
        "namespaces": list(info.namespaces),
        "command": list(info.command),
        "seed": info.seed,
        "seedDrawn": info.seed_drawn,
        "generators": info.generators,
        "cleanup": cleanup,
        "tags": dict(remarks.tags),
        "note": remarks.note,
    }


def change_tags(folder: Path, tags: Mapping[str, str], removed: Collection[str] = ()) -> None:
    """Write other tags into a run's ``run.json``, and leave the rest of it as it is.

    Raises:
        ResultsError: It is not there, is broken, or cannot be written.
    """
    path = folder / RUN_FILE
    try:
        run = json.loads(read_regular(path))
        before = {key: value for key, value in run.get("tags", {}).items() if key not in removed}
        run["tags"] = {**before, **tags}
        write_file(path, json.dumps(run, indent=2) + "\n")
    except OSError as error:
        raise ResultsError(f"{path}: {error.strerror or error}") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ResultsError(f"{path}: it does not describe a run: {error}") from error


def read_run(folder: Path, begin: Begin) -> KnownRun:
    """What the folder of a run and the first line of its journal say of it.

    Raises:
        ResultsError: A file is missing or does not describe a run.
    """
    path = folder / RUN_FILE
    try:
        run = json.loads(read_regular(path))
        info = RunInfo(
            cluster=_cluster(run["cluster"]),
            run_id=run["runId"],
            source=run["source"],
            started_at=datetime.fromisoformat(run["startedAt"]),
            kinds=tuple((each["apiVersion"], each["kind"]) for each in run["kinds"]),
            namespaces=tuple(run["namespaces"]),
            command=tuple(run["command"]),
            seed=run.get("seed"),
            seed_drawn=run.get("seedDrawn", True),
            generators=run.get("generators"),
            workload_yaml=read_regular(folder / WORKLOAD_FILE).decode(),
            workloads=begin.workloads,
            paths=begin.paths,
            api_versions=begin.api_versions,
        )
        cleanup = run["cleanup"]
    except OSError as error:
        raise ResultsError(f"{error.filename}: {error.strerror}") from error
    except KeyError as error:
        raise ResultsError(f"{path}: it does not describe a run: it has no {error}") from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ResultsError(f"{path}: it does not describe a run: {error}") from error
    if info.run_id != begin.run_id:
        raise ResultsError(f"{path}: it is of another run than the journal beside it")
    return KnownRun(info, cleanup)


def _cluster(described: Any) -> ClusterInfo:  # noqa: ANN401 -- JSON
    """Raises ValueError or TypeError if it is not a cluster."""
    try:
        config = msgspec.convert(described.pop("kubevirtConfig", None), KubeVirtConfig | None)
    except msgspec.ValidationError as error:
        raise ValueError(f"cluster: {error}") from error
    return ClusterInfo(**described, kubevirt_config=config)


def read_audit(folder: Path) -> AuditRecord | None:
    """The audit of a run's folder; None if there was none.

    Raises:
        ResultsError: Its file cannot be read.
    """
    path = folder / AUDIT_FILE
    try:
        return msgspec.json.decode(read_regular(path), type=AuditRecord)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise ResultsError(f"{path}: it does not describe an audit: {error}") from error
