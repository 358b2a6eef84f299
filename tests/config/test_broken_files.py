"""What people get wrong in workload files: each refused with its place and the way out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from perfscale.config import Config, load_config
from perfscale.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEAD = "workloads:\n  - name: a\n    objects:\n      - templateFile: t.yaml\n"
BOMB = "a: &a0 [x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)


def workload(line: str) -> str:
    """Return a file whose line 3 is a key of the workload."""
    return f"workloads:\n  - name: a\n    {line}\n    objects:\n      - templateFile: t.yaml\n"


def variable(line: str) -> str:
    """Return a file whose line 6 is a variable."""
    return f"{HEAD}        inputVars:\n          {line}\n"


BROKEN = {
    # as a file
    "empty": ("", "w.yaml:1:1", "the file is empty"),
    "only comments": ("# nothing\n", "w.yaml:1:1", "the file is empty"),
    "a text": ("hello\n", "w.yaml:1:1", "a mapping with the key workloads"),
    "a list at the top": ("- name: a\n", "w.yaml:1:1", "write its keys without a dash"),
    "not UTF-8": (b"workloads:\n  - name: \xe9\n", "w.yaml:2:11", "save the file as UTF-8"),
    "UTF-16": (HEAD.encode("utf-16"), "w.yaml:1:1", "save the file as UTF-8"),
    "a control character": (b"a: \x01\n", "w.yaml:1:4", "0x1 is not allowed"),
    "two documents": (f"{HEAD}---\n{HEAD}", "w.yaml:5:1", "a workload file holds one"),
    "a manifest": ("apiVersion: v1\nkind: Pod\n", "w.yaml:1:1", "a manifest"),
    "too deep": ("[" * 100, "w.yaml:1:51", "nested deeper than 50 levels"),
    "far too deep": ("[" * 100_000, "w.yaml:1:", "this is no workload file"),
    "more than fits": (f"workloads: [{'a,' * 250_000}]", "w.yaml:1:", "more than 100,000 values"),
    "an alias bomb": (BOMB, "w.yaml:1:", "more than 100,000 values"),
    "too large": ("#" * 5_000_000, "w.yaml", "larger than 4 MiB"),
    # as YAML
    "a tab": ("workloads:\n\t- name: a\n", "w.yaml:2:1", "a tab in the indentation"),
    "a tab later": (f"{HEAD}\treplicas: 2\n", "w.yaml:5:1", "indented with spaces"),
    "// comments": ("globalConfig:\n    // a\n    qps: 0\n", "w.yaml:2:5", "begin with #"),
    "// at the top": (f"// top\n{HEAD}", "w.yaml:1:1", "comments begin with #, not with //"),
    "// as a key": (f"{HEAD}// a: b\n", "w.yaml:5:1", "comments begin with #"),
    "// after a number": (workload("qps: 20 // fast"), "w.yaml:3:10", "comments begin with #"),
    "// after a text": (variable("tag: devel // x"), "w.yaml:6:16", "needs quotes"),
    "a missing colon": ("workloads\n  - name: a\n", "w.yaml:2:9", "a colon is missing"),
    "a line without a key": (f"{HEAD}key\n", "w.yaml:5:1", "no `key: value`"),
    "wrong indentation": (f"{HEAD}   b: 1\n", "w.yaml:5:4", "not indented like the list"),
    "an open quote": (variable("tag: 'x"), "w.yaml:6:16", "never closed"),
    "an open bracket": (variable("tags: [a"), "w.yaml:7:1", "not closed by ]"),
    "a lone bracket": ('{"workloads": [}', "w.yaml:1:16", "a bracket has no partner"),
    "a colon in a value": (variable("tag: a: b"), "w.yaml:6:17", "needs quotes"),
    "an at sign": (variable("tag: @x"), "w.yaml:6:16", "cannot begin with @"),
    "a backslash": (variable(r'tag: "\d"'), "w.yaml:6:17", "use single quotes"),
    "a star": (variable("files: *.yaml"), "w.yaml:6:19", "put it in quotes"),
    "an unknown alias": (variable("tag: *base"), "w.yaml:6:16", "no anchor"),
    "a template's braces": (variable("tag: {{ x }}"), "w.yaml:6:17", "need quotes"),
    "a tag": (variable("tag: !foo x"), "w.yaml:6:16", "!foo means nothing here"),
    "an alias to itself": ("&a\nworkloads: *a\n", "w.yaml:1:", "something that contains it"),
    "a merge with itself": (f"{HEAD}  - &x\n    <<: *x\n", "w.yaml:5:5", "alias (*name)"),
    # keys
    "a typo": (workload("iterationCont: 3"), "w.yaml:3:5", "did you mean iterationCount?"),
    "snake case": (workload("iteration_count: 3"), "w.yaml:3:5", "mean iterationCount?"),
    "capitals": (workload("QPS: 3"), "w.yaml:3:5", "did you mean qps?"),
    "a key one level up": (workload("replicas: 3"), "w.yaml:3:5", "workloads[].objects[]"),
    "a global key": (workload("seed: 3"), "w.yaml:3:5", "a key of globalConfig"),
    "an unknown key": (workload("zzz: 3"), "w.yaml:3:5", "only name, operation"),
    "a key twice": (workload("name: b"), "w.yaml:3:5", "also in line 2"),
    "a variable twice": (f"{variable('x: 1')}          x: 2\n", "w.yaml:7:11", "also in line 6"),
    "no workloads": ("globalConfig: {qps: 1}\n", "w.yaml:1:1", "workloads: this key is missing"),
    "no name": ("workloads:\n  - qps: 1\n", "w.yaml:2:5", "name: this key is missing"),
    "no objects": ("workloads:\n  - name: a\n", "w.yaml:2:5", "objects: this key is missing"),
    "no template": (f"{HEAD}      - replicas: 1\n", "w.yaml:5:9", "templateFile: templates/"),
    # shapes
    "workloads without a dash": ("workloads:\n  name: a\n", "w.yaml:2:3", "with a dash"),
    "no workload": ("workloads: []\n", "w.yaml:1:12", "one or more workloads in it"),
    "workloads without a value": ("workloads:\n", "w.yaml:1:11", "has no value"),
    "a workload that is a name": (f"{HEAD}  - b\n", "w.yaml:5:5", "b is not a mapping"),
    "objects without a dash": (
        "workloads:\n  - name: a\n    objects:\n      templateFile: t\n",
        "w.yaml:4:7",
        "begin each of its items with a dash",
    ),
    "a list of variables": (f"{HEAD}        inputVars: [a]\n", "w.yaml:5:20", "a mapping of names"),
    "a list of settings": (f"globalConfig: [a]\n{HEAD}", "w.yaml:1:15", "without a dash"),
    # durations
    "no unit": (workload("maxWaitTimeout: 30"), "w.yaml:3:21", "write 30s"),
    "nanoseconds": (workload("maxWaitTimeout: 300000000000"), "w.yaml:3:21", "write 5m"),
    "no unit in quotes": (workload('maxWaitTimeout: "30"'), "w.yaml:3:21", "write 30s"),
    "no unit on a fraction": (workload("waitWhenFinished: 1.5"), "w.yaml:3:23", "write 1.5s"),
    "minutes as min": (workload("maxWaitTimeout: 5min"), "w.yaml:3:21", "the unit is written m"),
    "days": (workload("maxWaitTimeout: 2d"), "w.yaml:3:21", "write 48h"),
    "a blank before the unit": (workload("maxWaitTimeout: 30 s"), "w.yaml:3:21", 'write "30s"'),
    "a clock time": (workload("maxWaitTimeout: 1:30"), "w.yaml:3:21", "1:30 is not a duration"),
    "no time to wait": (workload("maxWaitTimeout: 0"), "w.yaml:3:21", "more than 0s"),
    "a negative pause": (workload("iterationInterval: -5s"), "w.yaml:3:24", "from 0s to"),
    "an endless pause": (workload("iterationInterval: 999999h"), "w.yaml:3:24", "to 87600h"),
    "a boolean pause": (workload("iterationInterval: true"), "w.yaml:3:24", "as in 300ms"),
    # numbers
    "a number in quotes": (workload('qps: "20"'), "w.yaml:3:10", "remove the quotes"),
    "a number in words": (workload("qps: twenty"), "w.yaml:3:10", "twenty is not a rate"),
    "a rate with a unit": (workload("qps: 20/s"), "w.yaml:3:10", "the number alone, 20"),
    "a thousands separator": (workload("qps: 1,000"), "w.yaml:3:10", "write 1000"),
    "an underscore": (workload("qps: 1_000"), "w.yaml:3:10", "1_000 is 1000 to YAML"),
    "a negative rate": (workload("qps: -1"), "w.yaml:3:10", "-1 is not a rate from 0"),
    "not a number": (workload("qps: .nan"), "w.yaml:3:10", ".nan is not a rate"),
    "an infinite rate": (workload("qps: .inf"), "w.yaml:3:10", "(no limit)"),
    "a boolean rate": (workload("qps: true"), "w.yaml:3:10", "true is not a rate"),
    "a rate without a value": (workload("qps:"), "w.yaml:3:9", "has no value: write a rate"),
    "a fractional burst": (workload("burst: 2.5"), "w.yaml:3:12", "not a whole number"),
    "an octal count": (workload("iterationCount: 010"), "w.yaml:3:21", "010 is 8 to YAML"),
    "no iteration": (workload("iterationCount: 0"), "w.yaml:3:21", "from 1 to 10,000,000"),
    "an absurd count": (workload(f"iterationCount: 1{'0' * 30}"), "w.yaml:3:21", "to 10,000,000"),
    "a number of 5000 digits": (workload(f"burst: {'9' * 5000}"), "w.yaml:3:12", "whole number"),
    # booleans
    "a boolean in quotes": (workload('iterationCleanup: "true"'), "w.yaml:3:23", "the quotes"),
    "a one for true": (workload("iterationCleanup: 1"), "w.yaml:3:23", "not true or false"),
    # texts and names
    "an unquoted name": (HEAD.replace("name: a", "name: 1.20"), "w.yaml:2:11", '"1.20"'),
    "a name that is a boolean": (HEAD.replace("name: a", "name: on"), "w.yaml:2:11", '"on"'),
    "capitals in a name": (HEAD.replace(": a", ": My Load"), "w.yaml:2:11", "write my-load"),
    "a name used twice": (HEAD + HEAD[11:], "w.yaml:5:11", "the name of workloads[0] too"),
    "no file name": (HEAD.replace("t.yaml", "''"), "w.yaml:4:23", "a text with something in it"),
    "a template number": (HEAD.replace("t.yaml", "010"), "w.yaml:4:23", "write it in quotes"),
    "a long name": (HEAD.replace(": a", f": {'a' * 62}"), "w.yaml:4:9", "shorten the workload"),
    # variables
    "a version": (variable("tag: 1.20"), "w.yaml:6:16", 'write it in quotes, "1.20"'),
    "a leading zero": (variable("tag: 010"), "w.yaml:6:16", 'write it in quotes, "010"'),
    "yes": (variable("tag: yes"), "w.yaml:6:16", "the boolean true to YAML"),
    "True": (variable("tag: True"), "w.yaml:6:16", 'write it in quotes, "True"'),
    "an exponent": (variable("tag: 1e3"), "w.yaml:6:16", 'write it in quotes, "1e3"'),
    "a hexadecimal": (variable("tag: 0x10"), "w.yaml:6:16", "the number 16 to YAML"),
    "a new octal": (variable("tag: 0o17"), "w.yaml:6:16", "the number 15 to YAML"),
    "a date": (variable("tag: 2024-01-01"), "w.yaml:6:16", "a date to YAML"),
    "thousands": (variable("tag: 1_000"), "w.yaml:6:16", "the number 1000 to YAML"),
    "a port pair": (variable("ports: 22:22"), "w.yaml:6:18", 'write it in quotes, "22:22"'),
    "null": (variable("tag: null"), "w.yaml:6:16", "no value to YAML"),
    "a version in a list": (variable("tags: [a, 1.20]"), "w.yaml:6:21", "inputVars.tags[1]: 1.20"),
    "a reserved name": (variable("uuid: x"), "w.yaml:6:11", "choose another name"),
    "a dash in a name": (variable("container-tag: x"), "w.yaml:6:11", "write container_tag"),
    "a word of templates": (variable("if: x"), "w.yaml:6:11", "a word of the template language"),
    "a namespace number": (variable("namespace: 5"), "w.yaml:6:22", "write it in quotes"),
    "a wrong namespace": (variable("namespace: My_NS"), "w.yaml:6:22", "write my-ns"),
    # rules between keys
    "a wait without a cleanup": (
        workload("iterationDeletionWait: true"),
        "w.yaml:3:28",
        "without iterationCleanup",
    ),
}


@pytest.mark.parametrize(("text", "place", "words"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_refused_with_its_place_and_the_fix(
    text: str | bytes, place: str, words: str, load: Callable[..., Config]
) -> None:
    with pytest.raises(ConfigError) as refused:
        load(text)
    problems = [str(problem) for problem in refused.value.problems]
    assert any(problem.startswith(place) and words in problem for problem in problems), problems
    assert "Input should" not in str(refused.value), "the validator's own words"


def test_everything_wrong_is_reported_at_once_in_the_files_order(
    load: Callable[..., Config],
) -> None:
    with pytest.raises(ConfigError) as refused:
        load("""\
            globalConfig:
              qps: "20"
            workloads:
              - name: a
                qsp: 5
                maxWaitTimeout: 30
                iterationDeletionWait: true
                objects:
                  - templateFile: t.yaml
                    replicas: 0
                    replicas: 1
                    inputVars:
                      tag: 1.20
                      uuid: x
                  - replicas: 2
              - name: a
                objects: []
            """)
    places = [(problem.line, problem.path) for problem in refused.value.problems]
    assert places == [
        (2, "globalConfig.qps"),
        (5, "workloads[0].qsp"),
        (6, "workloads[0].maxWaitTimeout"),
        (7, "workloads[0].iterationDeletionWait"),
        (10, "workloads[0].objects[0].replicas"),
        (11, "workloads[0].objects[0].replicas"),
        (13, "workloads[0].objects[0].inputVars.tag"),
        (14, "workloads[0].objects[0].inputVars.uuid"),
        (15, "workloads[0].objects[1].templateFile"),
        (16, "workloads[1].name"),
        (17, "workloads[1].objects"),
    ]
    assert refused.value.exit_code == 2


def test_a_file_that_is_not_there_is_named_with_its_nearest_neighbour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "density.yaml").touch()
    with pytest.raises(ConfigError, match=r"density.yml: there is no such file; there is density"):
        load_config("density.yml")


def test_a_directory_is_refused_with_the_files_in_it(tmp_path: Path) -> None:
    (tmp_path / "density.yaml").touch()
    with pytest.raises(ConfigError, match=r"a directory: name the .* in it: density\.yaml"):
        load_config(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused_with_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "w.yaml"
    file.touch(mode=0)
    with pytest.raises(ConfigError, match="cannot be read: Permission denied"):
        load_config(file)


def test_a_path_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config("a\0b")


def test_as_many_equal_keys_as_there_may_be_are_told(tmp_path: Path) -> None:
    file = tmp_path / "w.yaml"
    file.write_text("a: 1\n" * 99_000)  # compared with each other, they would take minutes
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert len(caught.value.problems) > 98_000
