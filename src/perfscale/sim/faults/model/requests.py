"""Faults of requests and of watches."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, ClassVar, Final, Self

from pydantic import Field, model_validator

from perfscale.config.sections.fields import Count, Duration, Text, Timeout, choice, key_error
from perfscale.sim.faults.fields import Groups, RefusedStatus, Resources, Share, Verbs
from perfscale.sim.faults.model.fault import Fault

_MOST_RETRY_S: Final = 3600


class RequestFault(Fault):
    """What happens to some of the requests."""

    called: ClassVar[str] = "a mapping (fault, share, verbs, resources, ...)"
    takes: ClassVar[Mapping[str, Collection[str]]] = {
        "retry_after": ("tooManyRequests", "unavailable"),
        "delay": ("slow",),
        "webhook": ("webhookDown",),
        "body": ("garbage",),
        "value": ("badRetryAfter",),
        "status": ("badRetryAfter",),
        "tokens": ("endlessContinue",),
        "mebibytes": ("gzipBomb",),
    }
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "slow": ("delay",),
        "groupUnavailable": ("groups",),
        "garbage": ("body",),
        "badRetryAfter": ("value",),
    }

    fault: Annotated[
        str,
        *choice(
            "tooManyRequests",
            "internalError",
            "unavailable",
            "resetBefore",
            "resetAfter",
            "slow",
            "unauthorized",
            "forbidden",
            "conflict",
            "webhookDown",
            "badGateway",
            "gatewayTimeout",
            "groupUnavailable",
            "garbage",
            "badRetryAfter",
            "endlessContinue",
            "gzipBomb",
        ),
    ] = Field(
        description=(
            "tooManyRequests: 429; internalError: 500; unavailable: 503; resetBefore and "
            "resetAfter: the connection is reset before the request is carried out, or after; "
            "slow: the request waits before it is carried out; unauthorized: 401; forbidden: "
            "403; conflict: 409, as a quota's counter gives it; webhookDown: 500, an admission "
            "webhook cannot be called; badGateway and gatewayTimeout: 502 and 504 of a balancer; "
            "groupUnavailable: 503 to everything about some API groups, whose server is gone; "
            "garbage: 200, and not what it should be; badRetryAfter: 429 or 503 with a "
            "Retry-After that cannot be followed; endlessContinue: a list whose pages do not "
            "end; gzipBomb: a small answer that is decompressed to a very large one."
        )
    )
    share: Share = Field(default=1.0, description="How many of the requests, from 0 to 1.")
    times: Count | None = Field(default=None, description="The most requests that it happens to.")
    skip: Count | None = Field(
        default=None, description="So many requests that it may happen to are spared first."
    )
    after: Duration = Field(
        default=0.0, description="When it begins to happen, counted from the server's start."
    )
    lasts: Timeout | None = Field(
        default=None, description="How long it goes on happening; for ever where this is not said."
    )
    scope: Annotated[str, *choice("objects", "discovery", "all")] = Field(
        default="objects",
        description=(
            "objects: requests for objects; discovery: those that ask what groups and kinds "
            "there are; all: every request, also for the version and health."
        ),
    )
    verbs: Verbs | None = Field(
        default=None, description="Only requests with these verbs; all, where there are none."
    )
    resources: Resources | None = Field(
        default=None, description="Only requests for these resources, by their plural."
    )
    groups: Groups | None = Field(
        default=None, description="Only requests for these API groups; core is that of pods."
    )
    retry_after: Duration | None = Field(
        default=None,
        description="The answer's Retry-After, in whole seconds. A 429 says 1s by itself.",
    )
    delay: Timeout | None = Field(default=None, description="How long the request waits.")
    webhook: Text = Field(
        default="virtualmachineinstances-create-validator.kubevirt.io",
        description="The name of the webhook that cannot be called.",
    )
    body: (
        Annotated[
            str,
            *choice(
                "html",
                "empty",
                "null",
                "list",
                "wrongTypes",
                "deep",
                "hugeVersion",
                "badTimestamps",
            ),
        ]
        | None
    ) = Field(default=None, description="What the answer is instead of what it should be.")
    value: Text | None = Field(default=None, description="The Retry-After, as it is sent.")
    status: RefusedStatus = Field(default=429, description="The status beside that Retry-After.")
    tokens: Annotated[str, *choice("endless", "expiring")] = Field(
        default="endless",
        description=(
            "endless: every page has a token for another; expiring: every token has expired."
        ),
    )
    mebibytes: Count = Field(default=4096, description="What is decompressed, in MiB.")

    @model_validator(mode="after")
    def _values_fit(self) -> Self:
        if self.retry_after is not None and (
            not self.retry_after.is_integer() or self.retry_after > _MOST_RETRY_S
        ):
            raise key_error(
                "retryAfter", f"HTTP counts in seconds here: write 0s to {_MOST_RETRY_S}s"
            )
        if self.fault == "resetAfter" and "watch" in (self.verbs or ()):
            raise key_error(
                "verbs", "a watch has no end after which it could be reset: leave it out"
            )
        return self

    @model_validator(mode="after")
    def _selection_fits(self) -> Self:
        if self.scope != "objects":
            for key in ("verbs", "resources"):
                if getattr(self, key) is not None:
                    raise key_error(
                        key, f"only requests for objects have {key}: leave out the scope"
                    )
        if self.fault == "groupUnavailable" and "scope" in self.model_fields_set:
            raise key_error(
                "scope", "groupUnavailable is about discovery and objects of its groups"
            )
        if self.scope == "all" and self.groups is not None:
            raise key_error("groups", "scope all is every request: leave out the groups")
        return self


class WatchFault(Fault):
    """What happens to some of the watches."""

    called: ClassVar[str] = "a mapping (fault, share, resources, ...)"
    takes: ClassVar[Mapping[str, Collection[str]]] = {
        "after": ("closed",),
        "after_events": ("closed",),
        "by": ("expired",),
        "delay": ("late",),
        "every": ("bursts", "trickle", "endlessInitial"),
    }
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "closed": ("after", "after_events"),
        "late": ("delay",),
        "bursts": ("every",),
    }

    fault: Annotated[
        str, *choice("closed", "expired", "late", "bursts", "trickle", "endlessInitial")
    ] = Field(
        description=(
            "closed: the server ends the watch, without an error; expired: a watch that "
            "resumes is refused with 410; late: each event is held back; bursts: events are "
            "collected and sent together; trickle: bytes come, and never a whole line; "
            "endlessInitial: the events of the initial state do not end."
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
            "How the server refuses a watch that has expired: by the answer's status 410, or by an "
            "event ERROR in an answer of status 200."
        ),
    )
    delay: Timeout | None = Field(default=None, description="How late each event is.")
    every: Timeout | None = Field(
        default=None, description="How far bursts, bytes or events are apart."
    )
