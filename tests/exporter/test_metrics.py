"""What a run serves of itself, to whoever embeds it."""

import asyncio
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from exposition import Page
from prometheus_client import CollectorRegistry, generate_latest
from run_metrics import DASHBOARD, dashboard_queries, scrape

from perfscale import RunMetrics, UsageError, serve_metrics
from perfscale.engine.events import Stage
from perfscale.engine.snapshot import (
    GeneratorState,
    Lags,
    ObjectCounts,
    OperationCounts,
    RunSnapshot,
)
from perfscale.results import Calls, Sketch, WatchCounts

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "metrics.md"
VMIS: Final = "virtualmachineinstances"
PLACE: Final = {"workload": "density", "kind": "VirtualMachineInstance"}
HOSTILE: Final = 'a "\n}\\<script>'


def snapshot(*, stage: Stage | None = Stage.CREATING, phase: str = "Running") -> RunSnapshot:
    """One in which there is something of everything."""
    latency = Sketch()
    for seconds in (0.2, 3.0, 7200.0):
        latency.count(seconds)
    calls = Calls()
    calls.of(("create", VMIS)).answer(201, 0.003)
    calls.of(("create", VMIS)).answer(429, 0.001)
    calls.of(("create", VMIS)).timeouts = 2
    objects = ObjectCounts("density", "VirtualMachineInstance", 9, 8, 7, 3, 2, 1, latency, latency)
    restarts = OperationCounts(
        "restarts", "restart", "VirtualMachine", 6, 5, 3, 1, latency, latency
    )
    return RunSnapshot(
        run_id="0f2d",
        server_version="v1.32.0",
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        elapsed_s=12.5,
        stage=stage,
        workload="density",
        stages={} if stage is None else {"density": stage},
        rates={"density": 19.5, "restarts": 4.5},
        targets={"density": 20.0, "unlimited": None, "restarts": 5.0},
        objects=(objects,),
        operations=(restarts,),
        phases={("VirtualMachineInstance", phase): 3},
        child_phases={},
        in_flight=4,
        most_in_flight=256,
        calls=tuple(calls.counted()),
        watch=WatchCounts(reconnects=1, relists=2),
        lags=Lags(Sketch(), Sketch(), Sketch()),
        generators=(GeneratorState(3, "worker", 7.5, 0, 0.25, 0.5, 4, 2, 1.5),),
    )


def page_of(served: RunSnapshot | None) -> Page:
    return Page(RunMetrics(lambda: served).text().decode())


def test_every_number_is_served_under_its_name() -> None:
    page = page_of(snapshot())
    assert page.value("perfscale_run_info", run_id="0f2d", server_version="v1.32.0") == 1
    assert page.value("perfscale_run_start_time_seconds") == 1767225600
    counted = {"sent": 8, "created": 7, "ready": 3, "failed": 2, "deleted": 1}
    for name, count in counted.items():
        assert page.value(f"perfscale_objects_{name}_total", **PLACE) == count
    assert page.value("perfscale_objects_requested", **PLACE) == 9
    assert page.value("perfscale_create_rate", workload="density") == 19.5
    assert page.value("perfscale_create_rate", workload="unlimited") == 0
    assert page.value("perfscale_create_rate_target", workload="density") == 20
    assert page.values("perfscale_create_rate_target", workload="unlimited") == []
    requests = {"201": 1, "429": 1, "timeout": 2, "connection_error": 0}
    for code, count in requests.items():
        found = page.value("perfscale_api_requests_total", verb="create", resource=VMIS, code=code)
        assert found == count
    assert page.value("perfscale_watch_relists_total") == 2
    assert page.value("perfscale_generator_rate", generator="3") == 7.5
    assert page.value("perfscale_generator_lag_seconds", generator="3") == 0.25
    assert page.value("perfscale_generator_cpu", generator="3") == 0.5
    assert page.value("perfscale_generator_silent_seconds", generator="3") == 1.5
    assert page.value("perfscale_generator_watch_reconnects_total", generator="3") == 4
    assert page.value("perfscale_generator_watch_relists_total", generator="3") == 2


