"""Servers that the tests start end with them, in whatever way that is."""

import subprocess
import sys
from pathlib import Path

import process_group
import pytest
from leaks import no_leaked_threads_or_processes
from process_group import ProcessGroup

SCRIPT = """
import os, signal, sys
from pathlib import Path
from process_group import ProcessGroup
group = ProcessGroup()
server = group.start(["sleep", "60"], log=Path(sys.argv[1]))
assert server.poll() is None
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_test_run_leaves_no_server_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(process_group.__file__).parent))
    with no_leaked_threads_or_processes():
        subprocess.run([sys.executable, "-c", SCRIPT, tmp_path / "log"], check=False)


def test_closing_the_group_ends_even_a_server_that_does_not_listen(tmp_path: Path) -> None:
    stubborn = "trap '' TERM INT HUP; echo up; while true; do sleep 1; done"
    with no_leaked_threads_or_processes(), ProcessGroup() as group:
        server = group.start(["sh", "-c", stubborn], log=tmp_path / "log")
        assert server.poll() is None
    assert server.returncode is not None


def test_what_a_server_says_is_kept_for_the_error_message(tmp_path: Path) -> None:
    with ProcessGroup() as group:
        group.start(["sh", "-c", "echo out; echo err >&2"], log=tmp_path / "log").wait()
    assert (tmp_path / "log").read_text() == "out\nerr\n"
