"""What ``metricsEndpoints`` ask and send is what the run's audit, export and index do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from perfscale.config import dump_config
from perfscale.config.reading.source import SignIn
from perfscale.foreign.converting import convert

if TYPE_CHECKING:
    from pathlib import Path

    from perfscale.config import Config

JOB = """\
jobs:
- name: a
  namespace: kb
  objects: [{objectTemplate: pod.yml, inputVars: {image: x}}]
"""
SEVERAL = """\
metricsEndpoints:
- endpoint: http://localhost:9090
  alerts: [alerts.yml]
- endpoint: http://localhost:9090/
  alias: local-indexing
  indexer: {type: local, metricsDirectory: elsewhere}
  metrics: [metrics.yml]
- endpoint: http://localhost:9090
  indexer:
    type: opensearch
    esServers: ["https://search.example:9200", "https://other.example:9200"]
    defaultIndex: density
    insecureSkipVerify: true
  metrics: [metrics.yml]
  alerts: [alerts.yml]
"""


@pytest.fixture(autouse=True)
def profiles(folder: Path) -> None:
    (folder / "metrics.yml").write_text("- {query: up, metricName: up}\n")
    (folder / "alerts.yml").write_text("- {expr: up < 1, description: down}\n")


def described(config: Config) -> dict[str, Any]:
    dumped = config.global_config.model_dump(by_alias=True, exclude_unset=True, mode="json")
    return {key: dumped.get(key) for key in ("audit", "export", "index")}


def test_endpoints_become_one_audit_one_export_and_one_index(read: Any) -> None:
    config = read(SEVERAL + JOB)
    assert described(config) == {
        "audit": {
            "prometheusURL": "http://localhost:9090",
            "profile": ["alerts.yml", "metrics.yml"],
            "scrapeInterval": "30s",
            "verifyTLS": False,
        },
        "export": "kube-burner",
        "index": {"url": "https://search.example:9200", "name": "density", "verifyTLS": False},
    }
    assert list(config.source.notes[-3:]) == [
        "metricsDirectory and tarballName mean nothing: documents are in the folder of the run",
        "metricsEndpoints: every indexer gets all documents of the run",
        "esServers: documents go to the first",
    ]


def test_step_certificate_and_token_of_an_endpoint_are_those_of_the_audit(
    read: Any, folder: Path
) -> None:
    (folder / "token").write_text("s3cret")
    config = read(
        "metricsEndpoints:\n"
        "- {endpoint: 'https://prometheus.example', step: 15s, skipTLSVerify: false,\n"
        "   tokenFile: token, metrics: [metrics.yml]}\n" + JOB
    )
    assert described(config)["audit"] == {
        "prometheusURL": "https://prometheus.example",
        "profile": "metrics.yml",
        "scrapeInterval": "15s",
        "verifyTLS": True,
        "tokenFile": "token",
    }


def test_without_an_endpoint_profiles_wait_for_the_option_and_may_be_missing(read: Any) -> None:
    config = read("metricsEndpoints:\n- {metrics: [wrappers.yml], indexer: {type: local}}\n" + JOB)
    assert described(config)["audit"] == {"profile": "wrappers.yml"}
    assert "--prometheus" in " ".join(config.source.notes)


def test_a_choice_of_documents_that_is_not_made_is_said(read: Any) -> None:
    measured = "global: {measurements: [{name: podLatency, quantilesIndexer: local-indexing}]}\n"
    config = read(measured + SEVERAL + JOB + "  skipIndexing: true\n")
    notes = " ".join(config.source.notes)
    assert "a: skipIndexing means nothing" in notes
    assert "timeseriesIndexer and quantilesIndexer mean nothing" in notes


def test_nothing_is_asked_where_nothing_is_to_be_asked(read: Any) -> None:
    config = read("metricsEndpoints:\n- {endpoint: 'http://localhost:9090'}\n" + JOB)
    assert described(config) == {"audit": None, "export": None, "index": None}
    assert described(read("metricsEndpoints:\n" + JOB))["audit"] is None


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{endpoint: 'http://a', metrics: [none.yml]}", "there is no file none.yml"),
        ("{endpoint: 'http://a', alerts: ['http://b/c.yml']}", "are not fetched from elsewhere"),
        ("{indexer: {type: elastic}}", "an indexer of type elastic needs its esServers"),
        ("{endpoint: 'localhost:9090', alerts: [alerts.yml]}", "a URL that begins with http://"),
        ("{endpoint: 'http://a', token: [s3cret]}", "this has to be a text"),
        ("{endpoint: 'http://a', token: \"a\\ns3cret\"}", "a line break or control character"),
    ],
)
def test_what_is_wrong_in_an_endpoint_is_said_at_its_line(
    problems: Any, entry: str, message: str
) -> None:
    ((line, said),) = problems(f"metricsEndpoints:\n- {entry}\n{JOB}")
    assert line == 2
    assert message in said
    assert "s3cret" not in said


def test_credentials_are_kept_apart_from_the_values_by_the_address_of_their_server(
    read: Any, folder: Path
) -> None:
    (folder / "alerts.yml").write_text("[]\n")
    config = read(
        "metricsEndpoints:\n"
        "- {endpoint: 'http://me:s3cret@a/p/', alerts: [alerts.yml]}\n"
        "- {indexer: {type: elastic, esServers: ['http://you:s3cret@b']}}\n" + JOB
    )
    assert config.source.sign_ins == {
        "http://a/p": SignIn("me", "s3cret"),
        "http://b": SignIn("you", "s3cret"),
    }
    assert "s3cret" not in f"{config!r}{config.source!r}{dump_config(config)}"


def test_each_value_that_another_endpoint_has_otherwise_is_refused_at_its_line(
    problems: Any,
) -> None:
    found = problems(
        "metricsEndpoints:\n"
        "- {endpoint: 'http://a', alerts: [alerts.yml]}\n"
        "- {indexer: {type: local}}\n"
        "- endpoint: http://b\n"
        "  step: 5s\n" + JOB
    )
    assert [line for line, _ in found] == [4, 5]


def test_a_converted_file_takes_its_profiles_along(read: Any) -> None:
    made = convert(read(SEVERAL + JOB), "none")
    assert {"alerts.yml", "metrics.yml"} <= {str(each) for each in made.files}
    assert "- alerts.yml" in made.text
    assert "export: kube-burner" in made.text
