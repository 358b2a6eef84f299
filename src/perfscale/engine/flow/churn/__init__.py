"""Rounds in which some of what a workload has made is replaced, while the run goes on."""
