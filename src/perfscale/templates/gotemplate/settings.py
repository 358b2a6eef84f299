"""What a template is given besides its variables."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from random import Random


@dataclass(frozen=True, slots=True)
class Settings:
    """What a template may reach, and what it does where a key is missing.

    Attributes:
        missing: Of a key that a map does not have: ``error`` ends the rendering, ``zero`` is nil,
            which prints ``<no value>``.
        folder: `ReadFile` reads files in it, and below; None: nothing.
        environment: What `env` and `expandenv` see; None: a template that uses them is refused.
        random: What random functions draw from; None: the system's randomness.
        clock: Seconds since 1970, for `now`.
    """

    missing: Literal["error", "zero"] = "error"
    folder: Path | None = None
    environment: Mapping[str, str] | None = None
    random: Random | None = None
    clock: Callable[[], float] = time.time
