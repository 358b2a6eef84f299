"""`run --web`: where the page of a run is served, and what is refused before anything happens."""

import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from command_line import CommandLine
from patience import PATIENCE_S
from simulated_process import SimulatedProcess
from workload_file import entry, write_workload

TOKEN = "a-token-that-nobody-guesses"  # noqa: S105 -- of no server
EVERYWHERE = "0.0.0.0:0"


def status(url: str, **headers: str) -> int:
    asked = urllib.request.Request(url, headers=headers)  # noqa: S310 -- our own
    try:
        with urllib.request.urlopen(asked, timeout=PATIENCE_S) as answer:  # noqa: S310 -- our own
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("words", [["--web"], ["--web", "0"], ["--web=127.0.0.1:0"]])
def test_the_address_may_be_left_out_wherever_the_option_stands(
    words: list[str], perfscale: CommandLine
) -> None:
    workload = write_workload(perfscale.folder, entry("configmap.yaml", 1, "page"))
    simulated = ("--simulate", "--speed", "50")
    file = str(workload)
    for arguments in ([*words, file, *simulated], [file, *simulated, *words]):
        ended = perfscale("run", *arguments)
        assert ended.code == 0, ended.err
        assert "\npage" in ended.err


def test_a_port_in_use_is_an_error_before_anything_is_created(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    workload = write_workload(perfscale.folder, entry("vmi-ephemeral.yaml", 1, "refused"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = perfscale("run", workload, "--kubeconfig", simulated.kubeconfig, "--web", port)
    assert ended.code == 2
    assert ended.err == (
        f"error: --web: cannot listen on 127.0.0.1:{port}: address already in use\n"
        "hint: give another port, or 0 for a free one\n"
    )
    assert perfscale.results == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--web", EVERYWHERE), "0.0.0.0 can be reached from elsewhere, and there is no token"),
        (("--web=here",), "--web: 'here' is no address"),
        (("--web", "--dry-run", "client"), "leave it out of a --dry-run"),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: tuple[str, ...], says: str, perfscale: CommandLine
) -> None:
    ended = perfscale("run", "--simulate", *arguments)
    assert ended.code == 2
    assert says in ended.err
    assert perfscale.results == []


def test_a_token_keeps_others_out_and_is_in_no_log_and_no_file(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    objects = entry("configmap.yaml", 1, "guarded")
    workload = write_workload(perfscale.folder, objects, waitWhenFinished="10m")
    perfscale.environment["PERFSCALE_WEB_TOKEN"] = TOKEN
    command = ("run", workload, "--kubeconfig", simulated.kubeconfig, "--web", EVERYWHERE, "-vv")
    with perfscale.start(*command) as run:
        run.says("pausing")
        port = next(line for line in run.err.splitlines() if line.startswith("page"))
        url = f"http://127.0.0.1:{port.rstrip('/').rpartition(':')[2]}/"
        assert status(url) == 401
        assert status(url, Authorization=f"Bearer {TOKEN}") == 200
        run.signal(2)
        ended = run.ends()
    assert TOKEN not in ended.err + ended.out
    written = (path for path in perfscale.folder.rglob("*") if path.is_file())
    assert [path for path in written if TOKEN in text_of(path)] == []


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
