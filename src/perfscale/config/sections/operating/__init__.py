"""The keys of workloads that do something to objects that are there."""
