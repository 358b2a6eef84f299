"""`run --metrics-port`: where a run serves its metrics, and for how long."""

import signal
import socket
import urllib.error

import pytest
from command_line import CommandLine
from run_metrics import metrics_address, scrape
from simulated_process import SimulatedProcess
from workload_file import entry, write_workload

VMIS = "virtualmachineinstances"
PLACE = {"workload": "density", "kind": "VirtualMachineInstance"}


def test_a_run_serves_its_own_numbers_until_it_is_interrupted(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    objects = entry("vmi-ephemeral.yaml", 5, "served")
    workload = write_workload(perfscale.folder, objects, waitWhenFinished="10m")
    cluster = ("--kubeconfig", simulated.kubeconfig)
    with perfscale.start("run", workload, *cluster, "--metrics-port", "0") as run:
        url = metrics_address(run)
        run.says("] pausing")
        page = scrape(url)
        run.signal(signal.SIGINT)
        ended = run.ends()
    assert ended.code == 130
    for name in ("sent", "created", "ready", "deleted"):
        assert page.value(f"perfscale_objects_{name}_total", **PLACE) == 5
    assert page.value("perfscale_objects_failed_total", **PLACE) == 0
    assert page.value("perfscale_object_ready_latency_seconds_count", **PLACE) == 5
    assert page.value("perfscale_run_info", run_id=ended.run_id) == 1
    assert page.value("perfscale_run_stage", stage="pausing") == 1
    created = {"verb": "create", "resource": VMIS}
    assert page.value("perfscale_api_requests_total", code="201", **created) == 5
    assert page.value("perfscale_api_request_duration_seconds_count", **created) == 5
    assert page.value("perfscale_limiter_lag_seconds_count") == 5
    assert sum(page.values("perfscale_objects_in_phase")) == 0
    with pytest.raises(urllib.error.URLError):
        scrape(url)


def test_a_port_in_use_is_told_before_anything_is_created(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    workload = write_workload(perfscale.folder, entry("vmi-ephemeral.yaml", 1, "refused"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = perfscale(
            "run", workload, "--kubeconfig", simulated.kubeconfig, "--metrics-port", port
        )
    assert ended.code == 2
    assert ended.err == (
        f"error: metrics: cannot listen on 127.0.0.1:{port}: address already in use\n"
        "hint: give another port, or 0 for a free one\n"
    )
    assert perfscale.results == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--metrics-port", "70000"), "error: --metrics-port: "),
        (("--metrics-port", "here"), "error: --metrics-port: "),
        (("--metrics-port", "0", "--dry-run", "client"), "leave it out of a --dry-run"),
    ],
)
def test_a_port_that_makes_no_sense_is_refused(
    arguments: tuple[str, ...], told: str, perfscale: CommandLine
) -> None:
    ended = perfscale("run", *arguments)
    assert ended.code == 2
    assert told in ended.err
    assert perfscale.results == []
