"""Which language a template file is in, and the old tool's templates in Go's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfscale.errors import TemplateError
from perfscale.templates.dialects.dialect import parse_template
from perfscale.templates.dialects.jinja import JinjaTemplate
from perfscale.templates.gotemplate.template import GoTemplate


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
    ("text", "expected"),
    [
        ("{{ range .items }}{{ . }},{{ end }}", "3,4,"),
        ("{{ if eq .x 7 }}a{{ else }}b{{ end }}", "a"),
        ("{{ $y := .x }}{{ $y }}", "7"),
        ("{{/* a comment */}}text", "text"),
        ("{{ .map.b }}", "2"),
        ('{{ .x | printf "%03d" }}', "007"),
        ('{{ printf "%d" 5 }}', "5"),
        ("{{ add 1 2 }}", "3"),
        ("{{ len .items }}", "2"),
        ("{{ (index .items 1) }}", "4"),
        ("{{ `text` }}", "text"),
    ],
)
def test_a_file_with_anything_that_only_go_has_is_in_gos_language(text: str, expected: str) -> None:
    assert render(text, x=7, items=[3, 4], map={"b": 2}) == expected


@pytest.mark.parametrize(
    "text",
    ["{{ x }}", "{{ range(3) }}", "{{ x | upper }}", "{{ 'a' ~ x }}", "{% if x %}{% endif %}", "a"],
)
def test_a_file_with_nothing_of_go_is_in_jinja2(text: str) -> None:
    assert isinstance(parse_template("t.yaml", text), JinjaTemplate)


def test_a_file_that_mixes_both_says_where_each_is() -> None:
    (found,) = complaints("a: {{ iteration }}\nb: {{.replica}}\n")
    assert found.startswith("t.yaml:1: `{{ iteration }}` is Jinja2, and `{{.replica}}` on line 2")
    assert "write `{{.iteration}}` here" in found
    assert "`{{ replica }}`" in found


def test_every_place_of_jinja2_in_a_go_file_is_named() -> None:
    found = complaints("{{ if .a }}\n{{ b }}\n{{ c | upper }}\n{{ end }}\n")
    assert [text.split(": ")[0] for text in found] == ["t.yaml:2", "t.yaml:3"]


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


PIECES = st.one_of(
    st.text("ab {}%#$\n.-"),
    st.sampled_from(
        [
            "{{.x}}", "{{- .y -}}", "{{ if .x }}", "{{ else }}", "{{ end }}", "{{ range .y }}",
            "{{ range until 3 }}\n", "{{ . }}", "{{ $n := .x }}", "{{ $n }}", "{{/* c */}}",
            '{{ define "t" }}', '{{ template "t" . }}', "{{ break }}", "{{ add .x 1 | quote }}",
        ]
    ),
)  # fmt: skip


@given(st.lists(PIECES))
def test_lines_fit_the_text_whatever_the_template(parts: list[str]) -> None:
    try:
        source = parse_template("t.yaml", "".join(parts))
        variables = {"x": 1, "y": "two\nlines", "a": 1, "b": 2}
        text = source.render(variables)
    except TemplateError:
        return
    lines = source.lines(variables)
    assert len(lines) == text.count("\n") + 1
    assert all(1 <= line <= "".join(parts).count("\n") + 1 for line in lines)
