"""What the documents say is so: links lead somewhere, commands and examples are accepted."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from documents import ROOT, Block, dead_links, perfscale_commands

import perfscale
from perfscale.audit import load_profile
from perfscale.config import load_config
from perfscale.config.sections.metrics import METRICS
from perfscale.sim.faults import Faults

RUN = ("perfscale", "run")
SCHEMA = ("perfscale", "schema")
VERSION = ("perfscale", "version")
FAULTS = {"requests", "watches", "outages", "objects", "namespaces", "cluster"}


def test_every_link_inside_the_project_leads_somewhere(document: Path) -> None:
    assert dead_links(document) == []


def test_a_command_that_is_shown_is_understood(command: tuple[str, ...]) -> None:
    # Asked for help, the parser still refuses an unknown command or option.
    program, *arguments = command
    line = [str(Path(sys.executable).with_name(program)), *arguments, "--help"]
    result = subprocess.run(line, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "Usage" in result.stdout


def test_python_that_is_shown_uses_only_what_the_package_offers(python_block: Block) -> None:
    # As a file, which is how it is tried: no `await` outside a function.
    compile(python_block.text, "example", "exec")
    for node in ast.walk(ast.parse(python_block.text)):
        if isinstance(node, ast.ImportFrom) and node.module == "perfscale":
            assert {alias.name for alias in node.names} <= set(perfscale.__all__)


def test_a_workload_that_is_shown_is_valid(yaml_block: Block, tmp_path: Path) -> None:
    content: Any = yaml.safe_load(yaml_block.text)
    if not isinstance(content, dict) or "workloads" not in content:
        pytest.skip("not a whole workload file")
    file = tmp_path / "workload.yaml"
    file.write_text(yaml_block.text, encoding="utf-8")
    assert load_config(file).workloads


def test_a_faults_file_that_is_shown_is_valid(yaml_block: Block) -> None:
    content: Any = yaml.safe_load(yaml_block.text)
    if not isinstance(content, dict) or not content.keys() <= {"seed", *FAULTS}:
        pytest.skip("not a whole faults file")
    Faults.model_validate(content)


def test_a_profile_that_is_shown_is_valid(yaml_block: Block, tmp_path: Path) -> None:
    content: Any = yaml.safe_load(yaml_block.text)
    if not isinstance(content, dict) or "queries" not in content:
        pytest.skip("not a whole profile")
    file = tmp_path / "profile.yaml"
    file.write_text(yaml_block.text, encoding="utf-8")
    assert load_profile(str(file)).queries


def test_every_metric_of_a_threshold_is_documented() -> None:
    told = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "workload-file.md").read_text("utf-8")))
    assert set(METRICS) <= told


def test_the_changelog_has_a_section_for_this_version_or_for_the_next() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## \[([^\]]+)\](?: - \d{4}-\d{2}-\d{2})?$", text, re.MULTILINE)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    version = re.search(r'^version = "(.+)"$', project, re.MULTILINE)
    assert version
    assert "Unreleased" in sections or version[1] in sections
    kinds = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_tests_run_in_ci_by_the_command_that_the_readme_gives() -> None:
    command = "python3 -m venv .venv && .venv/bin/pip install --quiet nox && .venv/bin/nox\n"
    assert command in (ROOT / "README.md").read_text(encoding="utf-8")
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("script", "calls"),
    [
        ("perfscale run w.yaml", [(*RUN, "w.yaml")]),
        ("$ .venv/bin/perfscale version  # say which", [VERSION]),
        ("KUBECONFIG=a:b perfscale run --yes", [(*RUN, "--yes")]),
        ("perfscale schema > a && perfscale version", [SCHEMA, VERSION]),
        ("perfscale run \\\n  --qps 5 &", [(*RUN, "--qps", "5")]),
        ("perfscale run --set 'workloads[0].qps=5'", [(*RUN, "--set", "workloads[0].qps=5")]),
        ("pip install perfscale-load-generator", []),
    ],
)
def test_commands_are_found_however_a_script_is_written(
    script: str, calls: list[tuple[str, ...]]
) -> None:
    assert perfscale_commands(script) == calls
