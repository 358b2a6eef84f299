from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perfscale.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.config import Config

FILE = """\
workloads:
  - name: a
    qps: 20
    iterationCleanup: true
    iterationDeletionWait: true
    objects:
      - templateFile: t.yaml
        inputVars:
          tag: devel
      - templateFile: u.yaml
  - name: b
    objects:
      - templateFile: t.yaml
"""
VARIABLES = "workloads[0].objects[0].inputVars"


def test_an_override_replaces_the_files_value(load: Callable[..., Config]) -> None:
    config = load(FILE, ["workloads[0].qps=50", "workloads[0].maxWaitTimeout=5m"])
    assert config.workloads[0].qps == 50
    assert config.workloads[0].max_wait_timeout == 300


def test_a_star_stands_for_every_item(load: Callable[..., Config]) -> None:
    config = load(FILE, ["workloads[*].objects[*].replicas=7"])
    assert [spec.replicas for w in config.workloads for spec in w.objects] == [7, 7, 7]


def test_later_overrides_win(load: Callable[..., Config]) -> None:
    assert load(FILE, ["workloads[*].qps=1", "workloads[0].qps=2"]).workloads[0].qps == 2


def test_mappings_that_the_file_lacks_are_made(load: Callable[..., Config]) -> None:
    config = load(
        FILE,
        ["globalConfig.maxInFlight=8", "workloads[1].objects[0].inputVars.containerTag=v1"],
    )
    assert config.global_config.max_in_flight == 8
    assert config.workloads[1].objects[0].input_vars == {"containerTag": "v1"}


def test_a_number_may_share_its_name_with_a_list(load: Callable[..., Config]) -> None:
    config = load(FILE, ["globalConfig.attribution.objects=7"])
    assert config.global_config.attribution.objects == 7


def test_an_override_can_mend_what_is_wrong_in_the_file(load: Callable[..., Config]) -> None:
    broken = FILE.replace("qps: 20", "qps: fast")
    assert load(broken, ["workloads[0].qps=5"]).workloads[0].qps == 5


def test_quotes_keep_a_version_as_it_is(load: Callable[..., Config]) -> None:
    config = load(FILE, ['workloads[0].objects[0].inputVars.tag="1.20"'])
    assert config.workloads[0].objects[0].input_vars["tag"] == "1.20"


def test_all_after_the_first_equals_sign_is_the_value(load: Callable[..., Config]) -> None:
    config = load(FILE, ["workloads[0].objects[0].inputVars.tag=a=b: c # d"])
    assert config.workloads[0].objects[0].input_vars["tag"] == "a=b: c # d"


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("workloads[0].qps", "--set: "),
        ("workloads[0].qps", "sets nothing: write PATH=VALUE"),
        ("=5", "is not a path to a key, as in workloads[0].qps=50"),
        ("workloads[-1].qps=5", "is not a path to a key"),
        ("workloads[0]qps=5", "is not a path to a key"),
        ("workloads[0].=5", "is not a path to a key"),
        ("workloads[2].qps=5", "--set: workloads: there is no index 2: the file has 0 to 1"),
        ("workloads[1].objects[1].replicas=5", "there is no index 1: the file has 0 alone"),
        ("workloads.qps=5", "this is a list: write workloads[0].qps"),
        ("workloads.1.qps=5", "this is a list: write workloads[1] or workloads[*]"),
        ("workloads=5", "this is a list: write workloads[0] or workloads[*]"),
        ("workloads[0].name[0]=x", "there is no list here"),
        ("workloads[0].name.x=y", "this is one value"),
        ("workloads[0].qsp=5", "workloads[0].qsp: there is no such key; did you mean qps?"),
        ("qps=5", "a key of globalConfig and of workloads[]"),
        ("zzz=5", "only globalConfig, workloads"),
        ("workloads[0].qps=[5]", "takes one value"),
        ("workloads[0].name='x", "is not a text in quotes"),
        ("workloads[0].qps=fast", "--set: workloads[0].qps: fast is not a rate"),
        ("workloads[0].qps=", "--set: workloads[0].qps: the key has no value"),
        ("workloads[*].objects[0].replicas=0", "--set: workloads[1].objects[0].replicas: 0 is not"),
        ("workloads[0].maxWaitTimeout=30", "--set: workloads[0].maxWaitTimeout: 30 has no unit"),
        (f"{VARIABLES}.tag=1.20", f"""--set '{VARIABLES}.tag="1.20"'"""),
        (f"{VARIABLES}.uuid=x", f"--set: {VARIABLES}.uuid: every"),
        ("workloads[0]=x", "--set: workloads[0]: x is not a mapping"),
    ],
)
def test_an_override_that_does_not_fit_is_refused_as_the_options_fault(
    override: str, problem: str, load: Callable[..., Config]
) -> None:
    with pytest.raises(ConfigError) as refused:
        load(FILE, [override])
    assert problem in str(refused.value)
    assert "w.yaml" not in str(refused.value)


@pytest.mark.parametrize(
    ("override", "path"),
    [
        ("workloads[0].iterationCleanup=false", "workloads[0].iterationDeletionWait"),
        ("workloads[0].name=b", "workloads[1].name"),
        ("workloads[0].name=" + "a" * 62, "workloads[0].objects[0].inputVars.namespace"),
    ],
)
def test_a_rule_that_an_override_breaks_is_reported_at_the_override(
    override: str, path: str, load: Callable[..., Config]
) -> None:
    with pytest.raises(ConfigError) as refused:
        load(FILE, [override])
    problem = refused.value.problems[0]
    assert (problem.file, problem.line, problem.path) == ("--set", None, path)


def test_the_files_problems_and_the_options_are_reported_together(
    load: Callable[..., Config],
) -> None:
    with pytest.raises(ConfigError) as refused:
        load(FILE.replace("qps: 20", "qps: x"), ["workloads[9].qps=1", "workloads[1].qps=x"])
    assert [problem.file for problem in refused.value.problems] == ["w.yaml", "--set", "--set"]
