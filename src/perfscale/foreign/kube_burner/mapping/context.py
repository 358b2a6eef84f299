"""What the mapping of every job needs, and what it leaves for the whole."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from perfscale.config import format_duration
from perfscale.config.sections.fields import MAX_LABEL, usable_label
from perfscale.foreign.kube_burner.mapping.placed import At

if TYPE_CHECKING:
    from pathlib import Path

    from perfscale.config.reading.document import Document
    from perfscale.config.reading.source import KeyPath, SignIn
    from perfscale.foreign.kube_burner.inputs import Inputs
    from perfscale.foreign.kube_burner.mapping.repeated import Names
    from perfscale.foreign.kube_burner.models.job import Job
    from perfscale.foreign.kube_burner.models.top import Configuration

WAIT_S: Final = 4 * 3600.0
"""That program's ``--timeout``, which bounds a wait that has no bound of its own."""


@dataclass(slots=True)
class Reading:
    """The reading of one configuration.

    Attributes:
        document: The configuration, rendered, at the lines of its file.
        configuration: What stands in it.
        inputs: What it is read with.
        notes: What is not as that program has it, each said once.
        run_hooks: Commands before the first job, and after the last.
        sign_ins: By the address of a server, how to sign in to it.
        left_behind: The names of what earlier jobs made, and nobody deleted.
        judged: The measurements whose thresholds some workload has.
    """

    document: Document
    configuration: Configuration
    inputs: Inputs
    notes: dict[str, None] = field(default_factory=dict)
    run_hooks: list[Any] = field(default_factory=list)
    sign_ins: dict[str, SignIn] = field(default_factory=dict, repr=False)
    left_behind: list[Names] = field(default_factory=list)
    judged: set[KeyPath] = field(default_factory=set)
    _names: set[str] = field(default_factory=set)

    def note(self, text: str) -> None:
        """Say something once."""
        self.notes[text] = None

    def problem(self, path: KeyPath, message: str) -> None:
        """Something in the file is wrong, or cannot be done."""
        self.document.problems.append(self.document.source.problem(path, message))

    def name(self, *parts: object) -> str:
        """A name for a workload, which no other has."""
        wanted = usable_label("-".join(map(str, parts))) or "job"
        name, number = wanted, 1
        while name in self._names:
            number += 1
            suffix = f"-{number}"
            name = wanted[: MAX_LABEL - len(suffix)].rstrip("-") + suffix
        self._names.add(name)
        return name


@dataclass(frozen=True, slots=True)
class JobAt:
    """A job, and where it stands."""

    reading: Reading
    job: Job
    path: KeyPath

    @property
    def is_last(self) -> bool:
        """Whether no job comes after it."""
        return self.path == ("jobs", len(self.reading.configuration.jobs) - 1)

    def at(self, value: Any, *keys: str | int) -> At:  # noqa: ANN401 - YAML holds anything
        """A value of ours, made of what stands at these keys of the job."""
        return At(value, (*self.path, *keys))

    def note(self, text: str) -> None:
        """Say something of this job once."""
        self.reading.note(f"{self.job.name}: {text}")

    def problem(self, message: str, *keys: str | int) -> None:
        """Something in the job is wrong, or cannot be done."""
        self.reading.problem((*self.path, *keys), message)

    def kube_burner(self) -> dict[str, Any]:
        """What marks a workload as a part of the job."""
        functions = self.reading.configuration.global_.function_templates
        section: dict[str, Any] = {"job": self.job.name}
        if functions:
            section["functionTemplates"] = list(functions)
        if self.job.default_missing_keys_with_zero:
            section["missingKeysAreZero"] = True
        return section

    def load(self) -> dict[str, Any]:
        """The rate and the bounds of all workloads of the job."""
        job = self.job
        timeout = job.max_wait_timeout or WAIT_S
        return {
            "qps": self.at(_plain(job.rate), "qps"),
            "burst": self.at(job.depth, "burst"),
            "maxWaitTimeout": self.at(format_duration(timeout), "maxWaitTimeout"),
        }


def _plain(number: float) -> float:
    return int(number) if float(number).is_integer() else number


def selector_text(labels: Any) -> str:  # noqa: ANN401 - a mapping of texts
    """Labels as kubectl takes them."""
    return ",".join(f"{key}={value}" for key, value in labels.items())


def is_url(name: str) -> bool:
    """Whether a file is somewhere else, from where nothing is fetched."""
    return re.match(r"[a-z]+://", name) is not None


def is_file(path: Path) -> bool:
    """Whether there is such a file; a name that no file can have is none's."""
    try:
        return path.is_file()
    except OSError:
        return False


def group_version(text: str, default: str) -> str:
    """An ``apiVersion``; the default where it is empty."""
    return re.sub(r"\s+", "", text) or default
