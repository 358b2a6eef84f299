"""A run that is audited: by the Prometheus that the command line or the workload file names."""

import asyncio
import json
import signal
import time
from collections.abc import Sequence
from typing import Any

import yaml
from command_line import CommandLine, Ended
from scripted_prometheus import ScriptedPrometheus, cannot, line, sample, scripted_prometheus
from scripted_server import answers
from workload_file import WAITING, entry

CREATION = "time_from_creation_seconds_bucket"
METRICS = """\
- {query: "rate(cpu[1m])", metricName: cpu}
- {query: nodes, metricName: nodes, instant: true}
- {query: never, metricName: never, instant: true}
"""
ALERTS = """\
- {expr: slow > 1, description: "{{$labels.node}} took {{$value}} s", severity: error}
"""
RUN = ("run", "w.yaml", "--simulate", "--speed", "50")


def write(perfscale: CommandLine, **audit: Any) -> None:
    workloads = [
        {"name": name, **WAITING, "objects": [entry("vmi-ephemeral.yaml", 2, name)]}
        for name in ("first", "second")
    ]
    document = {"globalConfig": {"audit": audit} if audit else {}, "workloads": workloads}
    (perfscale.folder / "w.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")


def summary(perfscale: CommandLine) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((perfscale.results[0] / "summary.json").read_text())
    return found


def audit_input(perfscale: CommandLine) -> dict[str, Any]:
    text = (perfscale.results[0] / "perf-audit-input.json").read_text()
    found: dict[str, Any] = json.loads(text)
    return found


async def run(perfscale: CommandLine, prometheus: ScriptedPrometheus, *options: str) -> Ended:
    return await perfscale.beside(*RUN, "--prometheus", prometheus.url, *options)


async def test_a_run_is_audited_as_a_whole_and_by_workload(perfscale: CommandLine) -> None:
    write(perfscale)
    async with scripted_prometheus() as prometheus:
        prometheus.gives(CREATION, sample(12.5))
        prometheus.gives("node:kubevirt_vmi_phase:sum)", line((0, 1), phase="running"))
        ended = await run(perfscale, prometheus)
    assert ended.code == 0, ended.err
    assert "vmiCreationToRunningSecondsP95" in ended.out
    assert "12.5" in ended.out
    audit = summary(perfscale)["audit"]
    assert audit["prometheus"] == prometheus.url
    value = {"value": 12.5, "unit": "seconds"}
    assert audit["total"]["values"]["vmiCreationToRunningSecondsP95"] == value
    first, second = audit["workloads"]
    assert [each["name"] for each in (first, second)] == ["first", "second"]
    assert first["values"]["vmiCreationToRunningSecondsP95"] == value
    assert audit["total"]["start"] <= first["start"] < first["end"] <= second["start"]
    assert second["end"] <= audit["total"]["end"]
    series = json.loads((perfscale.results[0] / "audit.json").read_text())["series"]
    assert [each["name"] for each in series] == ["VMIs running"]
    again = perfscale("report", perfscale.results[0])
    assert "vmiCreationToRunningSecondsP95" in again.out


async def test_a_threshold_of_the_file_that_is_exceeded_fails_the_run(
    perfscale: CommandLine,
) -> None:
    async with scripted_prometheus() as prometheus:
        prometheus.gives(CREATION, sample(61))
        limits = {"vmiCreationToRunningSecondsP99": 60, "vmiCreationToRunningSecondsP50": 61}
        write(perfscale, prometheusURL=prometheus.url, scrapeInterval="1s", thresholds=limits)
        ended = await perfscale.beside(*RUN)
    assert ended.code == 3, ended.err
    assert "FAILED" in ended.out
    told = "audit: vmiCreationToRunningSecondsP99 61 seconds, above 60"
    assert f"✗ {told}" in ended.out
    found = summary(perfscale)
    assert (found["exitCode"], found["outcome"], found["problems"]) == (3, "failed", [told])
    kept = found["audit"]["total"]["values"]["vmiCreationToRunningSecondsP50"]
    assert kept == {"value": 61.0, "unit": "seconds", "limit": 61.0}


async def test_queries_that_fail_fail_the_run_and_leave_the_others(perfscale: CommandLine) -> None:
    write(perfscale)
    async with scripted_prometheus() as prometheus:
        prometheus.gives(CREATION, sample(1))
        prometheus.answers("workqueue_adds", cannot("parse error"))
        ended = await run(perfscale, prometheus, "--output", "json")
    assert ended.code == 1, ended.err
    found = json.loads(ended.out)
    assert found["problems"] == ["audit: virtControllerWorkqueueAddRate: parse error (bad_data)"]
    assert found["audit"]["total"]["values"]["vmiCreationToRunningSecondsP50"]["value"] == 1


