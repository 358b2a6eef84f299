"""Standard streams that are closed, full or a terminal, and what others would write to them."""

import json
import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Final

import pytest
from command_line import CommandLine
from terminal import Terminal
from workload_file import entry, write_workload

from perfscale.cli.output.console import open_console

HOSTILE: Final = r"\e]0;title\a\e[31mred\u202e\x9b31m"
SHOWN: Final = r"\x1b]0;title\x07\x1b[31mred\u202e\x9b31m"
RAW: Final = re.compile("\x1b\\]|\x07|\x1b\\[31mred|\u202e|\x9b")
HELD: Final = f"""\
apiVersion: v1
kind: ConfigMap
metadata:
  name: held-{{{{ replica }}}}
  finalizers: ["example.org/{HOSTILE}"]
"""
SIMULATED: Final = ("--simulate", "--speed", "50")
SMALL: Final = ("run", *SIMULATED, "--replicas", "2")
OFFLINE: Final = (("validate",), ("render",), ("schema",), ("version",))


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A run that tells of a finalizer whose name would change the terminal's title and colour."""
    (tmp_path / "held.yaml").write_text(HELD)
    return write_workload(tmp_path, entry("held.yaml", 1, "hostile"), maxWaitTimeout="1s")


@pytest.mark.parametrize("descriptor", [0, 1, 2])
@pytest.mark.parametrize("command", [SMALL, *OFFLINE], ids=lambda command: command[0])
def test_a_standard_stream_that_is_closed_changes_nothing(
    perfscale: CommandLine, command: tuple[str, ...], descriptor: int
) -> None:
    ended = perfscale.shell(f"perfscale {' '.join(command)} {descriptor}>&-")
    assert ended.code == 0, ended.err
    assert "Traceback" not in ended.err
    if command is SMALL:
        (folder,) = perfscale.results
        assert json.loads((folder / "summary.json").read_text())["outcome"] == "passed"


def test_without_any_standard_stream_a_run_goes_on(perfscale: CommandLine) -> None:
    ended = perfscale.shell(f"perfscale {' '.join(SMALL)} <&- >&- 2>&-")
    assert ended.code == 0
    assert len(perfscale.results) == 1


@pytest.mark.parametrize("command", [*OFFLINE, (*SMALL, "--output", "json"), SMALL])
def test_output_that_cannot_be_written_is_a_failure_in_one_line(
    perfscale: CommandLine, command: tuple[str, ...]
) -> None:
    ended = perfscale.shell(f"perfscale {' '.join(command)} > /dev/full")
    assert ended.code == 1
    last = ended.err.splitlines()[-1]
    assert last == "error: standard output cannot be written: No space left on device"
    for folder in perfscale.results:
        assert (folder / "report.html").exists()


def test_an_error_that_cannot_be_written_keeps_its_exit_code(perfscale: CommandLine) -> None:
    assert perfscale.shell("perfscale validate missing.yaml 2> /dev/full").code == 2
    assert perfscale.shell(f"perfscale {' '.join(SMALL)} 2> /dev/full").code == 0


def test_control_characters_of_a_cluster_are_shown_in_all_that_is_written(
    perfscale: CommandLine, hostile: Path
) -> None:
    ended = perfscale("-vv", "run", hostile, *SIMULATED)
    assert ended.code == 1, ended.err
    (folder,) = perfscale.results
    files = [folder / name for name in ("junit.xml", "report.html")]
    for text in (ended.out, *(path.read_text(encoding="utf-8") for path in files)):
        assert f"held by finalizer example.org/{SHOWN}" in text
        assert not RAW.search(text)
    assert not RAW.search(ended.err)
    made = perfscale("report", folder)
    assert SHOWN in made.out
    assert not RAW.search(made.out)


def test_control_characters_of_a_cluster_do_not_reach_a_terminal(
    perfscale: CommandLine, hostile: Path
) -> None:
    command = [perfscale.program, "run", str(hostile), *SIMULATED]
    environment = {**perfscale.environment, "COLUMNS": "200"}
    with Terminal(command, perfscale.folder, environment) as it:
        assert it.ends() == 1
    assert f"held by finalizer example.org/{SHOWN}" in it.shown
    assert not RAW.search(it.raw)


def test_control_characters_in_log_lines_and_errors_are_shown(perfscale: CommandLine) -> None:
    hostile = "\x1b]0;title\a\x1b[31mred\u202e\x9b31m"
    named = perfscale.folder / f"{hostile}.yaml"
    ended = perfscale("validate", named)
    assert ended.code == 2
    assert SHOWN in ended.err
    assert not RAW.search(ended.err)
    write_workload(perfscale.folder, entry("vmi-ephemeral.yaml", 1, "named")).rename(named)
    ended = perfscale("validate", named)
    assert ended.code == 0
    assert SHOWN in ended.out
    assert not RAW.search(ended.out)
    logging = (
        "import logging, sys; from perfscale.cli.main import enter\n"
        "from perfscale.cli.output.streams import set_up_logging\n"
        "def command():\n"
        "    set_up_logging()\n"
        "    logging.getLogger('perfscale').error('%s', sys.argv[1])\n"
        "    return 0\n"
        "enter(command)\n"
    )
    logged = perfscale.python(logging, hostile)
    assert r"\x1b]0;title" in logged.err
    assert not RAW.search(logged.err)


@pytest.mark.parametrize(("columns", "lines"), [(None, 1), ("40", 25)])
def test_what_is_piped_is_wrapped_only_where_somebody_says_how_wide_it_may_be(
    monkeypatch: pytest.MonkeyPatch, columns: str | None, lines: int
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    with redirect_stdout(StringIO()) as piped:
        open_console().print("word " * 200)
    assert len(piped.getvalue().splitlines()) == lines
