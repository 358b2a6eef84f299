"""What the server warns of in its answers to creates: fields that it does not know, most of all.

It stores such an object all the same, without the field, so that nothing else ever shows that
what runs is not what the template says. The header is
https://www.rfc-editor.org/rfc/rfc7234#section-5.5, as
https://kubernetes.io/blog/2020/09/03/warnings/ has it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from perfscale.errors import Problem
from perfscale.preflight.fields import refused_field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.engine.context import RunContext
    from perfscale.engine.tracking.rows import TrackedObject
    from perfscale.preflight import Factories
    from perfscale.templates import ObjectFactory

_TEXT: Final = re.compile(r'\b299 [^\s"]+ "((?:[^"\\]|\\.)*)"')
_ESCAPED: Final = re.compile(r"\\(.)")
_MOST: Final = 20
"""Warnings that are logged; of more, that there are."""
_LONGEST: Final = 500


class ServerWarnings:
    """Publishes each warning once for each kind, with the line of the template where there is one.

    Args:
        context: The run's.
        factories: The compiled templates, by workload and object.
    """

    def __init__(self, context: RunContext, factories: Factories) -> None:
        self._context = context
        self._factories = factories
        self._published: set[tuple[str, str]] = set()

    def publish(self, row: TrackedObject, header: str) -> None:
        """The answer to an object's create had this ``Warning`` header."""
        for quoted in _TEXT.findall(header):
            text = " ".join(_ESCAPED.sub(r"\1", quoted).split())[:_LONGEST]
            key = (row.resource.kind_name, text)
            if key in self._published or len(self._published) > _MOST:
                continue
            self._published.add(key)
            if len(self._published) > _MOST:
                self._context.warn("the server warns of more in the templates than is shown here")
                return
            message = f"the server warns of {row.resource.kind_name} {row.name}: {text}"
            self._context.warn(str(self._placed(row, text, message)))

    def _placed(self, row: TrackedObject, text: str, message: str) -> Problem:
        """With the place in the template, if it is about a field and the object is found there."""
        path = refused_field(text)
        if path is None or row.replica is None:
            return Problem(message)
        for factory in self._factories_of(row.scope.workload):
            if row.replica > factory.spec.replicas:
                continue
            for number, request in enumerate(factory.render(row.scope.iteration, row.replica)):
                resource = self._context.plan.resources[request.api_version, request.kind]
                if (resource, request.name) == (row.resource, row.name):
                    line = factory.manifests.line_of(row.scope.iteration, row.replica, number, path)
                    return Problem(message, str(factory.path), line)
        return Problem(message)

    def _factories_of(self, name: str) -> Sequence[ObjectFactory]:
        names = [workload.name for workload in self._context.config.workloads]
        return self._factories[names.index(name)]
