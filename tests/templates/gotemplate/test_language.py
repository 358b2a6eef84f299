"""Go's template language: actions, variables, branches, loops and other templates."""

from __future__ import annotations

from typing import Any

import pytest

from perfscale.errors import TemplateError
from perfscale.templates.gotemplate import Settings, parse

DATA: dict[str, Any] = {
    "a": 1,
    "b": "text",
    "empty": "",
    "list": ["x", "y", "z"],
    "map": {"k": "v", "b": {"c": 2}},
    "nothing": None,
    "no": False,
    "yes": True,
}


def render(text: str, settings: Settings | None = None, **variables: Any) -> str:
    template = parse(text, file="t.yaml", settings=settings or Settings())
    return template.render({**DATA, **variables})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{.a}}", "1"),
        ("{{ .map.b.c }}", "2"),
        ("{{ .nothing }}", "<no value>"),
        ("{{ $.a }}{{ $ | len }}", "18"),
        ("a \n {{- .a -}} \n b", "a1b"),
        ("{{/* a comment */}}x{{- /* another */ -}} y", "xy"),
        ("{{ .b | printf `%s-%d` | len }}", "17"),
        ("{{ (.map).b.c }}", "2"),
        ("{{ $x := 1 }}{{ $x = 2 }}{{ $x }}", "2"),
        ("{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ $x }}{{ end }}{{ $x }}", "21"),
        ("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", "2"),
        ("{{ if .empty }}a{{ else if .no }}b{{ else }}c{{ end }}", "c"),
        ("{{ with .map.b }}{{ .c }}{{ $.a }}{{ end }}", "21"),
        ("{{ with .empty }}a{{ else with .b }}{{ . }}{{ else }}c{{ end }}", "text"),
        ("{{ range .list }}{{ . }},{{ end }}", "x,y,z,"),
        ("{{ range $i, $x := .list }}{{ $i }}{{ $x }}{{ end }}", "0x1y2z"),
        ("{{ range $k, $v := .map }}{{ $k }};{{ end }}", "b;k;"),
        ("{{ range $i := 3 }}{{ $i }}{{ end }}", "012"),
        ("{{ range .empty | list | first | default list }}a{{ else }}none{{ end }}", "none"),
        (
            "{{ range until 2 }}{{ range list }}{{ else }}{{ break }}{{ end }}{{ . }}{{ end }}",
            "01",
        ),
        ("{{ range $x := list }}a{{ else }}{{ $x }}{{ end }}", "[]"),
        ("{{ range .nothing }}a{{ else }}none{{ end }}", "none"),
        ("{{ range until 9 }}{{ if eq . 4 }}{{ break }}{{ end }}{{ . }}{{ end }}", "0123"),
        ("{{ range until 4 }}{{ if eq . 1 }}{{ continue }}{{ end }}{{ . }}{{ end }}", "023"),
        ('{{ define "t" }}[{{ . }}]{{ end }}{{ template "t" .a }}', "[1]"),
        ('{{ block "t" .b }}<{{ . }}>{{ end }}', "<text>"),
        ('{{ template "late" . }}{{ define "late" }}{{ .a }}{{ end }}', "1"),
        ('{{ define "t" }}a{{ end }}{{ define "t" }} {{ end }}{{ template "t" }}', "a"),
        ("{{ and .a .empty .b }}|{{ or .empty .b }}", "|text"),
        ("{{ and .no .nothing.x }}{{ or .yes .nothing.x }}", "falsetrue"),
    ],
)
def test_a_construct_gives_what_go_gives(text: str, expected: str) -> None:
    assert render(text) == expected


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a\n{{ .missing }}", 2, 'map has no entry for key "missing"'),
        ("a\n{{ .map.B }}", 2, "did you mean b?"),
        ("a\n\n{{ nosuch 1 }}", 3, 'function "nosuch" not defined'),
        ("{{ $x }}", 1, 'undefined variable "$x"'),
        ("{{ if .a }}{{ $x := 1 }}{{ end }}\n{{ $x }}", 2, 'undefined variable "$x"'),
        ("a\n{{ if .a }}\nb\n", 2, "`{{if}}` has no `{{end}}`"),
        ("{{ end }}", 1, "unexpected {{end}}"),
        ("{{ break }}", 1, "outside {{range}}"),
        ("a\n{{ .a", 2, "never closed"),
        ('{{ template "t" . }}', 1, 'template "t" not defined'),
        ("{{ .a.b }}", 1, "can't evaluate field b in type int"),
        ('{{ define "t" }}a{{ end }}\n{{ define "t" }}b{{ end }}', 2, "multiple definition"),
        ("{{ add1 }}", 1, "wrong number of args for add1: want 1 got 0"),
        ("{{ upper .a }}", 1, "expected string; got int"),
        ("{{ regexMatch `a` .b }}", 1, "`regexMatch` is not supported"),
        ('{{ env "HOME" }}', 1, "reads the environment, which is not allowed"),
        ('{{ ReadFile "x" }}', 1, "reads files, which is not allowed"),
    ],
)
def test_what_goes_wrong_has_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render(text)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == ("t.yaml", line)
    assert says in problem.message


def test_a_missing_key_may_be_nil_instead() -> None:
    assert render("{{ .missing }} {{ default 5 .missing }}", Settings("zero")) == "<no value> 5"


def test_other_files_give_templates() -> None:
    library = parse('{{ define "twice" }}{{ . }}{{ . }}{{ end }}', file="functions.tpl")
    template = parse('{{ template "twice" .a }}', file="t.yaml", defines=[library])
    assert template.render({"a": 3}) == "33"
