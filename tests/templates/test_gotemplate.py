"""The old tool's syntax: plain variables, and nothing else of Go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfscale.errors import TemplateError
from perfscale.templates.dialects.dialect import parse_template
from perfscale.templates.dialects.gotemplate import GoTemplate, go_format


def render(text: str, **variables: object) -> str:
    source = parse_template("t.yaml", text)
    assert isinstance(source, GoTemplate)
    return source.render(variables)


def complaints(text: str) -> list[str]:
    with pytest.raises(TemplateError) as caught:
        parse_template("t.yaml", text)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("action", ["{{.x}}", "{{ .x }}", "{{  .x  }}", "{{\n.x\n}}", "{{\t.x}}"])
def test_a_variable_may_have_spaces_around_it(action: str) -> None:
    assert render(f"a: {action};", x=7) == "a: 7;"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: \n {{- .x }} b", "a:7 b"),
        ("a: {{ .x -}} \n\t b", "a: 7b"),
        ("a {{- .x -}} b", "a7b"),
        ("{{ .x -}}  {{- .x }}", "77"),
        ("a\u00a0{{- .x }}", "a\u00a07"),
    ],
)
def test_a_trim_marker_takes_the_white_space_beside_it(text: str, expected: str) -> None:
    assert render(text, x=7) == expected


def test_everything_else_is_literal_text() -> None:
    script = "${#array[@]} {% if %} {# no comment #} $(( 1 + 1 )) }} & <b> 'q'"
    assert render("{{.x}} " + script, x=1) == "1 " + script


def test_a_value_is_put_in_as_it_is() -> None:
    assert render("{{.x}}", x='<a href="b">&') == '<a href="b">&'


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (True, "true"),
        (False, "false"),
        (3, "3"),
        (10**7, "10000000"),
        (1.5, "1.5"),
        (2.0, "2"),
        (0.0, "0"),
        (-0.25, "-0.25"),
        (100000.0, "100000"),
        (1000000.0, "1e+06"),
        (1234567.5, "1.2345675e+06"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (1e100, "1e+100"),
        (float("inf"), "+Inf"),
        (float("-inf"), "-Inf"),
        (float("nan"), "NaN"),
        (None, ""),
        (["a", 1, True], "[a 1 true]"),
        ({"b": 2, "a": [1.0]}, "map[a:[1] b:2]"),
        ("text", "text"),
    ],
)
def test_values_look_as_go_prints_them(value: object, printed: str) -> None:
    assert go_format(value) == printed


@pytest.mark.parametrize(
    ("action", "named", "jinja"),
    [
        ("{{ range .items }}", "Go's `range`", "{% for item in items %}"),
        ("{{range $i, $x := .items}}", "Go's `range`", "{% for item in items %}"),
        ("{{ if .on }}", "Go's `if`", "{% if variable %}"),
        ("{{- if eq .a .b -}}", "Go's `if`", "{% if variable %}"),
        ("{{ else }}", "Go's `else`", "{% else %}"),
        ("{{ end }}", "Go's `end`", "{% endif %} or {% endfor %}"),
        ("{{ with .x }}", "Go's `with`", "{% with"),
        ('{{ define "x" }}', "Go's `define`", "{% macro"),
        ('{{ template "x" . }}', "Go's `template`", "{% macro"),
        ('{{ block "x" . }}', "Go's `block`", "one file"),
        ("{{ $x := .a }}", "a Go variable", "{% set x"),
        ("{{ $x }}", "a Go variable", "{% set x"),
        ("{{/* a comment */}}", "a Go comment", "{# ... #}"),
        ("{{- /* with }} in it */ -}}", "a Go comment", "{# ... #}"),
        ("{{ .a.b }}", "a nested field", "{{ outer.inner }}"),
        ('{{ .x | printf "%d" }}', "a Go pipeline", "| filter"),
        ('{{ printf "%03d" .replica }}', "Go's function `printf`", "format(replica)"),
        ("{{ add .replica 1 }}", "Go's function `add`", "{{ replica + 1 }}"),
        ("{{ len .items }}", "Go's function `len`", "| length"),
        ("{{ lookup .a .b }}", "Go's function `lookup`", "filter"),
        ("{{ . }}", "Go's dot", "{{ variable }}"),
        ("{{-.x}}", "a trim marker", "{{- variable -}}"),
        ("{{.x-}}", "a trim marker", "{{ variable -}}"),
        ("{{ }}", "an empty action", "{{ variable }}"),
        ("{{ (index .a 1) }}", "a Go expression", "{{"),
        ("{{ `text` }}", "a Go text constant", "'text'"),
    ],
)
@pytest.mark.parametrize("beside", ["{{.replica}}", "plain"])
def test_more_of_go_is_refused_by_name_with_the_jinja_way(
    action: str, named: str, jinja: str, beside: str
) -> None:
    if beside == "plain" and action in ("{{ else }}", "{{ end }}", "{{ . }}"):
        beside = "{{ if .x }}"
    found = complaints(f"a: {beside}\nb:\n  c: {action}\n")
    (about,) = [text for text in found if text.startswith("t.yaml:3: ")]
    assert named in about
    assert jinja in about


def test_every_foreign_construct_of_a_file_is_told_at_once() -> None:
    found = complaints("{{.a}}\n{{ range .b }}\n{{ .c.d }}\n{{ end }}\n{{ x }}\n")
    assert [text.split(": ")[0] for text in found] == [f"t.yaml:{n}" for n in (2, 3, 4, 5)]


def test_a_file_that_mixes_both_says_where_each_is() -> None:
    (found,) = complaints("a: {{ iteration }}\nb: {{.replica}}\n")
    assert found.startswith("t.yaml:1: `{{ iteration }}` is Jinja2, and `{{.replica}}` on line 2")
    assert "write `{{.iteration}}` here" in found
    assert "`{{ replica }}`" in found


def test_an_action_that_is_never_closed_is_an_error_with_its_line() -> None:
    assert complaints("a: {{.x}}\nb: {{ .y\n") == ["t.yaml:2: `{{` is never closed with `}}`"]


def test_go_inside_a_raw_block_of_jinja_stays_jinja() -> None:
    source = parse_template("t.yaml", "{{ x }}{% raw %}{{.Values.y}}{{ .y }}{% endraw %}")
    assert source.render({"x": 1}) == "1{{.Values.y}}{{ .y }}"


def test_rendered_lines_lead_back_to_the_template() -> None:
    source = parse_template("t.yaml", "a: 1\nb: {{.x}}\n\n{{- .y }}\nc: {{ .x -}}\n\nd\n")
    variables = {"x": "one\ntwo", "y": 5}
    text = source.render(variables)
    assert text.split("\n") == ["a: 1", "b: one", "two5", "c: one", "twod", ""]
    assert source.lines(variables) == [1, 2, 2, 5, 5, 8]


@given(st.lists(st.one_of(st.text("ab {}%#$\n.-"), st.sampled_from(["{{.x}}", "{{- .y -}}"]))))
def test_lines_fit_the_text_whatever_the_template(parts: list[str]) -> None:
    try:
        source = parse_template("t.yaml", "".join(parts))
    except TemplateError:
        return
    variables = {"x": 1, "y": "two\nlines", "a": 1, "b": 2}
    try:
        text = source.render(variables)
    except TemplateError:
        return
    lines = source.lines(variables)
    assert len(lines) == text.count("\n") + 1
    assert all(1 <= line <= "".join(parts).count("\n") + 1 for line in lines)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_printed_float_is_the_same_number(value: float) -> None:
    assert float(go_format(value)) == value
