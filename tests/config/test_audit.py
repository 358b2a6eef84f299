"""What a workload file says of the audit of its run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from perfscale.config import dump_config, load_config
from perfscale.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from perfscale.config import Config
    from perfscale.config.sections.audit import AuditConfig

WORKLOADS = [{"name": "a", "objects": [{"templateFile": "t.yaml"}]}]


def read(folder: Path, audit: Any) -> Config:
    path = folder / "w.yaml"
    document = {"globalConfig": {"audit": audit}, "workloads": WORKLOADS}
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return load_config(path)


def audit_of(config: Config) -> AuditConfig:
    assert config.global_config.audit is not None
    return config.global_config.audit


def refusal(folder: Path, audit: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        read(folder, audit)
    return str(caught.value)


def test_everything_has_a_default(tmp_path: Path) -> None:
    assert read(tmp_path, None).global_config.audit is None
    audit = audit_of(read(tmp_path, {}))
    assert (audit.url, audit.profile, audit.scrape_interval) == (None, ("kubevirt",), 30.0)
    assert audit.verify_tls


def test_a_threshold_is_a_number_or_a_ratio(tmp_path: Path) -> None:
    audit = audit_of(
        read(
            tmp_path,
            {
                "prometheusURL": "http://localhost:9090/",
                "scrapeInterval": "15s",
                "thresholds": {"a": 60, "b": {"value": 1.5}, "c": {"metric": "a", "ratio": 2}},
            },
        )
    )
    assert (audit.url, audit.scrape_interval) == ("http://localhost:9090", 15.0)
    a, b, c = audit.thresholds.values()
    assert (a.value, b.value, c.metric, c.ratio) == (60, 1.5, "a", 2)


def test_what_is_written_down_of_a_run_gives_the_same(tmp_path: Path) -> None:
    config = read(tmp_path, {"prometheusURL": "http://x", "thresholds": {"a": 60}})
    path = tmp_path / "again.yaml"
    path.write_text(dump_config(config), encoding="utf-8")
    assert load_config(path) == config


def test_credentials_in_the_file_are_refused_and_not_shown(tmp_path: Path) -> None:
    told = refusal(tmp_path, {"prometheusURL": "http://me:t0psecret@x"})
    assert "w.yaml:3:20: globalConfig.audit.prometheusURL: credentials do not belong here" in told
    assert "t0psecret" not in told


@pytest.mark.parametrize(
    ("audit", "message"),
    [
        ({"prometheusURL": "x:9090"}, "this is not a URL that begins with http"),
        ({"prometheusUrl": "http://x"}, "did you mean prometheusURL?"),
        ({"scrapeInterval": 15}, "15 has no unit"),
        ({"scrapeInterval": "0s"}, "is not a duration from more than 0s"),
        (
            {"thresholds": {"a": "60"}},
            'globalConfig.audit.thresholds.a.value: "60" is not a number',
        ),
        ({"thresholds": {"a": {"metric": "b"}}}, "a threshold by ratio has a metric and a ratio"),
        ("http://x", "is not a mapping (prometheusURL, profile, scrapeInterval, thresholds)"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, audit: Any, message: str) -> None:
    assert message in refusal(tmp_path, audit)


@pytest.mark.parametrize("given", ["own.yaml", ["metrics.yml", "alerts.yml"]])
def test_profiles_are_one_name_or_a_list(tmp_path: Path, given: Any) -> None:
    audit = audit_of(read(tmp_path, {"profile": given}))
    assert audit.profile == ((given,) if isinstance(given, str) else tuple(given))
    assert audit.model_dump(by_alias=True)["profile"] == given


@pytest.mark.parametrize("given", [[], [""], {"a": "b"}, ""])
def test_what_names_no_profile_is_refused_at_its_line(tmp_path: Path, given: Any) -> None:
    said = refusal(tmp_path, {"profile": given})
    assert re.search(r"w\.yaml:\d+:\d+: globalConfig\.audit\.profile: .* is not a profile", said)
