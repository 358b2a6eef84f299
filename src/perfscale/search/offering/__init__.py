"""Whether a value of a search changes what the cluster gets: one that does not shows nothing."""

from perfscale.search.offering.changes import changed_keys
from perfscale.search.offering.offered import Offered, judge_offered
from perfscale.search.offering.refusing import refuse_unoffered

__all__ = ["Offered", "changed_keys", "judge_offered", "refuse_unoffered"]
