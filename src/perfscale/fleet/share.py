"""What each generator of a run is to do: its configuration and plan, and what cannot be shared."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perfscale.config.labels import RUN_LABEL, SHARD_LABEL
from perfscale.config.operations import Request
from perfscale.errors import FleetError
from perfscale.kube.resources import NAMESPACES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perfscale.config import Config, Workload
    from perfscale.engine.sharding.shard import Shard
    from perfscale.preflight import Factories, OperationPlan, Plan


def share_of(config: Config, shard: Shard) -> Config:
    """The same workloads, with a generator's share of the limits.

    Rates of workloads stay whole: of their schedules a shard takes every nth place. Hooks and
    thresholds are the coordinator's.
    """
    limits = config.global_config
    own = limits.model_copy(
        update={
            "qps": shard.rate(limits.qps),
            "burst": shard.limit(limits.bucket_depth),
            "max_in_flight": shard.limit(limits.max_in_flight),
            "thresholds": (),
            "hooks": (),
            "preload_images": False,
            "audit": None,
        }
    )
    workloads = tuple(
        workload.model_copy(
            update={
                "max_in_flight": shard.limit(workload.max_in_flight or 0) or None,
                "thresholds": (),
                "hooks": (),
            }
        )
        for workload in config.workloads
    )
    return config.model_copy(update={"global_config": own, "workloads": workloads})


def plan_of(plan: Plan, shard: Shard) -> Plan:
    """The same plan; operations on objects of the run are done to those of the shard alone."""
    operations = {name: _narrowed(each, plan, shard) for name, each in plan.operations.items()}
    return replace(plan, operations=operations, preload=None)


def _narrowed(operation: OperationPlan, plan: Plan, shard: Shard) -> OperationPlan:
    of_run, of_shard = f"{RUN_LABEL}={plan.run_id}", f"{SHARD_LABEL}={shard.index}"

    def narrow(selector: str | None) -> str | None:
        if selector is None or of_run not in selector.split(","):
            return selector
        return f"{selector},{of_shard}"

    watched = tuple((place, narrow(selector)) for place, selector in operation.watched)
    if operation.operation.request in {Request.LIST, Request.WATCH}:
        return replace(operation, watched=watched)  # a collection has the objects of all
    return replace(operation, selector=narrow(operation.selector), watched=watched)


def refuse(config: Config, factories: Factories, plan: Plan, count: int) -> None:
    """Refuse what several generators cannot do together, before anything is created.

    Raises:
        FleetError: All of it, each with its name.
    """
    found = [*_of_limits(config, count), *_of_templates(config, factories), *_of_plan(config, plan)]
    if found:
        raise FleetError(
            f"{count} generators cannot run this workload file: {'; '.join(found)}",
            hint="run it with one generator",
        )


def _of_limits(config: Config, count: int) -> Iterator[str]:
    most = config.global_config.max_in_flight
    if most < count:
        yield f"globalConfig.maxInFlight is {most}, and each generator needs 1"
    for workload in config.workloads:
        if workload.max_in_flight is not None and workload.max_in_flight < count:
            bound = f"maxInFlight is {workload.max_in_flight}"
            yield f"{workload.name}: {bound}, and each generator needs 1"


def _of_templates(config: Config, factories: Factories) -> Iterator[str]:
    for workload, members in zip(config.workloads, factories, strict=True):
        for factory in members:
            if any(key == (NAMESPACES.api_version, NAMESPACES.kind) for key in factory.kinds):
                template = factory.spec.template_file
                yield (
                    f"{workload.name}: {template} creates namespaces, which may hold objects of "
                    "another generator"
                )


def _of_plan(config: Config, plan: Plan) -> Iterator[str]:
    for workload in config.workloads:
        operation = plan.operations.get(workload.name)
        if operation is not None:
            yield from _of_operation(workload, operation)


def _of_operation(workload: Workload, operation: OperationPlan) -> Iterator[str]:
    if operation.operation.request is not Request.DELETE:
        return
    if operation.target.name == NAMESPACES.name:
        yield (
            f"{workload.name}: it deletes namespaces, which may hold objects of another generator"
        )
    elif workload.delete_collection and not operation.own:
        yield (
            f"{workload.name}: deleteCollection of objects that the run did not make cannot be "
            "divided"
        )
