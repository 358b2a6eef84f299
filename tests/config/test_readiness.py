"""``readyWhen`` and ``failedWhen`` in a workload file: what is taken, and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perfscale.config import Config, dump_config
from perfscale.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

LINES = """\
workloads:
  - name: a
    objects:
      - templateFile: t.yaml
        {keys}
"""
FORMS = [
    "condition=Ready",
    "condition=Ready=False",
    "jsonpath={.status.phase}=Bound",
    "jsonpath=.status.phase=Bound",
    "jsonpath={.status.ip}",
    'jsonpath={.status.conditions[?(@.type=="Ready")].status}=True',
    "create",
]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("Ready", '"Ready" is none of the forms of kubectl wait --for: write condition=Ready,'),
        ("condition=", "names no condition: write it as in condition=Ready=False"),
        ("condition=Ready=", "names no condition: write it as in condition=Ready=False"),
        ("delete", "the run deletes what it creates itself, with iterationCleanup"),
        ('"jsonpath={.status.phase}="', "has no value after its equals sign: write it as in"),
        (
            '"jsonpath={.status..phase}=A"',
            "'..phase' is not understood in it: write it",
        ),
        ('"jsonpath={[0]}=A"', "it has to begin with a field of the object, as in .status.phase"),
        ("3", "3 is not one of the forms of kubectl wait --for: condition=Ready,"),
        ("[]", "an empty list is not one of the forms of kubectl wait --for"),
        ("[create, 3]", "readyWhen[1]: 3 is the number 3 to YAML, not a text"),
    ],
)
def test_what_is_no_form_of_kubectl_wait_is_refused_in_its_line(
    load: Callable[..., Config], value: str, message: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        load(LINES.format(keys=f"readyWhen: {value}"))
    (problem,) = refused.value.problems
    assert problem.line == 5
    assert message in str(problem)
    assert "workloads[0].objects[0].readyWhen" in str(problem)


@pytest.mark.parametrize("key", ["readyWhen", "failedWhen"])
def test_every_form_is_taken_alone_and_in_a_list_and_written_back(
    load: Callable[..., Config], key: str
) -> None:
    for form in FORMS:
        one = load(LINES.format(keys=f"{key}: '{form}'"))
        listed = load(LINES.format(keys=f"{key}: ['{form}']"))
        assert one.workloads == listed.workloads
        assert load(dump_config(one)).workloads == one.workloads


def test_a_path_is_the_same_with_and_without_its_braces_and_quotes(
    load: Callable[..., Config],
) -> None:
    ways = ["{.status.phase}", ".status.phase", "status.phase", "'{.status.phase}'"]
    paths = set()
    for way in ways:
        keys = f'readyWhen: "jsonpath={way}=Bound"'
        (wait,) = load(LINES.format(keys=keys)).workloads[0].objects[0].ready_when or ()
        paths.add((wait.path, wait.value))
    assert len(paths) == 1
