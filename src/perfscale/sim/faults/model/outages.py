"""What a faults file says of the times at which the API server is gone."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from perfscale.config.sections.choices import choice
from perfscale.config.sections.fields import Count, Duration, Flag, Timeout
from perfscale.config.sections.section import Section
from perfscale.sim.faults.model.fault import refuse


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
            raise refuse("lasts", "an outage needs either the key after or afterRequests")
        if self.every is not None and self.every <= self.lasts:
            raise refuse("every", "this must be longer than the outage lasts")
        return self
