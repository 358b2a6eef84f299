"""Jinja2 as a template may use it: strict, sandboxed, YAML's spelling."""

from __future__ import annotations

import pytest

from perfscale.errors import TemplateError
from perfscale.templates.dialects.dialect import parse_template
from perfscale.templates.dialects.jinja import JinjaTemplate


def render(text: str, **variables: object) -> str:
    source = parse_template("t.yaml", text)
    assert isinstance(source, JinjaTemplate)
    return source.render(variables)


def complaint(text: str, **variables: object) -> str:
    with pytest.raises(TemplateError) as caught:
        render(text, **variables)
    (problem,) = caught.value.problems
    return str(problem)


@pytest.mark.parametrize(
    ("expression", "printed"),
    [
        ("on", "true"),
        ("not on", "false"),
        ("nothing", "null"),
        ("items", '["a",1,true,null]'),
        ("{'a': on}", '{"a":true}'),
        ("1.20", "1.2"),
        ("'%03d' | format(7)", "007"),
        ("on ~ ''", "True"),
        ("range(3) | list", "[0,1,2]"),
    ],
)
def test_values_are_printed_as_yaml_writes_them(expression: str, printed: str) -> None:
    text = f"{{{{ {expression} }}}}"
    assert render(text, on=True, nothing=None, items=["a", 1, True, None]) == printed


def test_the_last_newline_stays() -> None:
    assert render("a: {{ x }}\n", x=1) == "a: 1\n"


@pytest.mark.parametrize("name", ["lipsum", "cycler", "joiner", "namespace", "dict"])
def test_globals_of_jinja_hide_no_forgotten_variable(name: str) -> None:
    assert f"'{name}' is undefined" in complaint(f"a: 1\nb: {{{{ {name} }}}}\n")
    assert [
        reference.name for reference in parse_template("t", f"{{{{ {name} }}}}").references
    ] == [name]


def test_names_are_known_with_their_first_line() -> None:
    source = parse_template(
        "t.yaml",
        "a: {{ x }}\n{% for i in items %}{{ i }}{{ loop.index }}{{ x }}{% endfor %}\n"
        "{% set own = 1 %}{{ own }}{{ late.field }}\n",
    )
    assert [(found.name, found.line) for found in source.references] == [
        ("x", 1),
        ("items", 2),
        ("late", 3),
    ]


def test_a_name_with_a_default_need_not_be_defined() -> None:
    text = "{{ a | default(1) }}{{ b | d('x') }}{% if c is defined %}{{ c }}{% endif %}"
    assert parse_template("t.yaml", text).references == []
    assert render(text) == "1x"


@pytest.mark.parametrize("script", ["n=${#array[@]}", "n=${#a}; # }\n m=${b} #}"])
def test_a_shell_array_is_no_comment_and_the_error_says_what_to_do(script: str) -> None:
    found = complaint(f"a: |\n  {script}\n")
    assert found.startswith("t.yaml:2: `${#` of a shell script begins a comment of Jinja2")
    assert "{% raw %}" in found


def test_the_advice_for_shell_scripts_works() -> None:
    assert render("{% raw %}${#a[@]}{% endraw %}") == "${#a[@]}"
    assert render("${{ '{#' }}a[@]}") == "${#a[@]}"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a\n{# open\n", 2, "no `#}` ends it"),
        ("a\n{% include 'x.yaml' %}\n", 2, "`{% include %}` needs another file"),
        ("a\n{% import 'x' as x %}\n", 2, "`{% import %}` needs another file"),
        ("{% from 'x' import y %}\n", 1, "needs another file"),
        ("{% extends 'x' %}\n", 1, "`{% extends %}` needs another file"),
        ("a\n{{ x | upcase }}\n", 2, "No filter named 'upcase'"),
        ("a\n{{ x | uper }}\n", 2, "did you mean `upper`"),
        ("a\nb\n{{ x +* }}\n", 3, "not Jinja2"),
        ("a\n{% for i in range(2) %}\n{{ i }}\n", 3, "not Jinja2"),
        ("a\n{{ 1 // 0 }}\n", 2, "division"),
        ("a\n{{ x + 'text' }}\n", 2, "unsupported operand"),
        ("a\n{{ x.missing }}\n", 2, "no attribute 'missing'"),
        ("{{ ''.__class__.__mro__ }}", 1, "unsafe"),
        ("{{ 9 ** 99999999 }}", 1, "exponent"),
        ("{{ 'x' * 99999999 }}", 1, "repeating"),
        ("{{ [1] * 99999999 }}", 1, "repeating"),
        ("{% for i in range(999999) %}{% endfor %}", 1, "Range too big"),
        ("{% macro m() %}{{ m() }}{% endmacro %}\n{{ m() }}", 1, "recursion"),
    ],
)
def test_what_goes_wrong_has_its_line(text: str, line: int, says: str) -> None:
    found = complaint(text, x=1)
    assert found.startswith(f"t.yaml:{line}: ")
    assert says in found


def test_rendered_lines_lead_back_to_the_template() -> None:
    source = parse_template(
        "t.yaml",
        "{% set x = 1 %}\na: {{ text }}\n"
        "{% for i in range(2) -%}\n  {{ i }}: b\n{% endfor %}\nend\n",
    )
    variables = {"text": "one\ntwo"}
    assert source.render(variables) == "\na: one\ntwo\n0: b\n1: b\n\nend\n"
    assert source.lines(variables) == [1, 2, 2, 4, 4, 5, 6, 6]


def test_a_template_that_looks_at_its_own_text_still_has_lines() -> None:
    source = parse_template(
        "t.yaml", "{% set a %}x\n{% endset %}\n{% if a | length == 2 %}\nb\n{% endif %}\n"
    )
    assert len(source.lines({})) == source.render({}).count("\n") + 1
