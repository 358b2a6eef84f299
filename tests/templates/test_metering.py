"""What a template may not do: use all memory, or all time. Each of these did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perfscale.errors import TemplateError
from perfscale.templates.dialects.dialect import parse_template
from perfscale.templates.outline import duplicates

if TYPE_CHECKING:
    from template_folder import Folder

DOUBLED = "{% set a = 'x' * 1000 %}" + "{% set a = a ~ a %}" * 40
NESTED = "{% set a = [1] %}" + "{% set a = [a, a] %}" * 40 + "{{ a }}"
BUFFERED = "{% set a %}xxxx{% endset %}" + "{% set a %}{{ a }}{{ a }}{% endset %}" * 40
MANY = "range(100000)"
BOMBS = [
    "{{ '%1000000000d' % 1 }}",
    "{{ '%*d' % (10 ** 9, 1) }}",
    "{{ '%1000000000d' | format(1) }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ '{:{}}'.format(1, 10 ** 9) }}",
    "{{ '{a:{b}}'.format_map({'a': 1, 'b': 10 ** 9}) }}",
    "{{ 'a'.ljust(10 ** 9) }}",
    "{{ 'a'.rjust(10 ** 9) }}",
    "{{ 'a'.center(10 ** 9) }}",
    "{{ 'a' | center(10 ** 9) }}",
    "{{ ['a'] | map('center', 10 ** 9) | list }}",
    "{{ '1'.zfill(10 ** 9) }}",
    "{{ '\t'.expandtabs(10 ** 9) }}",
    "{{ ('a\n' * 100000) | indent(10 ** 6) }}",
    "{% filter indent(10 ** 9) %}a\nb{% endfilter %}",
    "{{ ('a' * 100000) | replace('a', 'b' * 100000) }}",
    "{{ ('a' * 100000).replace('', 'b' * 100000) }}",
    "{{ 'a b' | wordwrap(1, wrapstring='x' * 100000) }}",
    "{{ ('<!--' * 100000) | striptags }}",
    "{{ ('(' * 300000) | urlize }}",
    "{{ ('a' * 1000).translate({97: 'x' * 1000000}) }}",
    "{{ ('é' * 1000000).encode('punycode') }}",
    "{{ (1).to_bytes(10 ** 9, 'big') }}",
    "{{ 1 | round(10 ** 9, 'ceil') }}",
    "{{ [1] | batch(10 ** 9, 0) | list }}",
    "{{ [1] | slice(10 ** 9) | list }}",
    "{{ range(1000) | join('x' * 1000000) }}",
    "{{ ('x' * 1000000).join(range(1000) | map('string')) }}",
    "{{ ([['a'] * 1000] * 200) | sum(start=[]) | length }}",
    "{{ {'a': [1, 2]} | tojson(indent=10 ** 9) }}",
    "{{ 2 ** (10 ** 9) }}",
    "{{ ((2 ** 64) ** 64) ** 64 }}",
    f"{{% for a in {MANY} %}}{{% for b in {MANY} %}}{{% endfor %}}{{% endfor %}}",
    f"{{% for a in {MANY} %}}{{% for b in {MANY} if false %}}{{% endfor %}}{{% endfor %}}",
    f"{{% for a in {MANY} %}}{{{{ 'x' * 100000 }}}}{{% endfor %}}",
    f"{{% for a in {MANY} %}}{'x' * 100_000}{{% endfor %}}",
    "{% for a in [1] recursive %}{{ loop([1, 1]) if loop.depth < 40 }}{% endfor %}",
    "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(40) }}",
    "{% block a %}{{ self.a() }}{{ self.a() }}{% endblock %}",
    f"{{% set a = [1] %}}{{% for i in {MANY} %}}{{% set _ = a.extend(a) %}}{{% endfor %}}",
    "{% set a = [1] %}{% set _ = a.append(a) %}{{ a }}",
    "{% set a = 'x' * 1000000 %}{% for i in range(1000) %}{{ a[1:] == a }}{% endfor %}",
    "{{ ('f' * 1000000) | int(base=16) % 7 }}",
    "{{ (1).from_bytes(('f' * 1000000).encode(), 'big') % 7 }}",
    "{{ (('<!--' * 100000) | safe).striptags() }}",
    "{{ (['x'] * 100000) | map(attribute='0.' * 100000 ~ '0') | list | length }}",
    "{{ (['x'] * 100000) | sum(attribute='0.' * 100000 ~ '0', start='') | length }}",
    "{% set a = [1] %}{% for x in a %}{% set _ = a.append(x) %}{% endfor %}",
    "{{ ('%1000000000d'.encode()) % 1 }}",
    "{{ '{:>{}}'.format(1, '1000000000') }}",
    DOUBLED,
    NESTED,
    BUFFERED,
]


@pytest.mark.parametrize("bomb", BOMBS, ids=[bomb[:60] for bomb in BOMBS])
def test_a_bomb_is_refused_where_it_stands(bomb: str) -> None:
    source = parse_template("t.yaml", f"kind: ConfigMap\nname: {bomb}\n")
    with pytest.raises(TemplateError) as caught:
        source.render({})
    (problem,) = caught.value.problems
    assert problem.file == "t.yaml"
    assert problem.line in (2, 3)  # the line of a text with a newline in it is its last


def test_nothing_is_computed_while_a_template_is_read() -> None:
    parse_template("t.yaml", "{% if x %}{{ 'a' | center(10 ** 9) }}{{ 2 ** 10 ** 9 }}{% endif %}")


def test_a_bomb_of_one_replica_is_refused_when_its_turn_comes() -> None:
    text = "{% if replica == 5 %}{{ 'a'.ljust(10 ** 9) }}{% endif %}"
    source = parse_template("t.yaml", text)
    assert source.render({"replica": 4}) == ""
    with pytest.raises(TemplateError, match="too much work"):
        source.render({"replica": 5})


def test_variables_may_be_bombs_as_well() -> None:
    source = parse_template("t.yaml", "{{ text * count }}")
    with pytest.raises(TemplateError, match="larger than any manifest"):
        source.render({"text": "x" * 1000, "count": 10**9})


def test_variables_of_go_may_not_be_repeated_without_end() -> None:
    source = parse_template("t.yaml", "{{.x}}\n" * 1000)
    with pytest.raises(TemplateError, match=r"t.yaml:40\d: it renders to more than 4,000,000"):
        source.render({"x": "x" * 10_000})


@pytest.mark.parametrize(
    ("expression", "printed"),
    [
        ("'%03d' | format(7)", "007"),
        ("'%s-%s' % ('a', 5)", "a-5"),
        ("'{{0[a]}} {b:>6}'.format({'a': 1}, b=5000)", "{0[a]}   5000"),
        ("'{0[a]}'.format({'a': 1})", "1"),
        ("'a\nb' | indent(2)", "a\n  b"),
        ("'a b c' | replace(' ', '-')", "a-b-c"),
        ("'a b c'.replace(' ', '-')", "a-b-c"),
        ("[1, 2, 3] | map('string') | join('-')", "1-2-3"),
        ("range(3) | map('string')", '["0","1","2"]'),
        ("[1, 2, 3] | select('odd') | list", "[1,3]"),
        ("[3, 1] | sort", "[1,3]"),
        ("'a-b'.split('-')[1:]", '["b"]'),
        ("7 // 2 ~ 'a' ~ 1.5", "3a1.5"),
        ("2 ** 10 + 3 * 4 - 1", "1035"),
        ("1 < 2 <= 2 and 'a' in 'abc'", "true"),
        ("(1, 2)", "[1,2]"),
        ("{'a': 1}['a']", "1"),
        ("missing | default('x')", "x"),
        ("missing is defined", "false"),
        ("'x'.ljust(3) ~ 'y'", "x  y"),
        ("('a' * 3).upper()", "AAA"),
    ],
)
def test_what_templates_do_is_what_it_was(expression: str, printed: str) -> None:
    assert parse_template("t.yaml", f"{{{{ {expression} }}}}").render({}) == printed


def test_loops_macros_and_blocks_are_what_they_were() -> None:
    text = (
        "{% macro m(n) %}<{{ n }}{{ caller() }}>{% endmacro %}"
        "{% for i in [3, 1, 2] | sort if i != 2 %}"
        "{% call m(i) %}{{ loop.index }}/{{ loop.length }}{% endcall %}"
        "{% else %}none{% endfor %}"
        "{% block b %}{% set x %}{{ 1 }}{% endset %}{{ x }}{% endblock %}"
    )
    assert parse_template("t.yaml", text).render({}) == "<11/2><32/2>1"


def test_a_large_template_of_the_usual_kind_is_no_bomb() -> None:
    text = (
        "{% for i in range(2000) %}\n  key-{{ '%05d' | format(i) }}: {{ 'x' * 100 }}\n{% endfor %}"
    )
    assert len(parse_template("t.yaml", text).render({})) > 200_000


def test_where_every_rendering_is_much_work_only_the_ends_are_looked_at(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.template(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n"
        "  name: {% for i in range(100) %}{% endfor %}"
        "{{ 'Bad' if replica == 50 else 'a' }}-{{ replica }}\n"
    )
    (problem,) = folder.problems(folder.entry(replicas=100))
    assert "Bad-50" in problem.message
    monkeypatch.setattr(duplicates, "MOST_WORK", 30_000)
    ((factory,),) = folder.compile(folder.entry(replicas=100))
    with pytest.raises(TemplateError, match="Bad-50"):
        factory.render(1, 50)
