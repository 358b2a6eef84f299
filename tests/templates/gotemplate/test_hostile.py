"""A template that would use up time or memory ends with an error that names its line."""

from __future__ import annotations

import pytest

from perfscale.errors import TemplateError
from perfscale.templates.gotemplate import Settings, parse

DOUBLE = '{{ $x := "x" }}' + "{{ $x = print $x $x }}" * 40
HOSTILE = {
    "a loop without an end": "{{ range until 250000 }}{{ range until 250000 }}{{ end }}{{ end }}",
    "a huge range": "{{ range 9223372036854775807 }}{{ end }}",
    "a huge range that prints": "{{ range 9223372036854775807 }}x{{ end }}",
    "a huge list": "{{ until 9223372036854775807 }}",
    "a huge list by steps": "{{ untilStep 0 9223372036854775807 1 }}",
    "a huge sequence": "{{ seq 9223372036854775807 }}",
    "a template that calls itself": (
        '{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" }}'
    ),
    "two that call each other twice": (
        '{{ define "a" }}{{ template "b" }}{{ template "b" }}{{ end }}'
        '{{ define "b" }}{{ template "a" }}{{ template "a" }}{{ end }}{{ template "a" }}'
    ),
    "a tree of templates": "".join(
        f'{{{{ define "t{n}" }}}}{f"{{{{ template `t{n + 1}` }}}}" * 9}{{{{ end }}}}'
        for n in range(40)
    )
    + '{{ define "t40" }}x{{ end }}{{ template "t0" }}',
    "a text of many": '{{ repeat 1000000000 "abc" }}',
    "a text of many texts": '{{ repeat 60000 (repeat 60000 "abc") }}',
    "a text that doubles": DOUBLE,
    "a wide field": '{{ printf "%999999999d" 1 }}',
    "a field as wide as an argument": '{{ printf "%*d" 999999999 1 }}',
    "many digits": '{{ printf "%.999999999f" 1.5 }}',
    "many wide fields of one": '{{ printf (repeat 40000 "%1000[1]d") 1 }}',
    "wide fields of a list": '{{ printf "%1000d" (until 200000) }}',
    "a long layout": '{{ date (repeat 4000000 "2") 0 }}',
    "a long quotation": '{{ repeat 3000000 "\\x01" | quote }}',
    "many wide fields": '{{ range until 100000 }}{{ printf "%1000d%1000d%1000d" 1 2 3 }}{{ end }}',
    "a deep indent": '{{ indent 999999999 "a" }}',
    "many indented lines": '{{ nindent 100000 (repeat 100000 "\\n") }}',
    "a long replacement": '{{ replace "a" (repeat 2000000 "b") (repeat 2000000 "a") }}',
    "a long separator": '{{ join (repeat 2000000 "b") (until 100000) }}',
    "a list that doubles": "{{ $x := list 1 }}" + "{{ $x = concat $x $x }}" * 40,
    "a map that holds itself": '{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ $d | toJson }}',
    "a list of lists": "{{ $x := list }}{{ range until 100000 }}{{ $x = list $x $x }}{{ end }}",
    "unique elements": "{{ uniq (until 200000) }}",
    "a random text": "{{ randAlphaNum 999999999 }}",
    "a long wrap": '{{ wrapWith 1 (repeat 1000000 "x") (repeat 1000000 "y") }}',
    "a large combination": "{{ IndexToCombination nil 5 999999999 5 }}",
    "a large binomial": "{{ Binomial 999999999 5 }}",
    "rounding": "{{ round 1.5 999999999 }}",
    "a deep json": '{{ mustFromJson (repeat 1000000 "[") }}',
    "combinations": "{{ range until 9000 }}{{ IndexToCombination nil 5 1000 500 }}{{ end }}",
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_template_ends_with_its_line(case: str) -> None:
    with pytest.raises(TemplateError) as caught:
        parse(f"a: b\n{HOSTILE[case]}", file="t.yaml").render({})
    assert [(each.file, each.line) for each in caught.value.problems] == [("t.yaml", 2)]


@pytest.mark.parametrize(
    "text",
    [
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
        "{{ if true }}" * 5000 + "{{ end }}" * 5000,
        "{{ range .x }}" * 5000,
        "{{ if true }}{{ else }}" * 5000,
        "{{ if false }}" + "{{ else if false }}" * 5000 + "{{ end }}",
    ],
    ids=["parentheses", "blocks", "loops", "branches", "a chain of branches"],
)
def test_what_is_nested_deeper_than_any_template_is_refused(text: str) -> None:
    with pytest.raises(TemplateError, match="nested deeper than 50 levels"):
        parse(text, file="t.yaml")


def test_a_file_of_more_words_than_any_template_has_is_refused() -> None:
    with pytest.raises(TemplateError, match=r"t.yaml:1: more than 200,000 words"):
        parse("{{.x}}" * 100_000, file="t.yaml")


def test_templates_may_not_be_defined_in_each_other() -> None:
    with pytest.raises(TemplateError, match=r"unexpected \{\{define\}\}"):
        parse('{{ define "a" }}{{ define "b" }}{{ end }}{{ end }}', file="t.yaml")


def test_recursion_that_ends_is_no_harm() -> None:
    text = '{{ define "r" }}{{ if . }}{{ . }},{{ template "r" (sub . 1) }}{{ end }}{{ end }}'
    template = parse(f'{text}{{{{ template "r" 50 }}}}', file="t.yaml")
    assert template.render({}) == "".join(f"{n}," for n in range(50, 0, -1))


def test_ordinary_work_is_within_the_bounds() -> None:
    text = (
        '{{ range until 1000 }}- name: {{ printf "disk-%03d" . }}\n{{ end }}{{ randAlphaNum 2048 }}'
    )
    template = parse(text, file="t.yaml", settings=Settings())
    assert template.render({}).count("\n") == 1000
