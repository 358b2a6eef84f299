"""What goes wrong in the simulated cluster, on purpose and the same way every time.

A file says what (`load_faults`), and each module here makes one sort of it happen:
requests, watches, outages, objects. Where nothing is to go wrong, none of them is run.
"""

from perfscale.sim.faults.load import faults_schema, load_faults
from perfscale.sim.faults.model import Faults

__all__ = ["Faults", "faults_schema", "load_faults"]