async def test_a_prometheus_that_refuses_is_told_before_anything_is_created(
    perfscale: CommandLine,
) -> None:
    write(perfscale)
    async with scripted_prometheus() as prometheus:
        prometheus.answers("", answers("no", status=401))
        ended = await run(perfscale, prometheus)
    assert ended.code == 4
    assert "wants credentials (status 401)" in ended.err
    assert perfscale.results == []


async def test_a_prometheus_that_goes_away_during_the_run_costs_only_the_audit(
    perfscale: CommandLine,
) -> None:
    write(perfscale)
    async with scripted_prometheus() as prometheus:
        asked = 0

        async def gone_after_the_first(exchange: Any) -> None:
            nonlocal asked
            asked += 1
            await exchange.reply_json(*((200, FIRST) if asked == 1 else (401, "no")))

        prometheus.answers("", gone_after_the_first)
        ended = await run(perfscale, prometheus)
    assert ended.code == 4
    found = summary(perfscale)
    assert found["objects"]["ready"] == 4
    assert "wants credentials" in found["problems"][0]
    assert found["audit"]["total"] is None


FIRST = {"status": "success", "data": {"resultType": "vector", "result": []}}


async def test_every_run_leaves_an_input_for_an_audit(perfscale: CommandLine) -> None:
    write(perfscale)
    ended = perfscale(*RUN)
    assert ended.code == 0, ended.err
    document = audit_input(perfscale)
    assert document["prometheusURL"] == "http://localhost:9090"
    assert document["startTime"] < document["endTime"]
    # A run that was killed has none yet: the report on it makes it.
    (perfscale.results[0] / "perf-audit-input.json").unlink()
    assert perfscale("report", perfscale.results[0]).code == 0
    assert audit_input(perfscale) == document
    async with scripted_prometheus() as prometheus:
        file = perfscale.results[0] / "perf-audit-input.json"
        ended = await perfscale.beside(
            "audit", "--config-file", file, "--prometheus", prometheus.url
        )
    assert ended.code == 0, ended.err
    assert summary(perfscale)["audit"] is None


async def test_the_files_of_the_audit_are_found_beside_the_workload_file(
    perfscale: CommandLine,
) -> None:
    folder = perfscale.folder / "load"
    folder.mkdir()
    (folder / "token").write_text("t0ken")
    (folder / "own.yaml").write_text("queries: [{name: own, query: mine}]")
    async with scripted_prometheus() as prometheus:
        prometheus.gives("mine", sample(7))
        write(perfscale, prometheusURL=prometheus.url, profile="own.yaml", tokenFile="token")
        (perfscale.folder / "w.yaml").rename(folder / "w.yaml")
        ended = await perfscale.beside("run", "load/w.yaml", "--simulate", "--speed", "50")
        assert ended.code == 0, ended.err
        assert prometheus.requests[-1].headers["authorization"] == "Bearer t0ken"
    assert summary(perfscale)["audit"]["total"]["values"] == {"own": {"value": 7.0}}
    everything = "".join(
        path.read_text() for path in perfscale.results[0].iterdir() if path.is_file()
    )
    assert "t0ken" not in everything + ended.out + ended.err


def test_an_address_that_is_none_is_refused(perfscale: CommandLine) -> None:
    write(perfscale)
    ended = perfscale(*RUN, "--prometheus", "localhost:9090")
    assert (ended.code, "this is not a URL" in ended.err) == (2, True)
    write(perfscale, prometheusURL="http://x", profile="missing.yaml")
    ended = perfscale(*RUN)
    assert (ended.code, "no profile of that name" in ended.err) == (2, True)


