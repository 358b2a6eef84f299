"""Counts and latencies, kind by kind: of an iteration, of rounds of churn, and of a run."""
