"""What the tests of this room share: writing a file and loading it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Protocol

import pytest

from perfscale.foreign import load_config

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perfscale.config import Config


class Load(Protocol):
    """Loads a text as if it were the file ``f.yaml`` of the current folder."""

    def __call__(self, text: str, overrides: Sequence[str] = ()) -> Config: ...


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    monkeypatch.chdir(tmp_path)

    def load_text(text: str, overrides: Sequence[str] = ()) -> Config:
        (tmp_path / "f.yaml").write_text(textwrap.dedent(text), encoding="utf-8")
        return load_config("f.yaml", overrides=overrides)

    return load_text
