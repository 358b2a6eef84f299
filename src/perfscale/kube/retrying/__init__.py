"""Which failures are retried, when, and for how long."""
