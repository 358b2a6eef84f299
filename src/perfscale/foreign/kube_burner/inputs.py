"""What a configuration is read with, besides its own text."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from perfscale.config.reading.document import Wanted, parse_document, read_text
from perfscale.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_USER_DATA = Wanted("file of user data", "one key")


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a configuration is read with.

    Attributes:
        user_data: A file in YAML or JSON, whose top keys are variables.
        metrics_endpoints: A file with a list that stands in the place of ``metricsEndpoints``.
        environment: Variables as well, which user data stands before, and what `env` sees; None
            where a file may not see any.
        run_id: Of the run: the variable ``UUID``.
        allow_missing: A variable that nobody defines is no error.
        allow_foreign: Whether objects may be changed that the run did not make: those of other
            runs of jobs with the same names.
    """

    user_data: Path | None = None
    metrics_endpoints: Path | None = None
    environment: Mapping[str, str] | None = None
    run_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    allow_missing: bool = False
    allow_foreign: bool = False

    def variables(self) -> dict[str, Any]:
        """Every variable that the text of a configuration has.

        Raises:
            ConfigError: The file of user data cannot be read, or is no mapping.
        """
        given: dict[str, Any] = {}
        if self.user_data is not None:
            document = parse_document(read_text(self.user_data, _USER_DATA), _USER_DATA)
            if not isinstance(document.tree, dict):
                message = "user data is a mapping of variables to values"
                document.problems.append(document.source.problem((), message))
            if document.problems:
                raise ConfigError(document.problems)
            given = document.tree
        return {**(self.environment or {}), **given, "UUID": self.run_id}
