"""The load engine: run, workload, iteration; the tracker; the cleanup."""

from perfscale.engine.accounting.budget import FailureBudget
from perfscale.engine.generator import LoadGenerator
from perfscale.engine.inputs import RunOptions

__all__ = ["FailureBudget", "LoadGenerator", "RunOptions"]
