"""Template files and manifests that are larger than any, and files that are no templates."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from perfscale.errors import TemplateError
from perfscale.templates.dialects.actions import find_actions
from perfscale.templates.dialects.dialect import parse_template
from perfscale.templates.dialects.jinja import outside_raw
from perfscale.templates.manifests.documents import Places

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import FrameType

    from template_folder import Folder

HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"
ALIASES = "a0: &a0 [x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
)
LARGE_ALIASES = f"a: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 100)}]\n"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (ALIASES, 10, "more than 100,000 values, with every alias written out"),
        (LARGE_ALIASES, 6, "more than 8,000,000 characters"),
        ("a: " + "[" * 300 + "]" * 300, 5, "nested deeper than 200 levels"),
        ("x:\n" + "- " * 300, 6, "nested deeper than 200 levels"),
        ("data: [" + "1, " * 110_000 + "]", 5, "more than 100,000 values"),
    ],
)
def test_yaml_that_becomes_too_much_is_refused_with_its_line(
    folder: Folder, text: str, line: int, says: str
) -> None:
    folder.template(HEAD + text)
    (problem,) = folder.problems()
    assert says in problem.message
    assert problem.line == line


def test_aliases_of_a_usual_size_are_understood(folder: Folder) -> None:
    folder.template(HEAD + "  labels: &a\n    x: y\ndata: *a\nz: '*'\n")
    (factories,) = folder.compile(folder.entry(replicas=1))
    assert factories[0].documents(1, 1)[0]["data"] == {"x": "y"}


def test_a_template_of_a_gigabyte_is_not_read(folder: Folder) -> None:
    with folder.template("x").open("r+b") as file:
        file.truncate(2**30)
    (problem,) = folder.problems()
    assert problem.message == "the file is larger than 4 MiB: this is no template"


@pytest.mark.parametrize(
    "text",
    [
        "{{ x }}" * 20_000,
        "{{.x}}" * 20_000,
        "{{ " + "1 + " * 60_000 + "1 }}",
        "{% if x %}" * 20_000,
        "{% if " + "1 or " * 40_000 + "1 %}{% endif %}",
    ],
    ids=["variables", "Go", "an expression", "blocks", "a condition"],
)
def test_more_code_than_any_template_has_is_refused(text: str) -> None:
    with pytest.raises(TemplateError, match="this is no template"):
        parse_template("t.yaml", text)


def _lines_run(function: Callable[[], object]) -> int:
    """How many lines of Python a call takes."""
    count = 0

    def trace(_: FrameType, event: str, __: object) -> object:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type] # returns itself
    try:
        function()
    finally:
        sys.settrace(before)
    return count


def _keys(count: int) -> str:
    return "".join(f"k{n}: v\n" for n in range(count))


def test_the_keys_of_a_mapping_are_looked_at_once_each() -> None:
    def places(count: int) -> Callable[[], object]:
        made = Places(_keys(count) + "k0: again\n")
        return lambda: [made.duplicate_keys(), *(made.line(0, [f"k{n}"]) for n in range(count))]

    assert _lines_run(places(2000)) < 3 * _lines_run(places(1000))


def test_a_template_of_twenty_thousand_keys_is_taken(folder: Folder) -> None:
    folder.template(HEAD + "data:\n" + "".join(f"  k{n}: v\n" for n in range(20_000)))
    (factories,) = folder.compile(folder.entry(replicas=1))
    assert len(factories[0].documents(1, 1)[0]["data"]) == 20_000


@pytest.mark.parametrize("text", ["{{", "{{/*", "{% raw %}", "{{/* */ x "])
def test_what_is_never_closed_is_looked_for_once(text: str) -> None:
    # Of the square of a million characters, nobody would see the end.
    repeated = text * (1_000_000 // len(text))
    assert find_actions(outside_raw(repeated)) == []


SHADOW = "root:$6$hash:19000:0:99999:7:::\n"
KUBECONFIG = "apiVersion: v1\nkind: Config\nusers:\n- name: u\n  user: {token: $6$hash}\n"


@pytest.mark.parametrize(
    "text",
    [SHADOW, "a: b: $6$hash\n", "{{ $6$hash }}\n", "{{.x}} {{ $6$hash }}", "- $6$hash", KUBECONFIG,
     "$6$hash: 1\n$6$hash: 2\n", "x: !$6$hash y\n"],
)  # fmt: skip
def test_a_file_from_elsewhere_that_is_no_template_is_not_shown(
    folder: Folder, tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    other = tmp_path_factory.mktemp("elsewhere") / "shadow"
    other.write_text(text)
    found = folder.problems(folder.entry(str(other), x="y"))
    assert all(str(problem).startswith(f"{other}:") for problem in found)
    assert not any("hash" in str(problem) for problem in found)
    (folder.path / "link.yaml").symlink_to(other)
    found = folder.problems(folder.entry("link.yaml", x="y"))
    assert not any("hash" in str(problem) for problem in found)


def test_what_is_wrong_with_a_manifest_from_elsewhere_is_said_without_its_text(
    folder: Folder, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other: Path = tmp_path_factory.mktemp("elsewhere") / "shared.yaml"
    other.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: Big\ndata: {a: secret}\n")
    (problem,) = folder.problems(folder.entry(str(other), replicas=1))
    assert "'Big' is not a DNS-1123 subdomain" in problem.message
    assert problem.line == 4
    assert "secret" not in problem.message
