"""Hooks, as somebody sees them who runs a workload file from elsewhere."""

import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import CommandLine
from workload_file import entry, write_workload


@pytest.fixture
def command_line(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def with_hooks(folder: Path, *hooks: dict[str, Any]) -> Path:
    path = write_workload(folder, entry("vmi-ephemeral.yaml", 1, "hooked"))
    content = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({"globalConfig": {"hooks": list(hooks)}, **content}))
    return path


def test_the_header_says_which_commands_a_file_lets_run(command_line: CommandLine) -> None:
    commands = [["echo", "one two"], *(["test", str(number)] for number in range(1, 6))]
    hooks = [{"when": "beforeRun", "run": command} for command in commands]
    workload = with_hooks(command_line.folder, *hooks)
    ended = command_line("run", workload, "--simulate", "--speed=50", "--no-report")
    assert ended.code == 0, ended.err
    listed = "; ".join(f"beforeRun: {shlex.join(command)}" for command in commands)
    assert listed in " ".join(ended.err.split())


def test_a_hook_that_fails_says_where_its_output_is(command_line: CommandLine) -> None:
    hook = {"when": "afterReady", "run": ["sh", "-c", "echo why; exit 5"]}
    workload = with_hooks(command_line.folder, hook)
    ended = command_line("run", workload, "--simulate", "--speed=50", "--no-report")
    assert ended.code == 1
    told = " ".join(ended.err.split())
    assert "(sh -c 'echo why; exit 5'): it ended with exit code 5" in told
    (folder,) = command_line.results
    assert (folder / "hooks" / "1-afterReady.log").read_text() == "why\n"
    assert "1-afterReady.log" in told
