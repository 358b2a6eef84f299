"""The variables that a template sees, and where each value comes from."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perfscale.config import ObjectSpec, Workload

BUILTIN_PREFIX = "registry:5000/kubevirt"
BUILTIN_TAG = "devel"


@dataclass(frozen=True, slots=True)
class TemplateDefaults:
    """What ``containerPrefix`` and ``containerTag`` are where the file leaves them empty.

    Attributes:
        container_prefix: Registry and repository of the images.
        container_tag: Tag of the images.
    """

    container_prefix: str = BUILTIN_PREFIX
    container_tag: str = BUILTIN_TAG

    @classmethod
    def from_environment(
        cls,
        prefix: str | None = None,
        tag: str | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> TemplateDefaults:
        """The option where it is given, else ``DOCKER_PREFIX`` or ``DOCKER_TAG``, else built in.

        ``prefix`` and ``tag`` are the options' values; None or empty: not given.
        """
        return cls(
            container_prefix=prefix or environ.get("DOCKER_PREFIX") or BUILTIN_PREFIX,
            container_tag=tag or environ.get("DOCKER_TAG") or BUILTIN_TAG,
        )


class Variables:
    """The variables of one ``objects`` entry, for any iteration and replica.

    Attributes:
        fixed: Those that are the same for every object of the entry.
        names: Every defined name, sorted.
        replica_name: The variable that holds the replica's number.
        changing: The variables that are not the same for every object.
    """

    replica_name = "replica"
    changing = frozenset({"iteration", "namespace", "replica"})

    def __init__(
        self, workload: Workload, spec: ObjectSpec, *, run_id: str, defaults: TemplateDefaults
    ) -> None:
        self._workload = workload
        self._spec = spec
        given = dict(spec.input_vars)
        given["containerPrefix"] = _prefix(given.get("containerPrefix"), defaults)
        if given.get("containerTag") in (None, ""):
            given["containerTag"] = defaults.container_tag
        self.fixed: dict[str, Any] = {**given, "uuid": run_id, "workload": workload.name}
        self.names = tuple(sorted({*self.fixed, "iteration", "replica", "namespace"}))

    def namespace(self, iteration: int) -> str:
        """The generated namespace of an iteration (counted from 1)."""
        return self._workload.namespace_for(self._spec, iteration)

    def of(self, iteration: int, replica: int) -> dict[str, Any]:
        """Every variable of one object; both numbers are counted from 1."""
        return {
            **self.fixed,
            "iteration": iteration,
            "replica": replica,
            "namespace": self.namespace(iteration),
        }

    def tidy(self, text: str) -> str:
        """Rendered text without the ``//`` that a prefix ending in a slash leaves in an image.

        The slash itself stays where the template has none of its own: both
        ``prefix/image`` and ``prefiximage`` are written in templates out there.
        """
        prefix = self._untidy_prefix()
        return text.replace(f"{prefix}/", prefix) if prefix else text

    @property
    def tidies(self) -> bool:
        """Whether `tidy` may find something."""
        return bool(self._untidy_prefix())

    def tidies_across(self, pieces: Sequence[str]) -> bool:
        """Whether `tidy` may find something that begins in one piece and ends in another.

        Args:
            pieces: Rendered text, cut where a number stands.
        """
        sought = f"{self._untidy_prefix()}/"
        # A number can only stand for digits; up to the first of them, all is in one piece.
        starts = [sought[:end] for end, each in enumerate(sought) if each.isdigit()]
        return any(piece.endswith(start) for piece in pieces[:-1] for start in starts)

    def _untidy_prefix(self) -> str:
        """The prefix that ends in a slash, if it does."""
        prefix = self.fixed["containerPrefix"]
        return prefix if isinstance(prefix, str) and prefix.endswith("/") else ""


def _prefix(given: object, defaults: TemplateDefaults) -> object:
    """The prefix in force, with at most one slash at its end."""
    for value in (given, defaults.container_prefix):
        if value is None or value == "":
            continue
        if not isinstance(value, str):
            return value
        if stripped := value.rstrip("/"):
            return f"{stripped}/" if value.endswith("/") else stripped
    return BUILTIN_PREFIX
