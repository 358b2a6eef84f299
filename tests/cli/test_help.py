"""What the commands say of themselves: help, versions, the schema, completion."""

import json
import re
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from command_line import CommandLine, folders_in

from perfscale import __version__

COMMANDS = (
    "run", "search", "init", "examples", "validate", "render", "role", "report", "compare",
    "convert", "index", "cleanup", "simulate", "schema", "version",
)  # fmt: skip


def test_the_help_teaches_what_to_try_first(perfscale: CommandLine) -> None:
    ended = perfscale("--help")
    assert ended.code == 0
    for line in (
        "      perfscale run --simulate",
        "      perfscale validate workload.yaml",
        "      perfscale run workload.yaml",
    ):
        assert line in ended.out.splitlines()
    for command in COMMANDS:
        assert re.search(rf"^  {command} ", ended.out, re.MULTILINE)
    assert "..." not in ended.out.partition("Commands:")[2]  # no sentence is cut off
    assert "Exit codes" in ended.out


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_examples_on_lines_of_their_own(
    command: str, perfscale: CommandLine
) -> None:
    ended = perfscale(command, "--help")
    assert ended.code == 0
    assert f"Usage: perfscale {command}" in ended.out
    assert re.search(rf"^      perfscale {command}\b", ended.out, re.MULTILINE)
    assert "Examples:  " not in ended.out


@pytest.mark.parametrize(("command", "argument"), [("init", "FILE"), ("examples", "NAME")])
def test_what_may_be_left_out_is_in_one_pair_of_brackets(
    command: str, argument: str, perfscale: CommandLine
) -> None:
    usage = perfscale(command, "--help").out.splitlines()[0]
    assert usage == f"Usage: perfscale {command} [OPTIONS] [{argument}]"


def test_the_examples_of_init_can_be_copied_line_by_line(perfscale: CommandLine) -> None:
    examples = perfscale("init", "--help").out.partition("For example:")[2].partition("Argum")[0]
    lines = [line.strip() for line in examples.splitlines() if line.strip()]
    assert lines
    assert all(line.startswith("perfscale init") for line in lines)


@pytest.mark.parametrize("command", ["run", "search", "validate", "render"])
def test_many_options_stand_below_headings_and_each_of_them_once(
    command: str, perfscale: CommandLine
) -> None:
    ended = perfscale(command, "--help")
    headings = re.findall(r"^(\S.*):$", ended.out.partition("Arguments:")[2], re.MULTILINE)
    assert len(headings) >= 3
    assert headings[-1] == "Other options"
    options = re.findall(r"^  (?:-\w, )?(--[a-z-]+)", ended.out, re.MULTILINE)
    assert len(set(options)) == len(options) > 12
    between = ended.out.partition("Where it runs:")[2].partition(":\n")[0]
    assert ("--kubeconfig" in between) == (command in {"run", "search"})


def test_a_few_options_are_one_list(perfscale: CommandLine) -> None:
    ended = perfscale("compare", "--help")
    assert re.findall(r"^(\S.*):$", ended.out, re.MULTILINE) == ["Arguments", "Options"]
    assert "<list" not in ended.out  # Python's type of an argument


@pytest.mark.parametrize("arguments", [("walk",), ("run", "--walk"), ("-x",), ("run", "a", "b")])
def test_what_is_not_known_is_refused_with_a_way_to_help(
    arguments: tuple[str, ...], perfscale: CommandLine
) -> None:
    ended = perfscale(*arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert "-h' for help" in ended.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", "--output", "xml"), "--output: 'xml' is not one of 'text', 'json'"),
        (("run", "--request-timeout", "x"), '--request-timeout: "x" is not a duration'),
        (("render", "--iteration", "x"), "--iteration: "),
        (("cleanup",), "name a run with --run-id ID"),
        (("walk",), "no such command 'walk'"),
    ],
)
def test_errors_of_the_command_line_look_like_all_others(
    arguments: tuple[str, ...], says: str, perfscale: CommandLine
) -> None:
    ended = perfscale(*arguments)
    assert ended.code == 2
    first, hint = ended.err.splitlines()
    assert first.startswith(f"error: {says}")
    assert hint.startswith("hint: see 'perfscale")


def test_no_command_is_told_what_there_is(perfscale: CommandLine) -> None:
    ended = perfscale()
    assert ended.code == 2
    assert ended.err.startswith("Usage: perfscale")


def test_the_schema_is_json_and_knows_the_keys(perfscale: CommandLine) -> None:
    ended = perfscale("schema")
    assert ended.code == 0
    document = json.loads(ended.out)
    assert document["$schema"].startswith("https://json-schema.org/")
    assert "namespacedIterations" in ended.out


def test_the_version_names_what_a_report_of_a_bug_needs(perfscale: CommandLine) -> None:
    ended = perfscale("version")
    assert ended.code == 0
    assert re.match(r"perfscale \d+\.\d+", ended.out)
    assert "Python 3." in ended.out
    assert "kubernetes_asyncio" in ended.out


def test_bash_completes_commands_and_options(perfscale: CommandLine) -> None:
    # As its own documentation says: the script is evaluated in the shell that asks.
    script = """
        eval "$(perfscale --show-completion)"
        complete() { COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _perfscale_completion perfscale; }
        complete perfscale cl; echo "${COMPREPLY[@]}"
        complete perfscale run --simul; echo "${COMPREPLY[@]}"
    """
    ended = perfscale.shell(script)
    assert ended.err == ""
    assert ended.out.split() == ["cleanup", "--simulate"]


@pytest.mark.parametrize("command", [["perfscale"], [sys.executable, "-m", "perfscale"]])
def test_the_option_version_prints_one_line(perfscale: CommandLine, command: list[str]) -> None:
    ended = perfscale.execute([*command, "--version"])
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == f"perfscale {version('perfscale-load-generator')}\n"
    assert __version__ == version("perfscale-load-generator")


def test_what_is_the_same_for_every_run_may_come_from_the_environment(
    perfscale: CommandLine,
) -> None:
    told = " ".join(perfscale("run", "--help").out.split())
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    variables = set(re.findall(r"env var: (PERFSCALE_\w+)", told))
    assert variables == set(re.findall(r"`(PERFSCALE_[A-Z_]+)`", readme))
    assert "PERFSCALE_RESULTS_DIR" in variables
    small = ("run", "--simulate", "--speed", "50", "--replicas", "1")
    places = {"PERFSCALE_RESULTS_DIR": "elsewhere", "PERFSCALE_CONTEXT": "of-no-simulation"}
    assert perfscale(*small, **places).code == 0
    assert len(folders_in(perfscale.folder / "elsewhere")) == 1
    assert perfscale(*small, "--results-dir", "here", **places).code == 0
    assert len(folders_in(perfscale.folder / "here")) == 1


def test_a_wrong_value_in_the_environment_is_refused_by_its_name(perfscale: CommandLine) -> None:
    ended = perfscale("run", "--simulate", PERFSCALE_REQUEST_TIMEOUT="soon")
    assert ended.code == 2
    assert "--request-timeout" in ended.err
