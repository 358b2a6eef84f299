"""What happened in the simulated cluster, whatever a client saw of it."""

from perfscale.sim.ground_truth.operations import OperationTruth
from perfscale.sim.ground_truth.truth import GROUND_TRUTH_PATH, GroundTruth, KindTruth

__all__ = ["GROUND_TRUTH_PATH", "GroundTruth", "KindTruth", "OperationTruth"]
