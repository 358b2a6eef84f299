"""Functions whose results depend on more than their arguments, and kube-burner's own."""

from __future__ import annotations

import itertools
import math
import os
import re
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from perfscale.errors import TemplateError
from perfscale.templates.gotemplate import Settings, parse
from perfscale.templates.gotemplate.functions.known import FUNCTIONS, OPERATORS, REFUSED

DOCS = Path(__file__).parents[3] / "docs" / "templates.md"
NOON = 1_700_000_000.25


def render(text: str, settings: Settings | None = None, **variables: Any) -> str:
    return parse(text, file="t.yaml", settings=settings or Settings()).render(variables)


def refusal(text: str, settings: Settings | None = None, **variables: Any) -> str:
    with pytest.raises(TemplateError) as caught:
        render(text, settings, **variables)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == ("t.yaml", 1)
    return problem.message


def test_every_function_has_a_known_result_or_a_test_here() -> None:
    tried = Path(__file__).read_text(encoding="utf-8")
    tried += Path(__file__).with_name("known_results.yaml").read_text(encoding="utf-8")
    words = set(re.findall(r"\w+", tried))
    assert [name for name in (*FUNCTIONS, *OPERATORS) if name not in words] == []


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("{{ randAlpha 7 }}", r"[A-Za-z]{7}"),
        ("{{ randAlphaNum 9 }}", r"[A-Za-z0-9]{9}"),
        ("{{ randAscii 9 }}", r"[ -~]{9}"),
        ("{{ randNumeric 5 }}", r"[0-9]{5}"),
        ("{{ randInt 3 6 }}", r"[345]"),
        ('{{ shuffle "abc" }}', r"[abc]{3}"),
        ("{{ uuidv4 }}", r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
    ],
)
def test_random_values_have_their_form_and_are_repeatable(text: str, pattern: str) -> None:
    first, again = (render(text, Settings(random=Random("seed"))) for _ in range(2))
    assert re.fullmatch(pattern, first)
    assert first == again
    template = parse(text, file="t.yaml", settings=Settings(random=Random(1)))
    assert len({template.render({}) for _ in range(40)}) > 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ now }}", "2023-11-14 22:13:20.25 +0000 UTC"),
        ("{{ now.Unix }} {{ (now).Year }}", "1700000000 2023"),
        ('{{ now | date "2006-01-02T15:04:05.000Z07:00" }}', "2023-11-14T22:13:20.250Z"),
        ("{{ now | unixEpoch }}", "1700000000"),
        ('{{ now | dateModify "-90m" | date "15:04" }}', "20:43"),
        ('{{ now | date_modify "24h" | htmlDate }}', "2023-11-15"),
        ('{{ now | dateModify "a day" | htmlDate }}', "2023-11-14"),
        ('{{ now | must_date_modify "1h30m0.5s" | unixEpoch }}', "1700005400"),
        ("{{ ago 1699999900 }}", "1m40s"),
        ('{{ "" | htmlDate }}', "2023-11-14"),
        ("{{ if now }}yes{{ end }} {{ kindOf now }}", "yes struct"),
    ],
)
def test_times_are_those_of_the_clock_in_utc(text: str, expected: str) -> None:
    assert render(text, Settings(clock=lambda: NOON)) == expected


def test_the_environment_is_seen_only_where_it_is_given() -> None:
    given = Settings(environment={"HOME": "/home/x"})
    assert render('{{ env "HOME" }}{{ env "NONE" }}', given) == "/home/x"
    assert render('{{ expandenv "$HOME:${HOME}/a$NONE" }}', given) == "/home/x:/home/x/a"
    for name in ("env", "expandenv"):
        assert f"`{name}` reads the environment, which is not allowed" in refusal(
            f'{{{{ {name} "A" }}}}'
        )


def test_files_are_read_in_their_folder_and_nowhere_else(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "key.pub").write_text("ssh-rsa AAAA\n")
    (tmp_path / "secret").write_text("hidden")
    (folder / "link").symlink_to(tmp_path / "secret")
    settings = Settings(folder=folder)
    assert render('{{ ReadFile "sub/key.pub" | b64enc }}', settings) == "c3NoLXJzYSBBQUFBCg=="
    for outside in ("../secret", str(tmp_path / "secret"), "link", "/etc/hostname"):
        message = refusal("{{ ReadFile .path }}", settings, path=outside)
        assert "only files in it are read" in message
        assert "hidden" not in message
    assert "cannot be read: No such file" in refusal('{{ ReadFile "none" }}', settings)
    assert "cannot be read" in refusal('{{ ReadFile "sub" }}', settings)


