"""Lets the server's admission judge the first replica of every template, and stores nothing.

Every create here is sent with ``dryRun=All``, for which the server does all
that it does for a create but keep the object:
https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run
Fields that it does not know are refused, which a create of a run only warns of:
https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import msgspec

from perfscale.config.labels import run_labels
from perfscale.config.sections.namespaces import namespace_manifest
from perfscale.errors import (
    AlreadyExistsError,
    ApiError,
    ForbiddenError,
    IllegibleError,
    NotFoundError,
    Problem,
)
from perfscale.kube.decoding import OBJECT
from perfscale.kube.resources import NAMESPACES
from perfscale.preflight.existing import EXISTING
from perfscale.preflight.fields import refused_field
from perfscale.preflight.prerequisites import missing_prerequisite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.config import Config, Workload
    from perfscale.config.reading.source import KeyPath
    from perfscale.kube.client import Client
    from perfscale.kube.resources import Resource
    from perfscale.preflight.plan import Plan
    from perfscale.templates import ObjectFactory

STAND_IN: Final = "default"
"""Every cluster has this namespace; objects are tried in it whose own is not there yet."""

_UNABLE: Final = "does not support dry run"
_WEBHOOK: Final = "admission webhook"
"""What the API server says of a webhook that has side effects, and of one that refuses."""


class TrialVerdict(StrEnum):
    """What the server made of an object."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class Trial:
    """An object that was tried.

    Attributes:
        kind: Its kind.
        namespace: Where it would go; None for a kind without namespaces.
        name: Its name.
        verdict: What the server made of it.
        reason: Why it was refused or not judged, or in which other namespace
            it was accepted.
        problem: A refusal, and its place in the workload file.
        template: The template; None for a namespace that the run would make.
    """

    kind: str
    namespace: str | None
    name: str
    verdict: TrialVerdict
    reason: str | None = None
    problem: Problem | None = None
    template: str | None = None

    def __str__(self) -> str:
        """``Kind namespace/name``."""
        return f"{self.kind} {'/'.join(part for part in (self.namespace, self.name) if part)}"


class Trier:
    """Tries what a run would create first.

    Args:
        client: The way to the cluster.
        config: The workload file.
        factories: Its compiled templates, by workload and object.
        plan: What the preflight found.
    """

    def __init__(
        self,
        client: Client,
        config: Config,
        factories: Sequence[Sequence[ObjectFactory]],
        plan: Plan,
    ) -> None:
        self._client = client
        self._config = config
        self._factories = factories
        self._plan = plan
        self._places: dict[str, str] = {}

    async def run(self) -> tuple[Trial, ...]:
        """Try the first replica of every template, in the namespace that it goes to.

        Raises:
            ClusterError: The server cannot be asked.
        """
        trials: list[Trial] = []
        for number, members in enumerate(self._factories):
            for entry, factory in enumerate(members):
                path = ("workloads", number, "objects", entry, "templateFile")
                default = factory.namespace(1)
                if default in self._plan.namespaces and default not in self._places:
                    trials += await self._look_at(default, factory.workload, path)
                documents = zip(factory.kinds, factory.documents(1, 1), strict=True)
                for position, (key, document) in enumerate(documents):
                    trial = await self._try(self._plan.resources[key], document, default)
                    trial = self._told(self._with_ground(trial, number, entry), path)
                    trial = replace(trial, template=str(factory.path))
                    trials.append(_placed(trial, factory, position))
        return tuple(trials)

    async def _look_at(self, name: str, workload: Workload, path: KeyPath) -> list[Trial]:
        """Find out whether a namespace of the run is there; if not, try to make it."""
        self._places[name] = name
        try:
            found = await self._client.read(EXISTING, NAMESPACES.path(name=name))
        except ForbiddenError:
            return []  # taken to exist, as in a run
        except NotFoundError:
            self._places[name] = STAND_IN
        else:
            if found.terminating:
                self._places[name] = STAND_IN
            return []
        labels = run_labels(self._plan.run_id, workload.name, 1)
        manifest = namespace_manifest(name, workload, labels)
        verdict, reason = judge(await self._refusal(NAMESPACES, None, manifest))
        return [self._told(Trial("Namespace", None, name, verdict, reason), path)]

    async def _try(self, resource: Resource, document: dict[str, Any], default: str) -> Trial:
        metadata = document["metadata"]
        namespace = place = None
        if resource.namespaced:
            namespace = metadata.get("namespace") or default
            place = self._places.get(namespace, namespace)
            document = {**document, "metadata": {**metadata, "namespace": place}}
        if resource in self._plan.later:
            why = "its kind is brought by an earlier workload, and is not there yet"
            verdict = TrialVerdict.NOT_JUDGED
            return Trial(resource.kind, namespace, metadata["name"], verdict, why)
        refusal = await self._refusal(resource, place, document)
        verdict, reason = judge(refusal, stand_in=place != namespace)
        return Trial(resource.kind, namespace, metadata["name"], verdict, reason)

    def _with_ground(self, trial: Trial, number: int, entry: int) -> Trial:
        """A refusal for want of something that the file makes is no verdict."""
        text = trial.reason or ""
        if trial.verdict is not TrialVerdict.REFUSED:
            return trial
        missing = missing_prerequisite(text, self._factories, number, entry)
        if missing is None:
            return trial
        reason = f"{missing}, which this file creates before it, is not there yet: {text}"
        return replace(trial, verdict=TrialVerdict.NOT_JUDGED, reason=reason)

    async def _refusal(
        self, resource: Resource, namespace: str | None, manifest: dict[str, Any]
    ) -> ApiError | None:
        """What the server has against an object; nothing is stored."""
        try:
            await self._client.create_and_read(
                OBJECT,
                resource,
                namespace,
                msgspec.json.encode(manifest),
                {"dryRun": "All", "fieldValidation": "Strict"},
            )
        except IllegibleError:
            raise  # nobody has judged it
        except ApiError as error:
            return error
        return None

    def _told(self, trial: Trial, path: KeyPath) -> Trial:
        if trial.verdict is not TrialVerdict.REFUSED:
            return trial
        problem = self._config.problem(path, f"{trial} is refused: {trial.reason}")
        return replace(trial, problem=problem)


def _placed(trial: Trial, factory: ObjectFactory, document: int) -> Trial:
    """A refusal of a field that is not known, with the field's line in the template."""
    path = refused_field(trial.reason or "")
    if trial.problem is None or path is None:
        return trial
    line = factory.manifests.line_of(1, 1, document, path)
    return replace(trial, problem=Problem(trial.problem.message, str(factory.path), line))


def judge(refusal: ApiError | None, *, stand_in: bool = False) -> tuple[TrialVerdict, str | None]:
    """What an answer says of the object, and why.

    Args:
        refusal: The answer, if it was one of an error status.
        stand_in: Whether it was tried in another namespace than its own: what
            is wrong with that one says nothing of the object.
    """
    if refusal is None:
        reason = (
            f"tried in namespace {STAND_IN}, as its own does not exist yet" if stand_in else None
        )
        return TrialVerdict.ACCEPTED, reason
    text = _text(refusal)
    if _UNABLE in text:
        return TrialVerdict.NOT_JUDGED, text
    of_the_place = isinstance(refusal, (ForbiddenError, AlreadyExistsError))
    if stand_in and of_the_place and not text.startswith(_WEBHOOK):
        return TrialVerdict.NOT_JUDGED, f"tried in namespace {STAND_IN}: {text}"
    return TrialVerdict.REFUSED, text


def _text(error: ApiError) -> str:
    return " ".join(str(error).split())
