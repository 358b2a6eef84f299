"""Hooks, as a workload file has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perfscale.config import dump_config
from perfscale.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.config import Config

HEAD = "workloads:\n  - name: a\n    objects: [{templateFile: t.yaml}]\n"


def hook(line: str) -> str:
    """A file whose line 5 is a hook of the workload."""
    return f"{HEAD}    hooks:\n      - {line}\n"


def test_a_hook_is_a_command_at_a_moment(load: Callable[..., Config]) -> None:
    config = load(hook("{when: beforeIteration, run: [kubectl, get, nodes], onFailure: warn}"))
    (found,) = config.workloads[0].hooks
    assert (found.when, found.run) == ("beforeIteration", ("kubectl", "get", "nodes"))
    assert (found.on_failure, found.timeout_s, found.background) == ("warn", 60, False)


def test_a_hook_in_the_background_may_take_all_of_the_run(load: Callable[..., Config]) -> None:
    text = f"globalConfig:\n  hooks: [{{when: beforeRun, run: [a], background: true}}]\n{HEAD}"
    (found,) = load(text).global_config.hooks
    assert found.timeout_s is None
    assert found.on_failure == "abort"


def test_hooks_are_written_as_they_are_read(load: Callable[..., Config]) -> None:
    text = "globalConfig:\n  hooks: [{when: beforeRun, run: [a], background: true}]\n"
    config = load(text + hook("{when: afterWorkload, run: [b, '1'], timeout: 5m}"))
    assert load(dump_config(config)) == config


@pytest.mark.parametrize(
    ("line", "place", "why"),
    [
        ("{when: afterAll, run: [a]}", "w.yaml:5:16", "write one of beforeRun"),
        ("{when: beforeIteration, run: ls}", "w.yaml:5:38", "a command and its arguments"),
        ("{when: beforeIteration, run: []}", "w.yaml:5:38", "a command and its arguments"),
        ("{when: beforeIteration, run: [sleep, 5]}", "w.yaml:5:46", "write it in quotes"),
        ("{when: beforeIteration}", "w.yaml:5:9", "run: this key is missing"),
        ("{when: beforeRun, run: [a]}", "w.yaml:5:16", "write the hook into globalConfig.hooks"),
        ("{when: afterReady, run: [a]}", "w.yaml:5:16", "set iterationCreationWait to true"),
        ("{when: beforeCleanup, run: [a]}", "w.yaml:5:16", "set iterationCleanup to true"),
        (
            "{when: beforeWorkload, run: [a], background: true, timeout: 5s}",
            "w.yaml:5:69",
            "ended with the run",
        ),
        ("{when: beforeWorkload, run: [a], onFailure: ignore}", "w.yaml:5:53", "abort, warn"),
    ],
)
def test_a_hook_that_would_not_run_as_meant_is_refused(
    line: str, place: str, why: str, load: Callable[..., Config]
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(hook(line))
    (problem,) = caught.value.problems
    assert str(problem).startswith(place)
    assert why in str(problem)


def test_a_moment_of_creates_is_refused_for_another_operation(load: Callable[..., Config]) -> None:
    workload = "  - {name: b, operation: get, targets: {workload: a}, hooks: [{when: afterCreation"
    with pytest.raises(ConfigError, match="get creates nothing; write afterIteration"):
        load(f"{HEAD}{workload}, run: [x]}}]}}\n")
