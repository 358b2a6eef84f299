"""Thresholds as people write them: what is taken, and what is refused with the way out."""

from pathlib import Path

import pytest

from perfscale.config import Bound, Config, dump_config, json_schema, load_config
from perfscale.config.sections.metrics import METRICS, Unit
from perfscale.errors import ConfigError

HEAD = (
    "workloads:\n  - name: a\n    qps: 20\n    objects: [{templateFile: t.yaml}]\n    thresholds:\n"
)


def load(folder: Path, *thresholds: str) -> Config:
    path = folder / "w.yaml"
    path.write_text(HEAD + "".join(f"      - {each}\n" for each in thresholds))
    return load_config(path)


@pytest.mark.parametrize(
    ("written", "bound"),
    [
        ("{metric: vmiReady, quantile: p99.9, max: 1m30s}", Bound(90.0, Unit.SECONDS)),
        ("{metric: podDeletion, quantile: max, max: 500ms}", Bound(0.5, Unit.SECONDS)),
        ("{metric: ready, kind: Job, quantile: p99, max: 30s}", Bound(30.0, Unit.SECONDS)),
        (
            (
                "{metric: phase, phase: Bound, kind: PersistentVolumeClaim, apiVersion: v1, "
                "quantile: max, max: 30s}"
            ),
            Bound(30.0, Unit.SECONDS),
        ),
        ("{metric: apiErrors, max: 0}", Bound(0.0, Unit.COUNT)),
        ("{metric: failed, max: 0.5%}", Bound(0.5, Unit.PERCENT)),
        ("{metric: achievedQps, min: 95%}", Bound(95.0, Unit.PERCENT)),
        ("{metric: achievedQps, min: 19.5}", Bound(19.5, Unit.PER_SECOND)),
    ],
)
def test_a_threshold_means_what_it_says_and_is_dumped_as_it_was_written(
    written: str, bound: Bound, tmp_path: Path
) -> None:
    config = load(tmp_path, written)
    (threshold,) = config.workloads[0].thresholds
    assert threshold.bound == bound
    assert not threshold.abort_on_fail
    again = tmp_path / "again.yaml"
    again.write_text(dump_config(config))
    assert load_config(again) == config
    assert f": {bound}\n".replace("'", "") in dump_config(config).replace("'", "")


def test_the_run_as_a_whole_can_have_thresholds_too(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    globally = "globalConfig:\n  thresholds:\n    - {metric: failed, max: 0, abortOnFail: true}\n"
    path.write_text(globally + HEAD.removesuffix("    thresholds:\n"))
    (threshold,) = load_config(path).global_config.thresholds
    assert threshold.abort_on_fail


def test_an_option_can_set_the_bound(tmp_path: Path) -> None:
    load(tmp_path, "{metric: vmiReady, quantile: p99, max: 30s}")
    config = load_config(tmp_path / "w.yaml", overrides=["workloads[*].thresholds[0].max=45s"])
    assert config.workloads[0].thresholds[0].bound == Bound(45.0, Unit.SECONDS)


BROKEN = {
    "a misspelt metric": (
        "{metric: vmiReday, quantile: p99, max: 30s}", "6:18", "did you mean vmiReady?"),
    "a metric of another world": (
        "{metric: xyzzy, max: 1}", "6:18", "write one of vmiCreation, vmiPending"),
    "an unknown quantile": (
        "{metric: vmiReady, quantile: p98, max: 3s}", "6:38", "p99, p99.9, max, mean"),
    "a latency without quantile": (
        "{metric: vmiReady, max: 30s}", "6:9", "vmiReady needs the key quantile"),
    "a quantile of a count": (
        "{metric: failed, quantile: p99, max: 1}", "6:36", "is one number: remove this key"),
    "a duration without unit": (
        "{metric: vmiReady, quantile: p99, max: 30}", "6:48", "write 30s, 30ms or 30m"),
    "a share of a latency": (
        "{metric: vmiReady, quantile: p99, max: 5%}", "6:48", '"%" is not a unit'),
    "half an object": (
        "{metric: failed, max: 1.5}", "6:31", "is not a whole number or a share of the objects"),
    "more than all": (
        "{metric: achievedQps, min: 101%}", "6:36", "share of the rate that was wanted, 0% to"),
    "a negative number": ("{metric: failed, max: -1}", "6:31", "is not a whole number"),
    "a maximum of a rate": (
        "{metric: achievedQps, max: 20}", "6:36", "achievedQps does not take this key, only min"),
    "a minimum of failures": ("{metric: failed, min: 1}", "6:31", "only max"),
    "any kind": (
        "{metric: ready, quantile: p99, max: 1s}", "6:9", "ready needs the key kind, as in kind:"),
    "any phase": (
        "{metric: phase, kind: Job, quantile: p99, max: 1s}", "6:9", "phase needs the key phase"),
    "a kind of a metric that has one": (
        "{metric: vmiReady, kind: Pod, quantile: p99, max: 1s}", "6:34",
        "vmiReady does not take this key: remove it"),
    "a phase of what is none": (
        "{metric: ready, kind: Pod, phase: Running, quantile: p99, max: 1s}", "6:43",
        "ready does not take this key"),
    "no bound": ("{metric: failed}", "6:18", "needs the key max, as in max: 0 or max: 1%"),
    "a bound without a value": ("{metric: failed, max: }", "6:31", "the key has no value"),
    "no metric": ("{quantile: p99, max: 3s}", "6:9", "this key is missing"),
    "an unknown key": ("{metric: failed, max: 1, abort: true}", "6:34", "did you mean abortOnFail"),
    "a word": ("failed", "6:9", "is not a mapping (metric, kind, quantile, max, min, abort"),
    "an early end by a share of what is not known yet": (
        "{metric: apiErrors, max: 1%, abortOnFail: true}", "6:51",
        "how many requests there are is known only at the end"),
    "an early end by a mean": (
        "{metric: vmiReady, quantile: mean, max: 1s, abortOnFail: true}", "6:66",
        "a mean is known only at the end: remove this key"),
    "an early end by a rate": (
        "{metric: achievedQps, min: 1, abortOnFail: true}", "6:52", "achievedQps is known only at"),
}  # fmt: skip


@pytest.mark.parametrize(("written", "place", "told"), BROKEN.values(), ids=BROKEN)
def test_what_is_wrong_is_told_with_its_place_and_the_way_out(
    written: str, place: str, told: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, written)
    assert f"w.yaml:{place}" in str(caught.value)
    assert told in str(caught.value)


def test_a_share_of_a_rate_needs_the_rate(tmp_path: Path) -> None:
    load(tmp_path, "{metric: failed, max: 1}", "{metric: achievedQps, min: 95%}")
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "w.yaml", overrides=["workloads[0].qps=0"])
    assert "--set" in str(caught.value)
    assert "thresholds[1].min: there is no share of qps without qps" in str(caught.value)


def test_a_list_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(HEAD + "      metric: failed\n")
    with pytest.raises(ConfigError, match="is not a list of thresholds: begin each of its items"):
        load_config(tmp_path / "w.yaml")


def test_editors_know_every_metric() -> None:
    properties = json_schema()["$defs"]["Threshold"]["properties"]
    assert properties["metric"]["enum"] == list(METRICS)
    assert set(properties) == {
        *("metric", "kind", "apiVersion", "phase", "quantile", "max", "min", "abortOnFail")
    }
