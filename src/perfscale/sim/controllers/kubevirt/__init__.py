"""KubeVirt's controllers, one to a kind, and the pods under them."""