def test_operations_are_served_by_workload_and_operation() -> None:
    page = page_of(snapshot())
    place = {"workload": "restarts", "operation": "restart", "kind": "VirtualMachine"}
    for name, count in {"sent": 6, "accepted": 5, "done": 3, "failed": 1}.items():
        assert page.value(f"perfscale_operations_{name}_total", **place) == count
    for name in ("response", "effect"):
        histogram = f"perfscale_operation_{name}_seconds"
        assert page.value(f"{histogram}_bucket", le="5", **place) == 2
        assert page.value(f"{histogram}_count", **place) == 3
    assert page.value("perfscale_operation_rate", workload="restarts") == 4.5
    assert page.value("perfscale_operation_rate_target", workload="restarts") == 5
    assert page.values("perfscale_create_rate", workload="restarts") == []
    assert page.values("perfscale_operation_rate", workload="density") == []


def test_a_histogram_counts_up_to_each_bound_and_what_is_longer_than_all() -> None:
    page = page_of(snapshot())
    name = "perfscale_object_ready_latency_seconds"
    for bound, count in (("0.1", 0), ("0.25", 1), ("5", 2), ("3600", 2), ("+Inf", 3)):
        assert page.value(f"{name}_bucket", le=bound, **PLACE) == count
    assert page.value(f"{name}_count") == 3
    assert page.value(f"{name}_sum") == pytest.approx(7203.2)


def test_one_stage_is_on_and_none_once_the_run_is_over() -> None:
    page = page_of(snapshot(stage=Stage.DELETING))
    assert page.value("perfscale_run_stage", stage="deleting") == 1
    assert sum(page.values("perfscale_run_stage")) == 1
    assert sum(page_of(snapshot(stage=None)).values("perfscale_run_stage")) == 0


def test_whatever_a_phase_is_called_it_stays_the_value_of_a_label() -> None:
    page = page_of(snapshot(phase=HOSTILE))
    assert page.values("perfscale_objects_in_phase", phase=HOSTILE) == [3]


def test_nothing_is_served_before_the_run_has_begun() -> None:
    assert page_of(None).text == ""


def test_the_document_names_just_what_is_served() -> None:
    types = re.findall(r"^# TYPE (\S+) (\S+)$", page_of(snapshot()).text, re.MULTILINE)
    rows = re.findall(
        r"^\| `(perfscale_\w+)` \| (\w+) \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(rows) == sorted(types)


def test_the_dashboard_asks_only_for_what_is_served() -> None:
    text = page_of(snapshot()).text
    served = set(re.findall(r"^(perfscale_\w+)", text, re.MULTILINE))
    queries = dashboard_queries()
    assert len(queries) > 20
    for title, query in queries.items():
        named = set(re.findall(r"perfscale_\w+", query))
        assert named, title
        assert named <= served, title
    variables = json.loads(DASHBOARD.read_text(encoding="utf-8"))["templating"]["list"]
    asked = [str(variable["query"]) for variable in variables if variable["type"] == "query"]
    assert set(re.findall(r"perfscale_\w+", " ".join(asked))) <= served


async def test_a_program_serves_the_metrics_of_its_run_for_as_long_as_it_likes() -> None:
    async with serve_metrics(snapshot) as url:
        page = await asyncio.to_thread(scrape, url)
        assert page.value("perfscale_objects_ready_total", **PLACE) == 3
        port = int(url.removesuffix("/metrics").rpartition(":")[2])
        with pytest.raises(UsageError, match=f"127.0.0.1:{port}: address already in use"):
            async with serve_metrics(snapshot, port=port):
                pass
    await asyncio.get_running_loop().shutdown_default_executor()


def test_a_program_joins_the_metrics_of_its_run_to_its_own() -> None:
    registry = CollectorRegistry()
    registry.register(RunMetrics(snapshot))
    page = Page(generate_latest(registry).decode())
    assert page.value("perfscale_objects_sent_total", **PLACE) == 8
