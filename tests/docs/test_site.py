"""The site has every document, key, command and option, and loads nothing from anywhere else."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import site_sources
from documents import ROOT, dead_links
from elsewhere import loads_of
from typer.testing import CliRunner

from perfscale.cli.app import app
from perfscale.config import json_schema
from perfscale.results import results_schema
from perfscale.search import search_schema

SCHEMA = json_schema()
COMMANDS = [command.name for command in app.registered_commands if command.name]
HEADING = re.compile(r"^[A-Z][\w -]+:$", re.MULTILINE)
OPTION = re.compile(r"^  (?:-\w, )?(--[a-z][a-z-]*)", re.MULTILINE)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site") / "source"
    site_sources.write(target)
    return target


def keys() -> Iterator[tuple[str, str]]:
    """Give each key of the schema, and the definition that has it; that of the file is empty."""
    for name, part in {"": SCHEMA, **SCHEMA["$defs"]}.items():
        for key in part["properties"]:
            yield name, key


@pytest.mark.parametrize(("name", "key"), list(keys()))
def test_the_reference_has_each_key_with_its_description_type_and_default(
    name: str, key: str, sources: Path
) -> None:
    page = (sources / "reference" / "workload-file.md").read_text(encoding="utf-8")
    start = page.index(f"(keys-of-{name.lower()})=") if name else page.index("## The file")
    section = page[start:].partition("\n(keys-of-")[0]
    found = re.search(rf"^`{key}`\n: (.*?)\n(?=\S|\Z)", section, re.MULTILINE | re.DOTALL)
    assert found, f"{key} is not in the section of {name or 'the file'}"
    part = SCHEMA["$defs"][name] if name else SCHEMA
    value = part["properties"][key]
    shown = re.sub(r"\\(.)", r"\1", found[1])
    of_mapping = SCHEMA["$defs"].get(value.get("$ref", "").rpartition("/")[2], {})
    assert (value.get("description") or of_mapping["description"]) in shown
    assert "Type: " in shown
    assert ("Required." in shown) == (key in part.get("required", []))
    assert ("Default: " in found[1].rpartition("Type: ")[2]) == (value.get("default") is not None)


@pytest.mark.parametrize(
    ("page", "schema"), [("summary", results_schema()), ("search", search_schema())]
)
def test_the_reference_has_each_key_of_a_document(
    page: str, schema: dict[str, Any], sources: Path
) -> None:
    text = (sources / "reference" / f"{page}.md").read_text(encoding="utf-8")
    for name, part in schema["$defs"].items():
        anchor = f"({page}-keys-of-{name.lower()})="
        is_whole = schema["$ref"].endswith(f"/{name}")
        start = text.index("## The document" if is_whole else anchor) if "properties" in part else 0
        section = text[start:].partition(f"\n({page}-keys-of-")[0]
        for key in part.get("properties", {}):
            assert f"\n`{key}`\n: " in section, f"{key} is not in the section of {name}"


@pytest.mark.parametrize("subcommand", COMMANDS)
def test_the_reference_has_each_command_with_every_option_of_its_help(
    subcommand: str, sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A command sets up the logging of its process, which here is that of other tests too.
    monkeypatch.setattr("perfscale.cli.app.set_up_logging", lambda: None)
    folder = sources / "reference"
    page = (folder / "commands" / f"{subcommand}.md").read_text(encoding="utf-8")
    printed = CliRunner().invoke(app, [subcommand, "--help"]).stdout
    options = OPTION.findall(HEADING.split(printed, maxsplit=1)[1])
    assert "--help" in options
    shown = re.findall(r"^`.*?(--[a-z][a-z-]*).*`$", page, re.MULTILINE)
    assert sorted(options) == sorted(shown)
    assert f"commands/{subcommand}.md" in (folder / "commands.md").read_text(encoding="utf-8")


def test_links_lead_to_the_same_places_on_the_site(sources: Path) -> None:
    pages = [page for page in sources.rglob("*.md") if "reference" not in page.parts]
    assert len(pages) > 40
    assert [(page, link) for page in pages for link in dead_links(page)] == []


@pytest.mark.parametrize(
    ("folder", "pattern"), [("docs", "docs/*.md"), ("examples", "examples/*/README.md")]
)
def test_a_list_that_becomes_navigation_has_every_document(folder: str, pattern: str) -> None:
    readme = ROOT / folder / "README.md"
    listed = [name for names in site_sources.navigation(readme, ROOT).values() for name in names]
    there = {
        os.path.relpath(path, ROOT).replace("README.md", "index.md").removesuffix(".md")
        for path in ROOT.glob(pattern)
        if path != readme
    }
    assert there <= set(listed)
    assert len(listed) == len(set(listed))


def test_what_a_page_would_load_from_another_server_is_found(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        '<link rel="canonical" href="https://here.example/">'
        '<link rel="stylesheet" href="style.css"><script src="own.js"></script>'
        '<a href="https://elsewhere.example">read on</a>'
        '<script src="//cdn.example/x.js"></script><link rel="preload" href="https://font.example">'
    )
    (tmp_path / "style.css").write_text(
        "@import 'https://fonts.example/css'; a { background: url(data:image/png;base64,AA) }"
    )
    assert loads_of(tmp_path) == [
        "page.html: //cdn.example/x.js",
        "page.html: https://font.example",
        "style.css: https://fonts.example/css",
    ]
