"""Every error this package raises, in one tree, with the exit code of each branch.

Only the command line turns these into exit codes and text for a person; a
program that embeds the runner catches the branch it can do something about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in what the user wrote, and where.

    Attributes:
        message: What is wrong, with the value, and what is accepted.
        file: The file as the user named it, or the option (``--set``).
        line: Line in ``file``, counted from 1; None where there is none.
        column: Column in ``line``, counted from 1; None where there is none.
        path: Where in the document, as in ``workloads[0].objects[1].replicas``.
    """

    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    path: str | None = None

    def __str__(self) -> str:
        """``FILE:LINE:COL: path: message``, leaving out what is not known."""
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return ": ".join(part for part in (place, self.path, self.message) if part)


@dataclass(frozen=True, slots=True)
class ObjectReference:
    """The object that an error is about; any part may be unknown."""

    kind: str | None = None
    namespace: str | None = None
    name: str | None = None

    def __str__(self) -> str:
        """``Kind namespace/name``, leaving out what is not known."""
        name = "/".join(part for part in (self.namespace, self.name) if part)
        return " ".join(part for part in (self.kind, name) if part)


class PerfscaleError(Exception):
    """Root of the tree.

    Attributes:
        exit_code: What the command exits with when this error ends it.
        status: HTTP status of the answer behind the error, if there was one.
        reason: Kubernetes' word for it (``AlreadyExists``), or ours.
        about: The object the error is about, if it is about one.
        hint: The way out, as one sentence.
    """

    exit_code: ClassVar[int] = 70

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        reason: str | None = None,
        about: ObjectReference | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.about = about
        self.hint = hint


class UsageError(PerfscaleError):
    """The command line or an input file is wrong: nothing was created."""

    exit_code = 2


class InputError(UsageError):
    """One or more problems in files or options, all of them at once."""

    def __init__(self, problems: Sequence[Problem], *, hint: str | None = None) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems), hint=hint)


class ConfigError(InputError):
    """The workload file, or an override of it, is wrong."""


class TemplateError(InputError):
    """A template, or what it renders to, is wrong."""


class PreflightError(InputError):
    """What stands in the way of a run: kinds, permissions, namespaces, quotas, results."""


class NamespaceConflictError(UsageError):
    """A namespace the run needs belongs to another run."""


class ResultsError(UsageError):
    """The results folder cannot be written."""


class RunFailedError(PerfscaleError):
    """Something did not end as it should have: failed, unready or left over."""

    exit_code = 1


class HookError(RunFailedError):
    """A hook that is to abort the run has failed."""


class FailureBudgetError(RunFailedError):
    """More objects failed than the run was allowed."""


class ThresholdError(PerfscaleError):
    """A threshold was not met, or cannot be any more."""

    exit_code = 3


class FleetError(UsageError):
    """Several generators cannot do this together; nothing was created."""


class GeneratorLostError(RunFailedError):
    """A generator of several is gone, or has been silent for too long."""


class SchedulerLostError(GeneratorLostError):
    """What started all generators, and keeps them together, is gone: none of them can go on."""


class QueryError(RunFailedError):
    """Prometheus could not answer one query: its syntax, its time-out, its size."""


class PrometheusError(PerfscaleError):
    """Prometheus could not be reached, or refused the credentials."""

    exit_code = 4


class IndexingError(PerfscaleError):
    """The search engine could not be reached, refused the credentials, or took no documents."""

    exit_code = 4


class ClusterError(PerfscaleError):
    """The cluster could not be reached, refused the credentials, or went away."""

    exit_code = 4


class UnreachableError(ClusterError):
    """No answer from the API server, or none for longer than the bound.

    Attributes:
        attempts: How often the request was sent.
        sent_s: When it was first sent, on the client's clock; None if it never was.
    """

    attempts: int = 1
    sent_s: float | None = None


class CredentialsError(ClusterError):
    """There are no usable credentials, or the server refused them (401).

    Attributes:
        may_pass: Whether they have worked before, so that the refusal may be that of
            a server that has only just started.
    """

    may_pass: bool = False


class WatchError(ClusterError):
    """A watch could not be opened again within its bound."""


class ApiError(PerfscaleError):
    """The API server answered a request with an error status.

    ``status``, ``reason`` and ``str(error)`` come from the ``Status`` object.
    It is one object's failure, until somebody decides otherwise.

    Attributes:
        retry_after_s: How long the server asks to wait, if it does.
        attempts: How often the request was sent; after the first, an earlier
            one may have been carried out although its answer was lost.
        sent_s: When it was first sent, on the client's clock.
        answered_s: When this answer came, on the client's clock.
        may_pass: Whether it refuses what has worked before, as a server does that has
            only just started.
    """

    exit_code = 1
    may_pass: bool = False
    attempts: int = 1
    sent_s: float | None = None
    answered_s: float | None = None

    def __init__(
        self,
        message: str,
        *,
        status: int,
        reason: str,
        about: ObjectReference | None = None,
        retry_after_s: float | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, status=status, reason=reason, about=about, hint=hint)
        self.retry_after_s = retry_after_s


class ForbiddenError(ApiError):
    """403: not permitted, or the namespace is terminating (see ``reason``)."""


class NotPermittedError(ForbiddenError):
    """403 of the authorizer: the user has not the permission.

    Any other 403 is about the object: a quota, an admission webhook, a namespace that is
    being deleted.
    """


class NotFoundError(ApiError):
    """404."""


class NotServedError(ApiError):
    """404 for the path of a whole kind, about which the server says nothing.

    It does not have the kind any more, or has only just started: for some seconds an
    API server answers so for each custom resource that it has not read yet.
    """


class AlreadyExistsError(ApiError):
    """409 with reason ``AlreadyExists``."""


class ConflictError(ApiError):
    """409 of any other reason: a stale resourceVersion, a failed precondition."""


class ExpiredError(ApiError):
    """410: the resourceVersion or the continue token is too old."""


class ThrottledError(ApiError):
    """429: the server asks to slow down."""


class ServerError(ApiError):
    """5xx."""


class DependencyError(ServerError):
    """5xx because the API server could not call what it needs for its answer.

    Attributes:
        dependency: What that is: ``webhook`` or ``aggregated server``.
        called: The webhook's name, or the group that the aggregated server serves.
    """

    dependency: str = ""
    called: str = ""


class IllegibleError(ApiError):
    """An answer of success whose body is not what it should be.

    In the middle of a run it is an attempt that failed. Where nothing else can be done, it is
    as if the server could not be reached.
    """

    exit_code = 4
