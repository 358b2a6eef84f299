"""`perfscale audit`, as people run it beside a Prometheus."""

import json
import ssl
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
from command_line import CommandLine, Ended
from published_audit_input import PUBLISHED
from scripted_prometheus import cannot, sample, scripted_prometheus
from scripted_server import answers

CREATION = "time_from_creation_seconds_bucket"


def write_input(perfscale: CommandLine, url: str, name: str = "in.json", **keys: Any) -> Path:
    path = perfscale.folder / name
    path.write_text(json.dumps({"prometheusURL": url, **keys}, indent=2), encoding="utf-8")
    return path


async def audit(perfscale: CommandLine, url: str, *options: str | Path, **keys: Any) -> Ended:
    return await perfscale.beside(
        "audit", "--config-file", write_input(perfscale, url, **keys), *options
    )


def values(perfscale: CommandLine) -> dict[str, Any]:
    text = (perfscale.folder / "perf-audit-results.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)["Values"]
    return found


async def test_the_published_example_works_and_a_threshold_that_is_missed_has_its_exit_code(
    tmp_path: Path,
) -> None:
    perfscale_audit = CommandLine(tmp_path, name="perfscale-audit")
    async with scripted_prometheus() as prometheus:
        prometheus.gives(CREATION, sample(50))
        prometheus.gives(
            "rest_client_requests_total",
            sample(100, verb="CREATE", resource="pods"),
            sample(200, verb="PATCH", resource="virtualmachineinstances"),
        )
        published = json.loads(PUBLISHED)
        published["prometheusURL"] = prometheus.url
        published["thresholdExpectations"]["vmiCreationToRunningSecondsP50"] = {"value": 45}
        (tmp_path / "audit-cfg.json").write_text(json.dumps(published))
        ended = await perfscale_audit.beside(
            "-config-file=audit-cfg.json", "-results-file", "r.json"
        )
    assert ended.code == 3
    document = json.loads((tmp_path / "r.json").read_text())
    assert json.loads(ended.out) == document
    assert document.keys() == {"Values"}
    found = document["Values"]
    assert found["vmiCreationToRunningSecondsP95"] == {
        "value": 50,
        "thresholdResult": {"thresholdValue": 60, "thresholdExceeded": False},
    }
    assert found["vmiCreationToRunningSecondsP50"]["thresholdResult"]["thresholdExceeded"]
    assert found["PATCH-virtualmachineinstances-count"]["thresholdResult"] == {
        "thresholdValue": 200,
        "thresholdMetric": "CREATE-pods-count",
        "thresholdRatio": 2,
        "thresholdExceeded": False,
    }
    assert found["vmiDeletionToFailedSecondsP99"] == {"value": 0}
    assert "✗ vmiCreationToRunningSecondsP50 50 seconds, above 45" in ended.err
    assert "✓ vmiCreationToRunningSecondsP95 50 seconds, at most 60" in ended.err


async def test_files_have_the_go_programs_names(perfscale: CommandLine) -> None:
    async with scripted_prometheus() as prometheus:
        write_input(perfscale, prometheus.url, "perf-audit-input.json")
        ended = await perfscale.beside("audit")
    assert ended.code == 0, ended.err
    assert values(perfscale)["vmiCreationToRunningSecondsP99"] == {"value": 0}
    assert "note: no data: " in ended.err


async def test_a_failed_query_leaves_the_others(perfscale: CommandLine) -> None:
    async with scripted_prometheus() as prometheus:
        prometheus.gives(CREATION, sample(70))
        prometheus.answers("rest_client", cannot("parse error: oh\x1b[31m"))
        prometheus.gives("workqueue_depth", sample("+Inf"))
        limit = {"vmiCreationToRunningSecondsP99": {"value": 60}}
        ended = await audit(perfscale, prometheus.url, thresholdExpectations=limit)
    assert ended.code == 1
    assert r"error: {verb}-{resource}-count: parse error: oh\x1b[31m (bad_data)" in ended.err
    assert "error: virtControllerWorkqueueDepth: the result is infinite" in ended.err
    assert values(perfscale)["vmiCreationToRunningSecondsP99"]["value"] == 70


async def test_a_threshold_without_a_result_fails_only_when_strict(perfscale: CommandLine) -> None:
    limit = {"PATCH-virtualmachineinstance-count": {"value": 1}}
    async with scripted_prometheus() as prometheus:
        ended = await audit(perfscale, prometheus.url, thresholdExpectations=limit)
        told = "no result to judge by the threshold of: PATCH-virtualmachineinstance-count"
        assert (ended.code, told in ended.err) == (0, True)
        ended = await audit(perfscale, prometheus.url, "--strict", thresholdExpectations=limit)
        assert (ended.code, told in ended.err) == (3, True)


async def test_a_prometheus_that_refuses(perfscale: CommandLine, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("t0ken")
    async with scripted_prometheus() as prometheus:
        prometheus.answers("", answers("no", status=401))
        ended = await audit(perfscale, prometheus.url, "--token-file", token, "-vv")
        assert ended.code == 4
        assert "refuses the credentials" in ended.err
        assert prometheus.requests[0].headers["authorization"] == "Bearer t0ken"
    assert "t0ken" not in ended.err + ended.out
    assert not (tmp_path / "perf-audit-results.json").exists()


async def test_a_self_signed_certificate(perfscale: CommandLine, tmp_path: Path) -> None:
    authority = trustme.CA()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with scripted_prometheus(tls=tls) as prometheus:
        ended = await audit(perfscale, prometheus.url)
        assert (ended.code, "--ca-file" in ended.err) == (4, True)
        ended = await audit(perfscale, prometheus.url, "--ca-file", tmp_path / "ca.pem")
        assert ended.code == 0, ended.err
        ended = await audit(perfscale, prometheus.url, prometheusVerifyTLS=True)
        assert ended.code == 4
        ended = await audit(perfscale, prometheus.url, prometheusVerifyTLS=False)
        assert (ended.code, "is not verified" in ended.err) == (0, True)


def test_a_prometheus_that_is_away(perfscale: CommandLine) -> None:
    file = write_input(perfscale, "http://127.0.0.1:9")
    ended = perfscale("audit", "--config-file", file)
    assert ended.code == 4
    assert "error: http://127.0.0.1:9 cannot be reached" in ended.err


async def test_an_audit_says_how_far_the_data_reaches(perfscale: CommandLine) -> None:
    end = time.time()
    async with scripted_prometheus() as prometheus:
        prometheus.scraped_until(end - 12)
        ended = await audit(
            perfscale, prometheus.url, endTime=datetime.fromtimestamp(end, UTC).isoformat()
        )
    assert ended.code == 0, ended.err
    assert "12s before the end of the test" in ended.err
    assert "--wait waits for it" in ended.err


async def test_it_can_wait_for_the_scrape_after_the_end(perfscale: CommandLine) -> None:
    end = time.time()
    async with scripted_prometheus() as prometheus:
        prometheus.scraped_until(end - 12)
        keys = {"endTime": datetime.fromtimestamp(end, UTC).isoformat()}
        ended = await audit(perfscale, prometheus.url, "--wait", "--wait-timeout", "10ms", **keys)
        assert ended.code == 0
        assert "waiting until Prometheus has scraped past the end" in ended.err
        assert "before the end of the test" in ended.err
        prometheus.scraped_until(end + 1)
        ended = await audit(perfscale, prometheus.url, "--wait", **keys)
        assert ended.code == 0
        assert "waiting" not in ended.err


async def test_another_prometheus_than_the_files_does_not_get_its_credentials(
    perfscale: CommandLine,
) -> None:
    async with scripted_prometheus() as prometheus:
        keys = {"prometheusBearerToken": "for-another"}
        ended = await audit(perfscale, "http://127.0.0.1:9", "--prometheus", prometheus.url, **keys)
        assert ended.code == 0, ended.err
        assert "authorization" not in prometheus.requests[0].headers


async def test_a_profile_of_ones_own(perfscale: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        "queries:\n  - name: pods-{node}\n    query: kubelet_pods\n    threshold: 5\n"
    )
    async with scripted_prometheus() as prometheus:
        prometheus.gives("kubelet_pods", sample(5, node="a"), sample(6, node="b"))
        ended = await audit(perfscale, prometheus.url, "--profile", "own.yaml")
    assert ended.code == 3
    assert {name: each["value"] for name, each in values(perfscale).items()} == {
        "pods-a": 5,
        "pods-b": 6,
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "in.json: there is no prometheusURL"),
        (("--prometheus", "localhost"), "this is not a URL"),
        (("--prometheus", "http://x", "--profile", "kubvirt"), "no profile of that name"),
        (("--results-file", "no/where"), "cannot be written there"),
        (("--token-file", "none"), "none: the secret cannot be read"),
    ],
)
def test_wrong_input_is_refused_before_anything_is_asked(
    perfscale: CommandLine, arguments: tuple[str, ...], message: str
) -> None:
    write_input(perfscale, "")
    ended = perfscale("audit", "--config-file", "in.json", *arguments)
    assert ended.code == 2
    assert message in ended.err
    assert "Traceback" not in ended.err