def test_a_file_that_is_no_text_of_a_manifest_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 1_000_001)
    (tmp_path / "binary").write_bytes(b"\xff\x00")
    settings = Settings(folder=tmp_path)
    assert "larger than 1,000,000 bytes" in refusal('{{ ReadFile "large" }}', settings)
    assert "not UTF-8" in refusal('{{ ReadFile "binary" }}', settings)
    os.mkfifo(tmp_path / "pipe")
    assert "it is a pipe" in refusal('{{ ReadFile "pipe" }}', settings)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ Binomial 5 2 }} {{ Binomial 5 0 }} {{ Binomial 60 30 }}", "10 1 118264581564861424"),
        ("{{ IndexToCombination nil 0 5 2 }}", "[0 1]"),
        ("{{ IndexToCombination nil 9 5 2 }}", "[3 4]"),
        ("{{ GetSubnet24 0 }} {{ GetSubnet24 257 }}", "1.0.0.0/24 1.1.1.0/24"),
        ("{{ GetSubnet24 65536 }}", "2.0.0.0/24"),
        ("{{ GetSubnet16 0 }} {{ GetSubnet16 257 }} {{ GetSubnet16 65535 }}",
         "1.0.0.0/16 2.1.0.0/16 0.255.0.0/16"),
        ("{{ GetSubnet24In16 3 7 }} {{ GetSubnet24In16 256 300 }}", "1.3.7.0/24 2.0.44.0/24"),
        ('{{ GetIPAddress "a b c d" 1 2 }}', "c d"),
        ('{{ GetIPAddress "a b" 0 1 }}', "a"),
    ],
)  # fmt: skip
def test_functions_of_kube_burner(text: str, expected: str) -> None:
    assert render(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ ne .d 0 }} {{ gt .d 0 }} {{ lt 0 .d }}", "true true true"),
        ("{{ eq .none 0 }} {{ gt .none 0 }} {{ le .none 0 }}", "true false true"),
        ("{{ gt .d 89999999999 }} {{ ge .d 90000000000 }} {{ gt .d 90000000000 }}",
         "true true false"),
    ],
)  # fmt: skip
def test_a_duration_of_user_data_is_compared_with_a_number_in_nanoseconds(
    text: str, expected: str
) -> None:
    assert render(text, d="1m30s", none="0s") == expected


@pytest.mark.parametrize("text", ["5", "0", "fast", "", "5 apples", "s", True, 1.5])
def test_what_is_no_duration_is_not_compared_with_a_number(text: Any) -> None:
    for name in ("eq", "lt", "gt"):
        assert "incompatible types for comparison" in refusal(f"{{{{ {name} .d 0 }}}}", d=text)


@given(st.integers(0, 8).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))))
def test_combinations_come_in_the_order_of_their_members(numbers: tuple[int, int]) -> None:
    n, k = numbers
    expected = list(itertools.combinations(range(n), k))
    template = parse("{{ IndexToCombination nil .i .n .k }}", file="t.yaml")
    found = [template.render({"i": i, "n": n, "k": k}) for i in range(len(expected))]
    assert found == [f"[{' '.join(map(str, each))}]" for each in expected]
    assert render("{{ Binomial .n .k }}", n=n, k=k) == str(math.comb(n, k))


@pytest.mark.parametrize(
    "text",
    [
        "{{ Binomial 2 5 }}", "{{ Binomial -1 -1 }}", "{{ IndexToCombination nil 10 5 2 }}",
        "{{ IndexToCombination nil 0 2 5 }}", '{{ GetIPAddress "a b" 1 2 }}',
    ],
)  # fmt: skip
def test_what_kube_burner_has_no_result_for_is_an_error(text: str) -> None:
    assert refusal(text)


@pytest.mark.parametrize("name", REFUSED)
def test_a_function_that_is_not_supported_is_refused_by_name(name: str) -> None:
    assert f"the function `{name}` is not supported: {REFUSED[name]}" in refusal(
        f"{{{{ {name} }}}}"
    )


def test_all_refused_functions_of_a_file_are_named_at_once() -> None:
    with pytest.raises(TemplateError) as caught:
        render("{{ genCA }}\n{{ if false }}{{ nosuch }}{{ end }}")
    assert [problem.line for problem in caught.value.problems] == [1, 2]


def test_the_documentation_names_every_function() -> None:
    words = set(re.findall(r"\w+", DOCS.read_text(encoding="utf-8")))
    assert [name for name in (*FUNCTIONS, *OPERATORS, *REFUSED) if name not in words] == []


def test_a_template_changes_nothing_that_it_was_given() -> None:
    variables = {"map": {"a": 1}}
    text = '{{ $_ := set .map "b" 2 }}{{ .map }}'
    assert parse(text, file="t.yaml").render(variables) == "map[a:1 b:2]"
    assert variables == {"map": {"a": 1}}


def test_values_of_yaml_print_as_go_prints_them() -> None:
    values = yaml.safe_load("{a: 1, b: 2.0, c: true, d: null, e: [x, 1e3], f: {y: 08}}")
    shown = "{{ .a }} {{ .b }} {{ .c }} {{ .d }} {{ .e }} {{ .f }}"
    assert render(shown, **values) == "1 2 true <no value> [x 1e3] map[y:08]"
