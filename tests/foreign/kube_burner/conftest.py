"""What the tests of kube-burner's configurations share: writing one and reading it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from perfscale.errors import ConfigError
from perfscale.foreign import load_config
from perfscale.foreign.kube_burner import Inputs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perfscale.config import Config

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: "{{.JobName}}-{{.Iteration}}-{{.Replica}}"}
spec: {containers: [{name: a, image: "{{.image}}"}]}
"""
RUN_ID = "11111111-2222-3333-4444-555555555555"


class Read(Protocol):
    """Reads a text as the configuration ``kb.yml`` of the current folder."""

    def __call__(self, text: str, overrides: Sequence[str] = (), **inputs: Any) -> Config: ...


class Problems(Protocol):
    """Reads one that is wrong: line and message of everything that is."""

    def __call__(self, text: str, **inputs: Any) -> list[tuple[int | None, str]]: ...


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a template in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pod.yml").write_text(POD)
    return tmp_path


@pytest.fixture
def read(folder: Path) -> Read:
    def read_text(text: str, overrides: Sequence[str] = (), **inputs: Any) -> Config:
        (folder / "kb.yml").write_text(textwrap.dedent(text), encoding="utf-8")
        given = Inputs(run_id=RUN_ID, **inputs)
        return load_config("kb.yml", overrides=overrides, inputs=given)

    return read_text


@pytest.fixture
def problems(read: Read) -> Problems:
    def problems_of(text: str, **inputs: Any) -> list[tuple[int | None, str]]:
        with pytest.raises(ConfigError) as refused:
            read(text, **inputs)
        return [(each.line, each.message) for each in refused.value.problems]

    return problems_of
