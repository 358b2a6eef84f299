"""A program that embeds the engine audits its own run."""

from __future__ import annotations

import json
import ssl
from pathlib import Path

import pytest
import trustme
from clusters import ClusterUnderTest
from scripted_prometheus import sample, scripted_prometheus
from under_test import load_generator
from workloads import config, objects, workload

from perfscale import RunFolder, UsageError, plan_audit, summarize

CREATION = "time_from_creation_seconds_bucket"
P99 = "vmiCreationToRunningSecondsP99"


async def test_a_program_audits_its_run_and_keeps_what_was_found(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    load = config(workload(objects(count=2)), audit={"thresholds": {P99: 60}})
    folder = RunFolder(tmp_path)
    async with scripted_prometheus() as prometheus:
        prometheus.gives(CREATION, sample(61))
        plan = plan_audit(load, prometheus.url)
        assert plan is not None
        await plan.check()
        cluster = simulated.options
        async with load_generator(load, cluster=cluster, results=folder) as generator:
            result = await generator.run()
        record = await plan.audit(result)
    assert record.total is not None
    assert record.total.values[P99].value == 61
    assert [each.name for each in record.workloads] == ["density"]
    assert record.problems == (f"audit: {P99} 61 seconds, above 60",)
    audited = folder.add_audit(result, record)
    assert audited.exit_code == 3
    assert folder.path is not None
    written = json.loads((folder.path / "summary.json").read_text())
    assert written["audit"]["total"] == summarize(audited)["audit"]["total"]


@pytest.mark.one_generator("there is no run in it")
async def test_a_certificate_that_is_not_verified_is_said_before_the_run() -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    said: list[str] = []
    async with scripted_prometheus(tls=tls) as prometheus:
        plan = plan_audit(config(workload(objects()), audit={"verifyTLS": False}), prometheus.url)
        assert plan is not None
        await plan.check(said.append)
    assert said[0] == "warning: the certificate of Prometheus is not verified (verifyTLS)"


@pytest.mark.one_generator("there is no run in it")
def test_without_a_prometheus_there_is_no_audit() -> None:
    assert plan_audit(config()) is None


@pytest.mark.one_generator("there is no run in it")
def test_an_address_that_is_none_is_refused_without_its_credentials() -> None:
    with pytest.raises(UsageError, match="Prometheus: this is not a URL") as caught:
        plan_audit(config(), "me:secret@localhost")
    assert "secret" not in str(caught.value)
