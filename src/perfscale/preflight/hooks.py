"""Whether the commands of hooks are there, before anything is created."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perfscale.config import Config
    from perfscale.config.reading.source import KeyPath
    from perfscale.config.sections.hooks import Hook
    from perfscale.errors import Problem


def find_missing_commands(config: Config) -> list[Problem]:
    """A problem for each hook whose command this process could not run."""
    return [
        config.problem(
            (*path, "run", 0),
            f"{hook.run[0]} is not a command here: it is looked for in PATH or, with a slash in "
            "it, from the current folder, and has to be executable",
        )
        for path, hook in _hooks(config)
        if shutil.which(hook.run[0]) is None
    ]


def _hooks(config: Config) -> Iterator[tuple[KeyPath, Hook]]:
    for index, hook in enumerate(config.global_config.hooks):
        yield ("globalConfig", "hooks", index), hook
    for number, workload in enumerate(config.workloads):
        for index, hook in enumerate(workload.hooks):
            yield ("workloads", number, "hooks", index), hook
