"""What follows what: the turns of workloads, their iterations, rounds of churn, and operations."""
