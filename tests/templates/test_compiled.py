"""A body that is put together from a compiled form is the one that rendering gives."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from template_folder import Folder

from perfscale.config import load_config
from perfscale.errors import TemplateError
from perfscale.templates import compile_templates
from perfscale.templates.compiled.objects import STAND_INS, compile_iteration

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.config import Config
    from perfscale.templates import ObjectFactory

HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a-{{ replica }}\n"
GO_HEAD = HEAD.replace("{{ replica }}", "{{.replica}}")
REPLICAS = (1, 2, 7, 8, 9, 10, 11, 12, 77, 99, 100, 101, 777, 1000, 5000, 99_999, 10_000_000)

QUICK = {
    "in a name": "data: {}",
    "an integer": "spec: {count: {{ replica }}}",
    "inside a bare scalar": "data: {x: image-{{ replica }}-of-{{ iteration }}}",
    "twice in one scalar": "data: {x: vm-{{ replica }}-{{ replica }}}",
    "in double quotes": 'data: {x: "{{ replica }}"}',
    "in single quotes": "data: {x: '0{{ replica }}'}",
    "in a block": "data:\n  x: |\n    echo {{ replica }}\n    exit {{ replica }}{{ replica }}\n",
    "in a folded block": "data:\n  x: >-\n    echo\n    {{ replica }}\n",
    "in a list": "spec: [{{ replica }}, x{{ replica }}]",
    "in a loop": "spec: [{% for i in range(3) %}'{{ i }}{{ replica }}',{% endfor %}]",
    "beside a condition": "spec: {% if text %}q{{ replica }}{% else %}{{ replica }}{% endif %}",
    "in a value that is used twice": "data:\n  x: &a t{{ replica }}\n  y: *a\n",
    "a filter on something else": "data: {x: {{ text | upper }}-x{{ replica }}}",
    "a second document": f"---\n{HEAD.replace('a-', 'b-')}",
    "in a label": "  labels: {l: l{{ replica }}}\nspec: {template: {metadata: {labels: {}}}}",
    "in a namespace": "  namespace: n{{ replica }}\n",
}
SLOW = {
    "in a key": "data: {k{{ replica }}: x}",
    "an octal number for some": "spec: {x: 0{{ replica }}}",
    "a float for some": "spec: {x: 1.{{ replica }}}",
    "a hexadecimal number": "spec: {x: 0x{{ replica }}}",
    "a number with another": "spec: {x: {{ replica }}{{ replica }}}",
    "an exponent": "spec: {x: 1e{{ replica }}}",
    "negative": "spec: {x: -{{ replica }}}",
    "behind an escape": 'data: {x: "\\x4{{ replica }}"}',
    "the name of an anchor": "data:\n  x: &a{{ replica }} t\n",
    "in a comment": "# number {{ replica }}\n",
    "arithmetic": "spec: {x: {{ replica + 1 }}}",
    "a filter": "data: {x: v{{ '%03d' | format(replica) }}}",
    "a condition": "data: {x: {% if replica == 77 %}a{% else %}b{% endif %}}",
    "a condition of an expression": "data: {x: {{ 'a' if replica > 9 else 'b' }}}",
    "a loop over it": "spec: [{% for i in range(replica % 5) %}{{ i }},{% endfor %}]",
    "a variable made of it": "{% set n = replica %}spec: {x: a{{ n }}}",
    "a macro": "{% macro m() %}{{ replica }}{% endmacro %}data: {x: v{{ m() | length }}}",
    "chance": "data: {x: v{{ ['a', 'b'] | random }}}",
    "chance in a disguise": "data: {x: v{{ [['a', 'b']] | map('random') | first }}}",
    "a list that is used up": "data: {x: v{{ items.pop() }}}",
    "a slash that is tidied for some": "data: {x: 'r:{{ replica }}//x'}",
    "the number that stands for it": f"data: {{x: v{STAND_INS[0]}}}",
}
CHANCE = {"chance", "chance in a disguise", "a list that is used up"}


def compiled(folder: Folder, text: str, head: str = HEAD) -> ObjectFactory:
    (folder.path / "object.yaml").write_text(head + text)
    variables: dict[str, Any] = {
        "text": "words",
        "items": list("xyz" * 40),
        "containerPrefix": "r:5000/",
    }
    return folder.compile(folder.entry(replicas=REPLICAS[-1], **variables))[0][0]


def assert_equal(factory: ObjectFactory) -> None:
    for iteration in (1, 2):
        for replica in REPLICAS:
            expected = factory.render_slowly(iteration, replica)
            assert factory.render(iteration, replica) == expected


@pytest.mark.parametrize("case", QUICK)
def test_a_number_that_is_only_printed_is_put_into_a_compiled_form(
    folder: Folder, case: str
) -> None:
    factory = compiled(folder, QUICK[case])
    assert compile_iteration(factory, 1) is not None
    assert_equal(factory)


@pytest.mark.parametrize("case", SLOW)
def test_what_other_digits_could_change_is_rendered_for_every_replica(
    folder: Folder, case: str
) -> None:
    factory = compiled(folder, SLOW[case])
    assert compile_iteration(factory, 1) is None
    if case not in CHANCE:
        assert_equal(factory)


def test_the_old_tools_variables_are_compiled_too(folder: Folder) -> None:
    factory = compiled(
        folder, "data: {x: '{{.replica}}', y: a{{.replica}}, z: {{.iteration}}}", GO_HEAD
    )
    assert compile_iteration(factory, 1) is not None
    assert_equal(factory)


def test_a_name_that_gets_too_long_is_still_told(folder: Folder) -> None:
    name = "a" * 245
    factory = compiled(folder, "data: {}", HEAD.replace("a-", name))
    assert factory.render(1, 10**8 - 1)[0].name == f"{name}99999999"
    with pytest.raises(TemplateError, match="254 characters"):
        factory.render(1, 10**8)


@pytest.mark.parametrize(
    "name", ["vmi-ephemeral", "vm-ephemeral", "vmirs-ephemeral", "pod", "configmap"]
)
def test_the_packaged_templates_are_compiled(folder: Folder, name: str) -> None:
    variables: dict[str, Any] = {
        "containerImg": "cirros",
        "containerPrefix": "r:5000/x/",
        "vmis": 2,
    }
    entry = folder.entry(f"templates/{name}.yaml", replicas=REPLICAS[-1], **variables)
    factory = folder.compile(entry)[0][0]
    assert compile_iteration(factory, 1) is not None
    assert_equal(factory)


PIECES = st.sampled_from(
    [
        "{{ replica }}", "{{ iteration }}", "{{ replica + 1 }}", "{{ replica * iteration }}",
        "{{ '%05d' | format(replica) }}", "{{ text }}", "{{ replica | string | length }}",
        "{% if replica % 2 %}", "{% if iteration > 1 %}", "{% else %}", "{% endif %}",
        "{% for i in range(2) %}", "{% for i in range(replica % 3) %}", "{% endfor %}",
        "{% set n = replica %}", "{{ n }}", "{{ i }}", "{{ true }}", "-", "0", "1", "7", "00", "x",
        "0x", "0b", "e", "_", ".", ":", ": ", "a", "v-", " ", '"', "'", "\\", "\\x4", "\\u00",
        "|\n    ", ">-\n    ", "\n  y: ", "\n    ", "\n  ? ", "#", " # ", "&", "*", "!!str ",
        "!!int ", "!!float ", "[", "]", "{", "}", ", ", "- ", "~", "null", "true",
        "//", "r:", "5000", "/",
    ]
)  # fmt: skip


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    directory = tmp_path_factory.mktemp("compiled")
    variables = {"text": "some words", "containerPrefix": "r:5000/"}
    entry = {"templateFile": "t.yaml", "replicas": REPLICAS[-1], "inputVars": variables}
    workload = {
        "name": "w", "objects": [entry], "iterationCount": 2, "namespacedIterations": True,
        "iterationCleanup": True, "iterationDeletionWait": True,
    }  # fmt: skip
    path = directory / "w.yaml"
    path.write_text(json.dumps({"workloads": [workload]}))
    return load_config(path)


@settings(max_examples=600, suppress_health_check=list(HealthCheck))
@given(pieces=st.lists(PIECES, min_size=1, max_size=8), in_go=st.booleans())
@example(pieces=["0", "{{ replica }}"], in_go=False)
@example(pieces=['"', "\\x4", "{{ replica }}", '"'], in_go=True)
@example(pieces=["r:", "{{ replica }}", "//"], in_go=True)
def test_any_template_gives_the_same_either_way(
    config: Config, pieces: list[str], in_go: bool
) -> None:
    text = f"{HEAD}data:\n  x: {''.join(pieces)}\n"
    if in_go:
        text = text.replace("{{ replica }}", "{{.replica}}").replace(
            "{{ iteration }}", "{{.iteration}}"
        )
    (config.source.directory / "t.yaml").write_text(text, encoding="utf-8")
    try:
        [[factory]] = compile_templates(config, run_id="run-1")
    except TemplateError:
        return
    for iteration in (1, 2):
        for replica in REPLICAS:
            quickly, slowly = (
                told(partial(render, iteration, replica))
                for render in (factory.render, factory.render_slowly)
            )
            assert quickly == slowly


def told(render: Callable[[], object]) -> object:
    """What it gives, or what it complains of."""
    try:
        return render()
    except TemplateError as error:
        return error.problems
