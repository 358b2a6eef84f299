"""What two runs did differently, and what was different where they ran."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from perfscale.config.reading.document import read_document
from perfscale.errors import ConfigError
from perfscale.results.files import WORKLOAD_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perfscale.results.folder.reading import RunFiles

_MOST_SETTINGS: Final = 20
_SEED: Final = "globalConfig.seed"
"""One that a run draws for itself is another each time, and explains nothing."""


def different_settings(base: RunFiles, new: RunFiles) -> list[str]:
    """What is different in the workload, and in the cluster, one sentence each.

    A numeric comparison of runs that did different things says what the
    difference costs, not that something became worse.
    """
    try:
        before, now = dict(_settings(base)), dict(_settings(new))
    except ConfigError as error:
        return [f"{error.problems[0]}: whether the two did the same is not known"]
    if base.run.seed_drawn and new.run.seed_drawn:
        for settings in (before, now):
            settings.pop(_SEED, None)
    configured = base.summary.cluster.kubevirt_config, new.summary.cluster.kubevirt_config
    for settings, config in zip((before, now), configured, strict=True):
        if config is not None and None not in configured:
            settings.update((f"KubeVirt's {name}", value) for name, value in config.described())
    found = [
        f"{path}: {before.get(path, 'not there')} before, {now.get(path, 'not there')} now"
        for path in dict.fromkeys((*before, *now))
        if before.get(path) != now.get(path)
    ]
    if len(found) > _MOST_SETTINGS:
        return [
            *found[:_MOST_SETTINGS],
            f"and {len(found) - _MOST_SETTINGS} more differences",
        ]
    return found


def _settings(run: RunFiles) -> Iterator[tuple[str, str]]:
    if run.workload_yaml is not None:
        # Bounded: a file of the kind that doubles with every line is refused.
        yield from _flat(read_document(run.folder / WORKLOAD_FILE).tree, "")
    cluster = run.summary.cluster
    yield "Kubernetes", str(cluster.version)
    for name, value in (
        ("KubeVirt", cluster.kubevirt),
        ("nodes", cluster.nodes),
        ("perfscale", run.run.client.version),
    ):
        if value is not None:
            yield name, str(value)


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
