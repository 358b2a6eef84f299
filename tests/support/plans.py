"""What a preflight has found, for tests that need one and look at nothing in it."""

from __future__ import annotations

from perfscale.preflight import Plan


def empty_plan(run_id: str) -> Plan:
    """Of a run that does nothing, anywhere."""
    return Plan(
        run_id=run_id,
        context=None,
        server="",
        insecure=False,
        version=None,
        workloads=(),
        namespaces=(),
        resources={},
        child_resources=(),
        places=(),
    )
