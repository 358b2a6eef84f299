"""A Kubernetes cluster with KubeVirt, simulated: an API server in memory, and controllers."""
