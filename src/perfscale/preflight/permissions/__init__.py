"""What a run has to be permitted: worked out, reviewed on the cluster, written as a role."""
