"""Workloads with churn: which keys go together, and what is said of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perfscale.config import Config, dump_config
from perfscale.config.sections.churn import Churn, describe_churn
from perfscale.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

LINES = """\
workloads:
  - name: a
    iterationCount: 3
    iterationCreationWait: true
{keys}
    objects: [{{templateFile: t.yaml, replicas: 10}}]
"""


def written(keys: str) -> str:
    return LINES.format(keys="\n".join(f"    {line}" for line in keys.splitlines()))


def problems(load: Callable[..., Config], text: str) -> list[tuple[int | None, str]]:
    with pytest.raises(ConfigError) as refused:
        load(text)
    return [(each.line, str(each)) for each in refused.value.problems]


@pytest.mark.parametrize(
    ("keys", "line", "message"),
    [
        ("churn: {share: 10%}", 5, "churn.rounds: nothing says when it ends: write this key, or"),
        ("churn: {rounds: 3}", 5, "churn.share: nothing says how many to replace: write this key"),
        ("churn:\n  share: 0%\n  rounds: 3", 6, '"0%" is no share: write more than 0%'),
        ("churn: {count: 0, rounds: 3}", 5, "0 is not a whole number from 1"),
        (
            "churn:\n  share: 10%\n  rounds: 3\n  count: 4",
            8,
            "churn.count: share and this key both say how many: remove one of them",
        ),
        ("churn: {share: 10%, duration: 10}", 5, "has no unit"),
        ("churn: {share: 10%, rounds: 3, of: pods}", 5, '"pods" is not known here: write one of'),
        ("churn: {share: 10%, rounds: 3, pause: 3s}", 5, "pause"),
        ("churn: yes", 5, "is not a mapping (share or count, interval, duration or rounds, of)"),
        (
            "churn: {share: 10%, rounds: 3}\niterationCleanup: true",
            6,
            "all iterations but the last would be deleted before churn begins: remove this key",
        ),
        (
            "churn:\n  count: 1\n  rounds: 3\n  of: namespaces",
            8,
            "the iterations share a namespace, which cannot be replaced: set namespacedIterations",
        ),
        (
            (
                "namespacedIterations: true\niterationsPerNamespace: 2\n"
                "churn: {count: 1, rounds: 3, of: namespaces}"
            ),
            6,
            "of: namespaces replaces an iteration with its namespace: remove this key",
        ),
        (
            (
                "namespacedIterations: true\niterationCleanup: true\n"
                "churn: {count: 1, rounds: 3, of: namespaces}"
            ),
            6,
            "the iterations would be deleted before churn begins: remove this key",
        ),
    ],
)
def test_keys_that_do_not_go_together_are_refused_where_they_stand(
    load: Callable[..., Config], keys: str, line: int, message: str
) -> None:
    ((found, text),) = problems(load, written(keys))
    assert found == line
    assert message in text


def test_churn_without_a_wait_for_readiness_is_refused(load: Callable[..., Config]) -> None:
    text = written("churn: {share: 10%, rounds: 3}").replace("true", "false")
    ((line, message),) = problems(load, text)
    assert line == 5
    assert message.endswith("they have to be waited for: set iterationCreationWait to true")


def test_what_is_made_once_is_not_replaced(load: Callable[..., Config]) -> None:
    text = written("churn: {share: 10%, rounds: 3}").replace("}]", ", once: true}]")
    ((_, message),) = problems(load, text)
    assert "objects with once, or churn: false, are left alone, and there are no others" in message


def test_only_objects_that_are_created_are_replaced(load: Callable[..., Config]) -> None:
    text = written("operation: get\nchurn: {share: 10%, rounds: 3}")
    assert any(
        "churn: get creates nothing, and only create takes this key: remove it" in message
        for _, message in problems(load, text)
    )


@pytest.mark.parametrize(
    "keys",
    [
        "churn: {share: 10%, interval: 30s, duration: 10m}",
        "churn: {count: 5, rounds: 20, of: objects}",
        "namespacedIterations: true\nchurn: {share: 12.5%, rounds: 3, of: namespaces}",
    ],
)
def test_churn_is_written_as_it_is_read(load: Callable[..., Config], keys: str) -> None:
    config = load(written(keys))
    assert load(dump_config(config)) == config


@pytest.mark.parametrize(
    ("keys", "total", "replaced"),
    [
        ({"share": "10%"}, 1000, 100),
        ({"share": "10%"}, 15, 2),
        ({"share": "0.1%"}, 10, 1),
        ({"share": "100%"}, 7, 7),
        ({"count": 5}, 7, 5),
        ({"count": 5}, 3, 3),
    ],
)
def test_a_share_is_rounded_up_and_a_count_is_no_more_than_there_are(
    keys: dict[str, object], total: int, replaced: int
) -> None:
    assert Churn.model_validate({**keys, "rounds": 1}).replaced_of(total) == replaced


def test_a_namespace_that_a_later_round_cannot_have_is_refused(
    load: Callable[..., Config],
) -> None:
    name = "n" * 61
    keys = "namespacedIterations: true\nchurn: {count: 1, rounds: 7, of: namespaces}"
    text = written(keys).replace("name: a", f"name: {name}")
    ((_, message),) = problems(load, text)
    assert "cannot be created: it has 64 characters, and 63 is the most" in message
    assert load(text.replace("rounds: 7", "rounds: 6")).workloads


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ("qps: 3", ""),
        (
            "churn: {share: 12.5%, interval: 30s, duration: 10m}",
            "then 12.5% of the objects replaced in rounds 30s apart for 10m",
        ),
        ("churn: {count: 4, rounds: 1}", "then 4 of the objects replaced in 1 round"),
        (
            "namespacedIterations: true\nchurn: {count: 2, rounds: 9, of: namespaces}",
            "then 2 of the iterations replaced in 9 rounds",
        ),
    ],
)
def test_churn_is_described_in_a_few_words(
    load: Callable[..., Config], keys: str, text: str
) -> None:
    assert describe_churn(load(written(keys)).workloads[0]) == text
