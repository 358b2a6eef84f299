"""Whether two runs did the same: the differences between their workload files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from perfscale.config.reading.document import read_document
from perfscale.errors import ConfigError
from perfscale.results.files import WORKLOAD_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perfscale.results.folder.reading import RunFiles

_MOST: Final = 20


def different_settings(base: RunFiles, new: RunFiles) -> list[str]:
    """What is different in the workload, and in the cluster, one sentence each.

    A numeric comparison of runs that did different things says what the
    difference costs, not that something became worse.
    """
    try:
        before, now = dict(_settings(base)), dict(_settings(new))
    except ConfigError as error:
        return [f"{error.problems[0]}: whether the two did the same is not known"]
    found = [
        f"{path}: {before.get(path, 'not there')} before, {now.get(path, 'not there')} now"
        for path in dict.fromkeys((*before, *now))
        if before.get(path) != now.get(path)
    ]
    if len(found) > _MOST:
        return [*found[:_MOST], f"and {len(found) - _MOST} more differences"]
    return found


def _settings(run: RunFiles) -> Iterator[tuple[str, str]]:
    if run.workload_yaml is not None:
        # Bounded: a file of the kind that doubles with every line is refused.
        yield from _flat(read_document(run.folder / WORKLOAD_FILE).tree, "")
    yield "Kubernetes", str(run.summary.cluster.version)


def _flat(value: Any, path: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 -- any YAML
    match value:
        case dict():
            for key, each in value.items():
                yield from _flat(each, f"{path}.{key}" if path else str(key))
        case list():
            for index, each in enumerate(value):
                yield from _flat(each, f"{path}[{index}]")
        case _:
            yield path, str(value)
