"""Faults of answers and watches."""
