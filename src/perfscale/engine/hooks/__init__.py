"""Commands of the user that run at certain moments: as processes, and as part of a run."""
