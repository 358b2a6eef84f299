"""Waiting for a run to come to a stage."""

from perfscale.engine.events import EventStream, Stage, StageStarted


async def until_stage(events: EventStream, stage: Stage) -> None:
    async for event in events:
        if isinstance(event, StageStarted) and event.stage is stage:
            return
    raise AssertionError(f"the run ended before {stage}")
