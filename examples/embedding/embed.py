#!/usr/bin/env python3
"""Runs a small workload from inside an asyncio program, and follows it while it runs.

The cluster is the one that kubectl would talk to, or that of a kubeconfig named
as the argument.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from functools import partial

from perfscale import (
    ClusterOptions,
    Config,
    EventsLost,
    EventStream,
    LoadGenerator,
    ObjectFailed,
    PerfscaleError,
    RunResult,
    StageStarted,
    Warned,
)

say = partial(print, flush=True)


def density(replicas: int) -> Config:
    """The workload: virtual machine instances, ten a second, and none left at the end."""
    return Config.model_validate(
        {
            "workloads": [
                {
                    "name": "embedded",
                    "qps": 10,
                    "iterationCreationWait": True,
                    "iterationCleanup": True,
                    "iterationDeletionWait": True,
                    "maxWaitTimeout": "5m",
                    "objects": [
                        {
                            "templateFile": "templates/vmi-ephemeral.yaml",
                            "replicas": replicas,
                            "inputVars": {"containerImg": "cirros-container-disk-demo"},
                        }
                    ],
                }
            ]
        }
    )


async def follow(events: EventStream) -> None:
    """Say what the run turns to, and what goes wrong in it, until it is over."""
    async for event in events:
        match event:
            case StageStarted():
                say(f"now {event.stage.value}")
            case ObjectFailed():
                say(f"{event.kind} {event.name} failed: {event.error}")
            case Warned():
                say(f"warning: {event.message}")
            case EventsLost():
                say(f"too slow for {event.count} events")


async def run(config: Config, cluster: ClusterOptions) -> RunResult:
    """Run the workload; nothing has been created if this raises a `PerfscaleError`."""
    async with LoadGenerator(config, cluster=cluster) as generator:
        plan = await generator.preflight()
        say(f"{sum(plan.objects.values())} objects on {plan.server}")
        # Asked for before the run, so that no event is missed.
        following = asyncio.create_task(follow(generator.events()), name="follow")
        try:
            result = await generator.run()
            await following
        finally:
            following.cancel()
    return result


def tell(result: RunResult) -> None:
    """Say how it went, in a line of our own."""
    for problem in result.problems:
        say(f"problem: {problem}")
    for kind, each in result.workloads[0].kinds.items():
        ready = each.phases.get("Ready")
        p99 = None if ready is None else ready.p99
        reached = "was not reached" if p99 is None else f"is {p99:.1f} s"
        say(f"{kind}: {each.accounts.ready} of {each.accounts.requested} ready, p99 {reached}")


def main() -> int:
    """Read the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kubeconfig", nargs="?", help="the cluster; by default kubectl's")
    parser.add_argument("--replicas", type=int, default=10, help="how many instances")
    given = parser.parse_args()
    try:
        result = asyncio.run(
            run(density(given.replicas), ClusterOptions(kubeconfig=given.kubeconfig))
        )
    except PerfscaleError as error:
        say(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        # asyncio has cancelled the run, and the run has cleaned up.
        return 130
    tell(result)
    return result.exit_code


if __name__ == "__main__":
    sys.exit(main())
