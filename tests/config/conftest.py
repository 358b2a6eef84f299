"""What the tests of this room share: writing a workload file and loading it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Protocol

import pytest

from perfscale.config import Config, load_config

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Load(Protocol):
    """Loads a text as if it were the file ``w.yaml`` of the current folder."""

    def __call__(self, text: str | bytes, overrides: Sequence[str] = ()) -> Config: ...


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    monkeypatch.chdir(tmp_path)

    def load_text(text: str | bytes, overrides: Sequence[str] = ()) -> Config:
        content = textwrap.dedent(text).encode() if isinstance(text, str) else text
        (tmp_path / "w.yaml").write_bytes(content)
        return load_config("w.yaml", overrides=overrides)

    return load_text
