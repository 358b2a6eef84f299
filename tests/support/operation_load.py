"""Workloads that do something to objects, for end-to-end tests, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clusters import MemorySink

from perfscale.results import OperationAccounts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perfscale.results import OperationRecord, RunResult


class OperationSink(MemorySink):
    """Keeps the records of operations too."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[OperationRecord] = []

    def record_operations(self, operations: Iterable[OperationRecord]) -> None:
        self.operations += operations


def on(workload: str, operation: str, **keys: Any) -> dict[str, Any]:
    """A workload that does something to what another has made, and waits until it is done."""
    base = {"name": "load", "operation": operation, "targets": {"workload": workload}}
    return {**base, "iterationWait": True, "maxWaitTimeout": "60s", **keys}


def accounts(result: RunResult, workload: int = 1) -> OperationAccounts:
    """Of the one operation of a workload."""
    (operations,) = result.workloads[workload].operations
    assert operations.accounts.balanced
    return operations.accounts


def done(count: int) -> OperationAccounts:
    """All of so many are done."""
    return OperationAccounts(requested=count, done=count)
