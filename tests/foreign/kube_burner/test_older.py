"""Keys of older versions of kube-burner mean what they meant, and the run says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.config.reading.source import SignIn

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.config import Config

    Read = Callable[..., Config]
    Problems = Callable[..., list[tuple[int | None, str]]]

OLD = """\
global:
  writeToFile: true
  metricsDirectory: m
  indexerConfig:
    enabled: true
    esServers: [https://me:s3cret@search.example]
    insecureSkipVerify: true
    defaultIndex: mine
jobs:
- name: d
  namespace: d
  jobIterations: 50
  churn: true
  churnDuration: 10m
  churnDeletionStrategy: gvr
  waitFor: [Pod]
  objects:
  - {objectTemplate: pod.yml, inputVars: {image: x}, namespaced: true}
"""


def test_an_older_indexer_and_older_churn_are_those_of_today(read: Read) -> None:
    config = read(OLD)
    index, churn = config.global_config.index, config.workloads[0].churn
    assert index is not None
    assert (index.url, index.name, index.verify_tls) == ("https://search.example", "mine", False)
    assert config.source.sign_ins == {"https://search.example": SignIn("me", "s3cret")}
    assert config.global_config.export == "kube-burner"
    assert churn is not None
    assert (churn.count, churn.duration, churn.interval, churn.rounds) == (5, 600, 300, 100)
    for note in (
        "global.indexerConfig is an older key, read as metricsEndpoints[].indexer",
        "global.writeToFile is an older key, read as an indexer of type local",
        "global.metricsDirectory is an older key, which means nothing here",
        "jobs[].churn and churnPercent are older keys, read as churnConfig",
        "jobs[].objects[].namespaced is an older key, which means nothing here",
    ):
        assert note in config.source.notes
    assert "s3cret" not in "".join(config.source.notes)


def test_what_was_switched_off_is_off(read: Read) -> None:
    text = OLD.replace("enabled: true", "enabled: false").replace("writeToFile: true", "")
    config = read(text.replace("churn: true", "churn: false"))
    assert config.global_config.index is None
    assert config.global_config.export is None
    assert config.workloads[0].churn is None


def test_what_is_wrong_in_an_older_key_stands_at_its_own_line(problems: Problems) -> None:
    ((line, said),) = problems(OLD.replace("10m", "10x"))
    assert line == 14
    assert '"10x": "x" is not a unit' in said
    ((line, said),) = problems(OLD.replace("defaultIndex: mine", "defaultIndex: [mine]"))
    assert line == 8
