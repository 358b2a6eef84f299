"""The commands that help to a workload file."""
