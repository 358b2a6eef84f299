"""Profiles are files of queries, checked like a workload file."""

from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent

import pytest

from perfscale.audit.profile import PROFILES, Profile, load_profile, load_profiles
from perfscale.audit.query import Query
from perfscale.audit.window import Window
from perfscale.errors import ConfigError

WINDOW = Window.ending(datetime(2026, 1, 2, tzinfo=UTC), 600.0, 30.0)
PERCENTILES = {
    f"vmi{change}Seconds{percentile}"
    for change in ("CreationToRunning", "DeletionToSucceeded", "DeletionToFailed")
    for percentile in ("P99", "P95", "P50")
}
USAGE = {
    f"{statistic}{component}{resource}"
    for statistic in ("avg", "min", "max")
    for component in ("VirtAPI", "VirtController", "VirtHandler")
    for resource in ("MemoryUsageInMB", "CPUUsage")
}
QUEUE = {f"virtControllerWorkqueue{what}" for what in ("AddRate", "Depth", "P99Latency")}


def write(folder: Path, text: str, name: str = "own.yaml") -> str:
    path = folder / name
    path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
    return str(path)


def expressions(profile: Profile) -> dict[str, str]:
    return {query.name: query.promql(WINDOW) for query in profile.queries}


def refusal(path: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_profile(path)
    return str(caught.value)


def test_the_default_profile_has_every_result_of_the_go_program() -> None:
    names = expressions(load_profile("kubevirt")).keys()
    assert names == PERCENTILES | USAGE | QUEUE | {
        "{verb}-{resource}-count",
        "{phase}-phase-count",
    }


def test_the_profile_kubernetes_adds_to_the_default_one() -> None:
    names = expressions(load_profile("kubernetes")).keys()
    assert names > expressions(load_profile("kubevirt")).keys()
    assert {"{verb}-{resource}-latencySecondsP99", "etcdWalFsyncSecondsP99"} <= names


@pytest.mark.parametrize("name", sorted(path.stem for path in PROFILES.glob("*.yaml")))
def test_no_variable_is_left_in_a_packaged_query(name: str) -> None:
    for query in load_profile(name).queries:
        assert "$" not in query.promql(WINDOW)


def test_a_profile_of_ones_own(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        variables:
          job: kubelet
        queries:
          - name: "{node}-starts"
            query: sum by (node) (increase(s{job="$job", pod=~"a$$"}[$range] offset $offset))
            unit: pods
            threshold: 5
          - name: load
            query: node_load1
            kind: range
            threshold: {metric: "n1-starts", ratio: 2}
        """,
    )
    starts, load = load_profile(path).queries
    assert starts.promql(WINDOW) == (
        'sum by (node) (increase(s{job="kubelet", pod=~"a$"}[660s] offset -30s))'
    )
    assert starts.unit == "pods"
    assert starts.threshold is not None
    assert starts.threshold.value == 5
    assert load.kind == "range"
    assert load.threshold is not None
    assert load.threshold.ratio == 2


def test_a_profile_includes_others_and_replaces_what_it_has_itself(tmp_path: Path) -> None:
    write(tmp_path, "queries: [{name: a, query: x}, {name: b, query: y}]", "other.yaml")
    path = write(tmp_path, "include: [other.yaml]\nqueries: [{name: b, query: z}]")
    assert expressions(load_profile(path)) == {"a": "x", "b": "z"}


def test_a_profile_that_includes_itself_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "include: [own.yaml]\nqueries: [{name: a, query: x}]", "other.yaml")
    path = write(tmp_path, "include: [other.yaml]\nqueries: [{name: b, query: z}]")
    assert "other.yaml:1:11: include[0]: this profile includes itself" in refusal(path)


KUBE_BURNERS = """\
- query: irate(process_cpu_seconds_total{job=~".*etcd$"}[2m])
  metricName: controlPlaneCPU
- query: avg_over_time(up[{{ .elapsed }}:])
  metricName: up
  instant: true
  captureStart: true

# Names may begin with digits, and $1 is no variable.
- query: sum(up) and on (instance) label_replace(role{role="x"}, "instance", "$1", "node", "(.+)")
  metricName: 99thRoles
"""


@pytest.mark.parametrize("text", [KUBE_BURNERS, f"metrics:\n{KUBE_BURNERS}"])
def test_kube_burners_format_is_read(tmp_path: Path, text: str) -> None:
    cpu, up, at_start, roles = load_profile(write(tmp_path, text)).queries
    assert (roles.name, '"$1"' in roles.promql(WINDOW)) == ("99thRoles", True)
    assert (cpu.name, cpu.kind) == ("controlPlaneCPU", "range")
    assert cpu.promql(WINDOW) == 'irate(process_cpu_seconds_total{job=~".*etcd$"}[2m])'
    assert (up.name, up.kind, up.at_start) == ("up", "instant", False)
    assert up.promql(WINDOW) == "avg_over_time(up[600s:])"
    assert (at_start.name, at_start.at_start) == ("up-start", True)


ALERTS = """\
- expr: avg_over_time(up{job=~"a$"}[{{.elapsed}}:]) < 1
  description: "{{$labels.node}} was up for {{ $value }}"
  severity: error
- expr: vector(1)
  description: always
"""


def test_kube_burners_alerts_are_read_also_beside_its_metrics(tmp_path: Path) -> None:
    (tmp_path / "alerts.yml").write_text(ALERTS)
    (tmp_path / "metrics.yml").write_text(KUBE_BURNERS)
    own = "include: [metrics.yml, alerts.yml]\nqueries: [{name: a, query: up}]"
    both = load_profile(write(tmp_path, own))
    assert [query.name for query in both.queries] == [
        *("controlPlaneCPU", "up", "up-start", "99thRoles", "a"),
    ]
    first, second = both.alerts
    query = Query("", first.expression).promql(WINDOW)
    assert query == 'avg_over_time(up{job=~"a$"}[600s:]) < 1'
    assert (first.severity, first.fails, second.severity, second.fails) == (
        *("error", True, "info", False),
    )
    only = load_profile(write(tmp_path, "include: [metrics.yml, alerts.yml]"))
    assert (only.queries, only.alerts) == (both.queries[:-1], both.alerts)
    alone = load_profile(str(tmp_path / "alerts.yml"))
    assert (alone.queries, alone.alerts) == ((), both.alerts)


def test_kube_burners_queries_are_templates_that_see_the_environment(tmp_path: Path) -> None:
    text = """\
    - query: 'up{job="{{ .JOB | lower }}", pod=~"a$"}[{{ .elapsed }}:]'
      metricName: a
    - query: 'x{ {{- if eq (env "JOB") "ETCD" }}y="1"{{ end }}}'
      metricName: b
    """
    profile = load_profile(write(tmp_path, text), environment={"JOB": "ETCD"})
    first, second = profile.queries
    assert first.promql(WINDOW) == 'up{job="etcd", pod=~"a$"}[600s:]'
    assert second.promql(WINDOW) == 'x{y="1"}'


def test_profiles_together_evaluate_once_what_they_have_alike(tmp_path: Path) -> None:
    write(tmp_path, KUBE_BURNERS, "metrics.yml")
    write(tmp_path, ALERTS, "alerts.yml")
    names = ["metrics.yml", "alerts.yml", "metrics.yml"]
    both = load_profiles(names, tmp_path)
    assert both.name == "metrics.yml, alerts.yml, metrics.yml"
    assert both.queries == load_profile("metrics.yml", tmp_path).queries
    assert both.alerts == load_profile("alerts.yml", tmp_path).alerts


def test_everything_that_is_wrong_in_several_profiles_is_said_at_once(tmp_path: Path) -> None:
    write(tmp_path, "- query: up", "a.yml")
    write(tmp_path, "[]", "b.yml")
    with pytest.raises(ConfigError) as caught:
        load_profiles(["a.yml", "b.yml"], tmp_path)
    assert [(each.file, each.line) for each in caught.value.problems] == [
        (str(tmp_path / "a.yml"), 1),
        (str(tmp_path / "b.yml"), 1),
    ]


BROKEN = {
    "an unknown variable": (
        "queries:\n  - name: a\n    query: up[$rang]",
        "own.yaml:3:12: queries[0].query: $rang is not known",
    ),
    "an unknown key": (
        "queries:\n  - name: a\n    qery: up",
        "own.yaml:3:5: queries[0].qery: there is no such key; did you mean query?",
    ),
    "no name": ("queries:\n  - query: up", "own.yaml:2:5: queries[0].name: this key is missing"),
    "a kind of another sort": (
        "queries:\n  - {name: a, query: up, kind: rnage}",
        'queries[0].kind: "rnage" is not a kind of query: write instant or range',
    ),
    "two equal names": (
        "queries:\n  - {name: a, query: up}\n  - {name: a, query: down}",
        'queries[0].name: "a" is the name of 2 queries',
    ),
    "nothing": ("variables: {a: b}", "own.yaml:1:1: queries: this key is missing"),
    "no query": ("queries: []", "a list with one or more entries in it"),
    "a variable that is the window's": (
        "variables: {range: 5m}\nqueries: [{name: a, query: up}]",
        "the variable range is there already",
    ),
    "a threshold that is none": (
        "queries: [{name: a, query: up, threshold: {metric: b}}]",
        "a threshold by ratio has a metric and a ratio",
    ),
    "kube-burner's entry without a name": (
        "- query: up",
        "own.yaml:1:3: metrics[0].metricName: this key is missing",
    ),
    "kube-burner's queries among its alerts": (
        "- query: up\n  metricName: a\n- expr: up > 1\n  description: x\n  severity: error\n",
        "own.yaml:1:3: alerts[0].expr: this key is m",
    ),
    "an alert of no severity": (
        "- {expr: up > 1, description: x, severity: bad}",
        "own.yaml:1:44: alerts[0].severity: ",
    ),
    "an alert with a template": (
        "- {expr: up > 1, description: '{{ if $value }}x{{ end }}'}",
        "alerts[0].description: {{ if $value }} is not known here",
    ),
    "kube-burner's other variables": (
        "- query: 'up{{.uuid}}'\n  metricName: a",
        "own.yaml:1:10: metrics[0].query: the variable uuid is not defined: there is .elapsed",
    ),
    "kube-burner's environment": (
        "- expr: 'up{{ env \"HOME\" }}'\n  description: x",
        "own.yaml:1:9: alerts[0].expr: ",
    ),
    "kube-burner's query that is no template": (
        "- metricName: a\n  query: 'up{{ if }}'",
        "own.yaml:2:10: metrics[0].query: ",
    ),
    "kube-burner's empty list": (
        "[]",
        "own.yaml:1:1: metrics: an empty list is not a list with one or more queries or alerts",
    ),
    "not YAML": ("queries: [", "own.yaml:"),
}


@pytest.mark.parametrize(("text", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    assert message in refusal(write(tmp_path, text))


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, "queries:\n  - {name: a, query: '$b $c'}\n  - {name: d, qery: x}")
    assert len(refusal(path).splitlines()) >= 2


def test_a_profile_that_is_not_there_is_refused_with_those_that_are() -> None:
    assert "kubernetes, kubevirt, timeline are there" in refusal("kubvirt")


@pytest.mark.parametrize(
    "text", ["root:$6$hash:19000:0:99999:7:::", "- $6$hash", "$6$hash: 1", "queries: [$6$hash]"]
)
def test_a_file_from_elsewhere_that_is_no_profile_is_not_shown(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    other = tmp_path_factory.mktemp("elsewhere") / "shadow"
    other.write_text(text)
    including = write(tmp_path, f"include: [{other}]\nqueries: [{{name: a, query: x}}]")
    for name, folder in ((str(other), tmp_path), (including, None)):
        with pytest.raises(ConfigError) as caught:
            load_profile(name, folder)
        assert str(caught.value).startswith(f"{other}:1: this is no profile")
        assert "hash" not in str(caught.value)
    assert "hash" in refusal(str(other))  # a person has named it
