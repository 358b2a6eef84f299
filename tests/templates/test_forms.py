"""Objects of a template in Go's language are put together from one form for all iterations."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from template_folder import Folder

from perfscale.config import load_config
from perfscale.errors import TemplateError
from perfscale.templates import compile_templates
from perfscale.templates.compiled.forms import compile_entry
from perfscale.templates.gotemplate.template import GoTemplate

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.config import Config
    from perfscale.templates import ObjectFactory

HEAD = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n"
    "  name: a-{{ .iteration }}-{{ .replica }}\n  namespace: n{{ .replica }}\n"
)
ITERATIONS = (1, 2, 9, 10, 100, 101, 5000, 99_999)
REPLICAS = (1, 2, 3)

FORMED = {
    "printed numbers": "data: {a: 'x{{ .iteration }}', b: y-{{ .replica }}}",
    "a sum": "spec: {n: {{ add .iteration .replica }}}",
    "a quotient": "spec: {n: {{ div .iteration 3 }}, m: {{ mod .iteration 3 }}}",
    "a variable": "{{ $n := mul .replica 7 }}spec: {n: {{ $n }}, m: {{ add $n 1 }}}",
    "a variable that is set again": (
        "{{ $n := .replica }}{{ $n = add $n 1 }}{{ $m := $n }}{{ $n = 3 }}"
        "spec: {n: [{{ $n }},{{ $m }}]}"
    ),
    "a format in quotes": 'data: {x: "{{ printf "%03d" .replica }}"}',
    "a format behind a word": 'data: {x: image-{{ printf "%03d" .replica }}}',
    "a word in a block": "data:\n  x: |\n    echo {{ .iteration | toString | sha1sum }}\n",
    "chance in quotes": "data: {x: '{{ randAlphaNum 30 }}'}",
    "chance behind a word": "data: {x: word-{{ randAlpha 5 }}}",
    "chance in a label": "  labels: {x: l-{{ randAlpha 3 }}}\ndata: {x: 'word-{{ randAlpha 5 }}'}",
    "chance in an annotation": (
        "  annotations: {x: a-{{ randAlpha 3 }}}\ndata: {x: 'word-{{ randAlpha 5 }}'}"
    ),
    "a bare word": '{{ $w := printf "node%d" .replica }}data: {x: {{ $w }}, y: {{ $w }}-b}',
    "a loop": "spec: [{{ range $i := until 3 }}{{ mul $i $.replica }},{{ end }}]",
    "a loop that stops": (
        "spec: [{{ range $i := until 9 }}{{ if eq $i 3 }}{{ break }}{{ end }}"
        "{{ if eq $i 1 }}{{ continue }}{{ end }}{{ add $i $.replica }},{{ end }}]"
    ),
    "another template": '{{ define "t" }}{{ .replica }}{{ end }}data: {x: "{{ template "t" . }}"}',
    "a condition on something else": (
        "{{ if .text }}data: {x: 'r{{ .replica }}'}{{ else }}data: {}{{ end }}"
    ),
    "a context": "data: {{ with .map }}{x: '{{ .k }}-{{ $.replica }}'}{{ end }}",
    "a choice": 'data: {x: \'{{ ternary "odd" "even" (eq (mod .replica 2) 1) }}\'}',
    "a second document": f"---\n{HEAD.replace('a-', 'b-')}data: {{x: '{{{{ add1 .replica }}}}'}}",
}
RENDERED = {
    "a condition": "{{ if eq .replica 2 }}data: {a: b}{{ else }}data: {}{{ end }}",
    "a loop over it": "spec: [{{ range until .replica }}{{ . }},{{ end }}]",
    "an argument of a template": (
        '{{ define "t" }}{{ . }}{{ end }}data: {x: "{{ template "t" .replica }}"}'
    ),
    "a word with others around it": "data: {x: tr{{ toString .replica }}}",
    "two bare words": '{{ $w := printf "a%d" .replica }}data: {x: {{ $w }}{{ add1 .replica }}}',
    "bare digits that may be octal": 'spec: {x: {{ printf "%03d" .replica }}}',
    "part of a number": "spec: {x: 1{{ .iteration }}}",
    "a negative number": "spec: {x: {{ sub 0 .replica }}}",
    "a float": "spec: {x: {{ divf .replica 2 }}}",
    "a list": "spec: {x: {{ list .replica | toJson }}}",
    "in a key": "data: {k{{ add1 .replica }}: x}",
    "a map that is changed": '{{ $_ := set .map "k" .replica }}data: {x: "{{ .map.k }}"}',
    "behind an escape": 'data: {x: "\\x4{{ add1 .replica }}"}',
}


def entry(folder: Folder, text: str, head: str = HEAD, replicas: int = 3) -> ObjectFactory:
    folder.template(head + text)
    variables: dict[str, Any] = {"text": "words", "map": {"k": "v"}}
    return folder.compile(
        folder.entry(replicas=replicas, **variables),
        iterationCount=100_000,
        namespacedIterations=True,
    )[0][0]


def assert_equal(factory: ObjectFactory) -> None:
    for iteration in ITERATIONS:
        for replica in REPLICAS:
            expected = factory.render_slowly(iteration, replica)
            assert factory.render(iteration, replica) == expected


@pytest.mark.parametrize("case", FORMED)
def test_what_numbers_and_chance_change_is_put_into_one_form(folder: Folder, case: str) -> None:
    factory = entry(folder, FORMED[case])
    form = compile_entry(factory)
    assert form is not None
    if "chance" not in case:
        assert_equal(factory)
        return
    one, other = (form.fill(factory, 1, 1) for _ in range(2))
    assert one is not None
    assert other is not None
    assert one[0].body != other[0].body
    assert len(json.loads(one[0].body)["data"]["x"]) in {30, 10}


@pytest.mark.parametrize("case", RENDERED)
def test_what_cannot_be_put_into_a_form_is_rendered(folder: Folder, case: str) -> None:
    factory = entry(folder, RENDERED[case])
    assert compile_entry(factory) is None
    assert_equal(factory)


def test_what_stops_to_fit_is_rendered(folder: Folder) -> None:
    # a negative number from the fourth iteration on, and a word that is none
    factory = entry(folder, "spec: {n: {{ sub 3 .iteration }}}")
    assert compile_entry(factory) is not None
    assert_equal(factory)
    text = 'data: {x: \'v{{ ternary "a" "b c" (lt .iteration 3) }}\'}'
    factory = entry(folder, text)
    assert compile_entry(factory) is not None
    assert_equal(factory)
    # a bare word that is another value for some
    for word in ("true", "No", "1e5", "12", "null"):
        chosen = f'{{{{ ternary "abc" "{word}" (lt .iteration 3) }}}}'
        factory = entry(folder, f"spec: {{x: {chosen}}}")
        assert compile_entry(factory) is not None
        assert_equal(factory)


def test_an_iteration_with_many_replicas_has_a_form_of_its_own(folder: Folder) -> None:
    # the namespace changes with the iteration, and is no number
    head = HEAD.replace("n{{ .replica }}", "{{ .namespace }}")
    factory = entry(folder, "data: {x: 'x{{ add .replica 1 }}'}", head, replicas=100)
    assert compile_entry(factory) is None
    assert compile_entry(factory, 7) is not None
    assert_equal(factory)


def test_a_name_by_chance_is_checked_each_time(folder: Folder) -> None:
    head = HEAD.replace("{{ .iteration }}", '{{ printf "%02d" .iteration }}')
    factory = entry(folder, "data: {}", head)
    assert compile_entry(factory) is None
    assert_equal(factory)


def test_a_label_that_gets_too_long_is_still_an_error(folder: Folder) -> None:
    label = '{{ repeat (int (mod .iteration 60)) "a" }}'
    factory = entry(folder, f"  labels: {{x: word-{label}}}")
    assert compile_entry(factory) is not None
    assert len(json.loads(factory.render(58, 1)[0].body)["metadata"]["labels"]["x"]) == 63
    with pytest.raises(TemplateError, match="is not accepted"):
        factory.render(59, 1)


def test_no_template_is_rendered_for_a_create(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    factory = entry(folder, 'data: {x: "{{ randAlphaNum 20 }}", y: "{{ add .replica 1 }}"}')
    factory.render(1, 1)

    def fail(*_: object) -> str:
        raise AssertionError("rendered")

    monkeypatch.setattr(GoTemplate, "render", fail)
    bodies = [json.loads(factory.render(n, r)[0].body) for n in ITERATIONS for r in REPLICAS]
    assert len({body["data"]["x"] for body in bodies}) == len(bodies)
    assert [body["metadata"]["name"] for body in bodies] == [
        f"a-{n}-{r}" for n in ITERATIONS for r in REPLICAS
    ]
    assert all(re.fullmatch("[A-Za-z0-9]{20}", body["data"]["x"]) for body in bodies)
    assert [body["metadata"]["labels"]["perfscale/iteration"] for body in bodies] == [
        str(n) for n in ITERATIONS for _ in REPLICAS
    ]


PIECES = st.sampled_from(
    [
        "{{ .replica }}", "{{ .iteration }}", "{{ add .replica 1 }}",
        "{{ mul .replica .iteration }}", "{{ $n := .replica }}",
        '{{ printf "%05d" .replica }}', "{{ .text }}", "{{ .replica | toString | len }}",
        "{{ if eq .replica 2 }}", "{{ if gt .iteration 5 }}", "{{ if .text }}", "{{ else }}",
        "{{ end }}", "{{ range $i := until 2 }}", "{{ range until .replica }}",
        "{{ $n }}", "{{ $i }}", "{{ $.replica }}", "{{ .namespace }}", "{{ sub .replica 2 }}",
        '{{ template "t" . }}', '{{ template "t" .replica }}', "{{ .text | quote }}",
        "{{ ternary `true` `1e5` (eq .replica 2) }}", "{{ . }}", "{{ divf .replica 2 }}",
        "-", "0", "1", "00", "x", "0x", "e", "_", ".", ":", ": ", "a", "v-", "r:5000/", "/", " ",
        '"', "'", "\\", "\\x4", "|\n    ", ">-\n    ", "\n  y: ", "\n    ", "#", " # ", "&", "*",
        "!!str ", "[", "]", "{", "}", ", ", "- ", "~", "null", "true",
    ]
)  # fmt: skip


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    directory = tmp_path_factory.mktemp("forms")
    variables = {"text": "some words", "containerPrefix": "r:5000/"}
    objects = {"templateFile": "t.yaml", "replicas": 3, "inputVars": variables}
    workload = {
        "name": "w", "objects": [objects], "iterationCount": 100_000, "namespacedIterations": True,
        "iterationCleanup": True, "iterationDeletionWait": True,
    }  # fmt: skip
    path = directory / "w.yaml"
    path.write_text(json.dumps({"workloads": [workload]}))
    return load_config(path)


@settings(max_examples=600, suppress_health_check=list(HealthCheck), deadline=None)
@given(pieces=st.lists(PIECES, min_size=1, max_size=8))
@example(pieces=["r:5000/", "/", "{{ printf `%05d` .replica }}"])
@example(pieces=["{{ ternary `true` `1e5` (eq .replica 2) }}"])
@example(pieces=["a", "-", "{{ ternary `true` `1e5` (eq .replica 2) }}"])
@example(pieces=['"', "\\x4", "{{ add .replica 1 }}", '"'])
def test_any_template_gives_the_same_either_way(config: Config, pieces: list[str]) -> None:
    text = f'{{{{ define "t" }}}}{{{{ . }}}}{{{{ end }}}}{HEAD}data:\n  x: {"".join(pieces)}\n'
    (config.source.directory / "t.yaml").write_text(text, encoding="utf-8")
    try:
        [[factory]] = compile_templates(config, run_id="run-1")
    except TemplateError:
        return
    for iteration in ITERATIONS:
        for replica in (*REPLICAS, 4, 77):
            quickly, slowly = (
                said(partial(render, iteration, replica))
                for render in (factory.render, factory.render_slowly)
            )
            assert quickly == slowly


def said(render: Callable[[], object]) -> object:
    """What it gives, or what it complains of."""
    try:
        return render()
    except TemplateError as error:
        return error.problems