def test_an_input_file_that_is_not_there_is_named(perfscale: CommandLine) -> None:
    ended = perfscale("audit")
    assert ended.code == 2
    assert "perf-audit-input.json: there is no such file" in ended.err


def test_the_old_name_has_a_help(tmp_path: Path) -> None:
    ended = CommandLine(tmp_path, name="perfscale-audit")("-help")
    assert ended.code == 0
    assert "-config-file FILE" in ended.out
    ended = CommandLine(tmp_path, name="perfscale-audit")("-config-file")
    assert (ended.code, "flag needs an argument" in ended.err) == (2, True)


async def test_the_environments_proxy_leads_to_prometheus(perfscale: CommandLine) -> None:
    async with scripted_prometheus() as proxy:
        perfscale.environment["HTTP_PROXY"] = proxy.url
        ended = await audit(perfscale, "http://prometheus.example:9090")
        assert ended.code == 0, ended.err
        hosts = {request.target.partition("/api/")[0] for request in proxy.requests}
    assert hosts == {"http://prometheus.example:9090"}


async def test_a_proxy_that_cannot_be_used_is_told_before_anything_is_asked(
    perfscale: CommandLine,
) -> None:
    perfscale.environment["HTTP_PROXY"] = "socks5://me:hush@proxy.example"
    ended = await audit(perfscale, "http://prometheus.example:9090")
    assert ended.code == 2
    assert "HTTP_PROXY should be a URL that begins with one of http://, https://" in ended.err
    assert "hush" not in ended.err