async def test_what_prometheus_answered_for_each_workload_becomes_documents(
    perfscale: CommandLine,
) -> None:
    write(perfscale, profile="profile.yaml")
    (perfscale.folder / "metrics.yml").write_text(METRICS)
    (perfscale.folder / "alerts.yml").write_text(ALERTS)
    (perfscale.folder / "profile.yaml").write_text(
        "include: [metrics.yml, alerts.yml]\nqueries: [{name: '{verb}-count', query: requests}]"
    )
    async with scripted_prometheus() as prometheus:
        prometheus.gives("cpu", line((1000, 0.5), (1030, "NaN"), node="n1", __name__="cpu"))
        prometheus.gives("nodes", sample(3))
        prometheus.gives("requests", sample(7, verb="LIST"))
        prometheus.gives("slow", line((1000, 2.12345), (1030, 4), node="n1"))
        prometheus.gives("never", sample("NaN"))
        ended = await run(perfscale, prometheus, "--export", "kube-burner", "--tag", "build=1")
    assert ended.code == 3, ended.err
    assert "✗ audit: first: alert (error): n1 took 2.123 s" in ended.out
    (collected,) = perfscale.results[0].glob("collected-metrics-*")
    found = {path.stem: json.loads(path.read_text()) for path in collected.iterdir()}
    samples = found["cpu"]
    assert [each["jobName"] for each in samples] == ["first", "second"]
    run_id = summary(perfscale)["runId"]
    metadata = samples[0].pop("metadata")
    assert metadata.items() >= {"build": "1", "totalNodes": 10}.items()
    assert samples[0] == {
        "timestamp": "1970-01-01T00:16:40.000Z",
        "labels": {"node": "n1"},
        "value": 0.5,
        "uuid": run_id,
        "query": "rate(cpu[1m])",
        "metricName": "cpu",
        "jobName": "first",
    }
    assert [each["value"] for each in found["nodes"]] == [3.0, 3.0]
    assert [each["metricName"] for each in found["LIST-count"]] == ["LIST-count"] * 2
    assert "never" not in found
    alert = found["alert"][0]
    assert alert.items() >= {
        "timestamp": "1970-01-01T00:16:40.000Z", "severity": "error",
        "description": "n1 took 2.123 s", "metricName": "alert", "uuid": run_id,
    }.items()  # fmt: skip
    assert found["jobSummary"][0]["build"] == "1"


async def test_an_alert_that_is_no_error_fails_nothing(perfscale: CommandLine) -> None:
    write(perfscale, profile="alerts.yml")
    (perfscale.folder / "alerts.yml").write_text(ALERTS.replace("error", "warning"))
    async with scripted_prometheus() as prometheus:
        prometheus.gives("slow", line((1000, 2)))
        ended = await run(perfscale, prometheus)
    assert ended.code == 0, ended.err
    assert "first: alert (warning): <no value> took 2 s" in ended.out
    alerts = summary(perfscale)["audit"]["alerts"]
    assert [each["workload"] for each in alerts] == ["first", "second"]


async def test_an_alert_that_cannot_be_evaluated_is_exit_code_1(perfscale: CommandLine) -> None:
    write(perfscale, profile="alerts.yml")
    (perfscale.folder / "alerts.yml").write_text(ALERTS)
    async with scripted_prometheus() as prometheus:
        prometheus.answers("slow", cannot("parse error"))
        ended = await run(perfscale, prometheus)
    assert ended.code == 1, ended.err
    assert "audit: first: alert slow > 1: parse error" in ended.out


async def test_an_interrupted_run_is_not_audited(perfscale: CommandLine) -> None:
    write(perfscale)
    async with scripted_prometheus() as prometheus:
        pause = ("--set", "workloads[*].waitWhenFinished=1h")
        command = (*RUN, *pause, "--prometheus", prometheus.url)
        ended = await interrupted(perfscale, command, "pausing")
        assert ended.code == 130, ended.err
        assert len(prometheus.requests) == 1  # whether it is there
    assert summary(perfscale)["audit"] is None
    assert audit_input(perfscale)["prometheusURL"] == prometheus.url


async def test_who_does_not_wait_for_the_audit_still_learns_how_the_run_went(
    perfscale: CommandLine,
) -> None:
    write(perfscale)
    async with scripted_prometheus() as prometheus:
        prometheus.scraped_until(time.time() - 3600)
        command = (*RUN, "--prometheus", prometheus.url)
        ended = await interrupted(perfscale, command, "waiting until Prometheus has scraped")
    assert ended.code == 130, ended.err
    assert "PASSED" in ended.out
    assert summary(perfscale)["objects"]["ready"] == 4


async def interrupted(perfscale: CommandLine, command: Sequence[str], stage: str) -> Ended:
    """Run until it says this, then press Ctrl-C."""
    try:
        with perfscale.start(*command) as it:
            await asyncio.to_thread(it.says, stage)
            it.signal(signal.SIGINT)
            return await asyncio.to_thread(it.ends)
    finally:
        await asyncio.get_running_loop().shutdown_default_executor()
