"""Quotas and limit ranges against a lower bound of what the run needs."""
