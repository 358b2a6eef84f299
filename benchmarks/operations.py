"""What the request of an operation costs the client, beside that of a create.

Counted is the CPU of this process for all that the engine does from a target to the answer:
schedule, task, template, life, counters, effects. What comes after, when watches show what the
request has brought about, is not: the server is the nginx of `creates.py`, which answers at once.
Function calls are counted by cProfile, in a round of their own: they do not depend on what else
goes on on the machine.

With ``--most``, it ends with exit code 1 if a patch or a restart costs more of a create than that.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import json
import pstats
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from creates import ANSWER, RUN, cluster_at, fail, inputs_of, sink
from figures import Row, report

from perfscale import Config, Plan, TemplateDefaults, eventloop, load_config
from perfscale.config.operations import VMI
from perfscale.engine.context import RunContext
from perfscale.engine.load.creation import Creator, PlannedObject
from perfscale.engine.load.dispatching import Dispatcher
from perfscale.engine.load.operating import Operator
from perfscale.engine.load.pacing import Pacing
from perfscale.engine.load.requests import RequestBuilder
from perfscale.engine.load.sending import Work
from perfscale.engine.load.server_warnings import ServerWarnings
from perfscale.engine.load.targets import Target
from perfscale.engine.removal.verification import ObjectVerifier
from perfscale.engine.sharding.portion import Requested
from perfscale.engine.tracking.operations.effects import Effects
from perfscale.preflight import OperationPlan
from perfscale.sim.controllers.kinds import VM as VMS
from perfscale.sim.controllers.kinds import VMI as VMIS
from perfscale.sim.controllers.kinds import VMIM as MIGRATIONS
from perfscale.templates import compile_workloads, default_workload

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from perfscale.templates import CompiledWorkloads

WORKLOAD: Final = load_config(default_workload()).workloads[0].name
"""Whose labels what the server answers has."""
BOUND: Final = ("patch", "restart")
"""Those that ``--most`` is about."""
NAMESPACE: Final = "operations-1"
LISTED: Final = 8
"""Objects in the answer to a list: an answer of nginx has less than 4 kB."""
LIST: Final = json.dumps(
    {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineList",
        "metadata": {"resourceVersion": "1"},
        "items": [json.loads(ANSWER)] * LISTED,
    }
)
LOCATION: Final = f"""
    location = {VMS.path(NAMESPACE)} {{
      if ($request_method = GET) {{ return 200 '{LIST}'; }}
      return 201 '{ANSWER}';
    }}
