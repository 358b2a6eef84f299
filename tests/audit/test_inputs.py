"""The Go program's input files work unchanged, and what is wrong in one is told with its place."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from published_audit_input import PUBLISHED

from perfscale.audit.inputs import AuditInput, input_document, load_input
from perfscale.errors import ConfigError

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def read(folder: Path, content: str | dict[str, Any]) -> AuditInput:
    path = folder / "in.json"
    text = content if isinstance(content, str) else json.dumps(content, indent=2)
    path.write_text(text, encoding="utf-8")
    return load_input(path, now=NOW)


def refusal(folder: Path, content: str | dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        read(folder, content)
    return str(caught.value)


def test_the_published_example(tmp_path: Path) -> None:
    given = read(tmp_path, PUBLISHED)
    assert given.url == "http://127.0.0.1:9090"
    assert given.window.start == datetime(2021, 11, 9, 21, 0, tzinfo=UTC)
    assert given.window.end == datetime(2021, 11, 9, 21, 20, tzinfo=UTC)
    assert given.window.scrape_interval_s == 30
    assert given.verify_tls
    assert given.thresholds["vmiCreationToRunningSecondsP95"].value == 60
    assert given.thresholds["PATCH-virtualmachineinstances-count"].metric == "CREATE-pods-count"


def test_everything_that_a_file_can_have(tmp_path: Path) -> None:
    given = read(
        tmp_path,
        {
            "endTime": "2021-11-09T21:20:00.123456789+01:00",
            "duration": "1h30m",
            "prometheusURL": "https://monitoring/prometheus/",
            "prometheusUserName": "me",
            "prometheusPassword": "secret",
            "prometheusBearerToken": "",
            "prometheusVerifyTLS": False,
            "prometheusScrapeInterval": 15_000_000_000,
        },
    )
    assert given.url == "https://monitoring/prometheus"
    assert given.window.duration_s == 5400
    assert given.window.scrape_interval_s == 15
    assert not given.verify_tls
    assert given.credentials.header() == "Basic bWU6c2VjcmV0"


@pytest.mark.parametrize(
    ("content", "minutes"), [({}, 10), ({"duration": "5m"}, 5), ({"duration": None}, 10)]
)
def test_a_file_without_times_is_of_the_last_minutes(
    tmp_path: Path, content: dict[str, Any], minutes: int
) -> None:
    window = read(tmp_path, content).window
    assert (window.start, window.end) == (NOW - timedelta(minutes=minutes), NOW)


@pytest.mark.parametrize("interval", [0, -1, "30s"])
def test_the_scrape_interval_is_30_s_unless_told(tmp_path: Path, interval: object) -> None:
    given = read(tmp_path, {"prometheusScrapeInterval": interval})
    assert given.window.scrape_interval_s == 30


def test_credentials_in_the_url_are_taken_out_of_it(tmp_path: Path) -> None:
    given = read(tmp_path, {"prometheusURL": "http://me:p%40ss@[::1]:9090"})
    assert given.url == "http://[::1]:9090"
    assert given.credentials.header() == "Basic bWU6cEBzcw=="


def test_nothing_that_is_shown_has_a_secret_in_it(tmp_path: Path) -> None:
    given = read(tmp_path, {"prometheusBearerToken": "hush"})
    assert given.credentials.header() == "Bearer hush"
    assert "hush" not in repr(given)


BROKEN: dict[str, tuple[str | dict[str, Any], str]] = {
    "not JSON": ("{\n  'a': 1", "in.json:"),
    "an unknown key": (
        {"prometheusUrl": "http://x"},
        "in.json:2:3: prometheusUrl: there is no such key; did you mean prometheusURL?",
    ),
    "a URL without a scheme": (
        {"prometheusURL": "localhost:9090"},
        "in.json:2:20: prometheusURL: this is not a URL that begins with http:// or https://",
    ),
    "a time without a zone": ({"startTime": "2021-11-09T21:00:00"}, "is not a time as in"),
    "a time that is none": ({"endTime": "$end"}, '"$end" is not a time as in'),
    "a duration without a unit": ({"duration": 600}, "600 has no unit"),
    "an end before the start": (
        {"startTime": "2021-11-09T21:00:00Z", "endTime": "2021-11-09T20:00:00Z"},
        "startTime: the test ends (2021-11-09T20:00:00+00:00) before it has begun",
    ),
    "a start and a duration that do not agree": (
        {"startTime": "2026-01-02T03:00:00Z", "duration": "5m"},
        "do not agree: keep one",
    ),
    "two ways to sign in": (
        {"prometheusUserName": "me", "prometheusBearerToken": "t0psecret"},
        "there are a bearer token and a user name",
    ),
    "a threshold of a text": (
        {"thresholdExpectations": {"a": {"value": "60"}}},
        'thresholdExpectations.a.value: "60" is not a number: remove the quotes',
    ),
    "a flag that is a text": ({"prometheusVerifyTLS": "no"}, "is not true or false"),
}


@pytest.mark.parametrize(("content", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_what_is_wrong_is_told_with_its_place(
    tmp_path: Path, content: str | dict[str, Any], message: str
) -> None:
    told = refusal(tmp_path, content)
    assert message in told
    assert "t0psecret" not in told


def test_a_run_writes_an_input_that_is_read_again(tmp_path: Path) -> None:
    start = NOW - timedelta(seconds=90)
    document = input_document(start, NOW, url="http://x:1", scrape_interval_s=15)
    given = read(tmp_path, document)
    assert (given.window.start, given.window.end, given.url) == (start, NOW, "http://x:1")
    assert given.window.scrape_interval_s == 15
