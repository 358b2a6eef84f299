"""The simulated API server: HTTP, discovery, verbs, watches."""