"""
_KEYS: Final[dict[str, dict[str, Any]]] = {
    "scale": {"to": 2},
    "delete": {},
    "patch": {},
    "restart": {},
    "stop": {},
    "pause": {},
    "migrate": {},
    "get": {},
    "list": {},
}


def config_of(count: int, directory: Path) -> Config:
    """VMs that are created, and a workload for each operation on them."""
    patch = directory / "patch.yaml"
    patch.write_text("metadata: {annotations: {patched: '{{ target.index }}'}}\n", encoding="utf-8")
    made: dict[str, Any] = {
        "templateFile": "vm-ephemeral.yaml",
        "replicas": count,
        "inputVars": {"namespace": "operations", "containerImg": "cirros"},
    }
    keys = {**_KEYS, "patch": {"patch": {"templateFile": str(patch)}}}
    operations = [
        {"name": name, "operation": name, "targets": {"workload": WORKLOAD}, **of}
        for name, of in keys.items()
    ]
    return Config.model_validate(
        {
            "globalConfig": {"maxInFlight": 64},
            "workloads": [{"name": WORKLOAD, "objects": [made]}, *operations],
        }
    )


class Meter:
    """CPU seconds from its beginning to its end, or function calls."""

    def __init__(self, *, counts_calls: bool) -> None:
        self._profile = cProfile.Profile() if counts_calls else None
        self._began_s = time.process_time()
        if self._profile is not None:
            self._profile.enable()

    def end(self) -> float:
        """What it came to."""
        if self._profile is None:
            return time.process_time() - self._began_s
        self._profile.disable()
        return float(pstats.Stats(self._profile).total_calls)  # type: ignore[attr-defined]


class Pair(NamedTuple):
    """What as many requests cost of an operation, and of the create next to it."""

    operation: float
    create: float


async def send_all(server: str, config: Config, *, counts_calls: bool = False) -> dict[str, Pair]:
    """What all requests of each operation cost."""
    compiled = compile_workloads(config, run_id=RUN, defaults=TemplateDefaults())
    plan = Plan(
        run_id=RUN,
        context=None,
        server=server,
        insecure=False,
        version=None,
        workloads=(),
        namespaces=(NAMESPACE,),
        resources=dict.fromkeys(compiled.factories[0][0].kinds, VMS),
        child_resources=(),
        places=(),
    )
    costs: dict[str, Pair] = {}
    async with cluster_at(server) as cluster:

        async def cost(number: int) -> float:
            async with asyncio.TaskGroup() as tasks:
                context = RunContext(inputs_of(config, plan, cluster.client), tasks, fail)
                sending = (
                    _operating(context, compiled, number)
                    if number
                    else _creating(context, compiled)
                )
                gc.collect()  # of those before
                meter = Meter(counts_calls=counts_calls)
                await sending
                spent = meter.end()
                _check(context, config.workloads[number].operation, config)
            return spent

        for number, workload in enumerate(config.workloads[1:], start=1):
            costs[workload.operation] = Pair(create=await cost(0), operation=await cost(number))
    return costs


def _check(context: RunContext, name: str, config: Config) -> None:
    (scope,) = context.iterations
    count = config.workloads[0].objects[0].replicas
    if scope.sent != count or scope.created != count or scope.failed:
        sys.exit(f"{name}: {scope.created} of {count} accepted, {scope.failed} failed")


def _creating(context: RunContext, compiled: CompiledWorkloads) -> Coroutine[Any, Any, object]:
    workload, members = context.config.workloads[0], compiled.factories[0]
    count = workload.objects[0].replicas
    iteration = context.open_iteration(workload, members, 1, Requested.of_one({VMS.kind: count}))
    warnings, verifier = ServerWarnings(context, (members,)), ObjectVerifier(context)
    creator = Creator(context, Dispatcher(context), warnings, verifier.delete)
    objects = (
        PlannedObject(VMS, NAMESPACE, request.name, replica, request.body)
        for replica in range(1, count + 1)
        for request in members[0].render(1, replica)
    )
    return creator.create(objects, iteration, pacing=Pacing.at_rate(0, 1))


def _operating(
    context: RunContext, compiled: CompiledWorkloads, number: int
) -> Coroutine[Any, Any, object]:
    workload = context.config.workloads[number]
    operation, count = workload.does, context.config.workloads[0].objects[0].replicas
    acts_on = {VMI: VMIS, MIGRATIONS.name: MIGRATIONS}.get(operation.acts_on, VMS)
    if operation.subresource and operation.subresource != "scale":
        acts_on = replace(acts_on, group="subresources.kubevirt.io")
    follows = VMIS if operation.follows == VMI else VMS
    plan = OperationPlan(operation, VMS, True, None, None, acts_on, follows)
    targets = [Target(NAMESPACE, f"vm-{n}", f"uid-{n}", n, {}) for n in range(1, count + 1)]
    effects = Effects(
        operation.effect,
        target=VMS.name,
        follows=follows.name,
        on_decided=lambda _: None,
        is_deleted_by_run=lambda _: False,
    )
    effects.follow((each.namespace, each.name or "") for each in targets)
    requests = RequestBuilder(workload, plan, RUN, compiled.patches[number])
    turns: list[tuple[Target, ...]] = [(target,) for target in targets]
    iteration = context.open_iteration(workload, (), 1, Requested.of_one({VMS.kind: count}))
    work = Work(workload, plan, turns, requests, effects, count)
    operator = Operator(context, Dispatcher(context))
    return operator.operate(turns, work, iteration, pacing=Pacing.at_rate(0, 1))


def main() -> None:
    """Run the rounds, and print the least of each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=2000, help="requests of each in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--most", type=float, help="how much of a create's a request may cost")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, sink(LOCATION) as server:
        config = config_of(options.count, Path(name))
        eventloop.run(send_all(server, config_of(64, Path(name))))  # what is only done once
        found = [eventloop.run(send_all(server, config)) for _ in range(options.rounds)]
        calls = eventloop.run(send_all(server, config, counts_calls=True))
    rows = [
        _row(name, [each[name] for each in found], calls[name], options.count) for name in _KEYS
    ]
    report(rows, options.json)
    for row in rows:
        ratio = float(row["of a create"] or 0.0)
        if options.most is not None and row["request"] in BOUND and ratio > options.most:
            sys.exit(f"{row['request']}: {ratio:.2f} of a create, more than {options.most:g}")


def _row(name: str, found: list[Pair], calls: Pair, count: int) -> Row:
    least = Pair(*map(min, zip(*found, strict=True)))
    return {
        "request": name,
        "µs CPU": least.operation / count * 1e6,
        "of a create": least.operation / least.create,
        "function calls": calls.operation / count,
        "calls, of a create": calls.operation / calls.create,
    }


if __name__ == "__main__":
    main()
