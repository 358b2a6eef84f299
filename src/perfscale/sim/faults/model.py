"""The faults file as frozen, validated models."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from perfscale.config.choices import choice
from perfscale.config.fields import Count, Duration, Flag, Text, Timeout, detail, refusal, rule
from perfscale.config.section import Section
from perfscale.sim.faults.fields import Finalizer, Names, Resources, Seed, Share, Verbs

PHASED: Final = ("virtualmachineinstances", "virtualmachineinstancemigrations", "pods")
"""The resources whose objects have phases that a controller leads them through."""

_MOST_RETRY_S: Final = 3600


def _refuse(key: str, message: str) -> ValidationError:
    return ValidationError.from_exception_data("fault", [detail(rule(message), (key,), None)])


class _Fault(Section):
    """A fault whose kind, ``fault``, decides which of the other keys it takes.

    Attributes:
        takes: The kinds that take each of the keys that not all take.
        needs: The keys that a kind cannot do without, any one of them.
    """

    takes: ClassVar[Mapping[str, Collection[str]]] = {}
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    fault: str

    @model_validator(mode="after")
    def _keys_fit(self) -> Self:
        fields = type(self).model_fields
        for name in sorted(self.model_fields_set):
            kinds = self.takes.get(name)
            if kinds is not None and self.fault not in kinds:
                raise _refuse(
                    fields[name].alias or name,
                    f"the fault {self.fault} does not take this key, only {' and '.join(kinds)}",
                )
        needed = self.needs.get(self.fault, ())
        if needed and not self.model_fields_set.intersection(needed):
            keys = " or ".join(fields[name].alias or name for name in needed)
            raise _refuse("fault", f"the fault {self.fault} needs the key {keys}")
        return self


class RequestFault(_Fault):
    """What happens to some of the requests for objects."""

    called: ClassVar[str] = "a mapping (fault, share, verbs, resources, ...)"
    takes: ClassVar[Mapping[str, Collection[str]]] = {
        "retry_after": ("tooManyRequests", "unavailable"),
        "delay": ("slow",),
    }
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {"slow": ("delay",)}

    fault: Annotated[
        str,
        *choice(
            "tooManyRequests", "internalError", "unavailable", "resetBefore", "resetAfter", "slow"
        ),
    ] = Field(
        description=(
            "tooManyRequests: 429; internalError: 500; unavailable: 503; resetBefore and "
            "resetAfter: the connection is reset before the request is carried out, or after; "
            "slow: the request waits before it is carried out."
        )
    )
    share: Share = Field(default=1.0, description="How many of the requests, from 0 to 1.")
    times: Count | None = Field(default=None, description="The most requests that it happens to.")
    verbs: Verbs | None = Field(
        default=None, description="Only requests with these verbs; all, where there are none."
    )
    resources: Resources | None = Field(
        default=None, description="Only requests for these resources, by their plural."
    )
    retry_after: Duration | None = Field(
        default=None,
        description="The answer's Retry-After, in whole seconds. A 429 says 1s by itself.",
    )
    delay: Timeout | None = Field(default=None, description="How long the request waits.")

    @model_validator(mode="after")
    def _can_be_said(self) -> Self:
        if self.retry_after is not None and (
            not self.retry_after.is_integer() or self.retry_after > _MOST_RETRY_S
        ):
            raise _refuse(
                "retryAfter", f"HTTP counts in seconds here: write 0s to {_MOST_RETRY_S}s"
            )
        if self.fault == "resetAfter" and "watch" in (self.verbs or ()):
            raise _refuse("verbs", "a watch has no end after which it could be reset: leave it out")
        return self


class WatchFault(_Fault):
    """What happens to some of the watches."""

    called: ClassVar[str] = "a mapping (fault, share, resources, ...)"
    takes: ClassVar[Mapping[str, Collection[str]]] = {
        "after": ("closed",),
        "after_events": ("closed",),
        "by": ("expired",),
        "delay": ("late",),
        "every": ("bursts",),
    }
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "closed": ("after", "after_events"),
        "late": ("delay",),
        "bursts": ("every",),
    }

    fault: Annotated[str, *choice("closed", "expired", "late", "bursts")] = Field(
        description=(
            "closed: the server ends the watch, without an error; expired: a watch that "
            "resumes is refused with 410; late: each event is held back; bursts: events are "
            "collected and sent together."
        )
    )
    share: Share = Field(default=1.0, description="How many of the watches, from 0 to 1.")
    times: Count | None = Field(default=None, description="The most watches that it happens to.")
    resources: Resources | None = Field(
        default=None, description="Only watches of these resources, by their plural."
    )
    after: Timeout | None = Field(default=None, description="When the watch is closed.")
    after_events: Count | None = Field(
        default=None, description="After how many events the watch is closed."
    )
    by: Annotated[str, *choice("status", "event")] = Field(
        default="status",
        description=(
            "How a watch is told that it has expired: by the answer's status 410, or by an "
            "event ERROR in an answer of status 200."
        ),
    )
    delay: Timeout | None = Field(default=None, description="How late each event is.")
    every: Timeout | None = Field(default=None, description="How far the bursts are apart.")


class Outage(Section):
    """The API server is gone for a while."""

    called: ClassVar[str] = "a mapping (after, lasts, every, ...)"

    lasts: Timeout = Field(description="How long it is gone.")
    after: Duration | None = Field(
        default=None, description="When it goes for the first time, counted from its start."
    )
    after_requests: Count | None = Field(
        default=None, description="It goes for the first time at the request of this number."
    )
    every: Timeout | None = Field(
        default=None, description="It goes again so long after it went before; else only once."
    )
    connections: Annotated[str, *choice("refused", "reset")] = Field(
        default="refused", description="What happens to connections while it is gone."
    )
    forgets: Flag = Field(
        default=False,
        description="Afterwards it has no history: watches from before are refused with 410.",
    )

    @model_validator(mode="after")
    def _can_be_told(self) -> Self:
        if (self.after is None) == (self.after_requests is None):
            raise _refuse("lasts", "an outage needs either the key after or afterRequests")
        if self.every is not None and self.every <= self.lasts:
            raise _refuse("every", "this must be longer than the outage lasts")
        return self


class ObjectFault(_Fault):
    """What happens to some of the objects, always the same ones."""

    called: ClassVar[str] = "a mapping (fault, share, names, resources, ...)"
    takes: ClassVar[Mapping[str, Collection[str]]] = {
        "phase": ("fails", "stuck", "vanishes"),
        "reason": ("fails", "stuck"),
        "message": ("fails", "stuck"),
        "after": ("vanishes",),
        "finalizer": ("held",),
    }
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {"stuck": ("phase",), "fails": ("phase",)}

    fault: Annotated[str, *choice("fails", "stuck", "vanishes", "held")] = Field(
        description=(
            "fails: its next phase is Failed; stuck: it stays in a phase; vanishes: somebody "
            "else deletes it; held: it has a finalizer that nobody removes."
        )
    )
    share: Share = Field(default=1.0, description="How many of the objects, from 0 to 1.")
    names: Names | None = Field(
        default=None, description="Only objects with such names; * and ? stand for anything."
    )
    resources: Resources = Field(
        default=("virtualmachineinstances",),
        description="Objects of these resources, by their plural.",
    )
    phase: Text | None = Field(
        default=None,
        description=(
            "The phase in which it is stuck or out of which it fails, or that it is in when it "
            "is deleted (at once where this is not said)."
        ),
    )
    reason: Text | None = Field(default=None, description="The reason in its conditions.")
    message: Text | None = Field(default=None, description="The message in its conditions.")
    after: Duration = Field(default=0.0, description="How long after that it is deleted.")
    finalizer: Finalizer = Field(
        default="simulation.perfscale/held", description="The finalizer that stays."
    )

    @model_validator(mode="after")
    def _has_phases(self) -> Self:
        if self.phase is not None:
            for resource in self.resources:
                if resource.partition(".")[0] not in PHASED:
                    raise _refuse("resources", f"{resource} have no phases: {', '.join(PHASED)} do")
        return self


def _list(value: object) -> Any:  # noqa: ANN401 - what the field's type then looks at
    if value is None:  # a key whose whole content is commented out
        return ()
    if isinstance(value, list | tuple):
        return value
    raise refusal("list", "a list of faults", value)


_Listed: Final = BeforeValidator(_list)


class Faults(Section):
    """A faults file: what goes wrong in a simulated cluster."""

    called: ClassVar[str] = "a mapping (seed, requests, watches, outages, objects)"

    seed: Seed = Field(
        default=0, description="The same seed lets the same happen; another one, something else."
    )
    requests: Annotated[tuple[RequestFault, ...], _Listed] = Field(
        default=(), description="What happens to requests."
    )
    watches: Annotated[tuple[WatchFault, ...], _Listed] = Field(
        default=(), description="What happens to watches."
    )
    outages: Annotated[tuple[Outage, ...], _Listed] = Field(
        default=(), description="When the API server is gone."
    )
    objects: Annotated[tuple[ObjectFault, ...], _Listed] = Field(
        default=(), description="What happens to objects."
    )
