"""The kinds of a workload file as the cluster serves them, or will."""
