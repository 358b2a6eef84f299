"""From the jobs of a configuration to workloads of ours."""
